package grpcapi

import (
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc/stats"

	"iscope/probes"
)

// timesKey is the context key of a call's *times (see watcher).
type timesKey struct{}

// times records when things happened on one call. grpc-go calls note from
// several goroutines.
type times struct {
	mu       sync.Mutex
	moments  moments
	attempts int
}

type moments struct {
	sent    time.Time // newest request bytes written before the first response
	first   time.Time // first response bytes
	peer    string
	trailer bool // the peer has ended the call itself, with a status
	headers bool // response headers have come
	packed  int  // size of the newest response before unpacking
}

func (t *times) note(s stats.RPCStats) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	m := &t.moments
	switch s := s.(type) {
	case *stats.OutHeader:
		t.attempts++
		m.sent = now
		if s.RemoteAddr != nil {
			m.peer = s.RemoteAddr.String()
		}
	case *stats.OutPayload:
		if m.first.IsZero() {
			m.sent = s.SentTime
		}
	case *stats.InPayload:
		m.packed = s.CompressedLength
	case *stats.InHeader:
		m.headers = true
		m.arrived(now)
	case *stats.InTrailer:
		m.trailer = true
		m.arrived(now)
	}
}

func (m *moments) arrived(now time.Time) {
	if m.first.IsZero() {
		m.first = now
	}
}

// received is the size on the wire of the message just received, which is of
// size bytes now.
func (t *times) received(size int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if size == 0 {
		return 0
	}
	return t.moments.packed
}

func (t *times) snapshot() (moments, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moments, t.attempts
}

// timing lists the phases of a call that happened. Connecting counts if this
// call was the one that caused it; reflection is never part of the total.
func timing(m moments, f facts, invoked, began, ended time.Time) []probes.Attr {
	var out []probes.Attr
	add := func(name string, d time.Duration) {
		if d > 0 {
			out = append(out, probes.Attr{Name: name, Value: millis(d)})
		}
	}
	total := ended.Sub(began)
	if !f.began.Before(invoked) {
		add(probes.TimingDNS, f.dns)
		add(probes.TimingConnect, f.connect)
		add(probes.TimingTLS, f.tls)
		total += f.dns + f.connect + f.tls
	}
	if !m.sent.IsZero() {
		add(probes.TimingSend, max(m.sent.Sub(began), time.Microsecond))
	}
	if !m.first.IsZero() && !m.sent.IsZero() {
		// grpc-go may report the write after the answer to it.
		add(probes.TimingFirstByte, max(m.first.Sub(m.sent), time.Microsecond))
		add(probes.TimingReceive, max(ended.Sub(m.first), time.Microsecond))
	}
	add(probes.TimingTotal, max(total, time.Microsecond))
	return out
}

// millis writes decimal milliseconds with microseconds.
func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', -1, 64)
}
