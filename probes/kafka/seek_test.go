package kafka

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

// TestPositionsAsPeopleWriteThem goes from the words of --from and --until to the
// records of a real log, whose timestamps lie around now.
func TestPositionsAsPeopleWriteThem(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 2)
		now := time.Now()
		// 0 is ten hours old, 9 one hour.
		for i := range 10 {
			b.produce(t, &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte(strconv.Itoa(i)), Timestamp: now.Add(time.Duration(i-10) * time.Hour)})
		}
		p := b.open(t, nil)
		at := func(hours int) string {
			return "@" + now.Add(time.Duration(hours)*time.Hour-time.Minute).Format(time.RFC3339)
		}
		for _, c := range []struct {
			from, until string
			want        []string
		}{
			{"beginning", "end", numbers(0, 10)},
			{"earliest", "latest", numbers(0, 10)},
			{"latest", "end", nil},
			{"3", "end", numbers(6, 10)}, // offset 3 of either partition
			{"1", "2", numbers(2, 4)},
			{at(-4), "end", numbers(6, 10)},
			{at(-4), at(-2), numbers(6, 8)},
			{"-4h30m", "end", numbers(6, 10)},
			{"-9h30m", "-4h30m", numbers(1, 6)},
			{"beginning", at(-8), numbers(0, 2)},
			{"-30m", "end", nil},
		} {
			from, err1 := probes.ParsePosition(c.from, now)
			until, err2 := probes.ParsePosition(c.until, now)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if d := cmp.Diff(c.want, bodies(read(t, p, probes.TailQuery{Subject: topic, From: from, Until: until}))); d != "" {
				t.Errorf("from %s until %s: %s", c.from, c.until, d)
			}
		}
	})
}

// TestRangesThatHoldNothing are refused when they never could hold anything.
func TestRangesThatHoldNothing(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		b.numbered(t, topic, 1, 0, 10)
		b.deleteBefore(t, topic, 4)
		p := b.open(t, nil)
		for _, c := range []struct {
			q     probes.TailQuery
			words string
		}{
			{probes.TailQuery{From: at(7), Until: at(5)}, topic + "/0 at 7"},
			{probes.TailQuery{From: earliest, Until: at(3)}, topic + "/0 at 4"},
			{probes.TailQuery{Until: at(5)}, "begins at the end"},
			{probes.TailQuery{From: at(2), Until: latest}, "has 4 to 10"},
			{probes.TailQuery{From: at(11)}, "has 4 to 10"},
			{probes.TailQuery{From: at(1 << 62)}, "has 4 to 10"},
			{probes.TailQuery{From: when(5), Until: when(4)}, "before it begins"},
		} {
			c.q.Subject = topic
			tailError(t, p, c.q, probes.ErrUsage, c.words)
		}
		// An end that does not exist yet is waited for.
		got := follow(t, p, probes.TailQuery{Subject: topic, From: at(9), Until: at(12)})
		got.want("9")
		b.numbered(t, topic, 1, 10, 14)
		got.want("10", "11")
		if _, err, ok := got.next(); ok {
			t.Errorf("went on after its end: %v", err)
		}
	})
}

// TestTailReadsAllCompressions at several levels, as a real broker stores them.
func TestTailReadsAllCompressions(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "snappy": kgo.SnappyCompression()}
	for _, level := range []int{1, 9} {
		codecs["gzip-"+strconv.Itoa(level)] = kgo.GzipCompression().WithLevel(level)
		codecs["lz4-"+strconv.Itoa(level)] = kgo.Lz4Compression().WithLevel(level)
	}
	for _, level := range []int{1, 3, 9, 19} {
		codecs["zstd-"+strconv.Itoa(level)] = kgo.ZstdCompression().WithLevel(level)
	}
	eachBed(t, func(t *testing.T, b *bed) {
		p := b.open(t, nil)
		for name, codec := range codecs {
			topic := b.topic(t, 1)
			made := newBed(t, b.addr, kgo.ProducerBatchCompression(codec))
			var want []string
			var recs []*kgo.Record
			for i := range 200 {
				want = append(want, strings.Repeat(fmt.Sprintf("record %d of many, ", i), 40))
				recs = append(recs, &kgo.Record{Topic: topic, Value: []byte(want[i])})
			}
			made.produce(t, recs...)
			got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest})
			if d := cmp.Diff(want, bodies(got)); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			kind, _, _ := strings.Cut(name, "-")
			if kind != "none" && !strings.Contains(string(got[0].Native), kind) {
				t.Errorf("%s: the record says %s", name, got[0].Native)
			}
		}
	})
}

