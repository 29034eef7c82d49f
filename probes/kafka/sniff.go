package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"iscope/probes"
)

// sniffTime bounds the second look at a peer after a failed connection.
const sniffTime = time.Second

// greetingFault explains why a plaintext connection died on the first request.
// A TLS server may answer with an alert or, more often, just hang up.
func (d *dialer) greetingFault(ctx context.Context, addr string, err error) error {
	if d.tls == nil && isGone(err) && speaksTLS(ctx, addr) {
		return &fault{kind: probes.ErrTLS, err: fmt.Errorf("the broker hung up on plaintext: %w", err), hint: hintBrokerTLS}
	}
	return err
}

// handshakeFault explains why a TLS handshake failed. A plaintext broker takes
// the client's hello for a request of 369 MB and hangs up, or waits for it.
func (d *dialer) handshakeFault(ctx context.Context, addr string, err error) error {
	var header tls.RecordHeaderError
	if errors.As(err, &header) || (isGone(err) || isTimeout(err)) && speaksPlain(ctx, addr) {
		return &fault{kind: probes.ErrTLS, err: fmt.Errorf("no TLS handshake: %w", err), hint: hintBrokerPlain}
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// speaksTLS reports whether the peer answers a TLS handshake. Its certificate
// does not matter: nothing is sent over the connection.
func speaksTLS(ctx context.Context, addr string) bool {
	conn, err := sniff(ctx, addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	err = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).Handshake()
	var op *net.OpError
	// An alert from the peer ("remote error") is TLS too.
	return err == nil || errors.As(err, &op) && op.Op == "remote error"
}

// speaksPlain reports whether the peer answers an ApiVersions request.
func speaksPlain(ctx context.Context, addr string) bool {
	conn, err := sniff(ctx, addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	// Length 10, ApiVersions (18) v0, correlation id, client id "".
	const corr = 0x69736370
	request := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 10, 0, 18, 0, 0}, corr)
	if _, err := conn.Write(append(request, 0, 0)); err != nil {
		return false
	}
	var head [frameHead]byte
	_, err = io.ReadFull(conn, head[:])
	return err == nil && binary.BigEndian.Uint32(head[4:]) == corr
}

// sniff connects although ctx may have timed out on the first attempt. It does
// not when the caller has gone.
func sniff(ctx context.Context, addr string) (net.Conn, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	conn, err := net.DialTimeout("tcp", addr, sniffTime)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(sniffTime)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
