package schema

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Cache holds the schemas that take time to get, and the failures to get them,
// each for as long as its loader says. One load is under way for a key at a
// time, however many ask. It is safe for concurrent use.
type Cache struct {
	max   int
	now   func() time.Time
	alive context.Context
	stop  context.CancelFunc
	loads sync.WaitGroup

	mu      sync.Mutex
	entries map[string]*list.Element
	order   list.List // of *item, the most recently used first
	closed  bool
}

// item is what is known of one key. found and err may be read once done is
// closed.
type item struct {
	key   string
	began time.Time
	done  chan struct{}
	found Found
	err   error
	until time.Time // zero: for good
}

// Load gets a schema. The result holds for ttl, 0 for good. Its context ends
// with the cache, not with the caller that happened to be the first.
type Load func(ctx context.Context) (found Found, ttl time.Duration, err error)

// NewCache returns a cache for at most max keys. Close it.
func NewCache(max int, now func() time.Time) *Cache {
	c := &Cache{max: max, now: now, entries: map[string]*list.Element{}}
	c.alive, c.stop = context.WithCancel(context.Background())
	return c
}

// Close ends loads and waits for them.
func (c *Cache) Close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.loads.Wait()
}

// Get returns what is known of a key, loading it where nothing is. It waits for
// a load until ctx ends, or until patience after the load began, and then says
// ErrPending; the load goes on. A slow load thus costs its patience once, not
// once for each who asks. What was known but has expired is returned at once
// where it is a schema, and after grace where it is a failure.
func (c *Cache) Get(ctx context.Context, key string, patience, grace time.Duration, load Load) (Found, error) {
	it, old := c.look(key, load)
	switch {
	case it == nil:
		return Found{}, errClosed
	case old != nil && old.err == nil:
		return old.found, nil
	case old != nil:
		patience = grace
	}
	if !it.wait(ctx, patience-c.now().Sub(it.began)) {
		if old != nil {
			return Found{}, old.err
		}
		return Found{}, ErrPending
	}
	return it.found, it.err
}

var errClosed = errors.New("closed")

func (it *item) wait(ctx context.Context, patience time.Duration) bool {
	select {
	case <-it.done:
		return true
	default:
	}
	if patience <= 0 {
		return false
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-it.done:
		return true
	case <-ctx.Done():
	case <-t.C:
	}
	return false
}

// look returns the item of a key, starting a load where it is new or expired;
// old is the expired one.
func (c *Cache) look(key string, load Load) (it, old *item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil
	}
	if e := c.entries[key]; e != nil {
		c.order.MoveToFront(e)
		it = e.Value.(*item)
		if !it.expired(c.now()) {
			return it, nil
		}
		old = it
		it = &item{key: key, began: c.now(), done: make(chan struct{})}
		e.Value = it
	} else {
		it = &item{key: key, began: c.now(), done: make(chan struct{})}
		c.entries[key] = c.order.PushFront(it)
		c.evict()
	}
	c.loads.Go(func() { c.run(it, load) })
	return it, old
}

func (it *item) expired(now time.Time) bool {
	select {
	case <-it.done:
		return !it.until.IsZero() && now.After(it.until)
	default:
		return false
	}
}

func (c *Cache) run(it *item, load Load) {
	found, ttl, err := load(c.alive)
	it.found, it.err = found, err
	if ttl > 0 {
		it.until = c.now().Add(ttl)
	}
	close(it.done)
}

// evict drops the least recently used. A load that is under way ends by itself.
func (c *Cache) evict() {
	for c.order.Len() > c.max {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.entries, last.Value.(*item).key)
	}
}
