package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"iscope/probes"
)

// Tail shows what is published to a topic from now on, through a tap (see the
// package comment). SNS keeps nothing, so there is no past to read; a tail that is
// asked for one says so.
//
// When the connection breaks off, the tap stays: the error's Resume names it, and
// a Tail with that goes on where it was, with all that SQS has kept meanwhile.
// Close removes taps to which nobody came back.
func (t *topics) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "tailing"
		if q.Subject != "" {
			op += " " + q.Subject
		}
		running, end, err := t.begin(ctx)
		if err != nil {
			yield(probes.Record{}, t.fail(op, err))
			return
		}
		defer end()
		l := &tail{topics: t, query: q, source: probes.Ref{Target: t.target.Name, Subject: q.Subject}, yield: yield, started: time.Now()}
		err = l.run(running)
		if err == nil || l.stopped || ctx.Err() != nil {
			return
		}
		failed := t.fail(op, err)
		if e, ok := failed.(*probes.Error); ok && l.resume != "" {
			resumable := *e
			resumable.Resume = l.resume
			failed = &resumable
		}
		yield(probes.Record{}, failed)
	}
}

// tail is one run of Tail.
type tail struct {
	*topics
	query   probes.TailQuery
	source  probes.Ref
	yield   func(probes.Record, error) bool
	started time.Time
	stopped bool   // the caller broke out of the loop
	resume  string // the tap that was kept, "" if none was
	topic   string // ARN
}

// errHorizon is why a tail's context ends at the time that the query names.
var errHorizon = errors.New("the end of the query is reached")

func (t *tail) run(ctx context.Context) error {
	if err := t.mayTap(); err != nil {
		return err
	}
	var err error
	if t.topic, err = t.arn(ctx, t.query.Subject); err != nil {
		return err
	}
	if _, err := lookTopic(ctx, t.probe, t.topic); errors.Is(err, probes.ErrNotFound) {
		return &fault{kind: probes.ErrNotFound, err: fmt.Errorf("there is no topic %s", t.topic)}
	}
	if done, err := t.live(); done || err != nil {
		return err
	}
	if t.query.Until.Kind == probes.PosTime {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, t.query.Until.Time, errHorizon)
		defer stop()
	}
	err = t.taps(ctx)
	if context.Cause(ctx) == errHorizon {
		return nil
	}
	return err
}

// mayTap refuses where nothing may be created.
func (t *topics) mayTap() error {
	e := t.target.Environment
	if e.Write || t.set.tap {
		return nil
	}
	return &fault{kind: probes.ErrRefused, err: fmt.Errorf("a tail of a topic creates an own queue and subscription, and environment %q (class %s) is read-only", e.Name, e.Class),
		hint: "pass --write, or set the option tap: true for the target: both are removed at the end"}
}

// live deals with questions about the past. done is set when the question is
// answered already: with nothing.
func (t *tail) live() (done bool, err error) {
	q := &t.query
	if q.From.Kind == probes.PosOffset || q.Until.Kind == probes.PosOffset {
		return true, &fault{kind: probes.ErrUsage, err: errors.New("a topic has no offsets")}
	}
	ends := q.Until.Kind == probes.PosLatest || q.Until.Kind == probes.PosTime && !q.Until.Time.After(t.started)
	if q.Last > 0 && !q.Follow && q.Until.Kind == probes.PosDefault {
		ends = true
	}
	past := q.Last > 0 || q.From.Kind == probes.PosEarliest || q.From.Kind == probes.PosTime && q.From.Time.Before(t.started)
	if (past || ends) && q.Resume == "" {
		if !t.emit(notice(t.source, "a topic keeps nothing of what went by: there is no past to read, only what is published from now on")) {
			return true, nil
		}
	}
	return ends, nil
}

// emit hands a record on; false when the caller has had enough.
func (t *tail) emit(r probes.Record) bool {
	if !t.stopped && !t.yield(r, nil) {
		t.stopped = true
	}
	return !t.stopped
}

// taps reads the tap that was kept, or a new one, and makes another whenever one
// is taken away, saying that something is missing.
func (t *tail) taps(ctx context.Context) error {
	b := t.unpark(t.query.Resume)
	if t.query.Resume != "" && b == nil && !t.emit(gap(t.source, "the tap is not there any more: what was published since is not seen")) {
		return nil
	}
	t.sweep(ctx, t.query.Ledger)
	for {
		if b == nil {
			var err error
			if b, err = t.attach(ctx, t.query.Ledger, t.topic); err != nil {
				return err
			}
		}
		err := t.read(ctx, b)
		switch {
		case ctx.Err() == nil && !t.stopped && errors.Is(err, errTapGone) && b.used():
			b.remove(ctx)
			b = nil
			if !t.emit(gap(t.source, err.Error()+": what was published until there is another is not seen")) {
				return nil
			}
		case ctx.Err() == nil && !t.stopped && probes.Transient(err):
			t.resume = b.name
			t.park(b)
			return err
		default:
			b.remove(ctx)
			return err
		}
	}
}

func (t *topics) park(b *tap) {
	t.parkedMu.Lock()
	defer t.parkedMu.Unlock()
	t.parked[b.name] = b
}

func (t *topics) unpark(name string) *tap {
	t.parkedMu.Lock()
	defer t.parkedMu.Unlock()
	b := t.parked[name]
	delete(t.parked, name)
	return b
}
