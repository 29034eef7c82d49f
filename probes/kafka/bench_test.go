package kafka

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
)

// BenchmarkTail reads a topic of six partitions from end to end, from a kfake in
// this process: its work is part of what is measured. Lent records are what the
// headless sinks take.
func BenchmarkTail(b *testing.B) {
	const n = 50_000
	f := fakeBed(b)
	topic := f.topic(b, 6)
	var recs []*kgo.Record
	for i := range n {
		body := fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, strings.Repeat("lorem ipsum ", 45))
		recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(i % 6), Key: fmt.Appendf(nil, "k%05d", i), Value: []byte(body[:500]),
			Timestamp: clock(i / 1000), Headers: []kgo.RecordHeader{{Key: "trace", Value: []byte("0123456789abcdef")}}})
	}
	newBed(b, f.addr, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(1<<20)).produce(b, recs...)
	p := f.open(b, nil)
	for name, lend := range map[string]bool{"lent": true, "kept": false} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, bytes := 0, int64(0)
				for r, err := range p.Tail(b.Context(), probes.TailQuery{Subject: topic, From: earliest, Until: latest, Lend: lend}) {
					if err != nil {
						b.Fatal(err)
					}
					got, bytes = got+1, bytes+int64(len(r.Body))
				}
				if got != n {
					b.Fatalf("%d records of %d", got, n)
				}
				b.SetBytes(bytes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
		})
	}
}
