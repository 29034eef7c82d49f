package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
	"iscope/probes/tap"
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

// wire is a TCP proxy whose connections can be cut.
type tappedWire struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	done  sync.WaitGroup
}

func newTappedWire(t *testing.T, to func() string) *tappedWire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tappedWire{Listener: ln}
	w.done.Go(func() { w.accept(to) })
	t.Cleanup(func() { ln.Close(); w.cut(); w.done.Wait() })
	return w
}

func (w *tappedWire) accept(to func() string) {
	for {
		in, err := w.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", to())
		if err != nil {
			in.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			w.done.Go(func() { io.Copy(pair[0], pair[1]); pair[0].Close() })
		}
	}
}

func (w *tappedWire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// TestTapSurvivesCutConnections cuts all connections again and again while
// records flow. Nothing may be lost or come twice.
func TestTapSurvivesCutConnections(t *testing.T) {
	// kfake names its brokers by their listeners: put the proxy where it
	// believes to listen.
	var real net.Listener
	w := newTappedWire(t, func() string { return real.Addr().String() })
	f := fakeBed(t, kfake.ListenFn(func(network, _ string) (net.Listener, error) {
		var err error
		real, err = net.Listen(network, "127.0.0.1:0")
		return &posing{real, w.Addr()}, err
	}))
	topic := f.topic(t, 3)
	const total = 3000
	f.numbered(t, topic, 3, 0, total/2)
	p := f.open(t, nil)

	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	seen := map[string]int{}
	sink := tap.SinkFunc(func(_ context.Context, r probes.Record) error {
		if r.Kind != probes.Message {
			return nil
		}
		seen[string(r.Body)]++
		if len(seen)%500 == 0 {
			w.cut()
		}
		if len(seen) == total/2 {
			f.numbered(t, topic, 3, total/2, total)
		}
		return nil
	})
	stats, err := tap.Run(ctx, p, probes.TailQuery{Subject: topic, From: earliest, Follow: true},
		tap.Options{Target: "test", Sinks: []tap.Sink{sink}, Limit: total, Retry: tap.Retry{Min: time.Millisecond, Max: 10 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Reconnects == 0 || stats.Incomplete() {
		t.Errorf("%+v", stats)
	}
	for _, n := range numbers(0, total) {
		if seen[n] != 1 {
			t.Fatalf("record %s came %d times", n, seen[n])
		}
	}
}

// posing is a listener that gives another address for its own.
type posing struct {
	net.Listener
	as net.Addr
}

func (p *posing) Addr() net.Addr { return p.as }

// TestTailResumesAfterARestart stops the broker under a running tail, with its
// data kept, and starts it again.
func TestTailResumesAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first := fakeBed(t, kfake.DataDir(dir))
	_, port, _ := net.SplitHostPort(first.addr)
	topic := first.topic(t, 2)
	first.numbered(t, topic, 2, 0, 10)
	p := first.open(t, nil)
	var got []probes.Record
	var broken error
	for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		if broken = err; err != nil {
			break
		}
		if got = append(got, r); len(got) == 10 {
			first.cluster.Close()
		}
	}
	e := wantError(t, broken, probes.ErrUnreachable, "")
	if !probes.Transient(e) || e.Resume == "" {
		t.Fatalf("not to be resumed: %#v", e)
	}
	again := fakeBed(t, kfake.DataDir(dir), kfake.Ports(atoi(t, port)))
	again.numbered(t, topic, 2, 10, 20)
	pl, err := parseResume(e.Resume)
	if err != nil {
		t.Fatal(err)
	}
	for i := range pl.Parts {
		pl.Parts[i].Stop = 10
	}
	got = append(got, read(t, p, probes.TailQuery{Subject: topic, Resume: pl.resume()})...)
	if d := cmp.Diff(numbers(0, 20), bodies(got)); d != "" {
		t.Error(d)
	}
}

// TestLastIsResumed fails before the first record is out.
func TestLastIsResumed(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 2)
	f.numbered(t, topic, 2, 0, 50)
	p := f.open(t, nil)
	cuts := 2 // the first might hit an idle link, which is replaced in silence
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		if cuts > 0 {
			cuts--
			return nil, errors.New("cut"), true
		}
		return nil, nil, false
	})
	e := tailError(t, p, probes.TailQuery{Subject: topic, Last: 5}, probes.ErrUnreachable, "")
	if e.Resume == "" {
		t.Fatal("nothing to resume from")
	}
	f.numbered(t, topic, 2, 50, 60) // after the tail was asked for
	if d := cmp.Diff(numbers(45, 50), bodies(read(t, p, probes.TailQuery{Subject: topic, Last: 5, Resume: e.Resume}))); d != "" {
		t.Error(d)
	}
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
	p := f.open(t, nil)
	for _, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		if err != nil {
			wantError(t, err, probes.ErrNotFound, topic)
			return
		}
		f.drop(t, topic)
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

