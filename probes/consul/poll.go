package consul

import (
	"context"
	"time"
)

// A poll that answers at once, again and again (a busy catalog, or an agent
// without blocking queries), is slowed to one request per pollEvery after a
// burst of pollBurst. Consul's documentation asks for a token bucket rather
// than a pause, so that a lone change is seen at once.
const (
	pollBurst = 2
	pollEvery = time.Second
)

// bucket is a token bucket of one user.
type bucket struct {
	tokens float64
	last   time.Time
}

func newBucket() *bucket { return &bucket{tokens: pollBurst, last: time.Now()} }

// take waits for a token or the end of ctx.
func (b *bucket) take(ctx context.Context) error {
	now := time.Now()
	b.tokens = min(pollBurst, b.tokens+now.Sub(b.last).Seconds()/pollEvery.Seconds())
	b.last = now
	b.tokens--
	if b.tokens >= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Duration(-b.tokens * float64(pollEvery)))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// nextIndex is the index to poll with after an answer, by the rules of
// https://developer.hashicorp.com/consul/api-docs/features/blocking: start over
// when it goes backwards (a restored snapshot), and never send 0 otherwise,
// which would turn the poll into a busy loop.
func nextIndex(sent, got uint64) uint64 {
	if got < sent {
		return 0
	}
	return max(got, 1)
}
