package replay

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"iscope/probes"
)

// offsets are the arrivals after the first one, in milliseconds.
func offsets(as []arrival, start time.Time) []int {
	out := make([]int, len(as))
	for i, a := range as {
		out[i] = int(a.at.Sub(start).Milliseconds())
	}
	return out
}

func TestPacing(t *testing.T) {
	var recs []probes.Record
	for i, ms := range []int{0, 10, 10, 400, 5000} {
		recs = append(recs, messageAfter(ms, fmt.Sprint(i)))
	}
	for name, tc := range map[string]struct {
		o    SendOptions
		want []int
		held int
	}{
		"original":        {SendOptions{}, []int{0, 10, 10, 400, 5000}, 0},
		"times two":       {SendOptions{Pace: Times, Speed: 2}, []int{0, 5, 5, 200, 2500}, 0},
		"times a quarter": {SendOptions{Pace: Times, Speed: 0.25}, []int{0, 40, 40, 1600, 20000}, 0},
		"rate":            {SendOptions{Pace: Rate, Rate: 4}, []int{0, 250, 500, 750, 1000}, 0},
		"as fast":         {SendOptions{Pace: ASAP}, []int{0, 0, 0, 0, 0}, 0},
		"no long silence": {SendOptions{MaxGap: time.Second}, []int{0, 10, 10, 400, 1400}, 0},
		"under a ceiling": {SendOptions{Pace: ASAP, MaxRate: 2}, []int{0, 0, 500, 1000, 1500}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			d := &destination{}
			p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				rep, err := Run(t.Context(), p, tc.o)
				if err != nil {
					t.Fatal(err)
				}
				balanced(t, rep)
				if got := offsets(d.got(), start); !slices.Equal(got, tc.want) {
					t.Fatalf("arrived after %v ms, want %v", got, tc.want)
				}
				if rep.Late.Max != 0 || rep.Sent != 5 || rep.Held != tc.held {
					t.Fatalf("report %+v", rep)
				}
				est, err := p.Estimate(tc.o)
				if last := time.Duration(tc.want[4]) * time.Millisecond; err != nil || est != last {
					t.Fatalf("estimated %v, took %v, %v", est, last, err)
				}
			})
		})
	}
}

// A destination that takes its time delays nothing but its own lane.
func TestTheLoopIsOpenAcrossLanesAndClosedWithinThem(t *testing.T) {
	var recs []probes.Record
	for i := range 30 {
		recs = append(recs, messageAfter(i*100, fmt.Sprint("k", i%3)))
	}
	d := &destination{delay: func(int) time.Duration { return time.Second }}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rep, err := Run(t.Context(), p, SendOptions{})
		if err != nil || rep.Sent != 30 {
			t.Fatalf("%+v, %v", rep, err)
		}
		last := map[string]time.Time{}
		bodies := map[string][]string{}
		for _, a := range d.got() {
			k := string(a.rec.Key)
			if prev, ok := last[k]; ok && a.at.Sub(prev) < time.Second {
				t.Fatalf("two of lane %s at once", k)
			}
			last[k] = a.at
			bodies[k] = append(bodies[k], string(a.rec.Body))
		}
		for i := range 30 {
			k := fmt.Sprint("k", i%3)
			if bodies[k][i/3] != fmt.Sprint("m", i*100) {
				t.Fatalf("lane %s: %v", k, bodies[k])
			}
		}
		// Ten in a row at 1 s each, the lanes beginning 100 ms apart.
		if got := offsets(d.got(), start); got[1] != 100 || got[2] != 200 || got[29] != 9200 {
			t.Fatalf("arrivals %v", got)
		}
		if rep.Late.Max < 6290 || rep.Late.Max > 6310 || rep.Service.Max > 1010 || rep.Response.Max < 7290 {
			t.Fatalf("late %+v, service %+v, response %+v", rep.Late, rep.Service, rep.Response)
		}
		if d.most != 3 {
			t.Fatalf("%d at once", d.most)
		}
	})
}

