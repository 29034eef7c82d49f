package kafka

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

func at(offset int64) probes.Position { return probes.Position{Kind: probes.PosOffset, Offset: offset} }
func when(i int) probes.Position      { return probes.Position{Kind: probes.PosTime, Time: clock(i)} }

func TestTailReadsTheRangeAskedFor(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		single, spread := b.topic(t, 1), b.topic(t, 4)
		b.numbered(t, single, 1, 0, 20)
		b.numbered(t, spread, 4, 0, 200)
		p := b.open(t, nil)
		for name, c := range map[string]struct {
			q    probes.TailQuery
			want []string
		}{
			"all":                       {probes.TailQuery{Subject: single, From: earliest, Until: latest}, numbers(0, 20)},
			"all partitions in order":   {probes.TailQuery{Subject: spread, From: earliest, Until: latest}, numbers(0, 200)},
			"from an offset":            {probes.TailQuery{Subject: single, From: at(15), Until: latest}, numbers(15, 20)},
			"from the very end":         {probes.TailQuery{Subject: single, From: at(20), Until: latest}, nil},
			"between offsets":           {probes.TailQuery{Subject: single, From: at(3), Until: at(7)}, numbers(3, 7)},
			"from a time":               {probes.TailQuery{Subject: spread, From: when(150), Until: latest}, numbers(150, 200)},
			"between times":             {probes.TailQuery{Subject: spread, From: when(50), Until: when(60)}, numbers(50, 60)},
			"from a time without any":   {probes.TailQuery{Subject: spread, From: when(900), Until: latest}, nil},
			"the newest":                {probes.TailQuery{Subject: spread, Last: 7}, numbers(193, 200)},
			"the newest of few":         {probes.TailQuery{Subject: single, Last: 50}, numbers(0, 20)},
			"from the latest to it":     {probes.TailQuery{Subject: single, From: latest, Until: latest}, nil},
			"one partition":             {probes.TailQuery{Subject: spread + "/1", From: at(48), Until: latest}, []string{"193", "197"}},
			"the newest of a partition": {probes.TailQuery{Subject: spread + "/3", Last: 2}, []string{"195", "199"}},
		} {
			t.Run(name, func(t *testing.T) {
				if d := cmp.Diff(c.want, bodies(read(t, p, c.q))); d != "" {
					t.Error(d)
				}
			})
		}
	})
}

// TestTailReadsPartitionsMadeSince: a position does not know them yet.
func TestTailReadsPartitionsMadeSince(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		pl := plan{Whole: true, Parts: []position{{Topic: topic, Stop: -1}}}
		req := kmsg.NewPtrCreatePartitionsRequest()
		rt := kmsg.NewCreatePartitionsRequestTopic()
		rt.Topic, rt.Count = topic, 2
		req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
		if _, err := req.RequestWith(limit(t), b.Client); err != nil {
			t.Fatal(err)
		}
		b.settled(t, topic, 2)
		b = newBed(t, b.addr) // the old client's producer knows one partition
		b.numbered(t, topic, 2, 0, 4)
		var got []string
		for r, err := range b.open(t, nil).Tail(limit(t), probes.TailQuery{Subject: topic, Resume: pl.resume()}) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, string(r.Body)); len(got) == 4 {
				break
			}
		}
		if d := cmp.Diff(numbers(0, 4), got); d != "" {
			t.Error(d)
		}
	})
}

func TestTailMissesNothingPublishedAfterItBegan(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 3)
		b.numbered(t, topic, 3, 0, 6)
		p := b.open(t, nil)
		var got []string
		for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, Last: 1, Follow: true}) {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, string(r.Body)); len(got) == 1 {
				b.numbered(t, topic, 3, 6, 9) // the tail stands at its first record
			}
			if len(got) == 4 {
				break
			}
		}
		if d := cmp.Diff(numbers(5, 9), got); d != "" {
			t.Error(d)
		}
	})
}

func TestTailEndsAtATimeToCome(t *testing.T) {
	eachBed(t, testEndsAtATimeToCome)
}

func testEndsAtATimeToCome(t *testing.T, f *bed) {
	topic := f.topic(t, 1)
	f.produce(t, &kgo.Record{Topic: topic, Value: []byte("before")})
	until := time.Now().Add(300 * time.Millisecond)
	f.produce(t, &kgo.Record{Topic: topic, Value: []byte("after"), Timestamp: until.Add(30 * time.Minute)})
	p := f.open(t, nil)
	got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: probes.Position{Kind: probes.PosTime, Time: until}})
	// What is of a later time is shown if it arrives before the time has come.
	if len(got) == 0 || string(got[0].Body) != "before" {
		t.Errorf("%q", bodies(got))
	}
}

func TestTailReadsLargeMessages(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1, "max.message.bytes", "15728640")
		body := strings.Repeat("0123456789abcdef", 12<<20/16)
		b.produce(t, &kgo.Record{Topic: topic, Value: []byte("small")}, &kgo.Record{Topic: topic, Value: []byte(body)}, &kgo.Record{Topic: topic, Value: []byte("small")})
		got := read(t, b.open(t, nil), probes.TailQuery{Subject: topic, From: earliest, Until: latest})
		if len(got) != 3 || string(got[1].Body) != body {
			t.Errorf("%d records", len(got))
		}
	})
}

func TestTailReadsSeveralTopicsByTime(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		one, two := b.topic(t, 2), b.topic(t, 1)
		var recs []*kgo.Record
		for i, n := range numbers(0, 40) {
			r := &kgo.Record{Topic: one, Partition: int32(i / 2 % 2), Value: []byte(n), Timestamp: clock(i)}
			if i%2 == 1 {
				r.Topic, r.Partition = two, 0
			}
			recs = append(recs, r)
		}
		b.produce(t, recs...)
		got := read(t, b.open(t, nil), probes.TailQuery{Subject: one + ", " + two, From: earliest, Until: latest})
		if d := cmp.Diff(numbers(0, 40), bodies(got)); d != "" {
			t.Error(d)
		}
		if got[0].Source.Subject != one || got[1].Source.Subject != two {
			t.Errorf("sources %v and %v", got[0].Source, got[1].Source)
		}
	})
}
