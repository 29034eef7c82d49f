package registry

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"iscope/probes"
)

// gate keeps requests away from a registry that does not answer. One request
// at a time is let through when its time has come.
type gate struct {
	report func(error)

	mu     sync.Mutex
	err    error // why it is down; nil: it answers
	until  time.Time
	tries  int
	trying bool
}

const (
	firstPause = time.Second
	longPause  = time.Minute
	// forever is the pause after refused credentials: trying them again and
	// again locks accounts.
	forever = time.Duration(math.MaxInt64)
)

// failure returns why the registry is down, nil if it is not.
func (g *gate) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// enter lets a request through, or says why not and how long that holds.
func (g *gate) enter(now time.Time) (left time.Duration, why error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		return 0, nil
	}
	if left := g.until.Sub(now); left > 0 {
		return left, g.err
	}
	if g.trying {
		return firstPause, g.err
	}
	g.trying = true
	return 0, nil
}

// leave takes the outcome of a request that was let through. It returns how
// long the registry is left alone, 0 if it answers.
func (g *gate) leave(ctx context.Context, now time.Time, err error) time.Duration {
	report, pause := g.judge(ctx, now, err)
	if pause == 0 { // whatever it said, it answers
		err = nil
	}
	if report && g.report != nil {
		g.report(err)
	}
	return pause
}

func (g *gate) judge(ctx context.Context, now time.Time, err error) (report bool, pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trying = false
	if errors.Is(ctx.Err(), context.Canceled) { // we are closing: it says nothing about the registry
		return false, firstPause
	}
	wasDown := g.err != nil
	if !isDown(err) {
		g.err, g.tries = nil, 0
		return wasDown, 0
	}
	pause = min(firstPause<<min(g.tries, 10), longPause)
	if errors.Is(err, probes.ErrAuth) {
		pause = forever
	}
	g.tries++
	g.err, g.until = err, now.Add(pause)
	return !wasDown, pause
}

// isDown tells a registry that does not work from one that says no.
func isDown(err error) bool {
	return probes.Transient(err) || errors.Is(err, probes.ErrTLS) || errors.Is(err, probes.ErrAuth)
}
