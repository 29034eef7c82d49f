package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"sync"
	"time"

	"iscope/probes"
)

// pollEvery is how often a watched account is asked. Depths are themselves up to
// a minute old.
const pollEvery = 10 * time.Second

// watch yields snapshots: one, or with q.Watch one whenever it changed.
func (p *probe) watch(ctx context.Context, q probes.DiscoverQuery, take func(context.Context, probes.DiscoverQuery) (probes.Snapshot, error)) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		op := "listing"
		if q.Subject != "" {
			op = "describing " + q.Subject
		}
		running, end, err := p.begin(ctx)
		if err != nil {
			yield(probes.Snapshot{}, p.fail(op, err))
			return
		}
		defer end()
		var last []byte
		for {
			started := time.Now()
			snap, err := take(running, q)
			if err != nil {
				if ctx.Err() == nil || probes.KindOf(err) != nil {
					yield(probes.Snapshot{}, p.fail(op, err))
				}
				return
			}
			if now := fingerprint(snap); !bytes.Equal(now, last) {
				last = now
				if !yield(snap, nil) {
					return
				}
			}
			// Many queues take many requests: then rather twice as long a pause.
			if !q.Watch || !pause(running, max(pollEvery, 2*time.Since(started))) {
				return
			}
		}
	}
}

// fingerprint is equal for snapshots that say the same.
func fingerprint(s probes.Snapshot) []byte {
	claims := make([]probes.Claim, len(s.Claims))
	for i, c := range s.Claims {
		c.Seen = time.Time{}
		claims[i] = c
	}
	b, err := json.Marshal([]any{claims, s.Missing})
	if err != nil {
		return nil // no field of a claim can fail
	}
	return b
}

// each calls do for all indexes, several at a time, and returns the first error
// by index.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(n, atOnce) {
		workers.Go(func() {
			for i := range next {
				errs[i] = do(ctx, i)
			}
		})
	}
	for i := range n {
		select {
		case next <- i:
		case <-ctx.Done():
			errs[i] = ctx.Err()
		}
	}
	close(next)
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// claims are statements of one target at one time.
type claims struct {
	target string
	at     time.Time
	all    []probes.Claim
}

func (c *claims) node(n *probes.Node, call string, class probes.Evidence) {
	c.all = append(c.all, probes.Claim{Node: n, By: c.target, Call: call, Class: class, Seen: c.at})
}

func (c *claims) edge(e *probes.Edge, call string, class probes.Evidence) {
	c.all = append(c.all, probes.Claim{Edge: e, By: c.target, Call: call, Class: class, Seen: c.at})
}

// endpoint claims the service itself. Messages over plaintext are worth a warning.
func (c *claims) endpoint(s *session) {
	name, where := s.endpoint.Host, s.where
	n := &probes.Node{Kind: probes.NodeBroker, Health: probes.HealthOK, Attrs: []probes.Attr{{Name: attrRegion, Value: s.region}}}
	if where != "" {
		name = where
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.AttrURL, Value: where})
	}
	if exposed(where) {
		n.Health, n.Reason = probes.HealthWarn, "the endpoint has no TLS: messages can be read on the way"
	}
	n.ID, n.Name = probes.NodeID(probes.NodeBroker, c.target, name), name
	c.node(n, "the target's configuration", probes.Declared)
}
