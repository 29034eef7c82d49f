package kafka

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

// quick opens a probe that looks for new topics all the time.
func (b *bed) quick(t *testing.T) *probe {
	p := b.open(t, nil)
	p.refresh = 20 * time.Millisecond
	return p
}

// follower pulls a tail that goes on, record by record.
type follower struct {
	t    *testing.T
	next func() (probes.Record, error, bool)
}

func follow(t *testing.T, p *probe, q probes.TailQuery) *follower {
	q.Follow = true
	next, stop := iter.Pull2(p.Tail(limit(t), q))
	t.Cleanup(stop)
	return &follower{t: t, next: next}
}

// want reads until that many messages have come, and compares their bodies. What
// else came is returned.
func (f *follower) want(bodies ...string) (others []probes.Record) {
	f.t.Helper()
	var got []string
	for len(got) < len(bodies) {
		r, err, ok := f.next()
		if err != nil || !ok {
			f.t.Fatalf("after %q: %v", got, err)
		}
		if r.Kind != probes.Message {
			others = append(others, r)
			continue
		}
		got = append(got, string(r.Body))
	}
	if d := cmp.Diff(bodies, got); d != "" {
		f.t.Error(d)
	}
	return others
}

func (b *bed) grow(t *testing.T, topic string, partitions int32) {
	t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, partitions
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	if _, err := req.RequestWith(limit(t), b.Client); err != nil {
		t.Fatal(err)
	}
	b.settled(t, topic, partitions)
}

// put produces with a client that knows the topic as it is now.
func (b *bed) put(t *testing.T, topic string, partition int32, bodies ...string) {
	t.Helper()
	fresh := newBed(t, b.addr)
	defer fresh.Close()
	var recs []*kgo.Record
	for _, body := range bodies {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(body)})
	}
	fresh.produce(t, recs...)
}

func TestTailReadsTopicsByPattern(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		family := name(t)
		one, two, other := family+".one", family+".two", family+"-other"
		for i, topic := range []string{one, two, other} {
			b.create(t, topic, int32(i+1))
			t.Cleanup(func() { b.drop(t, topic) })
		}
		for i := range 30 {
			b.produce(t, &kgo.Record{Topic: []string{one, two, other}[i%3], Value: []byte(strconv.Itoa(i)), Timestamp: clock(i)})
		}
		p := b.quick(t)
		var want []string
		for i := range 30 {
			if i%3 != 2 {
				want = append(want, strconv.Itoa(i))
			}
		}
		for name, q := range map[string]probes.TailQuery{
			"all, by time":    {Subject: family + ".*", From: earliest, Until: latest},
			"a few letters":   {Subject: family + ".[ot]*", From: earliest, Until: latest},
			"named and not":   {Subject: one + "," + family + ".t??", From: earliest, Until: latest},
			"last over all":   {Subject: family + ".*", Last: len(want)},
			"a range":         {Subject: family + ".*", From: when(0), Until: when(30)},
			"found only once": {Subject: family + ".*," + family + ".o*", From: earliest, Until: latest},
		} {
			if d := cmp.Diff(want, bodies(read(t, p, q))); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		if d := cmp.Diff(want[len(want)-7:], bodies(read(t, p, probes.TailQuery{Subject: family + ".*", Last: 7}))); d != "" {
			t.Error(d)
		}
		f := follow(t, p, probes.TailQuery{Subject: family + ".*", Last: 1})
		f.want("28")
		late := family + ".late"
		b.create(t, late, 2)
		t.Cleanup(func() { b.drop(t, late) })
		b.put(t, late, 1, "late")
		f.want("late")
	})
}

