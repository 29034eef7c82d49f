package proxy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"iscope/probes"
	"iscope/replay"
)

const (
	defaultMaxBody = 4 << 20
	defaultDrain   = 5 * time.Second
	headerTimeout  = 30 * time.Second
)

// Options says what to listen on and where traffic goes.
type Options struct {
	// Listen is host:port. Without a host it is loopback: a proxy in front of
	// a system is nothing to offer a network by accident. Port 0 picks one.
	Listen string
	// To is the upstream, http or https, with an optional path before every
	// request's.
	To *url.URL
	// TLS is how to reach an https upstream.
	TLS probes.TLS
	// Target is the name under which records are stored.
	Target string
	// Sink takes the records. While it blocks, so does the traffic: a capture
	// never drops. Its error ends the proxy.
	Sink replay.Sink
	// MaxBody is the number of bytes kept of a body or message; 0 is 4 MiB.
	// More passes through all the same and is counted in Record.Cut.
	MaxBody int
	// Drain bounds the wait for open calls when ctx ends; 0 is 5 s.
	Drain time.Duration
	// OnReady is told the address when connections are accepted.
	OnReady func(addr net.Addr)
}

// Serve runs the proxy until ctx ends, which is no error. It returns when every
// call has got its End record.
func Serve(ctx context.Context, o Options) error {
	s, err := newServer(ctx, o)
	if err != nil {
		return err
	}
	defer s.up.close()
	l, err := net.Listen("tcp", listenAddress(o.Listen))
	if err != nil {
		return &probes.Error{Target: o.Listen, Op: "listening", Kind: probes.ErrUsage, Err: err,
			Hint: "choose another address with --listen; :0 takes any free port"}
	}
	if o.OnReady != nil {
		o.OnReady(l.Addr())
	}
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(l) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	case <-s.broken:
	}
	s.shutdown()
	if err == nil {
		<-served
	}
	if serr := s.sinkErr.Load(); serr != nil {
		return *serr
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return &probes.Error{Target: l.Addr().String(), Op: "accepting connections", Kind: probes.ErrUnreachable, Err: err}
	}
	return nil
}

// server is one running proxy.
type server struct {
	o     Options
	up    *upstream
	http  *http.Server
	run   string          // makes call ids unique over several runs
	keep  context.Context // for the sink: records are written though a call ended
	stop  context.CancelCauseFunc
	conns atomic.Int64
	calls sync.WaitGroup

	sinkErr  atomic.Pointer[error]
	broken   chan struct{} // closed when the sink has failed
	breaking sync.Once
}

var errStopped = errors.New("the proxy was stopped")

func newServer(ctx context.Context, o Options) (*server, error) {
	if o.MaxBody <= 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Drain <= 0 {
		o.Drain = defaultDrain
	}
	up, err := newUpstream(o.To, o.TLS)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 4)
	rand.Read(id) // never fails, see crypto/rand
	s := &server{o: o, up: up, run: hex.EncodeToString(id), keep: context.WithoutCancel(ctx), broken: make(chan struct{})}
	// Calls outlive ctx by Drain.
	base, stop := context.WithCancelCause(s.keep)
	s.stop = stop
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s.http = &http.Server{Handler: s, Protocols: &protocols, ReadHeaderTimeout: headerTimeout,
		ErrorLog:    log.New(discardLog{}, "", 0), // what goes wrong is in End records
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, &connection{id: s.conns.Add(1)})
		}}
	return s, nil
}

type discardLog struct{}

func (discardLog) Write(p []byte) (int, error) { return len(p), nil }

// connKey finds the connection of a request: net/http has no other way to say.
type connKey struct{}

// connection is a client's; it numbers its requests.
type connection struct {
	id       int64
	requests atomic.Int64
}

// shutdown lets open calls finish for Drain, then ends them.
func (s *server) shutdown() {
	ctx, cancel := context.WithTimeout(s.keep, s.o.Drain)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.stop(errStopped)
		_ = s.http.Close()
	}
	s.stop(errStopped) // upgraded connections are not known to the server
	s.calls.Wait()
}

// write hands a record to the sink; the first error ends the proxy.
func (s *server) write(r probes.Record) {
	if s.sinkErr.Load() != nil {
		return
	}
	if err := s.o.Sink.Write(s.keep, r); err != nil {
		s.breaking.Do(func() {
			s.sinkErr.Store(&err)
			s.stop(fmt.Errorf("the capture failed: %w", err))
			close(s.broken)
		})
	}
}

// listenAddress adds the loopback host where none is given.
func listenAddress(addr string) string {
	if addr == "" {
		return "127.0.0.1:0"
	}
	if strings.HasPrefix(addr, ":") {
		return "127.0.0.1" + addr
	}
	return addr
}
