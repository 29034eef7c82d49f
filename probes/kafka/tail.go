package kafka

import (
	"context"
	"fmt"
	"iter"

	"iscope/probes"
)

// Tail reads topics; see probes.Tailer. The subject is a topic, several
// separated by commas, or one partition ("orders/2"). Records of several
// partitions come merged by time.
func (p *probe) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		ctx, stop := p.scope(ctx)
		defer stop()
		t := &tail{p: p, q: q}
		t.yield = func(r *probes.Record) bool {
			t.left = t.left || !yield(*r, nil)
			return !t.left
		}
		if err := t.run(ctx); err != nil && !t.left {
			yield(probes.Record{}, err)
		}
	}
}

// tail is one run of a query.
type tail struct {
	p     *probe
	q     probes.TailQuery
	yield func(*probes.Record) bool
	left  bool // the caller broke out of the loop
}

func (t *tail) run(ctx context.Context) error {
	op := "tailing " + t.q.Subject
	pl, err := t.p.resolve(ctx, t.q)
	if err != nil {
		return t.p.fail(op, err)
	}
	if t.q.Resume == "" {
		t.note(pl)
	}
	if pl.Last > 0 {
		if err := t.last(ctx, pl); err != nil {
			return t.resumable(op, err, pl)
		}
		pl.Last = 0
	}
	if t.left {
		return nil
	}
	c, err := t.p.cluster(ctx, pl.Of.asks())
	if err != nil {
		return t.resumable(op, err, pl)
	}
	s := t.p.newStream(pl, c, t.maker(false))
	s.ledger = t.q.Ledger
	if err = s.reconcile(c, pl.topics()); err == nil {
		err = s.run(ctx, func(it *item) bool { return t.yield(&it.rec) })
	}
	if err != nil {
		return t.resumable(op, err, s.position())
	}
	return nil
}

// note writes down what the tail asks of the brokers.
func (t *tail) note(pl *plan) {
	t.q.Ledger.Note(probes.DeedRead, fmt.Sprintf("records of %s, %d partitions (Metadata, ListOffsets, Fetch): no group joined, no offset committed, nothing created",
		fewOf(pl.topics()), len(pl.Parts)), "")
}

func (t *tail) maker(alone bool) func(part) *maker {
	return func(pt part) *maker { return newMaker(t.p.target.Name, pt, t.q.MaxBody, alone, t.q.Lend && !alone) }
}

// resumable adds the position to an error after which the tail may go on.
func (t *tail) resumable(op string, err error, pl *plan) error {
	out := t.p.fail(op, err)
	if e, ok := out.(*probes.Error); ok && probes.Transient(e) {
		e.Resume = pl.resume()
	}
	return out
}
