package httpapi

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
func (p *probe) explainHangUp(ctx context.Context, op string) error {
	switch {
	case p.base.Scheme == "https":
		if err := p.tlsRefusal(ctx); err != nil {
			return p.explainTLS(op, err)
		}
	case p.speaksTLS(ctx):
		return p.fail(op, probes.ErrTLS, errSpeaksTLS, hintUseHTTPS)
	default:
		answer := p.answerToHTTP2(ctx)
		switch h1 := p.http.Protocols.HTTP1(); {
		case h1 && len(answer) == 9 && answer[0] == 0 && answer[3] == settingsFrame:
			return p.fail(op, probes.ErrProtocol, errSpeaksHTTP2, hintUseH2C)
		case !h1 && strings.HasPrefix(answer, "HTTP/1."):
			return p.fail(op, probes.ErrProtocol, errSpeaksHTTP1, hintNoH2C)
		}
	}
	return nil
}

// greet connects for at most two seconds.
func (p *probe) greet(ctx context.Context, f func(net.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", hostPort(p.base))
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return f(conn)
}

// speaksTLS tries a handshake. Only whether TLS is spoken matters, so the
// certificate is not looked at.
func (p *probe) speaksTLS(ctx context.Context) bool {
	err := p.greet(ctx, func(conn net.Conn) error {
		return tls.Client(conn, &tls.Config{ServerName: p.base.Hostname(), InsecureSkipVerify: true}).Handshake()
	})
	var alert tls.AlertError
	return err == nil || errors.As(err, &alert) || strings.HasPrefix(err.Error(), "remote error: tls:")
}

// tlsRefusal returns the alert with which a server ends a TLS connection. In
// TLS 1.3 (RFC 8446 §4.4.2) it judges the client's certificate after the
// handshake, and a request written meanwhile fails with a broken pipe instead.
func (p *probe) tlsRefusal(ctx context.Context) error {
	err := p.greet(ctx, func(conn net.Conn) error {
		conf := p.http.TLSClientConfig.Clone()
		if conf.ServerName == "" {
			conf.ServerName = p.base.Hostname()
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
func (p *probe) answerToHTTP2(ctx context.Context) string {
	var head [9]byte
	n := 0
	_ = p.greet(ctx, func(conn net.Conn) (err error) {
		if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
			return err
		}
		n, err = io.ReadFull(conn, head[:])
		return err
	})
	return string(head[:n])
}
