package httpapi

import (
	"context"
	"errors"
	"sync"
	"time"
)

// library keeps the target's document and loads it once for all who ask at the
// same time. Reading a document cannot be interrupted, so it happens in a
// goroutine of the library's own; who asked may leave before it ends.
type library struct {
	life context.Context
	load func(ctx context.Context, last *document) (*document, error)

	mu     sync.Mutex
	doc    *document
	err    error // of the last load, if it says that there is no document
	at     time.Time
	flight *flight
	wg     sync.WaitGroup
}

// flight is a load in progress; its results are set when done is closed.
type flight struct {
	done chan struct{}
	doc  *document
	err  error
}

func newLibrary(life context.Context, load func(context.Context, *document) (*document, error)) *library {
	return &library{life: life, load: load}
}

// get returns the document, loading it if what is known is older than maxAge.
// It blocks until then or until ctx ends.
func (l *library) get(ctx context.Context, maxAge time.Duration) (*document, error) {
	f, doc, err := l.join(maxAge)
	if f == nil {
		return doc, err
	}
	select {
	case <-f.done:
		return f.doc, f.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.life.Done():
		return nil, context.Canceled
	}
}

// join returns what is known, or the load to wait for.
func (l *library) join(maxAge time.Duration) (*flight, *document, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flight == nil && !l.at.IsZero() && time.Since(l.at) < maxAge {
		return nil, l.doc, l.err
	}
	if l.flight != nil {
		return l.flight, nil, nil
	}
	if l.life.Err() != nil {
		return nil, nil, context.Canceled
	}
	f := &flight{done: make(chan struct{})}
	l.flight = f
	last := l.doc
	l.wg.Go(func() {
		f.doc, f.err = l.load(l.life, last)
		l.land(f)
	})
	return f, nil, nil
}

// land notes the outcome. That there is no document is worth remembering; that
// the server did not answer is not.
func (l *library) land(f *flight) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.flight = nil
	var none *noDocument
	if f.err == nil || errors.As(f.err, &none) {
		l.doc, l.err, l.at = f.doc, f.err, time.Now()
	}
	close(f.done)
}

// wait returns when no load is running; none starts after life has ended.
func (l *library) wait() { l.wg.Wait() }
