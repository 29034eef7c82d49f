package shop

import (
	"context"
	"sync"
)

// keptOrders is how many orders the store remembers, about as long as the
// broker keeps its messages: half an hour at five a second.
const keptOrders = 8192

// store remembers the latest orders in the order they were stored, each under
// a sequence number without gaps.
type store struct {
	mu      sync.Mutex
	ring    [keptOrders]order
	next    uint64 // sequence of the next order
	byID    map[string]uint64
	changed chan struct{} // closed and replaced whenever an order is added
}

func newStore() *store {
	return &store{byID: map[string]uint64{}, changed: make(chan struct{})}
}

// add stores o, or returns the order that is there under its id already.
func (s *store) add(o order) (stored order, added bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq, ok := s.byID[o.ID]; ok {
		return s.ring[seq%keptOrders], false
	}
	slot := &s.ring[s.next%keptOrders]
	delete(s.byID, slot.ID)
	*slot = o
	s.byID[o.ID] = s.next
	s.next++
	close(s.changed)
	s.changed = make(chan struct{})
	return o, true
}

func (s *store) get(id string) (order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq, ok := s.byID[id]
	if !ok {
		return order{}, false
	}
	return s.ring[seq%keptOrders], true
}

// latest returns at most n orders that keep accepts, the newest first.
func (s *store) latest(n int, keep func(order) bool) []order {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []order
	for seq := s.next; seq > s.first() && len(found) < n; seq-- {
		if o := s.ring[(seq-1)%keptOrders]; keep(o) {
			found = append(found, o)
		}
	}
	return found
}

// end is the sequence number the next order will get.
func (s *store) end() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// first is the oldest sequence number kept.
func (s *store) first() uint64 { return s.next - min(s.next, keptOrders) }

// at waits for the order with this sequence number. One that is no longer
// kept is skipped: the sequence number returned says so.
func (s *store) at(ctx context.Context, seq uint64) (order, uint64, error) {
	for {
		s.mu.Lock()
		changed := s.changed
		if seq < s.next {
			seq = max(seq, s.first())
			o := s.ring[seq%keptOrders]
			s.mu.Unlock()
			return o, seq, nil
		}
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return order{}, seq, context.Cause(ctx)
		}
	}
}