// After a stall everything due goes at once and the rest keeps its time: no
// drift.
func TestLatenessIsCaughtUpAndNotPassedOn(t *testing.T) {
	var recs []probes.Record
	for i := range 100 {
		recs = append(recs, messageAfter(i*50, fmt.Sprint(i)))
	}
	d := &destination{delay: func(n int) time.Duration {
		if n < 2 {
			return 2 * time.Second
		}
		return 0
	}}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rep, err := Run(t.Context(), p, SendOptions{MaxInFlight: 2})
		if err != nil || rep.Sent != 100 || d.most != 2 {
			t.Fatalf("%+v, %v, %d at once", rep, err, d.most)
		}
		got := offsets(d.got(), start)
		for i := 42; i < 100; i++ {
			if got[i] != i*50 {
				t.Fatalf("number %d at %d ms", i, got[i])
			}
		}
		if got[2] != 2000 || got[39] > 2050 {
			t.Fatalf("the stall was not caught up: %v", got[:45])
		}
	})
}

func TestInterruptedItStopsAtOnceAndDrains(t *testing.T) {
	var recs []probes.Record
	for i := range 1000 {
		recs = append(recs, messageAfter(i*10, fmt.Sprint(i)))
	}
	r := recorded(t, recs)
	for name, tc := range map[string]struct {
		delay         time.Duration
		sent, failed  int
		took          time.Duration
		failedBecause string
	}{
		"what is under way finishes": {200 * time.Millisecond, 50, 0, 690 * time.Millisecond, ""},
		"what does not is cut off":   {time.Hour, 0, 32, 2500 * time.Millisecond, failCutOff},
	} {
		t.Run(name, func(t *testing.T) {
			d := &destination{delay: func(int) time.Duration { return tc.delay }}
			p := plan(t, r, PlanOptions{To: []Route{{Conn: d.conn()}}})
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(499*time.Millisecond, cancel)
				rep, err := Run(ctx, p, SendOptions{Drain: 2 * time.Second, Timeout: 2 * time.Hour})
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("error %v", err)
				}
				balanced(t, rep)
				if rep.Sent != tc.sent || rep.Failed != tc.failed || rep.Unsent[0].Reason != stopInterrupted {
					t.Fatalf("%+v", rep)
				}
				if rep.Took.Round(10*time.Millisecond) != tc.took.Round(10*time.Millisecond) {
					t.Fatalf("took %v", rep.Took)
				}
				if tc.failed > 0 && rep.Failures[0].Reason != tc.failedBecause {
					t.Fatalf("failures %+v", rep.Failures)
				}
				for _, a := range d.got() {
					if a.at.Sub(d.got()[0].at) > 499*time.Millisecond {
						t.Fatal("something was sent after the interruption")
					}
				}
			})
		})
	}
}

func TestTheBreakerStopsARunThatDoesHarm(t *testing.T) {
	var recs []probes.Record
	for i := range 1000 {
		recs = append(recs, messageAfter(i, fmt.Sprint(i)))
	}
	r := recorded(t, recs)
	down := &probes.Error{Target: "dest", Op: "publishing", Kind: probes.ErrUnreachable, Err: errors.New("connection refused")}
	for name, tc := range map[string]struct {
		fail   func(n int) error
		o      SendOptions
		failed int
		sent   int
		stops  bool
	}{
		"errors in a row":  {func(n int) error { return when(n >= 100, down) }, SendOptions{}, 10, 100, true},
		"a longer row":     {func(n int) error { return when(n >= 100, down) }, SendOptions{StopAfterErrors: 25}, 25, 100, true},
		"too many in all":  {func(n int) error { return when(n%4 != 0, down) }, SendOptions{}, 15, 5, true},
		"told not to stop": {func(n int) error { return when(n%4 != 0, down) }, SendOptions{StopAfterErrors: -1, ErrorRate: 1}, 750, 250, false},
		"a few errors":     {func(n int) error { return when(n%4 == 0, down) }, SendOptions{}, 250, 750, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := &destination{fail: tc.fail}
			p := plan(t, r, PlanOptions{To: []Route{{Conn: d.conn()}}})
			synctest.Test(t, func(t *testing.T) {
				tc.o.MaxInFlight = 1
				rep, err := Run(t.Context(), p, tc.o)
				balanced(t, rep)
				if errors.Is(err, probes.ErrLimit) != tc.stops || !tc.stops && err != nil {
					t.Fatalf("error %v", err)
				}
				if rep.Failed != tc.failed || rep.Sent != tc.sent || rep.Failures[0].Reason != probes.ErrUnreachable.Error() {
					t.Fatalf("%+v", rep)
				}
				if tc.stops && rep.Unsent[0].Reason != stopBreaker {
					t.Fatalf("%+v", rep.Unsent)
				}
			})
		})
	}
}

