package kafka

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/sasl"

	"iscope/probes"
)

const (
	clientID = "iscope"
	// maxFrame bounds what is believed of a response's length. A broker may
	// send one batch whole however large it is (KIP-74).
	maxFrame = 1 << 30
	// trustedFrame is allocated at once; anything larger grows as it arrives.
	trustedFrame = 16 << 20
	frameHead    = 8 // length and correlation id
)

// link is one connection to one broker, ready for requests. One caller uses it
// at a time. After any error it is broken and must be closed.
type link struct {
	addr     string
	conn     net.Conn
	in       *bufio.Reader
	out      *bufio.Writer
	versions map[protocol.ApiKey]int16 // highest that both the library and the broker speak
	spans    map[protocol.ApiKey]spans // all that the broker speaks
	corr     int32
	used     time.Time // when it last answered
	until    time.Time // the broker ends the session soon after; zero: never
	spare    []byte    // memory for the next answer, if it fits
	// patience is how long the next answer may take to begin; 0: as long as the
	// request may take.
	patience time.Duration
	throttle time.Duration // that the broker has announced with its last answer
}

func newLink(addr string, conn net.Conn) *link {
	return &link{addr: addr, conn: conn, in: bufio.NewReaderSize(conn, 64<<10), out: bufio.NewWriterSize(conn, 8<<10)}
}

func (l *link) close() { l.conn.Close() }

// call sends a request and decodes the answer with the library's types. ctx
// ends it at once; the link is broken then.
func (l *link) call(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	frame, version, err := l.exchange(ctx, req)
	if err != nil {
		return nil, err
	}
	_, res, err := protocol.ReadResponse(bytes.NewReader(frame), req.ApiKey(), version)
	if err != nil {
		return nil, fmt.Errorf("reading the answer to %s v%d: %w", req.ApiKey(), version, protocolFault(err))
	}
	return res, nil
}

// protocolFault marks a frame that ends early as unreadable rather than as a
// lost connection: the frame itself arrived whole.
func protocolFault(err error) error {
	return &fault{kind: probes.ErrProtocol, err: err}
}

// exchange sends a request and returns the whole frame of the answer, its head
// included, and the version spoken. The frame is the caller's.
func (l *link) exchange(ctx context.Context, req protocol.Message) ([]byte, int16, error) {
	version, ok := l.versions[req.ApiKey()]
	if !ok && req.ApiKey() != protocol.ApiVersions {
		return nil, 0, &fault{kind: probes.ErrUnsupported, err: fmt.Errorf("the broker at %s does not speak %s in a version known here", l.addr, req.ApiKey())}
	}
	frame, err := l.swap(ctx, req.ApiKey(), func(w io.Writer) error {
		return protocol.WriteRequest(w, version, l.corr, clientID, req)
	})
	return frame, version, err
}

// swap sends what write writes and waits for the answer. When ctx ends, it does.
func (l *link) swap(ctx context.Context, key protocol.ApiKey, write func(io.Writer) error) ([]byte, error) {
	deadline, _ := ctx.Deadline()
	if err := l.conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { l.conn.SetDeadline(time.Unix(1, 0)) })
	l.corr++
	err := write(l.out)
	if err == nil {
		err = l.out.Flush()
	}
	if err == nil && l.patience > 0 {
		err = l.begin(ctx, deadline)
	}
	var frame []byte
	if err == nil {
		frame, err = l.receive()
	}
	switch live := stop(); {
	case !live || ctx.Err() != nil:
		// The connection's own word for it would be "i/o timeout". If the
		// answer came just before, the deadline may still be about to change.
		return nil, ctx.Err()
	case err != nil:
		return nil, fmt.Errorf("asking for %s: %w", key, err)
	}
	l.used = time.Now()
	return frame, nil
}

// begin waits for the first byte of an answer: a broker that is alive begins soon,
// though a large answer takes long.
func (l *link) begin(ctx context.Context, deadline time.Time) error {
	if err := l.conn.SetReadDeadline(time.Now().Add(l.patience + l.throttle)); err != nil {
		return err
	}
	_, err := l.in.Peek(1)
	l.conn.SetReadDeadline(deadline)
	switch {
	case ctx.Err() != nil: // the deadline that ended the wait is lifted now
		return ctx.Err()
	case isTimeout(err):
		return &fault{kind: probes.ErrTimeout, err: fmt.Errorf("the broker at %s has been silent for %v", l.addr, l.patience+l.throttle)}
	}
	return err
}