func TestPatternsThatMeanNothing(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		p := b.open(t, nil)
		for subject, c := range map[string]struct {
			kind  error
			words string
		}{
			topic + "*x":        {probes.ErrNotFound, "did you mean " + topic},
			"*consumer_offset*": {probes.ErrNotFound, "no topic matches"},
			"[":                 {probes.ErrUsage, "no pattern"},
			"a*/1":              {probes.ErrUsage, "no pattern"},
			topic + "/0,b":      {probes.ErrUsage, "alone"},
			topic + ",nothing*": {probes.ErrNotFound, `no topic matches "nothing*"`},
		} {
			tailError(t, p, probes.TailQuery{Subject: subject}, c.kind, c.words)
		}
	})
	// What Kafka keeps for itself is meant by those who say so.
	b := realBed(t)
	b.group(t, b.topic(t, 1))
	read(t, b.open(t, nil), probes.TailQuery{Subject: "__consumer_off*", From: latest, Until: latest})
}

// TestTailOutlivesItsTopic: deleted, and made anew under its name.
func TestTailOutlivesItsTopic(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 2)
		b.put(t, topic, 0, "a", "b", "c")
		f := follow(t, b.quick(t), probes.TailQuery{Subject: topic, From: earliest})
		f.want("a", "b", "c")
		b.drop(t, topic)
		b.create(t, topic, 1)
		// More than there was, so that an old position would look like a good one.
		b.put(t, topic, 0, "A", "B", "C", "D", "E")
		others := f.want("A", "B", "C", "D", "E")
		if len(others) == 0 || others[len(others)-1].Kind != probes.Notice || !strings.Contains(others[len(others)-1].Err, "made anew") {
			t.Errorf("said %+v", others)
		}
	})
}

// TestTailOfManyOutlivesOne: the others go on, and the one is read again when it
// comes back.
func TestTailOfManyOutlivesOne(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		family := name(t)
		doomed, stays := family+".doomed", family+".stays"
		for _, topic := range []string{doomed, stays} {
			b.create(t, topic, 1)
			t.Cleanup(func() { b.drop(t, topic) })
		}
		for _, subject := range []string{doomed + "," + stays, family + ".*"} {
			b.put(t, stays, 0, "first")
			f := follow(t, b.quick(t), probes.TailQuery{Subject: subject, Last: 1})
			f.want("first")
			b.drop(t, doomed)
			b.put(t, stays, 0, "still")
			f.want("still")
			b.create(t, doomed, 1)
			b.put(t, doomed, 0, "again")
			var said string
			for _, r := range f.want("again") {
				said += r.Err + "\n"
			}
			if !strings.Contains(said, "made anew") {
				t.Errorf("said %q", said)
			}
		}
	})
}

// TestResumeNoticesANewTopic: a position belongs to the topic it was taken in, not
// to its name.
func TestResumeNoticesANewTopic(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		b.put(t, topic, 0, "a", "b")
		p := b.open(t, nil)
		pl, err := p.resolve(limit(t), probes.TailQuery{Subject: topic, From: at(1)})
		if err != nil || pl.IDs[topic] == "" {
			t.Fatalf("%+v, %v", pl, err)
		}
		b.drop(t, topic)
		b.create(t, topic, 1)
		b.put(t, topic, 0, "A", "B")
		follow(t, p, probes.TailQuery{Resume: pl.resume()}).want("A", "B")
		pl.Parts[0].Stop = 2
		tailError(t, p, probes.TailQuery{Subject: topic, Resume: pl.resume()}, probes.ErrNotFound, "made anew")
	})
}

// TestTailReadsPartitionsMadeMeanwhile from their start.
func TestTailReadsPartitionsMadeMeanwhile(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		b.put(t, topic, 0, "old")
		f := follow(t, b.quick(t), probes.TailQuery{Subject: topic, Last: 1})
		f.want("old")
		b.grow(t, topic, 3)
		b.put(t, topic, 2, "new")
		f.want("new")
		b.put(t, topic, 1, "newer")
		f.want("newer")
	})
}

func TestTailEndsWhenABoundedTopicGoes(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 1)
	f.put(t, topic, 0, "a")
	p := f.open(t, nil)
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	for _, err := range p.Tail(ctx, probes.TailQuery{Subject: topic, From: earliest, Until: at(9)}) {
		if err != nil {
			wantError(t, err, probes.ErrNotFound, "deleted")
			return
		}
		f.drop(t, topic)
	}
	t.Fatal("the tail ended without an error")
}
