package httplink

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"iscope/probes"
)

// A peer that closes the connection without a word leaves open what it wanted.
// The probes of this file open a connection of their own and see how it
// greets; they send no request, and are tried only after such a failure.

// explainHangUp finds out why a peer hung up; nil if that is not to be had.
func (l *Link) explainHangUp(ctx context.Context, op string) error {
	switch {
	case l.Base.Scheme == "https":
		if err := l.tlsRefusal(ctx); err != nil {
			return l.explainTLS(op, err)
		}
	case l.SeemsTLS(ctx):
		return l.SpeaksTLS(op)
	default:
		answer := l.answerToHTTP2(ctx)
		switch h1 := l.HTTP.Protocols.HTTP1(); {
		case h1 && len(answer) == 9 && answer[0] == 0 && answer[3] == settingsFrame:
			return l.Fail(op, probes.ErrProtocol, errSpeaksHTTP2, l.HTTP2)
		case !h1 && strings.HasPrefix(answer, "HTTP/1."):
			return l.Fail(op, probes.ErrProtocol, errSpeaksHTTP1, hintNoH2C)
		}
	}
	return nil
}

// greet connects for at most two seconds.
func (l *Link) greet(ctx context.Context, f func(net.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", HostPort(l.Base))
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return f(conn)
}

// SeemsTLS tries a handshake. Only whether TLS is spoken matters, so the
// certificate is not looked at.
func (l *Link) SeemsTLS(ctx context.Context) bool {
	err := l.greet(ctx, func(conn net.Conn) error {
		return tls.Client(conn, &tls.Config{ServerName: l.Base.Hostname(), InsecureSkipVerify: true}).Handshake()
	})
	var alert tls.AlertError
	return err == nil || errors.As(err, &alert) || strings.HasPrefix(err.Error(), "remote error: tls:")
}

// tlsRefusal returns the alert with which a server ends a TLS connection. In
// TLS 1.3 (RFC 8446 §4.4.2) it judges the client's certificate after the
// handshake, and a request written meanwhile fails with a broken pipe instead.
func (l *Link) tlsRefusal(ctx context.Context) error {
	err := l.greet(ctx, func(conn net.Conn) error {
		conf := l.HTTP.TLSClientConfig.Clone()
		if conf.ServerName == "" {
			conf.ServerName = l.Base.Hostname()
		}
		c := tls.Client(conn, conf)
		_, err := c.Read(make([]byte, 1))
		return err
	})
	if probes.KindOfCause(err) == probes.ErrTLS {
		return err
	}
	return nil
}

// settingsFrame is the type in the fourth byte of a SETTINGS frame's header
// (RFC 9113 §6.5).
const settingsFrame = 4

// answerToHTTP2 sends the client's preface with empty settings (RFC 9113 §3.4)
// and returns the first nine bytes of the answer: a frame's header from an
// HTTP/2 server, the beginning of an error from others.
func (l *Link) answerToHTTP2(ctx context.Context) string {
	var head [9]byte
	n := 0
	_ = l.greet(ctx, func(conn net.Conn) (err error) {
		if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
			return err
		}
		n, err = io.ReadFull(conn, head[:])
		return err
	})
	return string(head[:n])
}
