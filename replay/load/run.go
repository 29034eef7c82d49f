package load

import (
	"context"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"iscope/probes"
)

// Load is a load under way.
type Load struct {
	opt     Options
	planned int // 0: unknown
	began   time.Time
	next    atomic.Int64 // number of the next call
	shards  []*shard
	ended   atomic.Int64 // nanoseconds after began; 0: not yet
	stopped atomic.Bool
}

// progressEvery is the time between two calls of Options.Progress.
const progressEvery = 500 * time.Millisecond

// maxCalls bounds a load, and with it the arithmetic on intended times.
const maxCalls = 1e9

// New checks the options. Nothing runs yet.
func New(o Options) (*Load, error) {
	bad := func(format string, args ...any) (*Load, error) {
		return nil, &probes.Error{Op: "planning the load", Kind: probes.ErrUsage, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case !(o.Rate >= 0 && o.Rate <= 1e6):
		return bad("a rate of %v is not between 0 and 1,000,000 a second", o.Rate)
	case o.Concurrency < 1 || o.Concurrency > 10_000:
		return bad("a concurrency of %d is not between 1 and 10,000", o.Concurrency)
	case o.Count < 0 || o.Count > maxCalls:
		return bad("%d calls are not between 1 and %.0f", o.Count, maxCalls)
	case o.For < 0:
		return bad("a time of %s is negative", o.For)
	case o.Count == 0 && o.For == 0:
		return bad("the load has no end: say how many calls, or for how long")
	}
	l := &Load{opt: o, planned: o.Count}
	if o.For > 0 && o.Rate > 0 {
		n := int(math.Ceil(min(o.For.Seconds()*o.Rate, maxCalls)))
		if l.planned == 0 || n < l.planned {
			l.planned = n
		}
	}
	for range min(o.Concurrency, maxShards) {
		l.shards = append(l.shards, newShard())
	}
	return l, nil
}

// Run makes the calls and returns when all have ended, or, once ctx has ended,
// when those under way have. call makes one and is called by up to Concurrency
// goroutines at once; n is its number, from 0.
func (l *Load) Run(ctx context.Context, call func(ctx context.Context, n int) Outcome) Report {
	l.began = time.Now()
	over := make(chan struct{})
	var watching sync.WaitGroup
	if l.opt.Progress != nil {
		watching.Go(func() { l.watch(over) })
	}
	var running sync.WaitGroup
	for i := range l.opt.Concurrency {
		running.Go(func() { l.work(ctx, l.shards[i%len(l.shards)], call) })
	}
	running.Wait()
	l.ended.Store(int64(time.Since(l.began)))
	close(over)
	watching.Wait()
	return l.report()
}

// watch reports now and then until the load is over.
func (l *Load) watch(over <-chan struct{}) {
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.opt.Progress(l.report())
		case <-over:
			return
		}
	}
}

// work is one of Concurrency: it takes the next call, waits for its time and
// makes it.
func (l *Load) work(ctx context.Context, w *shard, call func(context.Context, int) Outcome) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		n := int(l.next.Add(1) - 1)
		if l.planned > 0 && n >= l.planned {
			return
		}
		intended, waited, ok := l.wait(ctx, timer, n)
		if !ok {
			return
		}
		started := time.Since(l.began)
		if waited {
			// Nobody kept it waiting but this machine's timer, which says nothing
			// of the system.
			w.own(started - intended)
			intended = started
		}
		out := call(ctx, n)
		ended := time.Since(l.began)
		if ctx.Err() != nil && out.Err != "" {
			l.stopped.Store(true)
			return // it failed because it was cancelled
		}
		if l.opt.Rate == 0 {
			intended = started
		}
		w.note(out, intended, started, ended)
	}
}

// wait waits for the time of a call, after the beginning. waited is false if it
// had come already, ok when the load is over.
func (l *Load) wait(ctx context.Context, timer *time.Timer, n int) (intended time.Duration, waited, ok bool) {
	if l.opt.Rate > 0 {
		intended = time.Duration(float64(n) / l.opt.Rate * float64(time.Second))
	}
	now := time.Since(l.began)
	if l.opt.For > 0 && (now >= l.opt.For && l.opt.Rate == 0 || intended >= l.opt.For) {
		return 0, false, false
	}
	if left := intended - now; left > 0 {
		waited = true
		timer.Reset(left)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		l.stopped.Store(true)
		return 0, false, false
	}
	return intended, waited, true
}
