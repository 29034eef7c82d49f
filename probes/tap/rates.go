package tap

import (
	"context"
	"sync"
	"time"

	"iscope/probes"
)

// Rates counts records per second over the last few minutes, for the rate
// figure and the timeline, by the time the peer gives a record where it gives
// one: reading the past fast is no traffic. It is a Sink that never blocks.
type Rates struct {
	now func() time.Time

	mu      sync.Mutex
	buckets []Bucket
	latest  int64 // unix second of the newest bucket
}

// Bucket is one second.
type Bucket struct{ Records, Errors, Bytes uint64 }

// NewRates keeps that many seconds. now is the clock; nil means time.Now.
func NewRates(seconds int, now func() time.Time) *Rates {
	if now == nil {
		now = time.Now
	}
	return &Rates{now: now, buckets: make([]Bucket, max(1, seconds))}
}

// Write counts a record.
func (r *Rates) Write(_ context.Context, rec probes.Record) error {
	if rec.Kind == probes.Notice || rec.Kind == probes.Gap {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now().Unix()
	b := r.at(now)
	if !rec.Time.IsZero() && rec.Time.Unix() < now {
		age := now - rec.Time.Unix()
		if age >= int64(len(r.buckets)) {
			return nil
		}
		b = &r.buckets[(now-age)%int64(len(r.buckets))]
	}
	b.Records++
	b.Bytes += uint64(len(rec.Key) + len(rec.Body))
	if rec.Err != "" {
		b.Errors++
	}
	return nil
}

// at moves on to a second, clearing those in between, and returns its bucket.
func (r *Rates) at(sec int64) *Bucket {
	n := int64(len(r.buckets))
	for s := max(r.latest+1, sec-n+1); s <= sec; s++ {
		r.buckets[s%n] = Bucket{}
	}
	r.latest = max(r.latest, sec)
	return &r.buckets[r.latest%n]
}

// PerSecond is the mean over the last few whole seconds.
func (r *Rates) PerSecond() float64 {
	const span = 5
	b := r.Timeline()
	b = b[max(0, len(b)-1-span) : len(b)-1] // without the second still running
	var sum uint64
	for _, x := range b {
		sum += x.Records
	}
	if len(b) == 0 {
		return 0
	}
	return float64(sum) / float64(len(b))
}

// Timeline copies the buckets, the oldest first, the running second last.
func (r *Rates) Timeline() []Bucket {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := int64(len(r.buckets))
	r.at(r.now().Unix())
	out := make([]Bucket, n)
	for i := range n {
		out[i] = r.buckets[(r.latest+1+i)%n]
	}
	return out
}
