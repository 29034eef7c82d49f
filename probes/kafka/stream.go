package kafka

import (
	"cmp"
	"container/heap"
	"context"
	"slices"
	"time"

	"iscope/probes"
)

// refreshEvery is how often a tail that goes on looks for new partitions and
// topics.
const refreshEvery = 10 * time.Second

// lookTime is how long such a look may take.
const lookTime = 2 * time.Second

// stream reads the partitions of a plan, each from its leader, and merges them
// by time: as long as a partition is known to hold more, nothing later is handed
// out from the others. At most two answers of each partition are held.
type stream struct {
	p       *probe
	plan    *plan
	mk      func(part) *maker
	cursors []*cursor
	byPart  map[part]*cursor
	heads   byTime // cursors with something ready
	turn    int    // rotates who comes first in a request
	follows bool   // without an end, so far
	sampled bool   // what goes away meanwhile is left out
	ledger  *probes.Ledger

	left     map[string]leftTopic // deleted under the tail
	homing   *time.Timer          // asks where partitions without a leader are
	homeWait time.Duration        // what homing is set to; 0 not at all
	alone    time.Duration        // how long there has been nothing left to read

	spares   [][]byte
	fetchers map[string]*fetcher
	answers  chan answer
	clock    *time.Timer // for plan.Until
	refresh  *time.Ticker
}

// byTime is a heap of cursors, the one with the oldest record first.
type byTime []*cursor

func (h byTime) Len() int { return len(h) }
func (h byTime) Less(i, j int) bool {
	a, b := h[i], h[j]
	if x, y := a.ready[a.at].time, b.ready[b.at].time; x != y {
		return x < y
	}
	return a.part.less(b.part)
}
func (h byTime) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *byTime) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *byTime) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}

func (p part) less(q part) bool {
	return cmp.Or(cmp.Compare(p.topic, q.topic), cmp.Compare(p.id, q.id)) < 0
}

func (p *probe) newStream(pl *plan, c *cluster, mk func(part) *maker) *stream {
	s := &stream{p: p, plan: pl, mk: mk, byPart: map[part]*cursor{}, fetchers: map[string]*fetcher{}, left: map[string]leftTopic{},
		answers: make(chan answer), refresh: time.NewTicker(p.refresh), clock: time.NewTimer(time.Hour), homing: time.NewTimer(time.Hour)}
	s.clock.Stop()
	s.homing.Stop()
	s.follows = len(pl.Parts) == 0 || slices.ContainsFunc(pl.Parts, func(pos position) bool { return pos.Stop < 0 })
	if pl.IDs == nil {
		pl.IDs = map[string]topicID{}
	}
	if pl.Until != nil {
		s.clock.Reset(time.Until(*pl.Until))
	}
	for i := range pl.Parts {
		s.add(&pl.Parts[i], c)
	}
	return s
}

func (s *stream) add(pos *position, c *cluster) *cursor {
	cur := &cursor{part: pos.part(), next: pos.Next, fetchAt: pos.Next, stop: pos.Stop, mk: s.mk(pos.part()),
		maxBytes: int32(min(partBytes, max(leastPart, allBytes/max(1, len(s.plan.Parts)))))}
	// Until the first answer, assume that there is something.
	cur.fresh, cur.known = true, pos.Next+1
	cur.leader, _ = c.leader(cur.part)
	cur.drop = s.drop
	s.cursors = append(s.cursors, cur)
	s.byPart[cur.part] = cur
	return cur
}

// run hands out records until all stops are reached (nil), emit returns false
// (nil), ctx ends, or it cannot go on.
func (s *stream) run(ctx context.Context, emit func(*item) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer s.shut()
	defer cancel()
	for {
		now := s.gather()
		if now == finished {
			return nil
		}
		s.rehome()
		if err := s.dispatch(ctx); err != nil {
			return err
		}
		if now == ready && !s.merge(emit) {
			return nil
		}
		if err := s.wait(ctx, now == waiting); err != nil {
			return err
		}
	}
}

// standing is what a stream can do next.
type standing int

const (
	waiting  standing = iota // for a broker's answer
	ready                    // to hand something out
	finished                 // every partition is at its stop
)

// gather decodes what the cursors need to show their oldest record, and lines
// them up.
func (s *stream) gather() standing {
	s.heads = s.heads[:0]
	all, gap, dry := !s.follows, false, false
	for _, c := range s.cursors {
		switch {
		case c.fill():
			s.heads = append(s.heads, c)
		case c.retired:
			dry = true
		case !c.done():
			all = false
			gap = gap || c.behind() // its next record may be older than all others
		}
	}
	if dry {
		s.cursors = slices.DeleteFunc(s.cursors, func(c *cursor) bool { return c.retired && !c.fill() })
	}
	switch {
	case gap:
		return waiting
	case len(s.heads) > 0:
		heap.Init(&s.heads)
		return ready
	case all:
		return finished
	}
	return waiting
}

// merge hands out what is lined up until a cursor runs dry: then there may be
// room for another fetch.
func (s *stream) merge(emit func(*item) bool) bool {
	for {
		c := s.heads[0]
		if !emit(c.pop()) {
			return false
		}
		if c.at == len(c.ready) {
			return true
		}
		if len(s.heads) > 1 {
			heap.Fix(&s.heads, 0)
		}
	}
}

// wait takes what has arrived; block is to wait until something does.
func (s *stream) wait(ctx context.Context, block bool) error {
	now := make(chan struct{})
	if !block {
		close(now)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case a := <-s.answers:
		return s.take(ctx, a)
	case <-s.clock.C:
		return s.timeUp(ctx)
	case <-s.refresh.C:
		return s.look(ctx)
	case <-s.homing.C:
		return s.findHomes(ctx)
	case <-now:
		return nil
	}
}

// position is the plan that goes on where the stream is.
func (s *stream) position() *plan {
	pl := *s.plan
	pl.Parts = nil
	for _, c := range s.cursors {
		if !c.retired {
			pl.Parts = append(pl.Parts, position{Topic: c.topic, Partition: c.id, Next: c.next, Stop: c.stop})
		}
	}
	for _, l := range s.left {
		pl.Parts = append(pl.Parts, l.parts...)
	}
	return &pl
}
