package replay

import (
	"fmt"
	"time"

	"iscope/probes"
)

// Pace is how a replay goes through time.
type Pace uint8

const (
	Original Pace = iota // as recorded
	Times                // as recorded, Speed times as fast
	Rate                 // evenly, Rate a second
	ASAP                 // as fast as MaxInFlight and the ceiling let it
)

func (p Pace) String() string { return [...]string{"original", "times", "rate", "asap"}[p] }

// schedule computes when each step is due, after the start of the run. held
// counts the steps that the ceiling puts off.
func (p *Plan) schedule(o SendOptions) (due []time.Duration, held int) {
	due = make([]time.Duration, len(p.steps))
	ceiling := newCeiling(o.MaxRate)
	var at, recorded time.Duration // on the schedule, in the capture
	for i := range p.steps {
		switch o.Pace {
		case Original, Times:
			now := time.Duration(p.steps[i].start - p.steps[0].start)
			gap := now - recorded
			if o.MaxGap > 0 {
				gap = min(gap, o.MaxGap)
			}
			at += gap
			recorded = now
			due[i] = time.Duration(float64(at) / o.Speed)
		case Rate:
			due[i] = time.Duration(float64(i) / o.Rate * float64(time.Second))
		}
		if t := ceiling.next(due[i]); t > due[i] {
			due[i] = t
			held++
		}
		ceiling.take(due[i])
	}
	return due, held
}

// Estimate returns how long a run would take if the destinations keep up.
func (p *Plan) Estimate(o SendOptions) (time.Duration, error) {
	o, err := o.complete(p)
	if err != nil || len(p.steps) == 0 {
		return 0, err
	}
	due, _ := p.schedule(o)
	return due[len(due)-1], nil
}

// ceiling is a rate limit that lets one second's worth through at once, so that
// it shapes no burst that stays below it.
type ceiling struct {
	interval, slack time.Duration
	free            time.Duration // when an even flow would have room (GCRA's theoretical arrival time)
}

func newCeiling(rate float64) *ceiling {
	if rate <= 0 {
		return &ceiling{}
	}
	interval := time.Duration(float64(time.Second) / rate)
	return &ceiling{interval: interval, slack: max(0, time.Second-interval)}
}

// next is the earliest time, not before now, at which one more may go.
func (c *ceiling) next(now time.Duration) time.Duration {
	if c.interval == 0 {
		return now
	}
	return max(now, c.free-c.slack)
}

// take uses up one at a time that next has allowed.
func (c *ceiling) take(now time.Duration) { c.free = max(c.free, now) + c.interval }

// complete fills in the defaults and refuses nonsense.
func (o SendOptions) complete(p *Plan) (SendOptions, error) {
	bad := func(format string, args ...any) (SendOptions, error) {
		return o, &probes.Error{Target: p.Path, Op: "replaying", Kind: probes.ErrUsage, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case o.Pace > ASAP:
		return bad("unknown pace %d", o.Pace)
	case o.Pace == Original:
		o.Speed = 1
	case o.Pace == Times && !(o.Speed > 0 && o.Speed <= 1e6):
		return bad("speed %v is not between 0 and 1,000,000", o.Speed)
	case o.Pace == Rate && !(o.Rate > 0 && o.Rate <= 1e6):
		return bad("rate %v is not between 0 and 1,000,000 a second", o.Rate)
	}
	if o.MaxRate == 0 {
		o.MaxRate = p.Ceiling
	}
	if o.MaxInFlight <= 0 {
		o.MaxInFlight = defaultInFlight
	}
	if o.Drain <= 0 {
		o.Drain = defaultDrain
	}
	if o.StopAfterErrors == 0 {
		o.StopAfterErrors = defaultErrors
	}
	if o.ErrorRate == 0 {
		o.ErrorRate = defaultErrorRate
	}
	if o.Run == "" {
		o.Run = newRunID()
	}
	return o, nil
}
