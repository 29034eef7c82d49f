package probetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"iscope/probes"
)

// Manner is how a subject of a Fake differs from a log that anybody may read.
type Manner struct {
	Tail   error // what a tail of it fails with
	Tapped bool  // a tail makes a queue of its own, and removes it at the end
	Stuck  bool  // that queue cannot be removed
	Look   error // what a look into it fails with, unless forced
	// Dead makes it a place of dead letters, as Fake.DeadLetters lists it. Its
	// count is that of the log.
	Dead *probes.DeadLetter
	// Kept: dead letters stay when they are redriven, as in a Kafka topic.
	Kept bool
}

// Behave gives a subject its manner. The subject is there from then on.
func (f *Fake) Behave(subject string, m Manner) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.manners == nil {
		f.manners = map[string]Manner{}
	}
	f.manners[subject] = m
	f.logs[subject] = slices.Clip(f.logs[subject])
}

func (f *Fake) manner(subject string) Manner {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.manners[subject]
}

// tapped notes what a tail of a tapped subject makes; undo notes that it is gone.
func (f *Fake) tapped(m Manner, q *probes.TailQuery) (undo func()) {
	if !m.Tapped {
		q.Ledger.Note(probes.DeedRead, "records of "+q.Subject, "")
		return func() {}
	}
	name := "queue iscope.tap.1 bound to " + q.Subject
	q.Ledger.Note(probes.DeedCreated, name, "removed when the tail ends, or with the connection")
	return func() {
		if m.Stuck {
			q.Ledger.Note(probes.DeedLeft, name+": the broker is away", "remove it by hand")
			return
		}
		q.Ledger.Note(probes.DeedRemoved, name, "")
	}
}

// lookHeader counts, on each message, the looks that were given back. As with
// RabbitMQ it is a header that the broker changes, and a message has no name but
// its place in the queue.
const lookHeader = "x-delivery-count"

// Peek yields the oldest messages. Each look leaves a trace on them.
func (f *Fake) Peek(ctx context.Context, q probes.PeekQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		m := f.manner(q.Subject)
		f.mu.Lock()
		log, ok := f.logs[q.Subject]
		looks := f.looks[q.Subject]
		f.mu.Unlock()
		switch {
		case !ok:
			yield(probes.Record{}, f.unknown("peeking", q.Subject))
			return
		case m.Look != nil && !q.Force:
			yield(probes.Record{}, m.Look)
			return
		case q.Limit == 0:
			q.Limit = 10
		}
		q.Ledger.Note(probes.DeedChanged, fmt.Sprintf("up to %d messages of %s taken and put back; it has no delivery limit", q.Limit, q.Subject), "given back at once")
		f.looked(q.Subject)
		for i, r := range log[:min(q.Limit, len(log))] {
			if ctx.Err() != nil || !yield(seen(r, i, looks, q.MaxBody), nil) {
				return
			}
		}
	}
}

func (f *Fake) looked(subject string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.looks == nil {
		f.looks = map[string]int{}
	}
	f.looks[subject]++
}

// seen is a message as somebody gets it who takes it at that place.
func seen(r probes.Record, place, looks, maxBody int) probes.Record {
	r.ID = strconv.Itoa(place + 1)
	if looks > 0 {
		r.Header = append(slices.Clip(r.Header), probes.Field{Name: lookHeader, Value: []byte(strconv.Itoa(looks))})
	}
	if maxBody > 0 && len(r.Body) > maxBody {
		r.Body, r.Cut = r.Body[:maxBody], int64(len(r.Body)-maxBody)
	}
	return r
}

// DeadLetters lists the subjects that were told to be such places.
func (f *Fake) DeadLetters(ctx context.Context) ([]probes.DeadLetter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []probes.DeadLetter{}
	for _, name := range slices.Sorted(maps.Keys(f.manners)) {
		if d := f.manners[name].Dead; d != nil {
			one := *d
			one.Subject, one.Count = name, int64(len(f.logs[name]))
			if len(f.logs[name]) > 0 {
				one.Oldest = f.logs[name][0].Time
			}
			out = append(out, one)
		}
	}
	return out, errors.Join(f.DeadErr, ctx.Err())
}

// ShowDead is a look.
func (f *Fake) ShowDead(ctx context.Context, q probes.PeekQuery) iter.Seq2[probes.Record, error] {
	return f.Peek(ctx, q)
}

// Redrive publishes what Select chooses of the messages that are there, and then
// takes it away. With Steps each message waits for a token.
func (f *Fake) Redrive(ctx context.Context, q probes.RedriveQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		m := f.manner(q.Subject)
		f.mu.Lock()
		log, looks := slices.Clone(f.logs[q.Subject]), f.looks[q.Subject]
		f.mu.Unlock()
		if m.Look != nil && !q.Force {
			yield(probes.Record{}, m.Look)
			return
		}
		q.Ledger.Note(probes.DeedChanged, fmt.Sprintf("dead letters of %s: those chosen are published and then removed", q.Subject), "")
		f.looked(q.Subject)
		for i, sent := 0, 0; i < len(log) && (q.Limit == 0 || sent < q.Limit); i++ {
			rec := seen(log[i], i, looks, 0)
			if q.Select != nil && !q.Select(&rec) {
				continue
			}
			if !f.step(ctx) {
				return
			}
			to := q.To
			if to == "" {
				to, _ = rec.Attr(probes.AttrDeadOrigin)
			}
			if stored, err := f.redriven(&log[i], q.Subject, to); err != nil {
				rec.Err = err.Error()
			} else {
				rec, sent = stored, sent+1
				if !m.Kept {
					f.remove(q.Subject, &log[i])
				}
			}
			if !yield(rec, nil) {
				return
			}
		}
		if m.Kept {
			yield(probes.Record{Kind: probes.Notice, Err: "the dead letters stay in " + q.Subject}, nil)
		}
	}
}

func (f *Fake) step(ctx context.Context) bool {
	if f.Steps == nil {
		return ctx.Err() == nil
	}
	select {
	case <-f.Steps:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f *Fake) redriven(dead *probes.Record, from, to string) (probes.Record, error) {
	f.mu.Lock()
	_, ok := f.logs[to]
	f.mu.Unlock()
	if !ok {
		return probes.Record{}, f.unknown("redriving", to)
	}
	mark := probes.Field{Name: probes.HeaderRedriven, Value: []byte("1 from " + from)}
	return f.Append(to, probes.Record{Key: dead.Key, Body: dead.Body, Header: append(slices.Clip(dead.Header), mark)}), nil
}

func (f *Fake) remove(subject string, r *probes.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	same := func(x probes.Record) bool { return x.ID == r.ID && bytes.Equal(x.Body, r.Body) }
	if i := slices.IndexFunc(f.logs[subject], same); i >= 0 {
		f.logs[subject] = slices.Delete(slices.Clone(f.logs[subject]), i, i+1)
	}
}

// Log returns what is in a subject.
func (f *Fake) Log(subject string) []probes.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.logs[subject])
}
