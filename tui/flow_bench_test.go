package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"iscope/probes"
	"iscope/tui/tuitest"
)

// BenchmarkTailFlow watches, in a terminal, a stream that offers 50,000 records
// of 300 bytes a second: how many are taken in, what that costs the process (the
// making of the records included), what it writes to the terminal, and how long
// a key takes until the terminal shows what it did. Filtered, a tenth of them is
// shown by an expression about their bodies.
func BenchmarkTailFlow(b *testing.B) {
	b.Run("all", func(b *testing.B) { tailFlow(b, "") })
	b.Run("filtered", func(b *testing.B) { tailFlow(b, `body.amount > 120 && body.orderId endsWith "1"`) })
}

func tailFlow(b *testing.B, filter string) {
	const span = 5 * time.Second
	for range b.N {
		cmd := self(b, "flow")
		x := tuitest.Start(b, 120, 40, cmd)
		x.WaitFor("probes 1/1")
		x.Press(":")
		x.WaitFor("COMMANDS")
		x.Type("tail shop/flow\r")
		x.WaitFor("FOLLOW", "A-1")
		if filter != "" {
			x.Press("f")
			x.Type(filter + "\r")
			x.WaitFor("FILTER "+filter, "FOLLOW", " match")
		}
		var took []time.Duration
		press := func(key, effect string) {
			time.Sleep(rand.N(100 * time.Millisecond)) // not in step with the frames
			began := time.Now()
			x.Press(key)
			x.WaitFor(effect)
			took = append(took, time.Since(began))
		}
		for began := time.Now(); time.Since(began) < span; {
			press("space", "PAUSED")
			press("F", "FOLLOW")
		}
		x.Press("ctrl+c")
		x.WaitFor("again quits")
		x.Press("ctrl+c")
		if err := x.End(); err != nil {
			b.Fatal(err)
		}
		r := readReport(b, cmd.Env)
		slices.Sort(took)
		b.ReportMetric(float64(r.Accepted)/r.Seconds, "accepted/s")
		b.ReportMetric(float64(r.Offered-min(r.Offered, r.Accepted))/r.Seconds, "late/s")
		b.ReportMetric(100*x.CPU().Seconds()/r.Seconds, "%core")
		b.ReportMetric(float64(len(x.Output()))/1000/r.Seconds, "kB/s")
		b.ReportMetric(took[len(took)/2].Seconds()*1000, "key-p50-ms")
		b.ReportMetric(took[len(took)*99/100].Seconds()*1000, "key-p99-ms")
	}
}

func readReport(t testing.TB, env []string) (r flowReport) {
	t.Helper()
	for _, e := range env {
		if dir, ok := strings.CutPrefix(e, childDir+"="); ok {
			text, err := os.ReadFile(filepath.Join(dir, "flow.json"))
			if err == nil {
				err = json.Unmarshal(text, &r)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return r
}

// flow is a stream that offers so many records a second, and makes up for the
// time it was held up.
type flow struct {
	began    time.Time
	accepted atomic.Uint64
}

const (
	flowRate  = 50_000
	flowBytes = 300
)

func (f *flow) driver() probes.Driver {
	return probes.Driver{Name: "fake", Doc: "a stream for the benchmark", Schemes: []probes.Scheme{{Name: "fake"}},
		Columns: []probes.Column{{Title: "OFFSET", Attr: probes.AttrOffset, Width: 8, Right: true}, {Title: "KEY", Attr: "key", Width: 12}, {Title: "SUMMARY", Attr: "summary", Width: 40}},
		Open:    func(context.Context, probes.Target) (probes.Probe, error) { return f, nil }}
}

func (f *flow) Check(context.Context) error { return nil }
func (f *flow) Close() error                { return nil }

func (f *flow) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		n := probes.Node{ID: probes.NodeID(probes.NodeTopic, "shop", "flow"), Kind: probes.NodeTopic, Name: "flow"}
		if yield(probes.Snapshot{Complete: true, Claims: []probes.Claim{{By: "shop", Class: probes.Declared, Node: &n}}}, nil) {
			<-ctx.Done()
		}
	}
}

func (f *flow) Tail(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		f.began = time.Now()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for n := uint64(0); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for due := uint64(time.Since(f.began).Seconds() * flowRate); n < due; n++ {
				if !yield(f.record(n), nil) {
					return
				}
				f.accepted.Store(n + 1)
			}
		}
	}
}

func (f *flow) record(n uint64) probes.Record {
	body := fmt.Appendf(make([]byte, 0, flowBytes+16), `{"orderId":"A-%d","status":"CREATED","amount":120.50,"note":"`, n)
	for len(body) < flowBytes-2 {
		body = append(body, 'x')
	}
	id := fmt.Sprint(n)
	return probes.Record{ID: id, Kind: probes.Message, Source: probes.Ref{Target: "shop", Subject: "flow"}, Time: time.Now(),
		Key: []byte("c-4411"), Body: append(body, `"}`...), Attrs: []probes.Attr{{Name: probes.AttrOffset, Value: id}}}
}

// flowReport is what the child says of its stream.
type flowReport struct {
	Offered, Accepted uint64
	Seconds           float64
}

func (f *flow) report(path string) {
	if f.began.IsZero() {
		return
	}
	s := time.Since(f.began).Seconds()
	b, err := json.Marshal(flowReport{Offered: uint64(s * flowRate), Accepted: f.accepted.Load(), Seconds: s})
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
