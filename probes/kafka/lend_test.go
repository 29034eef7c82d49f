package kafka

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"iscope/probes"
)

// TestLentRecordsAreWhole: memory is used again only when everything in it has been
// handed out, whatever the size of records and batches, and however partitions
// take turns.
func TestLentRecordsAreWhole(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 4)
		var recs []*kgo.Record
		for i := range 3000 {
			size := []int{0, 10, 700, 5000}[i%4]
			if i%500 == 250 {
				size = 100_000
			}
			recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(i * 7 % 4), Timestamp: clock(i), Key: fmt.Appendf(nil, "k%d", i),
				Value: bytes.Repeat(fmt.Appendf(nil, "%d,", i), size/4+1), Headers: []kgo.RecordHeader{{Key: fmt.Sprint("h", i%3), Value: fmt.Append(nil, i)}}})
		}
		for _, codec := range []kgo.CompressionCodec{kgo.NoCompression(), kgo.SnappyCompression()} {
			newBed(t, b.addr, kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(200_000)).produce(t, recs...)
		}
		p := b.open(t, nil)
		describe := func(r *probes.Record) string {
			return fmt.Sprintf("%s %s %s %q %v %v", r.ID, r.Key, r.Body, r.Header, r.Attrs, r.Time)
		}
		var kept, lent []string
		for _, r := range read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest}) {
			kept = append(kept, describe(&r))
		}
		for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Until: latest, Lend: true}) {
			if err != nil {
				t.Fatal(err)
			}
			lent = append(lent, describe(&r))
		}
		if len(kept) != 6000 {
			t.Errorf("%d records", len(kept))
		}
		if d := cmp.Diff(kept, lent); d != "" {
			t.Error(d)
		}
	})
}
