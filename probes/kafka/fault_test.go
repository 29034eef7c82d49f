package kafka

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

// tailError runs a tail that has to fail with that kind and a hint or text
// holding words.
func tailError(t *testing.T, p *probe, q probes.TailQuery, kind error, words string) *probes.Error {
	t.Helper()
	for r, err := range p.Tail(limit(t), q) {
		if err == nil {
			t.Fatalf("read %s", r.ID)
		}
		return wantError(t, err, kind, words)
	}
	t.Fatal("the tail ended without an error")
	return nil
}

func wantError(t *testing.T, err, kind error, words string) *probes.Error {
	t.Helper()
	var e *probes.Error
	if !errors.As(err, &e) || !errors.Is(err, kind) || e.Target != "test" || e.Op == "" {
		t.Fatalf("%#v: %v; want %v", err, err, kind)
	}
	if !strings.Contains(err.Error()+" "+e.Hint, words) {
		t.Fatalf("%v (hint %q) does not say %q", err, e.Hint, words)
	}
	return e
}

func TestTailRefusesWhatIsNotThere(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		single, spread := b.topic(t, 1), b.topic(t, 3)
		b.numbered(t, single, 1, 0, 10)
		b.numbered(t, spread, 3, 0, 9)
		p := b.open(t, nil)
		mistyped := single + "x"
		for name, c := range map[string]struct {
			q     probes.TailQuery
			kind  error
			words string
		}{
			"unknown topic":              {probes.TailQuery{Subject: mistyped}, probes.ErrNotFound, "did you mean " + single},
			"one of several unknown":     {probes.TailQuery{Subject: single + "," + mistyped, From: earliest}, probes.ErrNotFound, mistyped},
			"invalid name":               {probes.TailQuery{Subject: "no topic!"}, probes.ErrNotFound, "no topic"},
			"no topic":                   {probes.TailQuery{}, probes.ErrUsage, "no topic given"},
			"unknown partition":          {probes.TailQuery{Subject: spread + "/7"}, probes.ErrNotFound, "partitions 0 to 2"},
			"partition of no number":     {probes.TailQuery{Subject: spread + "/x"}, probes.ErrUsage, "topic/2"},
			"offset beyond the end":      {probes.TailQuery{Subject: single, From: at(11)}, probes.ErrUsage, single + "/0 has 0 to 10"},
			"offset beyond all ends":     {probes.TailQuery{Subject: spread, From: at(50)}, probes.ErrUsage, spread + "/2 has 0 to 3"},
			"a position of someone else": {probes.TailQuery{Subject: single, Resume: "7"}, probes.ErrUsage, "resume"},
		} {
			t.Run(name, func(t *testing.T) { tailError(t, p, c.q, c.kind, c.words) })
		}
		b.absent(t, mistyped, "no topic!")
	})
}

// deleteBefore makes the log begin later, as retention does.
func (b *bed) deleteBefore(t *testing.T, topic string, offset int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Offset = offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	res, err := req.RequestWith(limit(t), b.Client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestTailTellsWhatRetentionTook resumes at an offset that is gone by then.
func TestTailTellsWhatRetentionTook(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		b.numbered(t, topic, 1, 0, 10)
		b.deleteBefore(t, topic, 6)
		p := b.open(t, nil)
		tailError(t, p, probes.TailQuery{Subject: topic, From: at(3)}, probes.ErrUsage, "has 6 to 10")
		pl := plan{Parts: []position{{Topic: topic, Next: 2, Stop: 10}}}
		got := read(t, p, probes.TailQuery{Subject: topic, Resume: pl.resume()})
		if d := cmp.Diff(append([]string{"gap"}, numbers(6, 10)...), bodies(got)); d != "" {
			t.Fatal(d)
		}
		if n, _ := got[0].Attr(probes.AttrCount); n != "4" || !strings.Contains(got[0].Err, "offsets 2 to 5 were deleted") {
			t.Errorf("%q lost: %s", n, got[0].Err)
		}
	})
}

