package kafka

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"iscope/probes"
)

// refreshEvery is how often a tail that goes on looks for new partitions.
const refreshEvery = 30 * time.Second

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
	s := &stream{p: p, plan: pl, mk: mk, byPart: map[part]*cursor{}, fetchers: map[string]*fetcher{},
		answers: make(chan answer), refresh: time.NewTicker(refreshEvery), clock: time.NewTimer(time.Hour)}
	s.clock.Stop()
	if pl.Until != nil {
		s.clock.Reset(time.Until(*pl.Until))
	}
	for i := range pl.Parts {
		s.add(&pl.Parts[i], c)
	}
	return s
}

func (s *stream) add(pos *position, c *cluster) {
	cur := &cursor{part: pos.part(), next: pos.Next, fetchAt: pos.Next, stop: pos.Stop, mk: s.mk(pos.part()),
		maxBytes: int32(min(partBytes, max(leastPart, allBytes/len(s.plan.Parts))))}
	// Until the first answer, assume that there is something.
	cur.fresh, cur.known = true, pos.Next+1
	cur.leader, _ = c.leader(cur.part)
	s.cursors = append(s.cursors, cur)
	s.byPart[cur.part] = cur
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
		if err := s.rehome(ctx); err != nil {
			return err
		}
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
	all, gap := true, false
	for _, c := range s.cursors {
		if c.fill() {
			s.heads = append(s.heads, c)
		} else if !c.done() {
			all = false
			gap = gap || c.behind() // its next record may be older than all others
		}
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
	case <-now:
		return nil
	}
}

// take stores a broker's answer.
func (s *stream) take(ctx context.Context, a answer) error {
	s.fetchers[a.addr].busy = false
	for _, fp := range a.asked {
		s.byPart[fp.part].asking = false
	}
	if a.err != nil {
		return a.err
	}
	for i := range a.got {
		f := &a.got[i]
		c := s.byPart[f.part]
		if c == nil {
			return protocolFault(fmt.Errorf("the broker answered about %s, which was not asked for", f.part))
		}
		if err := s.takePart(ctx, c, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) takePart(ctx context.Context, c *cursor, f *fetched) error {
	switch code := kafkago.Error(f.code); {
	case f.code == 0:
		c.accept(f)
		return nil
	case f.code == codeOffsetOutOfRange:
		return s.relocate(ctx, c)
	case code.Temporary() || code == kafkago.ReplicaNotAvailable:
		// Or the topic is gone, which the next metadata tells.
		c.leader, c.trouble = "", fmt.Errorf("fetching %s: %w", c.part, brokerError(f.code, ""))
		return nil
	}
	return fmt.Errorf("fetching %s: %w", c.part, brokerError(f.code, ""))
}

// relocate finds out how an offset came to be outside of the log, and goes on
// where the log is now.
func (s *stream) relocate(ctx context.Context, c *cursor) error {
	at := [2]int64{}
	for i, q := range []offsetsQuery{{[]part{c.part}, atStart, committed}, {[]part{c.part}, atEnd, committed}} {
		found, err := s.p.allOffsets(ctx, q, []string{c.topic})
		if err != nil {
			return err
		}
		at[i] = found[c.part]
	}
	switch start, end := at[0], at[1]; {
	case c.fetchAt < start:
		c.lose(start, fmt.Sprintf("offsets %d to %d were deleted before they were read", c.fetchAt, start-1))
	case c.fetchAt > end:
		c.lose(end, fmt.Sprintf("the log ends at offset %d, before %d: it was truncated, or the topic was made anew", end, c.fetchAt))
	}
	return nil
}

// rehome finds leaders for partitions without one, waiting while they are being
// elected.
func (s *stream) rehome(ctx context.Context) error {
	for {
		wait := time.Duration(0)
		for _, c := range s.cursors {
			if c.leader == "" && !c.done() {
				if c.waited > s.p.target.RequestTimeout() {
					return c.trouble
				}
				wait = max(wait, c.waited, firstWait)
			}
		}
		if wait == 0 {
			return nil
		}
		if err := pause(ctx, wait); err != nil {
			return err
		}
		c, err := s.p.known(ctx, s.plan.topics())
		if err != nil {
			return err
		}
		s.settle(c, wait)
	}
}

func (s *stream) settle(c *cluster, waited time.Duration) {
	for _, cur := range s.cursors {
		if cur.leader != "" {
			continue
		}
		cur.waited += waited
		cur.leader, _ = c.leader(cur.part)
		if cur.leader == "" {
			cur.trouble = &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("partition %s has no leader", cur.part)}
		}
	}
}

// look asks for partitions made since.
func (s *stream) look(ctx context.Context) error {
	if !s.plan.Whole || s.finishes() {
		return nil
	}
	c, err := s.p.cluster(ctx, s.plan.topics())
	if err != nil {
		if isFinal(ctx, err) {
			return err
		}
		return nil // the fetches will tell
	}
	s.adopt(c)
	return nil
}

// adopt adds the partitions that the plan does not know. They were made after
// the tail began, so they are read from their start.
func (s *stream) adopt(c *cluster) {
	for _, name := range s.plan.topics() {
		t := c.topic(name)
		if t == nil {
			continue
		}
		for _, tp := range t.Partitions {
			pos := position{Topic: name, Partition: tp.PartitionIndex, Stop: -1}
			if s.byPart[pos.part()] == nil {
				s.plan.Parts = append(s.plan.Parts, pos)
				s.add(&pos, c)
			}
		}
	}
}

// finishes reports that every partition has an end.
func (s *stream) finishes() bool {
	return !slices.ContainsFunc(s.cursors, func(c *cursor) bool { return c.stop < 0 })
}

// timeUp fixes the end once the time asked for has come.
func (s *stream) timeUp(ctx context.Context) error {
	until := *s.plan.Until
	ends, err := s.p.allOffsets(ctx, offsetsQuery{s.plan.parts(), atEnd, committed}, s.plan.topics())
	if err != nil {
		return err
	}
	stops, err := s.p.atTime(ctx, s.plan, until, ends)
	if err != nil {
		return err
	}
	for _, c := range s.cursors {
		c.end(stops[c.part])
	}
	s.plan.Until = nil
	return nil
}

// position is the plan that goes on where the stream is.
func (s *stream) position() *plan {
	pl := *s.plan
	pl.Parts = make([]position, len(s.cursors))
	for i, c := range s.cursors {
		pl.Parts[i] = position{Topic: c.topic, Partition: c.id, Next: c.next, Stop: c.stop}
	}
	return &pl
}
