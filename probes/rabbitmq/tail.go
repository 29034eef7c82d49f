package rabbitmq

import (
	"context"
	"fmt"
	"iter"
	"time"

	"iscope/probes"
)

// Tail reads an exchange, a stream, or through the firehose any other queue; see
// the package comment. Only streams have a past: a tail of anything else begins
// with the present and says so if asked for more. Only a stream's tail can
// resume.
func (p *probe) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "tailing"
		if q.Subject != "" {
			op += " " + q.Subject
		}
		running, end, err := p.begin(ctx)
		if err != nil {
			yield(probes.Record{}, p.fail(op, err))
			return
		}
		defer end()
		t := &tail{probe: p, query: q, source: probes.Ref{Target: p.target.Name, Subject: q.Subject}, yield: yield, started: time.Now()}
		err = t.run(running)
		if err == nil || t.stopped || ctx.Err() != nil {
			return
		}
		failed := p.fail(op, err)
		if e, ok := failed.(*probes.Error); ok && t.resume != "" {
			resumable := *e
			resumable.Resume = t.resume
			failed = &resumable
		}
		yield(probes.Record{}, failed)
	}
}

// tail is one run of Tail.
type tail struct {
	*probe
	query   probes.TailQuery
	subject subject
	source  probes.Ref
	yield   func(probes.Record, error) bool
	started time.Time
	stopped bool   // the caller broke out of the loop
	resume  string // the position reached, if the source can resume
	link    *link
}

func (t *tail) run(ctx context.Context) error {
	var err error
	if t.subject, err = parseSubject(t.query.Subject, t.started); err != nil {
		return err
	}
	if t.link, err = t.connect(ctx, "iscope tail "+t.subject.String()); err != nil {
		return err
	}
	defer t.link.close()
	t.sweep(ctx, t.query.Ledger)
	if err := t.resolve(ctx, t.link, &t.subject); err != nil {
		return err
	}
	if t.subject.kind == kindExchange {
		return t.exchange(ctx)
	}
	q, err := t.lookQueue(ctx, t.link, t.subject.name)
	switch {
	case err != nil:
		return err
	case q.Type == queueStream:
		return t.stream(ctx)
	case t.subject.offset != nil:
		return &fault{kind: probes.ErrUsage, err: fmt.Errorf("%s is no stream, so it has no offsets", t.subject)}
	}
	return t.queue(ctx, q)
}

// emit hands a record on; false when the caller has had enough.
func (t *tail) emit(r probes.Record) bool {
	if !t.stopped && !t.yield(r, nil) {
		t.stopped = true
	}
	return !t.stopped
}

// live deals with questions about the past of what has none. done is set when
// the question is answered already: with nothing.
func (t *tail) live() (done bool, err error) {
	q := &t.query
	if q.From.Kind == probes.PosOffset || q.Until.Kind == probes.PosOffset {
		return true, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%s has no offsets; only streams do", t.subject)}
	}
	ends := q.Until.Kind == probes.PosLatest || q.Until.Kind == probes.PosTime && !q.Until.Time.After(t.started)
	if q.Last > 0 && !q.Follow && q.Until.Kind == probes.PosDefault {
		ends = true
	}
	past := q.Last > 0 || q.From.Kind == probes.PosEarliest || q.From.Kind == probes.PosTime && q.From.Time.Before(t.started)
	if past || ends {
		if !t.emit(notice(t.source, "nothing is kept of what went by: there is no past to read, only what comes from now on")) {
			return true, nil
		}
	}
	return ends, nil
}

// horizon ends the context at the time the query ends, if that is to come.
func (t *tail) horizon(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.query.Until.Kind != probes.PosTime || !t.query.Until.Time.After(t.started) {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, t.query.Until.Time, errHorizon)
}

// exchange taps an exchange.
func (t *tail) exchange(ctx context.Context) error {
	f := &exchangeFacts{}
	var err error
	if t.subject.name != "" {
		if f, err = t.lookExchange(ctx, t.link, t.subject.name); err != nil {
			return err
		}
	}
	keys := t.subject.keys
	if keys == nil && t.set.key != nil {
		keys = []string{*t.set.key}
	}
	if keys, err = planBindings(f, keys); err != nil {
		return err
	}
	if done, err := t.live(); done || err != nil {
		return err
	}
	b := newTap(t, f.name, keys)
	b.watch = func(ctx context.Context) error { return t.link.exchangeThere(ctx, f.name) }
	return b.run(ctx, func(m *message, id string) (probes.Record, bool) {
		return m.record(t.source, id, t.query.MaxBody), true
	})
}