// TestTailTellsThatTheLogBecameShorter: a topic made anew under the same name.
func TestTailTellsThatTheLogBecameShorter(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		b.numbered(t, topic, 1, 0, 5)
		p := b.open(t, nil)
		pl := plan{Parts: []position{{Topic: topic, Next: 900, Stop: -1}}}
		for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, Resume: pl.resume()}) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Kind == probes.Gap {
				if !strings.Contains(r.Err, "ends at offset 5, before 900") {
					t.Errorf("gap: %s", r.Err)
				}
				b.numbered(t, topic, 1, 5, 6)
				continue
			}
			if r.ID != "0/5" {
				t.Errorf("went on at %s", r.ID)
			}
			return
		}
	})
}

// TestTailFollowsLeaders moves partitions between brokers under a running tail.
func TestTailFollowsLeaders(t *testing.T) {
	f := fakeBed(t, kfake.NumBrokers(3))
	topic := f.topic(t, 4)
	p := f.open(t, nil)
	const rounds = 12
	var got []string
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	f.numbered(t, topic, 4, 0, 4)
	for r, err := range p.Tail(ctx, probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(r.Body))
		if n := len(got); n%4 == 0 && n < 4*rounds {
			if err := f.cluster.MoveTopicPartition(topic, int32(n/4)%4, int32(n/8)%3); err != nil {
				t.Fatal(err)
			}
			f.numbered(t, topic, 4, n, n+4)
		}
		if len(got) == 4*rounds {
			break
		}
	}
	want := map[string]bool{}
	for _, b := range got {
		want[b] = true
	}
	if len(want) != 4*rounds {
		t.Errorf("%d different records of %d", len(want), 4*rounds)
	}
}

func TestTailSaysThatTheTopicIsGone(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 1)
	f.numbered(t, topic, 1, 0, 1)
	p := f.open(t, func(t *probes.Target) { t.Timeout = time.Second })
	for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		switch {
		case err != nil:
			wantError(t, err, probes.ErrNotFound, topic)
			return
		case r.Kind == probes.Message:
			f.drop(t, topic)
		case r.Kind != probes.Notice || !strings.Contains(r.Err, "is gone"):
			t.Errorf("%v: %s", r.Kind, r.Err)
		}
	}
	t.Fatal("the tail ended without an error")
}

// TestTailEndsWithItsContextOrProbe: neither leaves it waiting in a long poll.
func TestTailEndsWithItsContextOrProbe(t *testing.T) {
	for name, end := range map[string]func(stop func(), p *probe){
		"context": func(stop func(), _ *probe) { stop() },
		"probe":   func(_ func(), p *probe) { go p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeBed(t)
			topic := f.topic(t, 1)
			p := f.open(t, nil)
			ctx, stop := context.WithCancel(limit(t))
			defer stop()
			polls := make(chan struct{}, 100)
			f.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
				f.cluster.KeepControl()
				polls <- struct{}{}
				return nil, nil, false
			})
			ended := make(chan error, 1)
			go func() {
				for _, err := range p.Tail(ctx, probes.TailQuery{Subject: topic, Follow: true}) {
					ended <- err
				}
			}()
			<-polls // at once
			<-polls // long
			end(stop, p)
			if err := <-ended; err == nil || probes.Transient(err) {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

// TestTailLeavesNoTrace looks at every request a tail sends.
func TestTailLeavesNoTrace(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 2)
	f.numbered(t, topic, 2, 0, 20)
	p := f.open(t, nil)
	allowed := map[kmsg.Key]bool{kmsg.ApiVersions: true, kmsg.Metadata: true, kmsg.ListOffsets: true, kmsg.Fetch: true}
	var mu sync.Mutex
	seen := map[kmsg.Key]bool{}
	f.cluster.Control(func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		mu.Lock()
		defer mu.Unlock()
		seen[kmsg.Key(r.Key())] = true
		if m, ok := r.(*kmsg.MetadataRequest); ok && m.AllowAutoTopicCreation {
			t.Error("a metadata request would create its topics")
		}
		return nil, nil, false
	})
	read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest})
	read(t, p, probes.TailQuery{Subject: topic, Last: 3})
	read(t, p, probes.TailQuery{Subject: topic, From: when(3), Until: when(5)})
	for range p.Tail(limit(t), probes.TailQuery{Subject: "mistyped"}) {
	}
	mu.Lock()
	defer mu.Unlock()
	for key := range seen {
		if !allowed[key] {
			t.Errorf("sent %s", key.Name())
		}
	}
	if !seen[kmsg.Fetch] {
		t.Error("saw no fetch: the test looks at nothing")
	}
}
