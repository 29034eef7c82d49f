package rabbitmq

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"time"

	"iscope/probes"
)

// pollEvery is how often a watched broker is asked. Its own statistics are 5
// seconds old by default.
const pollEvery = 5 * time.Second

// Discover reports the vhost's exchanges, queues, bindings, consumers and
// publishers, and the broker's nodes, by the management API. Without it, only a
// subject that is named can be looked at, and the snapshot says that it is
// incomplete. Watching polls, and yields when anything changed.
func (p *probe) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
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
		p.sweep(running, nil)
		var last []byte
		for {
			snap, err := p.snapshot(running, q)
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
			if !q.Watch || !pause(running, pollEvery) {
				return
			}
		}
	}
}

func (p *probe) snapshot(ctx context.Context, q probes.DiscoverQuery) (probes.Snapshot, error) {
	var want subject
	if q.Subject != "" {
		var err error
		if want, err = parseSubject(q.Subject, time.Now()); err != nil {
			return probes.Snapshot{}, err
		}
	}
	s, err := p.take(ctx)
	if isNoAPI(err) {
		return p.withoutAPI(ctx, want, err)
	}
	if err != nil {
		return probes.Snapshot{}, err
	}
	if q.Subject != "" && !s.narrow(want) {
		kind := want.kind
		if kind == "" {
			kind = "exchange or queue"
		}
		return probes.Snapshot{}, notFound(kind, want.name, append(p.names(ctx, "exchanges"), p.names(ctx, "queues")...))
	}
	r := &reporter{survey: s, target: p.target.Name, vhost: p.set.vhost, detail: q.Detail}
	return probes.Snapshot{Claims: r.claims(), Complete: len(s.missing) == 0, Missing: s.missing}, nil
}

// withoutAPI says what AMQP tells: that the broker answers, and what passive
// declarations say of a subject.
func (p *probe) withoutAPI(ctx context.Context, want subject, why error) (probes.Snapshot, error) {
	l, err := p.connect(ctx, "iscope describe")
	if err != nil {
		return probes.Snapshot{}, err
	}
	defer l.close()
	s := &survey{at: time.Now(), missing: []string{why.Error() + "; over AMQP only a named exchange or queue can be looked at"}}
	if v, ok := l.conn.Properties["version"].(string); ok {
		s.overview.Version = v
	}
	r := &reporter{survey: s, target: p.target.Name, vhost: p.set.vhost, addr: l.addr}
	if want.name != "" {
		if err := p.resolve(ctx, l, &want); err != nil {
			return probes.Snapshot{}, err
		}
		if want.kind == kindExchange {
			f, err := p.lookExchange(ctx, l, want.name)
			if err != nil {
				return probes.Snapshot{}, err
			}
			s.exchanges = []exchange{{Name: f.name, Type: f.declared, AutoDelete: f.autoDelete, Arguments: alternateArgs(f)}}
		} else {
			f, err := p.lookQueue(ctx, l, want.name)
			if err != nil {
				return probes.Snapshot{}, err
			}
			s.queues = []queue{f.queue}
		}
	}
	return probes.Snapshot{Claims: r.claims(), Missing: s.missing}, nil
}

func alternateArgs(f *exchangeFacts) table {
	if f.alternate == "" {
		return nil
	}
	return table{"alternate-exchange": f.alternate}
}

// pause waits; false if the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
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