// TestTailShowsNoAbortedTransaction mixes committed, aborted and plain records.
func TestTailShowsNoAbortedTransaction(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		txn := newBed(t, b.addr, kgo.TransactionalID(name(t)))
		transact := func(commit bool, from, to int) {
			t.Helper()
			if err := txn.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			txn.numbered(t, topic, 1, from, to)
			if err := txn.EndTransaction(limit(t), kgo.TransactionEndTry(commit)); err != nil {
				t.Fatal(err)
			}
		}
		b.numbered(t, topic, 1, 0, 3)
		transact(true, 3, 6)
		transact(false, 100, 120)
		b.numbered(t, topic, 1, 6, 7)
		transact(false, 120, 130)
		transact(true, 7, 10)
		p := b.open(t, nil)
		for name, q := range map[string]probes.TailQuery{
			"all":                  {Subject: topic, From: earliest, Until: latest},
			"the newest, widening": {Subject: topic, Last: 10},
		} {
			if d := cmp.Diff(numbers(0, 10), bodies(read(t, p, q))); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
		// Offsets 5 on: a marker, the aborted records, their marker.
		if d := cmp.Diff(numbers(5, 10), bodies(read(t, p, probes.TailQuery{Subject: topic, From: at(5), Until: latest}))); d != "" {
			t.Error(d)
		}
	})
}

// TestTailShowsAnOpenTransactionOnceItIsCommitted, with what came after it.
func TestTailShowsAnOpenTransactionOnceItIsCommitted(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		txn := newBed(t, b.addr, kgo.TransactionalID(name(t)))
		if err := txn.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		txn.numbered(t, topic, 1, 0, 2)
		b.numbered(t, topic, 1, 2, 4)
		p := b.open(t, nil)
		if got := read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: latest}); len(got) > 0 {
			t.Fatalf("showed %q, which nobody has committed", bodies(got))
		}
		if err := txn.EndTransaction(limit(t), kgo.TryCommit); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(numbers(0, 4), bodies(read(t, p, probes.TailQuery{Subject: topic, From: earliest, Until: at(4)}))); d != "" {
			t.Error(d)
		}
	})
}

// TestTailSaysWhatItWaitsFor: an open transaction holds everything after it back.
func TestTailSaysWhatItWaitsFor(t *testing.T) {
	b := fakeBed(t).bed
	topic := b.topic(t, 1)
	txn := newBed(t, b.addr, kgo.TransactionalID(name(t)))
	b.numbered(t, topic, 1, 0, 1)
	if err := txn.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	txn.numbered(t, topic, 1, 1, 3)
	var got []string
	for r, err := range b.open(t, nil).Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == probes.Notice {
			if !strings.Contains(r.Err, "waits at offset 1") || !strings.Contains(r.Err, "2 messages") {
				t.Errorf("notice: %s", r.Err)
			}
			if err := txn.EndTransaction(limit(t), kgo.TryCommit); err != nil {
				t.Fatal(err)
			}
		}
		if got = append(got, bodies([]probes.Record{r})...); len(got) == 4 {
			break
		}
	}
	if d := cmp.Diff([]string{"0", "notice", "1", "2"}, got); d != "" {
		t.Error(d)
	}
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
	f := fakeBed(t)
	topic := f.topic(t, 1)
	f.produce(t, &kgo.Record{Topic: topic, Value: []byte("before")})
	until := time.Now().Add(300 * time.Millisecond)
	f.produce(t, &kgo.Record{Topic: topic, Value: []byte("after"), Timestamp: until.Add(time.Hour)})
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
