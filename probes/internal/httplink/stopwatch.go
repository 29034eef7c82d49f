package httplink

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync"
	"time"

	"iscope/probes"
)

// Stopwatch measures one request. The transport calls its hooks from several
// goroutines, some after the request has ended, hence the lock.
type Stopwatch struct {
	mu                          sync.Mutex
	start                       time.Time
	dnsStart, dnsDone           time.Time
	connectStart, connectDone   time.Time
	tlsStart, tlsDone           time.Time
	connected, wrote, firstByte time.Time
	lastByte                    time.Time
	peer                        string
	dialed                      string // the address tried last
	host                        string // host:port of the request, for errors
	conns                       int    // connections used, more than one if the transport had to repeat it
}

// NewStopwatch starts measuring.
func NewStopwatch() *Stopwatch { return &Stopwatch{start: time.Now()} }

// Attach returns the request with the hooks in place.
func (s *Stopwatch) Attach(req *http.Request) *http.Request {
	return req.WithContext(s.Watch(req.Context(), HostPort(req.URL)))
}

// Watch returns a context for a request to a host, with the hooks in place.
func (s *Stopwatch) Watch(ctx context.Context, host string) context.Context {
	mark := func(t *time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		*t = time.Now()
	}
	first := func(t *time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.IsZero() {
			*t = time.Now()
		}
	}
	s.mu.Lock()
	s.host = host
	s.mu.Unlock()
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { mark(&s.dnsStart) },
		DNSDone:  func(httptrace.DNSDoneInfo) { mark(&s.dnsDone) },
		// Several addresses may be tried: from the first attempt to the first
		// success.
		ConnectStart: func(_, addr string) {
			first(&s.connectStart)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.dialed = addr
		},
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				first(&s.connectDone)
			}
		},
		TLSHandshakeStart: func() { mark(&s.tlsStart) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				mark(&s.tlsDone)
			}
		},
		GotConn: func(i httptrace.GotConnInfo) {
			mark(&s.connected)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.conns++
			s.peer = i.Conn.RemoteAddr().String()
			if i.Reused {
				// A dial that lost the race against a connection becoming idle
				// is not part of this request.
				s.dnsDone, s.connectDone, s.tlsDone = time.Time{}, time.Time{}, time.Time{}
			}
		},
		WroteRequest:         func(httptrace.WroteRequestInfo) { mark(&s.wrote) },
		GotFirstResponseByte: func() { mark(&s.firstByte) },
	})
}

// Phase says how far the request came, in words for an error.
func (s *Stopwatch) Phase() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.firstByte.IsZero():
		return "the answer began but did not end"
	case !s.wrote.IsZero():
		return "connected and sent the request, no answer came"
	case !s.connected.IsZero():
		return "connected, the request could not be sent whole"
	case !s.tlsStart.IsZero():
		return "connected, the TLS handshake did not end"
	case !s.connectDone.IsZero():
		return "connected, and nothing more"
	case !s.connectStart.IsZero():
		return "no connection was made"
	case !s.dnsStart.IsZero():
		return "the name was not resolved"
	}
	return "nothing was sent"
}

// Answered says whether any byte of a response arrived.
func (s *Stopwatch) Answered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.firstByte.IsZero()
}

// Peer is the host:port connected to, "" if none.
func (s *Stopwatch) Peer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peer
}

// Ended marks the last byte of the answer.
func (s *Stopwatch) Ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastByte = time.Now()
}

// at is where the request went, for errors.
func (s *Stopwatch) at(base *url.URL) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.host != "" {
		return s.host
	}
	return HostPort(base)
}

// tried is the address of the last attempt to connect, if it says more than the
// host's name.
func (s *Stopwatch) tried(base *url.URL) string {
	at := s.at(base)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dialed == "" || s.dialed == at {
		return at
	}
	return at + " at " + s.dialed
}

// Attrs are the timings so far; phases that did not happen are absent. The
// transport repeats a request that an idle connection lost before any answer: how
// often it was put on a connection follows then.
func (s *Stopwatch) Attrs() []probes.Attr {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []probes.Attr
	add := func(name string, from, to time.Time) {
		if from.IsZero() || to.IsZero() {
			return
		}
		// An answer may begin before the request is written out.
		ms := float64(max(0, to.Sub(from))) / float64(time.Millisecond)
		out = append(out, probes.Attr{Name: name, Value: strconv.FormatFloat(ms, 'f', 3, 64)})
	}
	add(probes.TimingDNS, s.dnsStart, s.dnsDone)
	add(probes.TimingConnect, s.connectStart, s.connectDone)
	add(probes.TimingTLS, s.tlsStart, s.tlsDone)
	add(probes.TimingSend, s.connected, s.wrote)
	add(probes.TimingFirstByte, s.wrote, s.firstByte)
	add(probes.TimingReceive, s.firstByte, s.lastByte)
	end := s.lastByte
	if end.IsZero() {
		end = time.Now()
	}
	add(probes.TimingTotal, s.start, end)
	if s.conns > 1 {
		out = append(out, probes.Attr{Name: probes.AttrAttempt, Value: strconv.Itoa(s.conns)})
	}
	return out
}