// TestTailReadsACompactedTopic after the broker has really compacted it: holes in
// the middle of batches, and batches without a record.
func TestTailReadsACompactedTopic(t *testing.T) {
	b := realBed(t)
	b.cleanOften(t)
	topic := b.topic(t, 1, "cleanup.policy", "compact", "segment.ms", "1", "min.cleanable.dirty.ratio", "0.001", "max.compaction.lag.ms", "1")
	// Two producers, so that some batches vanish whole but for their last: a
	// broker keeps the sequence numbers of each producer's last batch.
	for round := range 6 {
		var recs []*kgo.Record
		for i := range 20 {
			key := []byte(strconv.Itoa(i))
			if i%5 == 4 { // stays for ever
				key = fmt.Appendf(nil, "%d-%d", round, i)
			}
			recs = append(recs, &kgo.Record{Topic: topic, Key: key, Value: fmt.Appendf(nil, "%d/%d", round, i)})
		}
		newBed(t, b.addr).produce(t, recs...)
	}
	b.produce(t, &kgo.Record{Topic: topic, Key: []byte("active"), Value: []byte("active segment")})
	want := b.compacted(t, topic, 6*4+16+1)
	p := b.open(t, nil)
	ids := func(recs []probes.Record) (out []string) {
		for _, r := range recs {
			out = append(out, r.ID+" "+string(r.Body))
		}
		return out
	}
	if d := cmp.Diff(want, ids(read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest}))); d != "" {
		t.Error(d)
	}
	// Offset 10 is in a hole.
	var tail []string
	for _, w := range want {
		if atoi(t, strings.TrimPrefix(strings.Fields(w)[0], "0/")) >= 10 {
			tail = append(tail, w)
		}
	}
	if d := cmp.Diff(tail, ids(read(t, p, probes.TailQuery{Subject: topic, From: at(10), Until: latest}))); d != "" {
		t.Error(d)
	}
	// More than the last few offsets hold: the window has to widen.
	if d := cmp.Diff(want[len(want)-19:], ids(read(t, p, probes.TailQuery{Subject: topic, Last: 19}))); d != "" {
		t.Error(d)
	}
}

// cleanOften makes the broker's cleaner look every 100 ms instead of every 15 s,
// for good: this is a setting of the testbed's broker that harms nobody.
func (b *bed) cleanOften(t *testing.T) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	res := kmsg.NewIncrementalAlterConfigsRequestResource()
	res.ResourceType, res.ResourceName = kmsg.ConfigResourceTypeBroker, ""
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = "log.cleaner.backoff.ms", kmsg.StringPtr("100")
	res.Configs = append(res.Configs, c)
	req.Resources = append(req.Resources, res)
	answer, err := req.RequestWith(limit(t), b.Client)
	if err != nil || answer.Resources[0].ErrorCode != 0 {
		t.Fatal(err, answer)
	}
}

// compacted waits until an independent client finds only that many records left,
// and returns them.
func (b *bed) compacted(t *testing.T, topic string, left int) (out []string) {
	t.Helper()
	for ctx := limit(t); ctx.Err() == nil; {
		out = out[:0]
		c := newBed(t, b.addr, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
		for last := ""; last != "active segment" && ctx.Err() == nil; {
			c.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				last = string(r.Value)
				out = append(out, fmt.Sprintf("0/%d %s", r.Offset, r.Value))
			})
		}
		c.Close()
		if len(out) <= left {
			return out
		}
	}
	t.Fatalf("%d records are left, want %d", len(out), left)
	return nil
}
