package load

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func run(t *testing.T, ctx context.Context, o Options, call func(context.Context, int) Outcome) Report {
	t.Helper()
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l.Run(ctx, call)
}

// near allows for the three digits of the histogram.
func near(got int64, want time.Duration) bool {
	w := float64(want.Microseconds())
	return float64(got) >= w*0.998-1 && float64(got) <= w*1.002+1
}

// TestAStallIsSeenByThoseWhoWaited: a system that answers in a millisecond and
// once stands still for a second makes a hundred callers wait. A loop that waits
// for each answer would report one slow call.
func TestAStallIsSeenByThoseWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := run(t, t.Context(), Options{Rate: 100, Concurrency: 1, Count: 1000}, func(_ context.Context, n int) Outcome {
			time.Sleep(time.Millisecond)
			if n == 500 {
				time.Sleep(time.Second)
			}
			return Outcome{Status: "OK"}
		})
		if r.Calls != 1000 || r.Failed != 0 {
			t.Errorf("%+v", r)
		}
		if !near(r.Latency.Max, 1001*time.Millisecond) || r.Latency.P99 < 800_000 || !near(r.Latency.P50, time.Millisecond) {
			t.Errorf("latency %+v", r.Latency)
		}
		if !near(r.Service.P99, time.Millisecond) || !near(r.Service.Max, 1001*time.Millisecond) {
			t.Errorf("service %+v", r.Service)
		}
		// They catch up at a call a millisecond: 100 come due in the second, and
		// 11 while those are made.
		if r.Late < 105 || r.Late > 115 {
			t.Errorf("%d late", r.Late)
		}
	})
}

// TestTheRateIsKept whatever the answers take, as long as there are callers.
func TestTheRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var most, now atomic.Int64
		r := run(t, t.Context(), Options{Rate: 50, Concurrency: 8, For: 10 * time.Second}, func(context.Context, int) Outcome {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(90 * time.Millisecond)
			now.Add(-1)
			return Outcome{Status: "OK"}
		})
		if r.Calls != 500 || r.Planned != 500 || r.Late != 0 || most.Load() != 5 {
			t.Errorf("%d calls, %d late, %d at once", r.Calls, r.Late, most.Load())
		}
		if !near(r.Latency.P50, 90*time.Millisecond) || r.Rate < 49 || r.Rate > 51 {
			t.Errorf("%+v", r)
		}
	})
}

func TestReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var progress int
		r := run(t, t.Context(), Options{Concurrency: 3, Count: 300, Progress: func(Report) { progress++ }}, func(_ context.Context, n int) Outcome {
			time.Sleep(time.Duration(1+n%2*9) * 10 * time.Millisecond)
			o := Outcome{Status: "OK", Peer: fmt.Sprint("10.0.0.", n%2)}
			if n%10 == 3 {
				o.Status, o.Err = "UNAVAILABLE", fmt.Sprint("call ", n)
			}
			return o
		})
		if r.Calls != 300 || r.Failed != 30 || len(r.Statuses) != 2 || r.Statuses[0].Count != 270 || progress == 0 {
			t.Errorf("%+v, %d times reported", r, progress)
		}
		if s := r.Statuses[1]; s.Status != "UNAVAILABLE" || !s.Failed || s.Sample != "call 3" {
			t.Errorf("%+v", s)
		}
		if len(r.Instances) != 2 || r.Instances[0].Count != 150 || r.Instances[1].Failed != 30 {
			t.Errorf("%+v", r.Instances)
		}
		if r.Instances[0].P99 > 11_000 || r.Instances[1].P50 < 99_000 {
			t.Errorf("%+v", r.Instances)
		}
		if r.Latency != r.Service {
			t.Error("without a rate there is no intended start")
		}
	})
}

func TestStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		r := run(t, ctx, Options{Rate: 10, Concurrency: 2, For: time.Hour}, func(ctx context.Context, _ int) Outcome {
			select {
			case <-time.After(50 * time.Millisecond):
				return Outcome{Status: "OK"}
			case <-ctx.Done():
				return Outcome{Status: "failed", Err: ctx.Err().Error()}
			}
		})
		if !r.Stopped || r.Failed != 0 || r.Calls < 49 || r.Calls > 51 {
			t.Errorf("%+v", r)
		}
	})
}

// TestManyNamesAreBounded: what servers say must not fill the memory.
func TestManyNamesAreBounded(t *testing.T) {
	r := run(t, t.Context(), Options{Concurrency: 1, Count: 5000}, func(_ context.Context, n int) Outcome {
		return Outcome{Status: fmt.Sprint(n), Err: string(make([]byte, 1<<16)), Peer: fmt.Sprint(n)}
	})
	if len(r.Statuses) > maxStatuses+1 || len(r.Instances) > maxInstances+1 || r.Statuses[0].Status != others || len(r.Statuses[0].Sample) > maxSample {
		t.Errorf("%d statuses, %d instances", len(r.Statuses), len(r.Instances))
	}
	sum := 0
	for _, s := range r.Statuses {
		sum += s.Count
	}
	if sum != 5000 {
		t.Errorf("%d of 5000 counted", sum)
	}
}

func TestNonsenseIsRefused(t *testing.T) {
	for _, o := range []Options{{}, {Concurrency: 1}, {Count: 1}, {Concurrency: 1, Count: -1}, {Concurrency: 1, Rate: -1, Count: 1},
		{Concurrency: 1, Rate: 1e9, Count: 1}, {Concurrency: 1 << 20, Count: 1}, {Concurrency: 1, For: -1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v", o)
		}
	}
}

// BenchmarkCall is what the generator itself costs for each call.
func BenchmarkCall(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			l, err := New(Options{Concurrency: n, Count: b.N})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			l.Run(b.Context(), func(context.Context, int) Outcome { return Outcome{Status: "OK", Peer: "127.0.0.1:50051"} })
		})
	}
}
