package session

import (
	"context"
	"iter"
	"slices"

	"iscope/probes"
	"iscope/probes/tap"
)

// Peek looks into a queue once: the feed it returns ends by itself. It takes the
// place of an earlier look into the same queue.
func (s *Session) Peek(ref probes.Ref, q probes.PeekQuery) *Feed {
	s.mu.Lock()
	s.feeds = slices.DeleteFunc(s.feeds, func(f *Feed) bool {
		return f.Ref == ref && f.Looked != nil && f.State().Phase == tap.Ended
	})
	f, ctx := s.newFeed(ref)
	f.Looked = &q
	s.feeds = append(s.feeds, f)
	s.mu.Unlock()
	f.look(ctx, q, func(c *probes.Conn) (looker, error) {
		p, err := c.Peeker()
		if err != nil {
			return nil, err
		}
		return p.Peek, nil
	})
	return f
}

// ShowDead reads the messages of a place of dead letters. Where that is a look,
// it counts as a write. The feed is its caller's alone: it is not in Feeds.
func (s *Session) ShowDead(ref probes.Ref, q probes.PeekQuery) *Feed {
	f, ctx := s.newFeed(ref)
	f.Looked = &q
	f.look(ctx, q, func(c *probes.Conn) (looker, error) {
		d, err := c.DeadLetterer()
		if err == nil && c.Can("peek") {
			err = c.Writable("looking at dead letters")
		}
		if err != nil {
			return nil, err
		}
		return d.ShowDead, nil
	})
	return f
}

// looker is what yields messages for a look.
type looker func(context.Context, probes.PeekQuery) iter.Seq2[probes.Record, error]

func (f *Feed) look(ctx context.Context, q probes.PeekQuery, ask func(*probes.Conn) (looker, error)) {
	q.Subject, q.Ledger = f.Ref.Subject, f.ledger
	f.start(func() { f.set(tap.State{Phase: tap.Ended, Err: f.drain(ctx, q, ask)}) })
}

// drain takes everything a look yields. What fails is not tried again: a look has
// an effect each time.
func (f *Feed) drain(ctx context.Context, q probes.PeekQuery, ask func(*probes.Conn) (looker, error)) error {
	f.set(tap.State{Phase: tap.Connecting})
	conn, err := f.s.Conn(ctx, f.Ref.Target)
	if err != nil {
		return err
	}
	f.opened(conn)
	look, err := ask(conn)
	if err != nil {
		return err
	}
	f.set(tap.State{Phase: tap.Live})
	for rec, err := range look(ctx, q) {
		if err != nil {
			return err
		}
		if rec.Seen.IsZero() {
			rec.Seen = f.s.Now()
		}
		for _, s := range []tap.Sink{f.Rates, f.Ring} { // neither blocks nor fails
			if err := s.Write(ctx, rec); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}
