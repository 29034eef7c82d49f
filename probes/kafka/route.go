package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"iscope/probes"
)

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
