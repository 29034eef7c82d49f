// Package tap runs a tail: it pulls records from a driver, hands each to its
// sinks in order, reconnects when the peer goes away, and counts what is
// missing.
//
// Drivers stay simple (they end with an error that says where they were) and
// screens stay out of the way (they are told that something changed, never
// given a record). Back-pressure reaches the source: a sink that blocks stops
// the pulling, so a capture never drops, while a Ring never blocks and counts
// what it overwrote.
package tap

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"iscope/probes"
)

// Sink takes records. Write blocks for as long as the sink needs; an error ends
// the tap. The record's slices must not be modified.
type Sink interface {
	Write(ctx context.Context, r probes.Record) error
}

// Borrower is a Sink that may keep nothing of a record beyond Write. Where all
// sinks are such, records are lent to them (TailQuery.Lend), which costs less.
type Borrower interface {
	Sink
	Borrows() bool
}

// SinkFunc is a function as a Sink.
type SinkFunc func(ctx context.Context, r probes.Record) error

// Write calls f.
func (f SinkFunc) Write(ctx context.Context, r probes.Record) error { return f(ctx, r) }

// Options of a tap.
type Options struct {
	Target string // named in Notice and Gap records
	Sinks  []Sink // in order: put the capture first
	// Limit ends the tap after that many records; 0 is no limit. Gaps and
	// notices do not count.
	Limit int
	Retry Retry
	// Check, when set, is asked before the first attempt and before each
	// reconnection, so that the tap knows it is live although nothing flows.
	Check func(ctx context.Context) error
	// OnState is told of every change, from the tap's goroutine. It must not
	// block.
	OnState func(State)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Stats is what a tap has done so far.
type Stats struct {
	Records    uint64 `json:"records"`
	Bytes      uint64 `json:"bytes"` // of keys and bodies
	Gaps       uint64 `json:"gaps"`
	Lost       uint64 `json:"lost"`    // records known to be missing
	Unknown    uint64 `json:"unknown"` // gaps of unknown size
	Reconnects uint64 `json:"reconnects"`
}

// Incomplete reports whether something is known to be missing.
func (s Stats) Incomplete() bool { return s.Lost > 0 || s.Unknown > 0 }

var errLimit = errors.New("limit reached")

// Run tails until the query's end, the limit, ctx, a sink's error or a final
// error of the driver. It returns nil when it came to its end as asked and
// ctx's error when it was told to stop; the Stats are right in every case.
func Run(ctx context.Context, t probes.Tailer, q probes.TailQuery, o Options) (Stats, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &run{Options: o, query: q, wait: newBackoff(o.Retry)}
	r.query.Lend = !slices.ContainsFunc(o.Sinks, func(s Sink) bool { b, ok := s.(Borrower); return !ok || !b.Borrows() })
	err := r.loop(ctx, t)
	if errors.Is(err, errLimit) {
		err = nil
	}
	r.state(State{Phase: Ended, Err: err})
	return r.stats, err
}

type run struct {
	Options
	query probes.TailQuery
	stats Stats
	wait  *backoffClock
	live  bool // the peer has answered at least once
}

func (r *run) loop(ctx context.Context, t probes.Tailer) error {
	r.state(State{Phase: Connecting})
	for {
		err := r.attempt(ctx, t)
		if err == nil || ctx.Err() != nil || errors.Is(err, errLimit) {
			return errors.Join(ctx.Err(), nilIfCancelled(ctx, err))
		}
		var sink sinkError
		if errors.As(err, &sink) || !probes.Transient(err) || !r.live && !r.Retry.Initial {
			return err
		}
		if err := r.reconnect(ctx, err); err != nil {
			return err
		}
	}
}

// nilIfCancelled keeps the noise a cancelled connection makes out of the
// result: ctx's own error says it all.
func nilIfCancelled(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *run) attempt(ctx context.Context, t probes.Tailer) error {
	if r.Check != nil {
		if err := r.Check(ctx); err != nil {
			return err
		}
		// Not yet a reason to start the back-off anew: a peer that answers but
		// whose stream fails at once would be asked twice a second for ever.
		r.live = true
		r.state(State{Phase: Live})
	}
	for rec, err := range t.Tail(ctx, r.query) {
		if err != nil {
			return err
		}
		r.alive()
		if err := r.deliver(ctx, &rec); err != nil {
			return err
		}
		if r.Limit > 0 && r.stats.Records >= uint64(r.Limit) {
			return errLimit
		}
	}
	return nil
}

// alive notes that the peer answers.
func (r *run) alive() {
	if !r.live || r.wait.waiting() {
		r.live = true
		r.wait.reset()
		r.state(State{Phase: Live})
	}
}

// deliver takes a pointer because records are large and there are millions.
func (r *run) deliver(ctx context.Context, rec *probes.Record) error {
	if rec.Seen.IsZero() {
		rec.Seen = r.Now()
	}
	r.count(rec)
	for _, s := range r.Sinks {
		if err := s.Write(ctx, *rec); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return sinkError{err}
		}
	}
	return nil
}

func (r *run) count(rec *probes.Record) {
	switch rec.Kind {
	case probes.Notice:
	case probes.Gap:
		r.stats.Gaps++
		text, _ := rec.Attr(probes.AttrCount)
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			r.stats.Unknown++
			return
		}
		r.stats.Lost += n
	default:
		r.stats.Records++
		r.stats.Bytes += uint64(len(rec.Key) + len(rec.Body))
	}
}

// reconnect waits and prepares the query to go on where it stopped. Where the
// driver cannot say where that was, a Gap of unknown size is put into the
// stream.
func (r *run) reconnect(ctx context.Context, cause error) error {
	r.stats.Reconnects++
	var e *probes.Error
	resumable := errors.As(cause, &e) && e.Resume != ""
	if resumable {
		r.query.Resume = e.Resume
	}
	wait, attempt := r.wait.next()
	if r.Retry.Attempts > 0 && attempt > r.Retry.Attempts {
		return cause
	}
	r.state(State{Phase: Reconnecting, Err: cause, Attempt: attempt, Wait: wait})
	if attempt == 1 {
		if err := r.interrupted(ctx, cause, resumable); err != nil {
			return err
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (r *run) interrupted(ctx context.Context, cause error, resumable bool) error {
	rec := probes.Record{Kind: probes.Notice, Source: probes.Ref{Target: r.Target, Subject: r.query.Subject},
		Err: fmt.Sprintf("connection lost, reconnecting: %v", cause)}
	if !resumable && (r.stats.Records > 0 || r.query.Last == 0) {
		// Nothing to resume from: whatever is sent until we are back is not seen.
		rec.Kind = probes.Gap
		rec.Attrs = []probes.Attr{{Name: probes.AttrReason, Value: "the source cannot resume where it was"}}
		r.query.Last, r.query.From = 0, probes.Position{Kind: probes.PosLatest}
	}
	return r.deliver(ctx, &rec)
}

func (r *run) state(s State) {
	if r.OnState != nil {
		r.OnState(s)
	}
}

// sinkError marks an error as a sink's, which no reconnection mends.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }
