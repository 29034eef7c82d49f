package graphql

import (
	"context"
	"sync"
	"time"
)

// shelf keeps the target's contract and loads it once for all who ask at the
// same time, in a goroutine of its own: who asked may leave before it ends.
type shelf struct {
	life context.Context
	load func(context.Context) (*contract, error)

	mu     sync.Mutex
	has    *contract
	at     time.Time
	flight *flight
	wg     sync.WaitGroup
}

// flight is a load in progress; its results are set when done is closed.
type flight struct {
	done chan struct{}
	has  *contract
	err  error
}

func newShelf(life context.Context, load func(context.Context) (*contract, error)) *shelf {
	return &shelf{life: life, load: load}
}

// get returns the contract, loading it if what is known is older than maxAge. It
// blocks until then or until ctx ends.
func (s *shelf) get(ctx context.Context, maxAge time.Duration) (*contract, error) {
	f, has, err := s.join(maxAge)
	if f == nil {
		return has, err
	}
	select {
	case <-f.done:
		return f.has, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-s.life.Done():
		return nil, context.Canceled
	}
}

// join returns what is known, or the load to wait for.
func (s *shelf) join(maxAge time.Duration) (*flight, *contract, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight == nil && !s.at.IsZero() && time.Since(s.at) < maxAge {
		return nil, s.has, nil
	}
	if s.flight != nil {
		return s.flight, nil, nil
	}
	if s.life.Err() != nil {
		return nil, nil, context.Canceled
	}
	f := &flight{done: make(chan struct{})}
	s.flight = f
	s.wg.Go(func() {
		f.has, f.err = s.load(s.life)
		s.land(f)
	})
	return f, nil, nil
}

// land notes the outcome. That there is no schema is worth remembering; that the
// server did not answer is not.
func (s *shelf) land(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	if f.err == nil {
		s.has, s.at = f.has, time.Now()
	}
	close(f.done)
}

// expire makes the next get load again.
func (s *shelf) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Time{}
}

// wait returns when no load is running; none starts after life has ended.
func (s *shelf) wait() { s.wg.Wait() }
