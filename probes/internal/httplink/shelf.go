package httplink

import (
	"context"
	"errors"
	"sync"
	"time"

	"iscope/probes"
)

// Shelf keeps what a server says of itself, its contract, and loads it once for
// all who ask at the same time. Reading one cannot be interrupted, so it happens
// in a goroutine of the shelf's own; who asked may leave before it ends.
type Shelf[T any] struct {
	life  context.Context
	load  func(ctx context.Context, last T) (T, error)
	final func(error) bool

	mu     sync.Mutex
	has    T
	err    error // of the last load, if it is final
	at     time.Time
	flight *flight[T]
	wg     sync.WaitGroup
}

// flight is a load in progress; its results are set when done is closed.
type flight[T any] struct {
	done chan struct{}
	has  T
	err  error
}

// NewShelf makes an empty shelf. load gets what was had last. Errors that are
// final are worth remembering: the server answered, and there is no contract.
// That it did not answer is not. final is nil where no error is.
func NewShelf[T any](life context.Context, load func(ctx context.Context, last T) (T, error), final func(error) bool) *Shelf[T] {
	return &Shelf[T]{life: life, load: load, final: final}
}

// Get returns what is kept, loading it if it is older than maxAge. It blocks
// until then or until ctx ends.
func (s *Shelf[T]) Get(ctx context.Context, maxAge time.Duration) (T, error) {
	var none T
	f, has, err := s.join(maxAge)
	if f == nil {
		return has, err
	}
	select {
	case <-f.done:
		return f.has, f.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-s.life.Done():
		return none, context.Canceled
	}
}

// join returns what is kept, or the load to wait for.
func (s *Shelf[T]) join(maxAge time.Duration) (*flight[T], T, error) {
	var none T
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.flight != nil:
		return s.flight, none, nil
	case !s.at.IsZero() && time.Since(s.at) < maxAge:
		return nil, s.has, s.err
	case s.life.Err() != nil:
		return nil, none, context.Canceled
	}
	f := &flight[T]{done: make(chan struct{})}
	s.flight = f
	last := s.has
	s.wg.Go(func() {
		f.has, f.err = s.load(s.life, last)
		s.land(f)
	})
	return f, none, nil
}

func (s *Shelf[T]) land(f *flight[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	if f.err == nil || s.final != nil && s.final(f.err) {
		s.has, s.err, s.at = f.has, f.err, time.Now()
	}
	close(f.done)
}

// Expire makes the next Get load again.
func (s *Shelf[T]) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Time{}
}

// Wait returns when no load is running; none starts after life has ended.
func (s *Shelf[T]) Wait() { s.wg.Wait() }

// NotHad makes an Error of what Get returned, which may be the bare end of a
// context. what is what the shelf keeps: "the schema".
func (l *Link) NotHad(op, what string, err error) error {
	var known *probes.Error
	if errors.As(err, &known) {
		return err
	}
	kind := probes.KindOfCause(err)
	if kind == probes.ErrTimeout {
		err = errors.New("timed out: " + what + " was not read in time")
	}
	return l.Fail(op, kind, err, "")
}
