package registry

import (
	"context"
	"time"
)

// Run lets TTL checks expire until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-r.deadlines:
		case <-ctx.Done():
			return nil
		}
		timer.Reset(r.expire())
	}
}

// expire fails the checks that were not heard of in time and returns how long
// it may be until the next.
func (r *Registry) expire() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := time.Hour
	for _, c := range r.checks {
		if c.ttl == 0 || c.Status == critical {
			continue
		}
		left := c.deadline.Sub(r.now())
		if left > 0 {
			next = min(next, left)
			continue
		}
		c.Output = "TTL expired"
		r.setStatus(c, critical)
	}
	r.mirrorAliases()
	return next
}
