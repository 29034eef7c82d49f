package replay

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"iscope/probes"
)

// kilobytes makes records of 1 KB: a JSON body as services send, that
// compresses about fourfold, with the usual headers.
func kilobytes(n int) []probes.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	out := make([]probes.Record, n)
	for i := range out {
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"order":"%016x","customer":{"id":%d,"country":"DE"},"lines":[`, rng.Uint64(), rng.IntN(1e6))
		for b.Len() < 900 {
			fmt.Fprintf(&b, `{"sku":"sku-%05d","quantity":%d,"price":%d.%02d},`, rng.IntN(9e4), rng.IntN(9), rng.IntN(100), rng.IntN(99))
		}
		b.WriteString(`{}]}`)
		out[i] = sample(i)
		out[i].Body = b.Bytes()
		out[i].Seen = epoch.Add(time.Duration(i) * 100 * time.Microsecond)
	}
	return out
}

// discard is a disk that keeps nothing: the writer's own cost.
type discard struct{ io.Writer }

func (discard) Sync() error  { return nil }
func (discard) Close() error { return nil }
func (discard) Name() string { return "discard" }

func BenchmarkWriter(b *testing.B) {
	recs := kilobytes(2000)
	w, err := newWriter("discard", newPartFile(discard{io.Discard}), WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := w.Write(b.Context(), recs[i%len(recs)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	b.ReportMetric(float64(w.f.size)/float64(i), "file-B/op")
}

func BenchmarkReader(b *testing.B) {
	path := b.TempDir() + "/t.mcap"
	w, err := Create(path, WriterOptions{})
	if err != nil {
		b.Fatal(err)
	}
	const n = 50_000
	recs := kilobytes(2000)
	for i := range n {
		if err := w.Write(b.Context(), recs[i%len(recs)]); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		b.Fatal(err)
	}
	r, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.ReportAllocs()
	for b.Loop() {
		got := 0
		for _, err := range r.Records(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			got++
		}
		if got != n {
			b.Fatalf("%d records", got)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
}

func BenchmarkOpenDamaged(b *testing.B) {
	data, err := os.ReadFile(capture(b, 100_000, WriterOptions{}))
	if err != nil {
		b.Fatal(err)
	}
	data = data[:len(data)*9/10]
	for b.Loop() {
		r, err := newReader("t", bytes.NewReader(data), int64(len(data)), standard)
		if err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

// BenchmarkRun is the engine's own cost of an item: schedule, lanes, reading it
// again, accounting. The destination takes no time.
func BenchmarkRun(b *testing.B) {
	recs := kilobytes(20_000)
	d := &destination{}
	p := plan(b, recorded(b, recs), PlanOptions{To: []Route{{Conn: d.conn()}}})
	b.ReportAllocs()
	for b.Loop() {
		d.arrivals = nil
		rep, err := Run(b.Context(), p, SendOptions{Pace: ASAP})
		if err != nil || rep.Sent != len(recs) {
			b.Fatalf("%+v, %v", rep, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(recs)), "ns/item")
}
