package main

import (
	"context"
	"fmt"
	"time"
)

// liveRow is for tools that only get what is sent while they run.
type liveRow struct {
	// begin is called before each measurement.
	begin func(ctx context.Context, s *benchSite) error
	// listens reports whether the tool would get what is sent now.
	listens func(ctx context.Context, s *benchSite) (bool, error)
	// feed sends everything; the tool has to end by itself when it has got it.
	feed func(ctx context.Context, s *benchSite) error
	// backlog counts what waits for the tool.
	backlog func(ctx context.Context, s *benchSite) (int, error)
}

const (
	// listenTime is how long a tool may take until it listens.
	listenTime = 30 * time.Second
	lookEvery  = 50 * time.Millisecond
)

// measureLive measures a tool that is fed meanwhile.
func (s *benchSite) measureLive(ctx context.Context, live *liveRow, run func(context.Context) (sample, error)) (m sample, err error) {
	if err := live.begin(ctx, s); err != nil {
		return m, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	feeding, unfed := context.WithCancel(ctx)
	defer unfed()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if m, err = run(ctx); err != nil {
			unfed() // a tool that has failed needs no more
		}
	}()
	most, feedErr := s.feed(feeding, live, ended)
	if feedErr != nil && feeding.Err() == nil {
		stop()
		<-ended
		return m, fmt.Errorf("was not fed: %w", feedErr)
	}
	<-ended
	m.Backlog = most
	return m, err
}

// feed sends everything once the tool listens, and returns when it has ended.
func (s *benchSite) feed(ctx context.Context, live *liveRow, ended <-chan struct{}) (most int, err error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	deadline := time.Now().Add(listenTime)
	for listening := false; !listening; {
		if listening, err = live.listens(ctx, s); err != nil {
			return 0, err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("the tool did not listen within %s", listenTime)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return live.watch(ctx, s, ended)
}

// watch feeds, and looks at the backlog until the tool has ended.
func (live *liveRow) watch(ctx context.Context, s *benchSite, ended <-chan struct{}) (most int, err error) {
	ctx, stop := context.WithCancel(ctx)
	fed, done := make(chan error, 1), false
	go func() { fed <- live.feed(ctx, s) }()
	defer func() {
		stop()
		if !done {
			<-fed
		}
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		n, err := live.backlog(ctx, s)
		if err != nil && ctx.Err() == nil {
			return most, err
		}
		most = max(most, n)
		select {
		case <-tick.C:
		case err := <-fed:
			if done = true; err != nil {
				return most, err
			}
		case <-ended:
			if !done {
				err, done = <-fed, true
			}
			return most, err
		}
	}
}
