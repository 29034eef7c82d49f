package kafka

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

func record(topic string, edit func(*probes.Record)) probes.Record {
	r := probes.Record{Kind: probes.Message, Source: probes.Ref{Target: "elsewhere", Subject: topic}, Body: []byte("body")}
	if edit != nil {
		edit(&r)
	}
	return r
}

func TestPublishedIsWhatIsRead(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 4)
		p := b.open(t, nil)
		sent := record(topic, func(r *probes.Record) {
			r.Time = clock(7).Add(123 * time.Millisecond)
			r.Key, r.Attrs = []byte("k"), []probes.Attr{{Name: probes.AttrPartition, Value: "2"}, {Name: probes.AttrOffset, Value: "99"}}
			r.Header = []probes.Field{{Name: "a", Value: []byte{0, 255}}, {Name: "a"}, {Name: "", Value: []byte{}}}
		})
		stored, err := p.Publish(limit(t), sent)
		if err != nil {
			t.Fatal(err)
		}
		if stored.ID != "2/0" || stored.Source != (probes.Ref{Target: "test", Subject: topic}) {
			t.Errorf("stored as %s in %v", stored.ID, stored.Source)
		}
		got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest})
		if len(got) != 1 {
			t.Fatalf("%d records", len(got))
		}
		got[0].Native, stored.Native = nil, nil // one knows the leader's epoch
		got[0].Seen = stored.Seen
		if d := cmp.Diff(stored, got[0]); d != "" {
			t.Errorf("told (-) and stored (+) differ:\n%s", d)
		}
		if !got[0].Time.Equal(sent.Time) {
			t.Errorf("time %v", got[0].Time)
		}
	})
}

func TestPublishChoosesThePartition(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 7)
	p := f.open(t, nil)
	theirs := kgo.StickyKeyPartitioner(nil).ForTopic(topic) // hashes like the Java client
	for i := range 50 {
		key := fmt.Appendf(nil, "%*d", i%9, i)
		stored, err := p.Publish(limit(t), record(topic, func(r *probes.Record) { r.Key = key }))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := stored.Attr(probes.AttrPartition); got != fmt.Sprint(theirs.Partition(&kgo.Record{Key: key}, 7)) {
			t.Errorf("key %q went to %s", key, got)
		}
	}
	var without []string
	for range 5 {
		stored, err := p.Publish(limit(t), record(topic, func(r *probes.Record) { r.Body = make([]byte, stickyBytes) }))
		if err != nil {
			t.Fatal(err)
		}
		n, _ := stored.Attr(probes.AttrPartition)
		without = append(without, n)
	}
	if without[0] != without[1] || without[1] == without[2] || without[2] != without[3] {
		t.Errorf("without a key they went to %v", without)
	}
	// Where it was recorded does not matter without the attribute: the topic of
	// a replay may have fewer partitions.
	if _, err := p.Publish(limit(t), record(topic, func(r *probes.Record) {
		r.Native = []byte(`{"partition":99,"timestamp_type":"CreateTime"}`)
	})); err != nil {
		t.Errorf("recorded in 99, not stored: %v", err)
	}
}

func TestPublishRefusals(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 2, "max.message.bytes", "2000")
		p := b.open(t, nil)
		for name, c := range map[string]struct {
			rec   probes.Record
			kind  error
			words string
		}{
			"unknown topic":     {record(topic+"x", nil), probes.ErrNotFound, "did you mean " + topic},
			"no topic":          {record("", nil), probes.ErrUsage, "no topic given"},
			"no such partition": {record(topic, func(r *probes.Record) { r.Attrs = []probes.Attr{{Name: probes.AttrPartition, Value: "2"}} }), probes.ErrUsage, "has 2"},
			"no partition":      {record(topic, func(r *probes.Record) { r.Attrs = []probes.Attr{{Name: probes.AttrPartition, Value: "x"}} }), probes.ErrUsage, `"x"`},
			"cut":               {record(topic, func(r *probes.Record) { r.Cut = 5 }), probes.ErrUsage, "5 bytes"},
			"too large":         {record(topic, func(r *probes.Record) { r.Body = make([]byte, 5000) }), probes.ErrUsage, "max.message.bytes"},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := p.Publish(limit(t), c.rec)
				if e := wantError(t, err, c.kind, c.words); probes.Transient(e) {
					t.Error("would be tried again")
				}
			})
		}
		b.absent(t, topic+"x")
		if got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest}); len(got) > 0 {
			t.Errorf("%d messages were stored", len(got))
		}
	})
}

func TestPublishFollowsTheLeader(t *testing.T) {
	f := fakeBed(t, kfake.NumBrokers(3))
	topic := f.topic(t, 1)
	p := f.open(t, nil)
	for i := range 6 {
		if err := f.cluster.MoveTopicPartition(topic, 0, int32(i%3)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Publish(limit(t), record(topic, nil)); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest}); len(got) != 6 {
		t.Errorf("%d messages of 6", len(got))
	}
}

// TestPublishNeverSendsTwice cuts the connection after the broker has stored the
// message and before it says so.
func TestPublishNeverSendsTwice(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 1)
	p := f.open(t, nil)
	var asked atomic.Int32
	f.cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		asked.Add(1)
		return nil, fmt.Errorf("cut"), true
	})
	_, err := p.Publish(limit(t), record(topic, nil))
	wantError(t, err, probes.ErrUnreachable, "may or may not be stored")
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// TestRefusalsThatPassAreTransient: too few replicas pass.
func TestRefusalsThatPassAreTransient(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 1)
	p := f.open(t, nil)
	f.cluster.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		res := r.ResponseKind().(*kmsg.ProduceResponse)
		for _, rt := range r.(*kmsg.ProduceRequest).Topics {
			t := kmsg.NewProduceResponseTopic()
			t.Topic = rt.Topic
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.ErrorCode = 19
			t.Partitions = append(t.Partitions, rp)
			res.Topics = append(res.Topics, t)
		}
		return res, nil, true
	})
	_, err := p.Publish(limit(t), record(topic, nil))
	if e := wantError(t, err, probes.ErrUnreachable, "min.insync.replicas"); !probes.Transient(e) {
		t.Error("would not be tried again")
	}
}
