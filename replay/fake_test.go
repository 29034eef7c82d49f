package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"iscope/probes"
)

// arrival is one message or call as the destination got it.
type arrival struct {
	at   time.Time
	rec  probes.Record     // of Publish
	in   probes.Invocation // of Invoke
	docs []string
	when []time.Time // the documents came
}

// destination is a system whose speed and health the test decides.
type destination struct {
	// delay is how long it takes for the nth item; fail, why it refuses it.
	delay func(n int) time.Duration
	fail  func(n int) error
	// status is what calls end with; "" is OK.
	status  func(n int) string
	cluster string
	methods []probes.Method

	mu       sync.Mutex
	arrivals []arrival
	flying   int
	most     int
}

func (d *destination) Check(context.Context) error { return nil }
func (d *destination) Close() error                { return nil }

func (d *destination) Discover(context.Context, probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		yield(probes.Snapshot{Claims: []probes.Claim{{Node: &probes.Node{Kind: probes.NodeBroker,
			Attrs: []probes.Attr{{Name: probes.AttrClusterID, Value: d.cluster}}}}}}, nil)
	}
}

func (d *destination) arrive(a arrival) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	a.at = time.Now()
	d.arrivals = append(d.arrivals, a)
	d.flying++
	d.most = max(d.most, d.flying)
	return len(d.arrivals) - 1
}

func (d *destination) leave() {
	d.mu.Lock()
	d.flying--
	d.mu.Unlock()
}

func (d *destination) work(ctx context.Context, n int) error {
	if d.delay != nil {
		if err := sleepUntil(ctx, time.Now().Add(d.delay(n))); err != nil {
			return err
		}
	}
	if d.fail != nil {
		return d.fail(n)
	}
	return ctx.Err()
}

func (d *destination) Publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	n := d.arrive(arrival{rec: r})
	defer d.leave()
	err := d.work(ctx, n)
	r.ID = fmt.Sprint("stored/", n)
	return r, err
}

func (d *destination) Methods(context.Context) ([]probes.Method, error) { return d.methods, nil }

func (d *destination) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		n := d.arrive(arrival{in: in})
		defer d.leave()
		for in.Next != nil {
			doc, err := in.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				yield(probes.Record{}, err)
				return
			}
			d.mu.Lock()
			d.arrivals[n].docs = append(d.arrivals[n].docs, string(doc))
			d.arrivals[n].when = append(d.arrivals[n].when, time.Now())
			d.mu.Unlock()
		}
		if err := d.work(ctx, n); err != nil {
			yield(probes.Record{}, err)
			return
		}
		status := "OK"
		if d.status != nil {
			status = d.status(n)
		}
		end := probes.Record{Kind: probes.End, Call: fmt.Sprint(n), Attrs: []probes.Attr{{Name: probes.AttrRPCStatus, Value: status}}}
		if status != "OK" {
			end.Err = status
		}
		yield(end, nil)
	}
}

func (d *destination) got() []arrival {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.arrivals)
}

// at opens the destination as a target.
func (d *destination) at(name, address string, env probes.Environment) *probes.Conn {
	drv := probes.Driver{Name: "fake", Open: func(context.Context, probes.Target) (probes.Probe, error) { return d, nil }}
	c, err := probes.Open(context.Background(), []probes.Driver{drv},
		probes.Target{Name: name, Driver: "fake", Address: address, Environment: env})
	if err != nil {
		panic(err)
	}
	return c
}

// local is a harmless environment, writable.
var local = probes.Environment{Name: "laptop", Class: probes.ClassLocal, Write: true}

// conn is the destination at an address of its own.
func (d *destination) conn() *probes.Conn { return d.at("dest", "127.0.0.2:9999", local) }

// recorded writes a capture of these records and opens it. Its targets are said
// to be at 127.0.0.1:9092, unless others are given.
func recorded(t testing.TB, recs []probes.Record, targets ...TargetInfo) *Reader {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.mcap")
	w, err := Create(path, WriterOptions{ChunkSize: 2000})
	if err != nil {
		t.Fatal(err)
	}
	if targets == nil {
		seen := map[string]bool{}
		for _, r := range recs {
			if !seen[r.Source.Target] {
				targets = append(targets, TargetInfo{Name: r.Source.Target, Driver: "fake", Address: "127.0.0.1:9092", Environment: "shop", Class: probes.ClassDev})
			}
			seen[r.Source.Target] = true
		}
	}
	for _, info := range targets {
		if err := w.AddTarget(info); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range recs {
		if err := w.Write(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// message is a message of a key, so many milliseconds after the epoch.
func messageAfter(ms int, key string) probes.Record {
	at := epoch.Add(time.Duration(ms) * time.Millisecond)
	return probes.Record{ID: fmt.Sprint(ms), Kind: probes.Message, Source: probes.Ref{Target: "shop-kafka", Subject: "orders"},
		Time: at, Seen: at, Key: []byte(key), Body: fmt.Appendf(nil, "m%d", ms)}
}

// callAfter is a unary call: request, response, end.
func callAfter(ms, took int, id, method, status string) []probes.Record {
	at := epoch.Add(time.Duration(ms) * time.Millisecond)
	end := at.Add(time.Duration(took) * time.Millisecond)
	src := probes.Ref{Target: "shop-orders", Subject: method}
	return []probes.Record{
		{Kind: probes.Request, Call: id, Source: src, Seen: at, Body: []byte(`{"id":"` + id + `"}`)},
		{Kind: probes.Response, Call: id, Source: src, Seen: end, Body: []byte(`{}`)},
		{Kind: probes.End, Call: id, Source: src, Seen: end, Attrs: []probes.Attr{{Name: probes.AttrRPCStatus, Value: status}}},
	}
}

func plan(t testing.TB, r *Reader, o PlanOptions) *Plan {
	t.Helper()
	p, err := BuildPlan(context.Background(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// balanced fails unless everything planned is accounted for, each by reason.
func balanced(t interface {
	Helper()
	Fatalf(string, ...any)
}, rep Report) {
	t.Helper()
	sum := func(rs []Reason) (n int) {
		for _, r := range rs {
			n += r.Count
		}
		return n
	}
	if rep.Planned != rep.Sent+rep.Skipped+rep.Failed+rep.NotSent {
		t.Fatalf("planned %d ≠ sent %d + skipped %d + failed %d + not sent %d", rep.Planned, rep.Sent, rep.Skipped, rep.Failed, rep.NotSent)
	}
	if sum(rep.Skips) != rep.Skipped || sum(rep.Failures) != rep.Failed || sum(rep.Unsent) != rep.NotSent || sum(rep.Changes) != rep.Differences {
		t.Fatalf("the reasons do not add up: %+v", rep)
	}
}
