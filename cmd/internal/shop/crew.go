package shop

import (
	"context"
	"fmt"
	"sync"
)

// crew owns the shop's goroutines. Its context ends when the shop is closed,
// when the context it was started with ends, or when a part fails.
type crew struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	cleanups []func()
}

func newCrew(ctx context.Context) *crew {
	ctx, cancel := context.WithCancelCause(ctx)
	return &crew{ctx: ctx, cancel: cancel}
}

// run starts a part. One that fails while the shop is open closes the shop:
// half a shop would show things that are not so.
func (c *crew) run(part string, fn func(context.Context) error) {
	c.wg.Go(func() {
		if err := fn(c.ctx); err != nil && c.ctx.Err() == nil {
			c.cancel(fmt.Errorf("running %s: %w", part, err))
		}
	})
}

// after registers a clean-up for when every goroutine has ended. They run in
// the reverse of their order.
func (c *crew) after(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleanups = append(c.cleanups, fn)
}

// stop ends the crew's context and returns when all is cleaned up. Calling it
// again is harmless.
func (c *crew) stop() {
	c.cancel(context.Canceled)
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.cleanups) - 1; i >= 0; i-- {
		c.cleanups[i]()
	}
	c.cleanups = nil
}
