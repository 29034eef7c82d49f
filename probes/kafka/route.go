package kafka

import (
	"context"
	"fmt"
	"time"
)

// take stores a broker's answer.
func (s *stream) take(ctx context.Context, a answer) error {
	s.fetchers[a.addr].busy = false
	for _, fp := range a.asked {
		fp.cur.asking = false
	}
	if a.err != nil {
		return a.err
	}
	now := time.Now()
	a.frame.hold() // until all has been looked at
	defer s.drop(a.frame)
	for i := range a.got {
		f := &a.got[i]
		f.frame, f.seen = a.frame, now
		c := a.cursorOf(i)
		if c == nil {
			return protocolFault(fmt.Errorf("the broker answered about %s, which was not asked for", f.part))
		}
		if c.retired {
			continue
		}
		if err := s.takePart(ctx, c, f); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) takePart(ctx context.Context, c *cursor, f *fetched) error {
	switch code := brokerCode(f.code); {
	case f.code == 0:
		c.accept(f)
		return nil
	case f.code == codeOffsetOutOfRange:
		return s.relocate(ctx, c)
	case code.passing() || code == replicaNotAvailable:
		// Or the topic is gone, which the next metadata tells.
		c.leader, c.trouble = "", fmt.Errorf("fetching %s: %w", c.part, brokerError(f.code, ""))
		return nil
	}
	return fmt.Errorf("fetching %s: %w", c.part, brokerError(f.code, ""))
}

// relocate finds out how an offset came to be outside of the log, and goes on
// where the log is now, or with the topic that took the place of the one before.
func (s *stream) relocate(ctx context.Context, c *cursor) error {
	now, err := s.p.cluster(ctx, []string{c.topic})
	if err != nil {
		return err
	}
	if s.isAnother(c.topic, now.ids[c.topic]) {
		return s.reconcile(now, []string{c.topic})
	}
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

// timeUp fixes the end once the time asked for has come.
func (s *stream) timeUp(ctx context.Context) error {
	until := *s.plan.Until
	pl := s.position()
	ends, err := s.p.allOffsets(ctx, offsetsQuery{pl.parts(), atEnd, committed}, pl.topics())
	if err != nil {
		return err
	}
	stops, err := s.p.atTime(ctx, pl, until, ends)
	if err != nil {
		return err
	}
	for _, c := range s.cursors {
		if !c.retired {
			c.end(stops[c.part])
		}
	}
	s.plan.Until, s.follows = nil, false
	return nil
}
