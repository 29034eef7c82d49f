package consul

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"iscope/probes"
)

// Discover lists services with their instances and edges. A watch yields again
// after each change and ends in silence with its context.
func (p *probe) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		if err := p.discover(ctx, q, yield); err != nil {
			yield(probes.Snapshot{}, err)
		}
	}
}

func (p *probe) discover(ctx context.Context, q probes.DiscoverQuery, yield func(probes.Snapshot, error) bool) error {
	const op = "listing services"
	running, end, err := p.client.begin(ctx)
	if err != nil {
		return p.fail(op, err)
	}
	defer end()
	w := &watcher{client: p.client, subject: q.Subject}
	if err := w.load(running); err != nil {
		return p.fail(op, p.client.cause(err))
	}
	if err := p.known(w, op, q.Subject); err != nil {
		return err
	}
	tell := func() bool { return yield(w.snapshot(p.target.Name, q, time.Now()), nil) }
	if !tell() || !q.Watch {
		return nil
	}
	if err := w.follow(running, tell); err != nil && ctx.Err() == nil {
		return p.fail("watching services", p.client.cause(err))
	}
	return nil
}

// cause tells a closed target from a cancelled caller.
func (c *client) cause(err error) error {
	if c.closing.Err() != nil {
		return errClosed
	}
	return err
}

// known refuses a subject that is no service.
func (p *probe) known(w *watcher, op, subject string) error {
	if _, ok := w.now.services[subject]; ok || subject == "" {
		return nil
	}
	hint := probes.NearestHint(subject, slices.Collect(maps.Keys(w.now.services)))
	if w.info[partServices].filtered {
		hint += "; " + hidden[partServices]
	}
	return &probes.Error{Target: p.target.Name, Op: op, Kind: probes.ErrNotFound,
		Err: fmt.Errorf("no service %q", subject), Hint: hint}
}
