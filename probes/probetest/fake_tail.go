package probetest

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"iscope/probes"
)

// Tail reads a subject's log by the rules every Tailer keeps, and fails where
// the script says so.
func (f *Fake) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		f.mu.Lock()
		log, ok := f.logs[q.Subject]
		f.mu.Unlock()
		if !ok {
			yield(probes.Record{}, f.unknown("tailing", q.Subject))
			return
		}
		m := f.manner(q.Subject)
		if m.Tail != nil {
			yield(probes.Record{}, m.Tail)
			return
		}
		defer f.tapped(m, &q)()
		at, end := bounds(q, log)
		for end < 0 || at < end {
			rec, grown, fault := f.next(q.Subject, at)
			switch {
			case fault != nil:
				yield(probes.Record{}, f.broken(at, fault))
				return
			case grown != nil:
				select {
				case <-grown:
				case <-ctx.Done():
					return
				}
			case !yield(rec, nil):
				return
			default:
				at++
			}
		}
	}
}

// next returns the record at a position, or a channel that closes when the log
// grows, or a scripted fault, which it uses up.
func (f *Fake) next(subject string, at int) (probes.Record, <-chan struct{}, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if kind := f.faults[subject][at]; kind != nil {
		delete(f.faults[subject], at)
		return probes.Record{}, nil, kind
	}
	if log := f.logs[subject]; at < len(log) {
		return log[at], nil, nil
	}
	return probes.Record{}, f.grown, nil
}

func (f *Fake) broken(at int, kind error) error {
	e := &probes.Error{Target: f.Name, Op: "tailing", Kind: kind, Err: errors.New("scripted fault")}
	if !f.NoResume {
		e.Resume = strconv.Itoa(at)
	}
	return e
}

// bounds turns a query into the first position and the one to stop before; end
// is -1 when the tail follows.
func bounds(q probes.TailQuery, log []probes.Record) (at, end int) {
	at, end = len(log), -1
	switch q.From.Kind {
	case probes.PosEarliest:
		at = 0
	case probes.PosOffset:
		at = int(q.From.Offset)
	case probes.PosTime:
		for at = 0; at < len(log) && log[at].Time.Before(q.From.Time); at++ {
		}
	}
	if q.Last > 0 {
		at = max(0, len(log)-q.Last)
		if !q.Follow {
			end = len(log)
		}
	}
	switch q.Until.Kind {
	case probes.PosLatest:
		end = len(log)
	case probes.PosOffset:
		end = int(q.Until.Offset)
	}
	if n, err := strconv.Atoi(q.Resume); err == nil {
		at = n
	}
	return at, end
}