func when(cond bool, err error) error {
	if cond {
		return err
	}
	return nil
}

func TestCallsAreComparedWithTheRecording(t *testing.T) {
	var recs []probes.Record
	for i := range 20 {
		status := "OK"
		if i%5 == 0 {
			status = "UNAVAILABLE" // then too: no reason to stop
		}
		recs = append(recs, callAfter(i*10, 5, fmt.Sprint("c", i), "shop.Orders/Get", status)...)
	}
	d := &destination{methods: []probes.Method{{Name: "shop.Orders/Get", Effect: probes.EffectRead}}, status: func(n int) string {
		return map[bool]string{true: "UNAVAILABLE", false: "OK"}[n%5 == 0 || n == 3]
	}}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.at("dest", "10.0.0.9:1", probes.Environment{Name: "ro", Class: probes.ClassStaging})}}})
	if p.Refused != nil || p.Reads != 20 || p.Writes != 0 {
		t.Fatalf("reads into a read-only environment: %+v", p)
	}
	synctest.Test(t, func(t *testing.T) {
		var results []Result
		rep, err := Run(t.Context(), p, SendOptions{StopAfterErrors: 2, OnResult: func(r Result) { results = append(results, r) }})
		if err != nil {
			t.Fatal(err)
		}
		balanced(t, rep)
		if rep.Compared != 20 || rep.Differences != 1 || rep.Changes[0].Reason != "OK → UNAVAILABLE" || len(results) != 20 {
			t.Fatalf("%+v", rep)
		}
		if r := results[3]; !r.Different || r.Of != "c3" || r.Operation != "shop.Orders/Get" {
			t.Fatalf("%+v", r)
		}
	})
}

// Requests over one connection overlap as they did, and those that followed an
// answer still do.
func TestAConnectionKeepsTheOrderTheRecordingProves(t *testing.T) {
	on := func(recs []probes.Record) []probes.Record {
		recs[0].Attrs = []probes.Attr{{Name: AttrConnection, Value: "7"}}
		return recs
	}
	recs := slices.Concat(
		on(callAfter(0, 100, "login", "shop.Orders/Get", "OK")),
		on(callAfter(150, 500, "a", "shop.Orders/Get", "OK")), // a and b overlap
		on(callAfter(160, 20, "b", "shop.Orders/Get", "OK")),
		on(callAfter(700, 10, "logout", "shop.Orders/Get", "OK")))
	slices.SortStableFunc(recs, func(a, b probes.Record) int { return a.Seen.Compare(b.Seen) })
	d := &destination{methods: []probes.Method{{Name: "shop.Orders/Get", Effect: probes.EffectRead}},
		delay: func(n int) time.Duration { return time.Second }}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if _, err := Run(t.Context(), p, SendOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := offsets(d.got(), start); !slices.Equal(got, []int{0, 1000, 1000, 2000}) {
			t.Fatalf("arrivals %v", got)
		}
	})
}

