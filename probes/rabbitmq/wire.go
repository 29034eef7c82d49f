package rabbitmq

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"iscope/probes"
)

// wire is a connection as the library should see it. It remembers why it broke,
// because the library turns every read error into a text. It keeps the first
// bytes that came, which tell what the peer speaks if it is not AMQP. And it
// reads in large pieces, with a deadline for each: the library would read 4 KiB
// at a time and set a deadline for every frame, from another goroutine, which
// took a third of the time of a fast tail.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	got  int       // bytes of the last piece
	at   time.Time // when it came
	// busy is set for connections that carry a stream of messages: where requests
	// wait for answers, gathering would delay each.
	busy atomic.Bool

	mu    sync.Mutex
	err   error
	first []byte
}

const (
	greeting = 8
	// readSize is how much is read at once, in bytes.
	readSize = 64 << 10
	// silence is how long nothing may come: two heartbeats, of which the broker
	// sends two in each interval.
	silence = 2 * heartbeat
	// gatherTime is what a message may be late by on a busy connection.
	gatherTime = 5 * time.Millisecond
)

func newWire(conn net.Conn) *wire { return &wire{conn: conn, in: bufio.NewReaderSize(conn, readSize)} }

// Read is called by one goroutine, which is also the only one that writes first.
func (w *wire) Read(b []byte) (int, error) {
	if w.in.Buffered() == 0 {
		if w.busy.Load() {
			w.gather()
		}
		if err := w.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return 0, err
		}
	}
	before := w.in.Buffered()
	n, err := w.in.Read(b)
	if before == 0 {
		w.got, w.at = n+w.in.Buffered(), time.Now()
	}
	if err == nil && len(w.first) >= greeting {
		return n, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if need := greeting - len(w.first); need > 0 {
		w.first = append(w.first, b[:min(n, need)]...)
	}
	w.note(err)
	return n, err
}

// gather waits a moment if the last piece was small and has just come: on a busy
// connection the next one is then larger, and far fewer goroutines are woken. On
// a quiet one nothing is delayed.
func (w *wire) gather() {
	if w.got < readSize/2 && time.Since(w.at) < gatherTime {
		time.Sleep(gatherTime)
	}
}

func (w *wire) Write(b []byte) (int, error) {
	n, err := w.conn.Write(b)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.note(err)
	}
	return n, err
}

// Close may be called more than once.
func (w *wire) Close() error { return w.conn.Close() }

func (w *wire) note(err error) {
	if w.err == nil && err != nil {
		w.err = err
	}
}

// kill closes the connection for a reason, which any later error then gives.
func (w *wire) kill(why error) {
	w.mu.Lock()
	w.note(why)
	w.mu.Unlock()
	w.Close()
}

// broke returns the first bytes that came, and why there are no more.
func (w *wire) broke() (first []byte, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.first, w.err
}

// errGone stands for an end of the stream without a word.
var errGone = errors.New("the broker closed the connection")

// dialTCP connects to the first host that answers.
func dialTCP(ctx context.Context, hosts []string) (conn net.Conn, host string, err error) {
	var d net.Dialer
	for i, h := range hosts {
		each := ctx
		if left := len(hosts) - i; left > 1 {
			// One that does not answer must leave time for the others.
			if deadline, ok := ctx.Deadline(); ok {
				var stop context.CancelFunc
				each, stop = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
				defer stop()
			}
		}
		var one error
		if conn, one = d.DialContext(each, "tcp", h); one == nil {
			return conn, h, nil
		}
		err = errors.Join(err, one)
	}
	return nil, "", err
}

// isGone reports that the peer hung up.
func isGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || probes.KindOfCause(err) == probes.ErrUnreachable
}

// sniffTime bounds the second look at a peer that hung up.
const sniffTime = time.Second

// speaksTLS reports whether the peer answers a TLS handshake. Its certificate
// does not matter: nothing is sent over the connection.
func speaksTLS(ctx context.Context, addr string) bool {
	ctx, stop := context.WithTimeout(ctx, sniffTime)
	defer stop()
	conn, _, err := dialTCP(ctx, []string{addr})
	if err != nil {
		return false
	}
	defer conn.Close()
	err = tls.Client(conn, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	return err == nil || probes.KindOfCause(err) == probes.ErrTLS && !errors.As(err, &tls.RecordHeaderError{})
}
