package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"iscope/probes"
)

// probe is one open target. It connects when it is first used.
type probe struct {
	set *settings

	mu      sync.Mutex
	current *link
	found   protocol // that the server was found to answer, "" none yet
	closed  bool
}

var (
	_ probes.Probe        = (*probe)(nil)
	_ probes.Discoverer   = (*probe)(nil)
	_ probes.Former       = (*probe)(nil)
	_ probes.Contracter   = (*probe)(nil)
	_ probes.Invoker      = (*probe)(nil)
	_ probes.MethodFinder = (*probe)(nil)
	_ probes.Schemer      = (*probe)(nil)
)

// use returns a connected link for one operation. The caller calls done when
// it has finished. The connection is the only thing waited for.
func (p *probe) use(ctx context.Context, op string) (l *link, done func(), err error) {
	if l, done, err = p.useOnce(ctx, op); err == nil {
		return l, done, nil
	}
	return p.useOther(ctx, op, err)
}

func (p *probe) useOnce(ctx context.Context, op string) (l *link, done func(), err error) {
	if l, err = p.acquire(); err != nil {
		return nil, nil, err
	}
	done = func() { p.release(l) }
	bound, cancel := p.set.bounded(ctx)
	defer cancel()
	if err := l.ready(bound, op); err != nil {
		p.discard(l)
		done()
		return nil, nil, err
	}
	return l, done, nil
}

func (p *probe) acquire() (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, p.set.fail("connecting", probes.ErrUsage, errors.New("the target has been closed"))
	}
	if p.current != nil && p.current.failed() {
		p.retire()
	}
	if p.current == nil {
		l, err := newLink(p.set, p.askedFor())
		if err != nil {
			return nil, err
		}
		p.current = l
	}
	p.current.users++
	return p.current, nil
}

func (p *probe) release(l *link) {
	p.mu.Lock()
	l.users--
	last := l.retired && l.users == 0
	p.mu.Unlock()
	if last {
		l.close()
	}
}

// discard makes the next operation connect anew.
func (p *probe) discard(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current == l {
		p.retire()
	}
}

// retire takes the current link out of use; its last user closes it. p.mu is
// held.
func (p *probe) retire() {
	l := p.current
	p.current, l.retired, p.found = nil, true, ""
	if l.users == 0 {
		l.close()
	}
}

// Close ends what is in progress. The probe has no goroutines of its own: those
// of a call belong to whoever ranges over it, who sees the call end.
func (p *probe) Close() error {
	p.mu.Lock()
	p.closed = true
	l := p.current
	p.current = nil
	p.mu.Unlock()
	if l != nil {
		l.close()
	}
	return nil
}

// Check connects and asks the standard health service. A server without one is
// asked for its services instead, because only an answered request shows that
// the credentials are accepted.
func (p *probe) Check(ctx context.Context) error {
	const op = "checking"
	l, done, err := p.use(ctx, op)
	if err != nil {
		return err
	}
	defer done()
	h, err := l.health(ctx, "")
	if err != nil {
		return err
	}
	switch {
	case h.verdict == probes.HealthFail:
		return &probes.Error{Target: p.set.target.Name, Op: op, Kind: probes.ErrUnreachable,
			Err:  fmt.Errorf("the server answers, but its health service says %s", h.reason),
			Hint: "it may be starting or shutting down"}
	case h.served:
		return nil
	}
	_, err = l.services(ctx)
	if errors.Is(err, probes.ErrUnsupported) {
		return nil // no reflection either: reachable is all there is to know
	}
	return err
}

// Addresses are those of all instances.
func (p *probe) Addresses(context.Context) (out []string, err error) {
	for _, a := range p.set.addrs {
		out = append(out, a.String())
	}
	return out, nil
}