func TestAStreamOfRequestsKeepsItsRhythm(t *testing.T) {
	src := probes.Ref{Target: "shop-orders", Subject: "shop.Orders/Negotiate"}
	var recs []probes.Record
	for i, ms := range []int{0, 100, 1000} {
		recs = append(recs, probes.Record{Kind: probes.Request, Call: "s", Source: src, Seen: epoch.Add(time.Duration(ms) * time.Millisecond),
			Body: []byte{8, byte(i)}, Native: []byte(`{"wire":"protobuf"}`)})
	}
	recs = append(recs, probes.Record{Kind: probes.End, Call: "s", Source: src, Seen: epoch.Add(2 * time.Second)})
	d := &destination{methods: []probes.Method{{Name: src.Subject, ClientStream: true, ServerStream: true}}}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	if p.Planned != 1 || p.Writes != 1 {
		t.Fatalf("a call is one item: %+v", p)
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rep, err := Run(t.Context(), p, SendOptions{Pace: Times, Speed: 2, Timeout: 100 * time.Millisecond})
		if err != nil || rep.Sent != 1 {
			t.Fatalf("%+v, %v", rep, err)
		}
		a := d.got()[0]
		if !slices.Equal(a.docs, []string{"\x00\x08\x00", "\x00\x08\x01", "\x00\x08\x02"}) {
			t.Fatalf("documents %q", a.docs)
		}
		for i, ms := range []int{0, 50, 500} {
			if got := a.when[i].Sub(start).Milliseconds(); got != int64(ms) {
				t.Fatalf("message %d after %d ms", i, got)
			}
		}
	})
}

// The accounting invariant, whatever the capture, the destination, the options
// and the moment of the interruption.
func TestEverythingPlannedIsAccountedFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var recs []probes.Record
		stimuli := 0
		for i := range rapid.IntRange(0, 60).Draw(rt, "items") {
			ms := rapid.IntRange(0, 2000).Draw(rt, "ms")
			switch rapid.IntRange(0, 6).Draw(rt, "kind") {
			case 0:
				recs = append(recs, probes.Record{Kind: probes.Gap, Source: probes.Ref{Target: "shop-kafka"}, Seen: epoch})
			case 1, 2:
				method := rapid.SampledFrom([]string{"shop.Orders/Get", "shop.Orders/Put", "shop.Orders/Gone"}).Draw(rt, "method")
				call := callAfter(ms, rapid.IntRange(0, 100).Draw(rt, "took"), fmt.Sprint("c", i), method, "OK")
				recs = append(recs, call[rapid.IntRange(0, 2).Draw(rt, "from"):]...)
				stimuli++
			default:
				m := messageAfter(ms, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "key"))
				m.Cut = int64(rapid.IntRange(0, 5).Draw(rt, "cut") / 5)
				if rapid.IntRange(0, 9).Draw(rt, "marked") == 0 {
					m.Header = []probes.Field{{Name: Marker, Value: []byte("x/1")}}
				}
				recs = append(recs, m)
				stimuli++
			}
		}
		if len(recs) == 0 {
			return
		}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		bad := rapid.Float64Range(0, 1).Draw(rt, "bad")
		d := &destination{
			delay:   func(int) time.Duration { return time.Duration(rng.IntN(300)) * time.Millisecond },
			fail:    func(int) error { return when(rng.Float64() < bad, &probes.Error{Kind: probes.ErrTimeout}) },
			methods: []probes.Method{{Name: "shop.Orders/Get", Effect: probes.EffectRead}, {Name: "shop.Orders/Put", Effect: probes.EffectWrite}},
		}
		d.delay, d.fail = locked(d, d.delay), lockedErr(d, d.fail)
		p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}, ReadsOnly: rapid.Bool().Draw(rt, "reads only")})
		if p.Planned != stimuli {
			rt.Fatalf("%d planned of %d stimuli", p.Planned, stimuli)
		}
		o := SendOptions{Pace: Pace(rapid.IntRange(0, 3).Draw(rt, "pace")), Speed: 3, Rate: 40, MaxRate: float64(rapid.IntRange(0, 100).Draw(rt, "ceiling")),
			MaxInFlight: rapid.IntRange(1, 8).Draw(rt, "in flight"), Drain: 100 * time.Millisecond,
			StopAfterErrors: rapid.IntRange(-1, 5).Draw(rt, "row"), ErrorRate: rapid.Float64Range(0, 1).Draw(rt, "rate")}
		stop := time.Duration(rapid.IntRange(0, 4000).Draw(rt, "stop")) * time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), stop)
			defer cancel()
			results := 0
			o.OnResult = func(Result) { results++ }
			rep, err := Run(ctx, p, o)
			balanced(rt, rep)
			if rep.Planned != stimuli || results != rep.Sent+rep.Failed || len(d.got()) != results || d.most > o.MaxInFlight {
				rt.Fatalf("%+v: %d results, %d arrivals, %d at once", rep, results, len(d.got()), d.most)
			}
			if rep.NotSent > 0 && err == nil {
				rt.Fatalf("%d not sent, and no error", rep.NotSent)
			}
			if int(rep.Service.Count) != rep.Sent || int(rep.Late.Count) != rep.Sent+rep.Failed {
				rt.Fatalf("latencies of %d and %d items: %+v", rep.Service.Count, rep.Late.Count, rep)
			}
		})
	})
}

