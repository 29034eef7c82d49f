package kafka

import (
	"context"
	"sync"
)

// fetcher is the goroutine that talks to one broker for one stream. It has at
// most one request under way, while the stream decodes the answer before.
type fetcher struct {
	addr string
	work chan job
	busy bool // the stream's view
	gone sync.WaitGroup
}

// job is one request to make, and memory for its answer.
type job struct {
	parts []fetchPart
	spare []byte
}

// answer is what came of one request.
type answer struct {
	addr  string
	asked []fetchPart
	got   []fetched
	frame *frame // what got aliases
	err   error
}

// cursorOf finds whom the i-th partition of the answer is for. Brokers keep the
// order of the request.
func (a *answer) cursorOf(i int) *cursor {
	pt := a.got[i].part
	if i < len(a.asked) && a.asked[i].part == pt {
		return a.asked[i].cur
	}
	for j := range a.asked {
		if a.asked[j].part == pt {
			return a.asked[j].cur
		}
	}
	return nil
}

// dispatch sends a request to every broker that has none under way and something
// to bring.
func (s *stream) dispatch(ctx context.Context) error {
	s.turn++
	wanted := map[string][]fetchPart{}
	full := map[string]bool{}    // brokers of partitions that hold more than we can take now
	lagging := map[string]bool{} // brokers that can answer at once
	for i := range s.cursors {
		c := s.cursors[(i+s.turn)%len(s.cursors)]
		switch {
		case c.done() || c.leader == "":
		case c.wants():
			wanted[c.leader] = append(wanted[c.leader], fetchPart{c.part, c.fetchAt, c.maxBytes, c.fresh, c})
			lagging[c.leader] = lagging[c.leader] || c.behind()
		case c.behind() && !c.asking:
			full[c.leader] = true
		}
	}
	for addr, parts := range wanted {
		// A long poll for partitions that are up to date would keep a full one
		// waiting after it has been drained.
		if full[addr] && !lagging[addr] {
			continue
		}
		if err := s.send(ctx, addr, parts); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) send(ctx context.Context, addr string, parts []fetchPart) error {
	f := s.fetchers[addr]
	if f == nil {
		f = &fetcher{addr: addr, work: make(chan job, 1)}
		f.gone.Add(1)
		if !s.p.start(func() { defer f.gone.Done(); f.run(ctx, s.p, s.answers) }) {
			f.gone.Done()
			return errClosed
		}
		s.fetchers[addr] = f
	}
	if f.busy {
		return nil
	}
	f.busy = true
	for _, fp := range parts {
		fp.cur.asking = true
	}
	f.work <- job{parts, s.takeSpare()}
	return nil
}

// shut ends the fetchers, whose context has ended, and waits for them.
func (s *stream) shut() {
	for _, f := range s.fetchers {
		close(f.work)
	}
	for _, f := range s.fetchers {
		f.gone.Wait()
	}
	s.refresh.Stop()
	s.homing.Stop()
	s.clock.Stop()
}

// run serves requests until work is closed or ctx ends.
func (f *fetcher) run(ctx context.Context, p *probe, out chan<- answer) {
	var l *link
	defer func() {
		if l != nil {
			p.release(l)
		}
	}()
	for j := range f.work {
		a := answer{addr: f.addr, asked: j.parts}
		l, a.err = f.fetch(ctx, p, l, j, &a)
		select {
		case out <- a:
		case <-ctx.Done():
			return
		}
	}
}

// fetch makes one request, on a new link if there is none or the one taken from
// the idle ones has died meanwhile.
func (f *fetcher) fetch(ctx context.Context, p *probe, l *link, j job, a *answer) (*link, error) {
	for {
		if l != nil && l.worn() {
			l.close()
			l = nil
		}
		fresh := l != nil
		if l == nil {
			var err error
			if l, fresh, err = p.borrow(ctx, f.addr); err != nil {
				return nil, advertised(p, f.addr, err)
			}
		}
		l.spare = j.spare
		err := fetchWithin(ctx, p, l, j.parts, a)
		if err == nil {
			return l, nil
		}
		l.close()
		if fresh || !isGone(err) {
			return nil, err
		}
		l = nil
	}
}

func fetchWithin(ctx context.Context, p *probe, l *link, parts []fetchPart, a *answer) error {
	l.patience = longPoll + min(silence, p.target.RequestTimeout()/2)
	ctx, stop := context.WithTimeout(ctx, longPoll+l.throttle+p.target.RequestTimeout())
	defer func() { stop(); l.patience = 0 }()
	got, buf, err := l.fetch(ctx, fetchRequest(parts), parts)
	a.got, a.frame = got, &frame{buf: buf}
	for i := range got {
		// Here, while what has just arrived is still in this processor's cache.
		got[i].sound = soundUpTo(got[i].records)
	}
	return err
}
