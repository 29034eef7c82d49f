package tap

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Phase is where a tap is.
type Phase uint8

const (
	Connecting Phase = iota
	Live
	Reconnecting
	Ended
)

func (p Phase) String() string {
	return [...]string{"connecting", "live", "reconnecting", "ended"}[p]
}

// State is told through Options.OnState.
type State struct {
	Phase   Phase
	Err     error         // why it is reconnecting or has ended; nil after a normal end
	Attempt int           // of the reconnection, from 1
	Wait    time.Duration // before that attempt
}

// Retry says how to go on when the peer is gone. The zero value waits 0.5 s at
// first and 15 s at most, for ever, but gives up at once if the peer was never
// there.
type Retry struct {
	Min, Max time.Duration
	// Attempts bounds the tries in a row; 0 is no bound.
	Attempts int
	// Initial also waits for a peer that does not answer at the start.
	Initial bool
}

// backoffClock counts the attempts of one interruption.
type backoffClock struct {
	b       *backoff.ExponentialBackOff
	attempt int
}

func newBackoff(r Retry) *backoffClock {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 500 * time.Millisecond
	b.MaxInterval = 15 * time.Second
	if r.Min > 0 {
		b.InitialInterval = r.Min
	}
	if r.Max > 0 {
		b.MaxInterval = r.Max
	}
	return &backoffClock{b: b}
}

func (c *backoffClock) next() (wait time.Duration, attempt int) {
	c.attempt++
	return c.b.NextBackOff(), c.attempt
}

func (c *backoffClock) waiting() bool { return c.attempt > 0 }

func (c *backoffClock) reset() {
	c.attempt = 0
	c.b.Reset()
}
