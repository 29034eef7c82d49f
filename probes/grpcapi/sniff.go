package grpcapi

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

// sniffTime bounds the second look at a peer after a failed connection. The
// first already failed, so there is nothing to wait long for.
const sniffTime = time.Second

// speaksTLS reports whether the peer answers a TLS handshake. Its certificate
// does not matter and nothing is sent over the connection.
func (l *link) speaksTLS(ctx context.Context) bool {
	conn, err := l.sniff(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	err = c.HandshakeContext(ctx)
	var alert tls.AlertError
	var netOp *net.OpError
	// A server's alert (arriving as a "remote error") is TLS too.
	return err == nil || errors.As(err, &alert) || errors.As(err, &netOp) && netOp.Op == "remote error"
}

// refusal returns the alert by which the server refuses us after the handshake,
// nil if there is none. In TLS 1.3 a server judges the client's certificate
// only then, and whoever writes at that moment may lose the alert to a reset;
// so look again and only read.
func (l *link) refusal(ctx context.Context, seen error) error {
	if isAlert(seen) {
		return seen
	}
	conn, err := l.sniff(ctx)
	if err != nil {
		return nil
	}
	defer conn.Close()
	config := l.set.tls.Clone()
	config.NextProtos = []string{"h2"}
	if config.ServerName == "" {
		config.ServerName = l.set.addr.host
	}
	if _, err = tls.Client(conn, config).Read(make([]byte, 1)); isAlert(err) {
		return err
	}
	return nil
}

// isAlert recognises a TLS alert of the peer; crypto/tls tells it by text only.
func isAlert(err error) bool {
	return err != nil && strings.Contains(err.Error(), "remote error: tls: ")
}

// speaksPlaintext reports whether the peer answers HTTP/2 without TLS.
func (l *link) speaksPlaintext(ctx context.Context) bool {
	conn, err := l.sniff(ctx)
	if err != nil {
		return false
	}
	defer conn.Close()
	// The client preface and an empty SETTINGS frame (RFC 9113, section 3.4).
	if _, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")); err != nil {
		return false
	}
	head := make([]byte, 9)
	_, err = io.ReadFull(conn, head)
	return err == nil && isSettings(head)
}

func (l *link) sniff(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: sniffTime}
	network, to := "tcp", l.where()
	if path, ok := strings.CutPrefix(to, "unix:"); ok {
		network, to = "unix", path
	}
	conn, err := d.DialContext(ctx, network, to)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(sniffTime)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
