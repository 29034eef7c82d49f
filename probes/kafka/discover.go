package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"time"

	"iscope/probes"
)

// pollEvery is how often a watched cluster is asked.
const pollEvery = 2 * time.Second

// Discover reports brokers, topics and consumer groups with their lag; see
// probes.Discoverer. Topics that Kafka keeps for itself are reported when asked
// for by name. Watching polls, and yields when anything changed; messages per
// second come from the second round on.
func (p *probe) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		ctx, stop := p.scope(ctx)
		defer stop()
		var before *survey
		var last []byte
		for {
			s, err := p.take(ctx, q.Subject, q.Detail)
			if err != nil {
				op := "listing"
				if q.Subject != "" {
					op = "describing " + q.Subject
				}
				yield(probes.Snapshot{}, p.fail(op, err))
				return
			}
			r := &reporter{survey: s, target: p.target.Name, detail: q.Detail, rates: between(before, s)}
			snap := probes.Snapshot{Claims: r.claims(), Complete: len(s.missing) == 0, Missing: s.missing}
			before = s
			if now := fingerprint(snap); !bytes.Equal(now, last) {
				last = now
				if !yield(snap, nil) {
					return
				}
			}
			if !q.Watch || pause(ctx, pollEvery) != nil {
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

// rates compares two rounds. The nil rates know nothing.
type rates struct {
	before, now *survey
	seconds     float64
}

func between(before, now *survey) *rates {
	if before == nil {
		return nil
	}
	return &rates{before: before, now: now, seconds: now.at.Sub(before.at).Seconds()}
}

// produced is how many messages a second went into a topic.
func (r *rates) produced(topic string) (float64, bool) {
	if r == nil {
		return 0, false
	}
	return r.rate(topic, r.before.ends, r.now.ends)
}

// consumed is how many messages a second a group committed.
func (r *rates) consumed(group, topic string) (float64, bool) {
	if r == nil {
		return 0, false
	}
	a, b := r.before.group(group), r.now.group(group)
	if a == nil || b == nil {
		return 0, false
	}
	return r.rate(topic, a.committed, b.committed)
}

// trend is by how many messages a second a group's lag in a topic grows; negative
// while it catches up.
func (r *rates) trend(group, topic string) (float64, bool) {
	if r == nil || r.seconds <= 0 {
		return 0, false
	}
	a, b := r.before.group(group), r.now.group(group)
	if a == nil || b == nil {
		return 0, false
	}
	sum, known := int64(0), false
	for pt := range b.committed {
		was, ok1 := r.before.lagOf(a, pt)
		is, ok2 := r.now.lagOf(b, pt)
		if pt.topic == topic && ok1 && ok2 {
			sum, known = sum+is.messages-was.messages, true
		}
	}
	return float64(sum) / r.seconds, known
}

func (s *survey) group(id string) *group {
	for _, g := range s.groups {
		if g.id == id {
			return g
		}
	}
	return nil
}

func (r *rates) rate(topic string, before, now map[part]int64) (float64, bool) {
	sum, ok := int64(0), false
	for pt, to := range now {
		from, known := before[pt]
		if pt.topic == topic && known && from >= 0 && to >= 0 {
			sum, ok = sum+max(0, to-from), true
		}
	}
	return float64(sum) / r.seconds, ok && r.seconds > 0
}
