package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"iscope/probes"
)

// homeFor is how long a topic's layout is believed when publishing: asking for
// it with each message would double the requests. A partition that moved is
// noticed at once, by the refusal.
const homeFor = time.Minute

// stickyBytes is how much goes to one partition before messages without a key
// move on to the next, as in the Java client since 3.3 (its batch.size).
const stickyBytes = 16 << 10

// homes remembers where topics live.
type homes struct {
	mu     sync.Mutex
	topics map[string]*layout
}

type layout struct {
	leaders map[int32]string // by partition; only those that have one
	count   int
	asked   time.Time
	sticky  int32 // for messages without a key
	sent    int   // bytes to it
}

// home is a partition with its leader's address.
type home struct {
	part
	leader string
}

// home finds the partition for a record; wanted is -1 if the record does not
// insist.
func (p *probe) home(ctx context.Context, r *probes.Record, wanted int32) (home, error) {
	topic := r.Source.Subject
	p.homes.mu.Lock()
	known := p.homes.topics[topic]
	p.homes.mu.Unlock()
	if known == nil || time.Since(known.asked) > homeFor {
		c, err := p.known(ctx, []string{topic}, false)
		if err != nil {
			return home{part: part{topic: topic}}, err
		}
		known = p.homes.learn(topic, c)
	}
	h := home{part: part{topic: topic, id: wanted}}
	if wanted >= int32(known.count) {
		return h, &fault{kind: probes.ErrUsage, err: fmt.Errorf("no partition %d: topic %s has %d", wanted, topic, known.count),
			hint: "without a partition, the message goes where its key belongs"}
	}
	if wanted < 0 {
		h.id = p.homes.choose(known, r)
	}
	var ok bool
	if h.leader, ok = known.leaders[h.id]; !ok {
		p.homes.forget(topic)
		return h, &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("partition %s has no leader", h.part)}
	}
	return h, nil
}

func (h *homes) learn(topic string, c *cluster) *layout {
	parts := c.topic(topic).Partitions
	l := &layout{leaders: map[int32]string{}, count: len(parts), asked: time.Now(), sticky: rand.Int32N(int32(len(parts)))}
	for i := range parts {
		pt := part{topic, parts[i].PartitionIndex}
		if addr, ok := c.leader(pt); ok {
			l.leaders[pt.id] = addr
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics == nil {
		h.topics = map[string]*layout{}
	}
	h.topics[topic] = l
	return l
}

func (h *homes) forget(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.topics, topic)
}

// choose places a record that does not insist.
func (h *homes) choose(l *layout, r *probes.Record) int32 {
	if r.Key != nil {
		return partitionOf(r.Key, l.count)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if l.sent > stickyBytes || l.leaders[l.sticky] == "" {
		l.sent = 0
		for range l.count {
			l.sticky = (l.sticky + 1) % int32(l.count)
			if l.leaders[l.sticky] != "" {
				break
			}
		}
	}
	l.sent += len(r.Body)
	return l.sticky
}
