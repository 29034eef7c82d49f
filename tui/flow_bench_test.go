package tui

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"syscall"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/probetest"
)

// firehose offers so many records a second, on schedule: what is not taken in
// time is offered late, and counted.
type firehose struct {
	*probetest.Fake
	rate int
}

func (f *firehose) Tail(ctx context.Context, _ probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		began := time.Now()
		body := []byte(`{"order_id":"A-771","status":"REJECTED","amount":120.50,"customer":{"id":5531,"tier":"gold"},"reason":"limit"}`)
		for n := 0; ctx.Err() == nil; {
			due := int(time.Since(began).Seconds() * float64(f.rate))
			for ; n < due; n++ {
				if !yield(probes.Record{ID: fmt.Sprint(n), Kind: probes.Message, Key: []byte("c-4411"), Body: body,
					Source: probes.Ref{Target: "shop", Subject: "orders"}, Time: time.Now()}, nil) {
					return
				}
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// BenchmarkTailFlow watches a stream of 50,000 records a second for five
// seconds: how many were taken in, how much of a core that cost (the making of
// the records included), and how long a key takes to the frame that shows it.
func BenchmarkTailFlow(b *testing.B) {
	const rate, span = 50_000, 5 * time.Second
	f := &firehose{shop("orders"), rate}
	d := f.Driver()
	d.Open = func(context.Context, probes.Target) (probes.Probe, error) { return f, nil }
	drivers := []probes.Driver{d}
	o := options(b, f.Fake)
	o.Session.Drivers, o.Config = drivers, configured(b, drivers)
	for range b.N {
		s := start(b, o)
		s.until("probes 1/1")
		s.press(":")
		s.types("tail shop/orders")
		s.press("enter")
		s.until("FOLLOW")
		feed := s.r.s.Feeds()[0]
		from, cpu, began := feed.Ring.Stats().Next, cpuTime(), time.Now()
		var latencies []time.Duration
		for time.Since(began) < span {
			pressed := time.Now()
			s.press("space")
			s.until("PAUSED")
			latencies = append(latencies, time.Since(pressed))
			s.press("F")
			s.until("FOLLOW")
			time.Sleep(100 * time.Millisecond)
		}
		took := time.Since(began).Seconds()
		slices.Sort(latencies)
		b.ReportMetric(float64(feed.Ring.Stats().Next-from)/took, "accepted/s")
		b.ReportMetric(100*(cpuTime()-cpu).Seconds()/took, "%core")
		b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds())/1000, "p99-key-ms")
	}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
