package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"iscope/probes"
)

// Reasons for not sending. They are part of the output.
const (
	stopInterrupted = "interrupted"
	stopRefused     = "refused"
	stopBreaker     = "stopped by the breaker"
	stopResults     = "the results could not be kept"
	failCutOff      = "cut off when the run was stopped"
)

// Run sends a plan and blocks until everything is accounted for. The schedule is
// absolute: a late item is sent at once, its lateness reported, and the next one
// is due when it always was.
//
// When ctx ends nothing more is sent; what is under way gets Drain to finish.
// The report is complete whatever the error, which says why a run ended early:
// the plan is refused (ErrRefused), the breaker stopped it (ErrLimit), ctx
// ended, the results could not be kept. Failed items and differences are no
// error of Run.
func Run(ctx context.Context, p *Plan, o SendOptions) (Report, error) {
	o, err := o.complete(p)
	if err != nil {
		return Report{}, err
	}
	r := newRunner(p, o)
	if p.Refused != nil {
		r.acc.notSent(stopRefused, len(p.steps))
		return r.acc.report(0), p.Refused
	}
	if err := r.loop(ctx); err != nil {
		return r.acc.report(time.Since(r.begun)), err
	}
	return r.acc.report(time.Since(r.begun)), nil
}

// runner is one run. All its state belongs to loop; the goroutines it starts
// send one item each and hand back a Result.
type runner struct {
	p     *Plan
	o     SendOptions
	due   []time.Duration
	begun time.Time

	lanes   *lanes
	ready   []int32 // let through by their lanes, in order
	next    int     // first step that is not due yet
	flying  int
	sent    int // handed to goroutines
	rate    *ceiling
	breaker breaker
	acc     *account
	results chan Result

	stop     string // why nothing more is sent
	stopErr  error
	resultMu sync.Mutex // guards o.Results
}

func newRunner(p *Plan, o SendOptions) *runner {
	r := &runner{p: p, o: o, lanes: newLanes(p.steps), rate: newCeiling(o.MaxRate),
		breaker: breaker{inRow: o.StopAfterErrors, rate: o.ErrorRate},
		acc:     newAccount(p, o.Run), results: make(chan Result, o.MaxInFlight)}
	r.due, r.acc.held = p.schedule(o)
	return r
}

func (r *runner) loop(ctx context.Context) error {
	r.begun = time.Now()
	// What is under way outlives ctx by Drain at most.
	work, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	done := ctx.Done()
	var drain <-chan time.Time
	for {
		if ctx.Err() != nil && r.stop == "" {
			r.halt(stopInterrupted, ctx.Err())
		}
		wake := r.dispatch(work, &wg)
		if r.flying == 0 && (r.stop != "" || len(r.ready) == 0 && r.next == len(r.due)) {
			r.acc.notSent(r.stop, len(r.due)-r.sent)
			return r.stopErr
		}
		if r.stop != "" && drain == nil {
			done, drain = nil, time.After(r.o.Drain)
		}
		timer.Reset(wake)
		select {
		case res := <-r.results:
			r.finish(res)
		case <-timer.C:
		case <-done:
		case <-drain:
			cut(errCutOff)
		}
	}
}

var errCutOff = errors.New(failCutOff)

// idle is how long the loop sleeps when only a result can change anything.
const idle = time.Hour

// dispatch sends everything that is due and may go, and returns when to look
// again.
func (r *runner) dispatch(ctx context.Context, wg *sync.WaitGroup) time.Duration {
	if r.stop != "" {
		return idle
	}
	now := time.Since(r.begun)
	for ; r.next < len(r.due) && r.due[r.next] <= now; r.next++ {
		if r.lanes.admit(int32(r.next)) {
			r.ready = append(r.ready, int32(r.next))
		}
	}
	wake := idle
	for len(r.ready) > 0 && r.flying < r.o.MaxInFlight {
		if at := r.rate.next(now); at > now {
			wake = at - now
			break
		}
		r.rate.take(now)
		i := int(r.ready[0])
		r.ready = r.ready[1:]
		r.flying++
		r.sent++
		wg.Go(func() { r.results <- r.send(ctx, i) })
	}
	if r.next < len(r.due) {
		wake = min(wake, r.due[r.next]-now)
	}
	return wake
}

// finish accounts for a result and frees what waited for it.
func (r *runner) finish(res Result) {
	r.flying--
	r.ready = r.lanes.finish(int32(res.N), r.ready)
	r.acc.add(res)
	if r.o.OnResult != nil {
		r.o.OnResult(res)
	}
	var lost *sinkError
	if errors.As(res.Err, &lost) {
		r.halt(stopResults, lost.err)
	}
	if why := r.breaker.result(r.faulty(&res)); why != "" {
		r.halt(stopBreaker, &probes.Error{Target: res.To, Op: "replaying", Kind: probes.ErrLimit, Err: errors.New(why),
			Hint: "the report lists what failed; check the destination before going on"})
	}
}

// faulty reports whether a result counts against the destination. A fault that
// was recorded too is what a faithful replay looks like.
func (r *runner) faulty(res *Result) bool {
	if res.Err != nil {
		return true
	}
	return res.fault && (res.Different || res.Recorded == "")
}

// halt stops the sending. The first reason counts.
func (r *runner) halt(reason string, err error) {
	if r.stop == "" {
		r.stop, r.stopErr = reason, err
	}
}

// sinkError is a failure of SendOptions.Results: the item itself was sent.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return fmt.Sprintf("keeping the results: %v", e.err) }
func (e *sinkError) Unwrap() error { return e.err }