func (l *link) receive() ([]byte, error) {
	var head [frameHead]byte
	if n, err := io.ReadFull(l.in, head[:]); err != nil {
		if isTLSAlert(head[:n]) {
			return nil, errTLSAlert
		}
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(head[:])))
	if corr := int32(binary.BigEndian.Uint32(head[4:])); corr != l.corr || size < 4 || size > maxFrame {
		if isTLSAlert(head[:]) {
			return nil, errTLSAlert
		}
		return nil, &fault{kind: probes.ErrProtocol, err: fmt.Errorf("the peer's answer starts with %q, which is not Kafka's protocol", head[:]),
			hint: "check the port: something else listens on it"}
	}
	body := size - 4
	frame := l.spare
	l.spare = nil
	if cap(frame) < frameHead+body {
		frame = make([]byte, 0, roomFor(frameHead+min(body, trustedFrame)))
	}
	frame = append(frame[:0], head[:]...)
	return readGrowing(l.in, frame, body)
}

// roomFor rounds the size of a large answer up, so that its memory takes the next
// one, too, which is hardly ever as large to the byte.
func roomFor(n int) int {
	const step = 256 << 10
	if n < step/2 {
		return n
	}
	return (n + step - 1) / step * step
}

// readGrowing appends n bytes of r to b, without believing n before the bytes
// are there.
func readGrowing(r io.Reader, b []byte, n int) ([]byte, error) {
	for n > 0 {
		if len(b) == cap(b) {
			b = append(make([]byte, 0, min(2*cap(b), len(b)+n)), b...)
		}
		part := b[len(b):min(cap(b), len(b)+n)]
		if _, err := io.ReadFull(r, part); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		b, n = b[:len(b)+len(part)], n-len(part)
	}
	return b, nil
}

// errTLSAlert is what a TLS server answers to a Kafka request.
var errTLSAlert = &fault{kind: probes.ErrTLS, err: fmt.Errorf("the broker answered with a TLS alert"), hint: hintBrokerTLS}

// isTLSAlert recognises the head of an alert record (RFC 8446, section 5.1).
func isTLSAlert(b []byte) bool { return len(b) >= 2 && b[0] == 21 && b[1] == 3 }

// negotiate asks for the broker's versions and keeps the highest that the
// library speaks too.
func (l *link) negotiate(ctx context.Context) error {
	msg, err := l.call(ctx, &apiversions.Request{})
	if err != nil {
		return err
	}
	res := msg.(*apiversions.Response)
	if res.ErrorCode != 0 {
		return brokerError(res.ErrorCode, "")
	}
	l.versions, l.spans = make(map[protocol.ApiKey]int16, len(res.ApiKeys)), make(map[protocol.ApiKey]spans, len(res.ApiKeys))
	for _, k := range res.ApiKeys {
		key := protocol.ApiKey(k.ApiKey)
		l.spans[key] = spans{k.MinVersion, k.MaxVersion}
		v := min(key.MaxVersion(), k.MaxVersion)
		if v >= max(key.MinVersion(), k.MinVersion) {
			l.versions[key] = v
		}
	}
	if l.versions[protocol.Fetch] < minFetch {
		return &fault{kind: probes.ErrUnsupported, err: fmt.Errorf("the broker at %s is older than Kafka 0.11", l.addr)}
	}
	return nil
}

// dialer makes links.
type dialer struct {
	tls     *tls.Config    // nil: plaintext
	sasl    sasl.Mechanism // nil: none
	timeout time.Duration  // for all it takes until the link is ready
}

// connect makes a link, ready for requests: TCP, TLS, versions, SASL.
func (d *dialer) connect(ctx context.Context, addr string) (*link, error) {
	ctx, stop := context.WithTimeout(ctx, d.timeout)
	defer stop()
	l, err := d.reach(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	if err := d.greet(ctx, l); err != nil {
		l.close()
		return nil, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	return l, nil
}

// reach connects and secures.
func (d *dialer) reach(ctx context.Context, addr string) (*link, error) {
	var nd net.Dialer
	conn, err := nd.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if d.tls == nil {
		return newLink(addr, conn), nil
	}
	config := d.tls.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr)
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, d.handshakeFault(ctx, addr, err)
	}
	return newLink(addr, secured), nil
}

func (d *dialer) greet(ctx context.Context, l *link) error {
	if err := l.negotiate(ctx); err != nil {
		return d.greetingFault(ctx, l.addr, err)
	}
	if d.sasl == nil {
		return nil
	}
	return l.authenticate(ctx, d.sasl)
}