// locked makes a generator safe for the destination's goroutines.
func locked(d *destination, f func(int) time.Duration) func(int) time.Duration {
	return func(n int) time.Duration {
		d.mu.Lock()
		defer d.mu.Unlock()
		return f(n)
	}
}

func lockedErr(d *destination, f func(int) error) func(int) error {
	return func(n int) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		return f(n)
	}
}

func TestResultsAreRecordsAndTheirLossEndsTheRun(t *testing.T) {
	recs := slices.Concat(callAfter(0, 5, "c1", "shop.Orders/Get", "OK"), []probes.Record{messageAfter(10, "k"), messageAfter(20, "k"), messageAfter(30, "k")})
	d := &destination{methods: []probes.Method{{Name: "shop.Orders/Get", Effect: probes.EffectRead}}}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	synctest.Test(t, func(t *testing.T) {
		var kept []probes.Record
		sink := sinkFunc(func(r probes.Record) error {
			kept = append(kept, r)
			return when(len(kept) == 3, errors.New("disk full"))
		})
		rep, err := Run(t.Context(), p, SendOptions{Results: sink, Run: "r1"})
		if err == nil || err.Error() != "disk full" {
			t.Fatalf("error %v", err)
		}
		balanced(t, rep)
		if rep.Sent != 3 || rep.NotSent != 1 || rep.Unsent[0].Reason != stopResults {
			t.Fatalf("%+v", rep)
		}
		if of, _ := kept[0].Attr(AttrReplayOf); kept[0].Kind != probes.End || of != "c1" || kept[0].Seen.IsZero() {
			t.Fatalf("%+v", kept[0])
		}
		if kept[1].ID != "stored/1" {
			t.Fatalf("%+v", kept[1])
		}
	})
}

type sinkFunc func(probes.Record) error

func (f sinkFunc) Write(_ context.Context, r probes.Record) error { return f(r) }

// One run by the real clock: nothing in it may hang on virtual time.
func TestARunByTheRealClock(t *testing.T) {
	var recs []probes.Record
	for i := range 200 {
		recs = append(recs, messageAfter(i*2, fmt.Sprint(i%50)))
	}
	d := &destination{}
	p := plan(t, recorded(t, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	rep, err := Run(t.Context(), p, SendOptions{})
	if err != nil || rep.Sent != 200 {
		t.Fatalf("%+v, %v", rep, err)
	}
	if rep.Took < 398*time.Millisecond {
		t.Fatalf("398 ms of traffic in %v", rep.Took)
	}
	balanced(t, rep)
}

func TestNonsenseIsRefused(t *testing.T) {
	d := &destination{}
	p := plan(t, recorded(t, []probes.Record{messageAfter(0, "k")}), PlanOptions{To: []Route{{Conn: d.conn()}}})
	for _, o := range []SendOptions{{Pace: Times}, {Pace: Times, Speed: -1}, {Pace: Rate}, {Pace: 9}} {
		if _, err := Run(t.Context(), p, o); !errors.Is(err, probes.ErrUsage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if len(d.got()) != 0 {
		t.Fatal("something was sent")
	}
}
