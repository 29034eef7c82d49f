package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"iscope/probes"
)

// Route says where the traffic recorded from a target goes.
type Route struct {
	From    string // recorded target; "" is every target without a route of its own
	Conn    *probes.Conn
	Subject string // publish there instead of to the recorded subject; "" keeps it
}

// PlanOptions says what to replay, and to where.
type PlanOptions struct {
	To []Route
	// Select, if set, chooses messages and calls (by their first request).
	// What it leaves out is not planned at all.
	Select func(*probes.Record) bool
	// ReadsOnly skips everything that may change something.
	ReadsOnly bool
	// IsRedacted recognises the placeholders of the redaction under which the
	// capture was written. What holds one is skipped: a placeholder must never
	// reach a system as if it were data.
	IsRedacted func([]byte) bool
	// Provide supplies the value of a header that was redacted or is a
	// credential. ok false: it has none.
	Provide func(c *probes.Conn, name string) (value []byte, ok bool)
	// KeepCredentials sends recorded credentials that were not redacted. By
	// default they never leave the capture.
	KeepCredentials bool
	// KeepPartition publishes to the recorded partition instead of letting the
	// system choose by key.
	KeepPartition bool
	// Resolve looks host names up, to recognise the recorded system under
	// another name; nil asks the system's resolver.
	Resolve func(ctx context.Context, host string) ([]string, error)
}

// Plan is what Run would send. Making one sends nothing but the questions that
// the guard rails need: the destinations' methods and identity.
//
// The unit is a message or a whole call, however many requests that has.
type Plan struct {
	Path       string        `json:"path"`
	Planned    int           `json:"planned"` // messages and calls, skipped ones included
	Skipped    int           `json:"skipped"`
	Reads      int           `json:"reads"` // of those not skipped
	Writes     int           `json:"writes"`
	Unselected int           `json:"unselected"` // left out by Select, not part of Planned
	Start      time.Time     `json:"start"`      // recorded time of the first
	Duration   time.Duration `json:"duration_ns"`
	PeakRate   float64       `json:"peak_rate"` // most in any one second, recorded
	// Ceiling is the rate above which Run does not go unless told, per second;
	// 0 is none.
	Ceiling    float64       `json:"ceiling"`
	Routes     []Destination `json:"routes"`
	Operations []Operation   `json:"operations"`
	Skips      []Reason      `json:"skips,omitempty"`
	Damage     []Damage      `json:"damage,omitempty"` // of the capture
	// Refused is why Run will not send this plan; nil if it will.
	Refused error `json:"-"`
	// Refusal is Refused as text.
	Refusal string `json:"refused,omitempty"`

	reader *Reader
	opt    PlanOptions
	steps  []step
	names  []string // of operations, by step.op
	method []probes.Method
	ends   []outcome // recorded ones, by step.want
}

// Destination is a route as it will be used.
type Destination struct {
	From        string       `json:"from"` // recorded target
	To          string       `json:"to"`   // target, with the subject if that is overridden
	Address     string       `json:"address"`
	Environment string       `json:"environment"`
	Class       probes.Class `json:"class"`
	Count       int          `json:"count"`
}

// Operation counts what would be sent of one kind.
type Operation struct {
	From    string        `json:"from"`
	Name    string        `json:"name"` // topic, or method as the destination lists it
	To      string        `json:"to"`
	Publish bool          `json:"publish"` // else it is called
	Effect  probes.Effect `json:"effect"`
	Count   int           `json:"count"`
}

// Reason counts items that share a fate.
type Reason struct {
	Reason  string `json:"reason"`
	Count   int    `json:"count"`
	Example string `json:"example,omitempty"` // one of them
}

// step is one item to send. Bodies stay in the file until they are sent.
type step struct {
	parts []part // requests, at least one
	op    int32  // index into Plan.names and Plan.method
	route int32  // index into PlanOptions.To
	lane  uint32 // 0: none
	want  int32  // index into Plan.ends; -1: unknown
	start int64  // recorded, nanoseconds since 1970
	end   int64  // when it was over; equals start for messages
	id    string // recorded call or record
}

// part is one request of a step.
type part struct {
	spot
	at int64 // nanoseconds after the first
}

// BuildPlan reads the whole capture and decides about every stimulus in it. The
// reader must stay open for Run. A plan that must not be sent is no error: see
// Plan.Refused.
func BuildPlan(ctx context.Context, r *Reader, o PlanOptions) (*Plan, error) {
	p := &Plan{Path: r.path, reader: r, opt: o}
	info := r.Info()
	if err := checkRoutes(r.path, &info, o.To); err != nil {
		return nil, err
	}
	c := newCollector(p)
	var failed error
	_, err := r.each(ctx, func(rec probes.Record, at spot) bool {
		failed = c.take(ctx, &rec, at)
		return failed == nil
	})
	if err == nil {
		err = failed
	}
	if err == nil {
		err = c.finish(ctx)
	}
	if err != nil {
		return nil, err
	}
	p.Damage = r.Damage()
	if !info.Complete && len(p.Damage) == 0 {
		// Every record was read and counted, and still nothing but the index
		// could say that there were no more.
		p.Damage = []Damage{{Offset: info.Size, What: "summary",
			Reason: "the capture was not finished, or the index at its end is damaged"}}
	}
	p.arrange()
	refused, err := newGuard(p, &info).check(ctx, c.uses)
	if err != nil {
		return nil, err
	}
	if p.Refused = refused; refused != nil {
		p.Refusal = refused.Error()
	}
	return p, nil
}

// checkRoutes refuses routes that no recorded target can take.
func checkRoutes(path string, info *Info, routes []Route) error {
	bad := func(err error, hint string) error {
		return &probes.Error{Target: path, Op: "planning the replay", Kind: probes.ErrUsage, Err: err, Hint: hint}
	}
	if len(routes) == 0 {
		return bad(fmt.Errorf("no destination"), "name one with --to")
	}
	recorded := map[string]bool{}
	for _, ch := range info.Channels {
		recorded[ch.Target] = true
	}
	names := slices.Sorted(maps.Keys(recorded))
	seen := map[string]bool{}
	for _, rt := range routes {
		switch {
		case rt.Conn == nil:
			return bad(fmt.Errorf("the destination for %q is not open", rt.From), "")
		case seen[rt.From]:
			return bad(fmt.Errorf("two destinations for %q", rt.From), "")
		case rt.From != "" && !recorded[rt.From]:
			return bad(fmt.Errorf("nothing was recorded from %q", rt.From), probes.NearestHint(rt.From, names))
		}
		seen[rt.From] = true
	}
	return nil
}

// arrange puts the steps in order of time and derives the figures.
func (p *Plan) arrange() {
	slices.SortStableFunc(p.steps, func(a, b step) int {
		switch {
		case a.start < b.start:
			return -1
		case a.start > b.start:
			return 1
		}
		return 0
	})
	n := len(p.steps)
	if n == 0 {
		return
	}
	p.Start = fromNanos(uint64(p.steps[0].start))
	p.Duration = time.Duration(p.steps[n-1].start - p.steps[0].start)
	from, peak := 0, 0
	for i := range p.steps {
		for p.steps[i].start-p.steps[from].start >= int64(time.Second) {
			from++
		}
		peak = max(peak, i-from+1)
	}
	p.PeakRate = float64(peak)
}
