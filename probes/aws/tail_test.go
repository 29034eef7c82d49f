package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/probetest"
	taprun "iscope/probes/tap"
)

// following is a tail that runs beside the test.
type following struct {
	recs chan probes.Record
	err  chan error
	stop context.CancelFunc
	led  *probes.Ledger
}

// resumed goes on where a tail broke off for a moment, or begins again where it had
// not begun, as tap does: moto, which does not lock its queues, answers 500 now and
// then while others send ("Set changed size during iteration"), or hangs up.
func resumed(ctx context.Context, tailer probes.Tailer, q probes.TailQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		begun := false
		for {
			var broken *probes.Error
			for r, err := range tailer.Tail(ctx, q) {
				if errors.As(err, &broken) && probes.Transient(err) && (broken.Resume != "" || !begun) {
					break
				}
				broken, begun = nil, true
				if !yield(r, err) {
					return
				}
			}
			if broken == nil || ctx.Err() != nil {
				return
			}
			if broken.Resume != "" {
				q.Resume = broken.Resume
			}
		}
	}
}

// follow starts a tail that goes on after an interruption, and publishes until it
// shows something: what comes before it is attached is not its business.
func follow(t *testing.T, b *bed, conn *probes.Conn, name, arn string, q probes.TailQuery) *following {
	t.Helper()
	tailer, err := conn.Tailer()
	if err != nil {
		t.Fatal(err)
	}
	return followBy(t, b, func(ctx context.Context, q probes.TailQuery) iter.Seq2[probes.Record, error] {
		return resumed(ctx, tailer, q)
	}, name, arn, q)
}

// followBy is follow by any kind of tail.
func followBy(t *testing.T, b *bed, tail func(context.Context, probes.TailQuery) iter.Seq2[probes.Record, error], name, arn string, q probes.TailQuery) *following {
	t.Helper()
	ctx, stop := context.WithCancel(within(t))
	f := &following{recs: make(chan probes.Record, 1<<14), err: make(chan error, 1), stop: stop, led: &probes.Ledger{}}
	q.Subject, q.Follow = name, true
	if q.Ledger == nil {
		q.Ledger = f.led
	}
	go func() {
		var err error
		for r, e := range tail(ctx, q) {
			if e != nil {
				err = e
				break
			}
			f.recs <- r
		}
		close(f.recs)
		f.err <- err
	}()
	t.Cleanup(stop)
	for i := 0; ; i++ {
		b.publish(t, arn, fmt.Sprintf("begin %d", i))
		select {
		case r, ok := <-f.recs:
			if !ok {
				t.Fatalf("the tail ended: %v", <-f.err)
			}
			if r.Kind == probes.Message {
				return f
			}
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("nothing arrives")
		}
	}
}

// collect reads until all bodies have come, and returns them in order.
func (f *following) collect(t *testing.T, want int) (recs []probes.Record) {
	t.Helper()
	ctx := within(t)
	for len(recs) < want {
		select {
		case r, ok := <-f.recs:
			if !ok {
				t.Fatalf("the tail ended: %v", <-f.err)
			}
			if r.Kind != probes.Message || strings.HasPrefix(string(r.Body), "begin ") {
				continue
			}
			recs = append(recs, r)
		case <-ctx.Done():
			t.Fatalf("%d of %d messages arrived", len(recs), want)
		}
	}
	return recs
}

// end stops the tail and returns what else it had to show.
func (f *following) end(t *testing.T) (rest []probes.Record) {
	t.Helper()
	f.stop()
	for r := range f.recs {
		rest = append(rest, r)
	}
	if err := <-f.err; err != nil {
		t.Fatal(err)
	}
	return rest
}

// tapsOf lists our queues that are for a topic.
func (b *bed) tapsOf(t testing.TB, topic string) (urls []string) {
	t.Helper()
	ctx := within(t)
	out, err := b.sqs.ListQueues(ctx, &sqs.ListQueuesInput{QueueNamePrefix: sdk.String(tapPrefix)})
	for _, url := range must(t, out, err).QueueUrls {
		tags, err := b.sqs.ListQueueTags(ctx, &sqs.ListQueueTagsInput{QueueUrl: &url})
		if err == nil && tags.Tags[tagTopic] == topic { // others come and go
			urls = append(urls, url)
		}
	}
	return urls
}

// endpoints of a topic's subscriptions.
func (b *bed) endpoints(t testing.TB, topic string) (out []string) {
	t.Helper()
	list, err := b.sns.ListSubscriptionsByTopic(within(t), &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for _, s := range must(t, list, err).Subscriptions {
		out = append(out, *s.Endpoint)
	}
	return out
}

func TestTapBesideConsumer(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name, work := unique(t, ""), unique(t, "")
	arn, url := b.topic(t, name), b.queue(t, work, nil)
	b.subscribe(t, arn, url, nil)
	led := &probes.Ledger{}
	var early []string
	led.OnDeed = func(d probes.Deed) {
		if d.Kind == probes.DeedCreated {
			early = append(early, fmt.Sprintf("%d queues, %d subscriptions", len(b.tapsOf(t, arn)), len(b.endpoints(t, arn))))
		}
	}
	f := follow(t, b, b.open(t, "sns", nil), name, arn, probes.TailQuery{Ledger: led})
	const n = 60
	ids := map[string]string{}
	for i := range n {
		out, err := b.sns.Publish(within(t), &sns.PublishInput{TopicArn: &arn, Message: sdk.String(fmt.Sprintf(`{"n":%d,"f":1.10,"text":"\"ü\u0007"}`, i)), Subject: sdk.String("a subject"),
			MessageAttributes: map[string]snstypes.MessageAttributeValue{"kind": {DataType: sdk.String("String"), StringValue: sdk.String("order")},
				"raw": {DataType: sdk.String("Binary"), BinaryValue: []byte{0, 255}}, "n": {DataType: sdk.String("Number"), StringValue: sdk.String("1.50")}}})
		ids[*must(t, out, err).MessageId] = fmt.Sprintf(`{"n":%d,"f":1.10,"text":"\"ü\u0007"}`, i)
	}
	for _, r := range f.collect(t, n) {
		if want, ok := ids[r.ID]; !ok || string(r.Body) != want {
			t.Fatalf("%s %q came twice or is not what was published: %q", r.ID, r.Body, want)
		}
		delete(ids, r.ID)
		want := []probes.Field{{Name: "kind", Value: []byte("order")}, {Name: "n", Value: []byte("1.50")}, {Name: "raw", Value: []byte{0, 255}}}
		if d := cmp.Diff(want, r.Header); d != "" {
			t.Fatal(d)
		}
		if s, _ := r.Attr(attrSubject); s != "a subject" || r.Time.IsZero() {
			t.Fatalf("subject %q, time %v", s, r.Time)
		}
	}
	f.end(t)
	// The consumer beside us has all, and alone.
	got := map[string]bool{}
	for deadline := within(t); len(got) < n; {
		for _, m := range b.receive(t, url, 10, time.Minute) {
			if strings.Contains(*m.Body, "a subject") {
				got[*m.MessageId] = true
			}
		}
		if deadline.Err() != nil {
			t.Fatalf("the consumer has %d of %d messages", len(got), n)
		}
	}
	if taps, ends := b.tapsOf(t, arn), b.endpoints(t, arn); len(taps) > 0 || len(ends) != 1 {
		t.Errorf("left behind: queues %v, subscriptions %v", taps, ends)
	}
	if d := cmp.Diff([]string{"0 queues, 1 subscriptions", "1 queues, 1 subscriptions"}, early); d != "" {
		t.Errorf("what was there when a deed was noted (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]probes.DeedKind{probes.DeedCreated, probes.DeedCreated, probes.DeedRemoved}, kinds(led)); d != "" {
		t.Error(d, led.Deeds())
	}
}

func kinds(l *probes.Ledger) (out []probes.DeedKind) {
	for _, d := range l.Deeds() {
		out = append(out, d.Kind)
	}
	return out
}

func TestTapKeepsOrderOfFIFO(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name, count := unique(t, fifoSuffix), &counter{}
	arn := b.topic(t, name)
	f := follow(t, b, b.open(t, "sns", nil), name, arn, probes.TailQuery{})
	want := count.bodies(35)
	b.publish(t, arn, want...)
	recs := f.collect(t, len(want))
	f.end(t)
	if d := cmp.Diff(want, bodiesOf(recs)); d != "" {
		t.Error(d)
	}
	if string(recs[0].Key) != "g" {
		t.Errorf("the key is %q", recs[0].Key)
	}
	if taps := b.tapsOf(t, arn); len(taps) > 0 {
		t.Errorf("left behind: %v", taps)
	}
}

func TestTapNeedsLeave(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name := unique(t, "")
	arn := b.topic(t, name)
	conn := b.open(t, "sns", func(p *probes.Target) { p.Environment.Write = false })
	tailer := must(t, conn, nil)
	tt, err := tailer.Tailer()
	_, err = drained(t, must(t, tt, err).Tail(within(t), probes.TailQuery{Subject: name}))
	if !errors.Is(err, probes.ErrRefused) || !strings.Contains(probes.HintOf(err), "tap: true") {
		t.Fatalf("%v; hint %q", err, probes.HintOf(err))
	}
	if taps := b.tapsOf(t, arn); len(taps) > 0 {
		t.Fatalf("it was made all the same: %v", taps)
	}
	allowed := b.open(t, "sns", func(p *probes.Target) { p.Environment.Write, p.Options[optTap] = false, "true" })
	follow(t, b, allowed, name, arn, probes.TailQuery{}).end(t)
}

func TestTapOfDeletedTopic(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name := unique(t, "")
	arn := b.topic(t, name)
	f := follow(t, b, b.open(t, "sns", nil), name, arn, probes.TailQuery{})
	_, err := b.sns.DeleteTopic(within(t), &sns.DeleteTopicInput{TopicArn: &arn})
	must(t, 0, err)
	for range f.recs {
	}
	if err := <-f.err; !errors.Is(err, probes.ErrNotFound) || !strings.Contains(err.Error(), "deleted") {
		t.Fatal(err)
	}
	if taps := b.tapsOf(t, arn); len(taps) > 0 {
		t.Errorf("left behind: %v", taps)
	}
}

// TestTapTakenAway removes queue or subscription from under a tail: it says that
// something is missing, and goes on.
func TestTapTakenAway(t *testing.T) {
	b := newBed(t, "aws")
	take := map[string]func(t *testing.T, arn string){
		"queue": func(t *testing.T, arn string) {
			for _, url := range b.tapsOf(t, arn) {
				_, err := b.sqs.DeleteQueue(within(t), &sqs.DeleteQueueInput{QueueUrl: &url})
				must(t, 0, err)
			}
		},
		"subscription": func(t *testing.T, arn string) {
			list, err := b.sns.ListSubscriptionsByTopic(within(t), &sns.ListSubscriptionsByTopicInput{TopicArn: &arn})
			for _, s := range must(t, list, err).Subscriptions {
				_, err := b.sns.Unsubscribe(within(t), &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn})
				must(t, 0, err)
			}
		},
	}
	for what, away := range take {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			name := unique(t, "")
			arn := b.topic(t, name)
			f := follow(t, b, b.open(t, "sns", nil), name, arn, probes.TailQuery{})
			away(t, arn)
			gaps := 0
			for ctx := within(t); gaps == 0; {
				select {
				case r := <-f.recs:
					if r.Kind == probes.Gap {
						gaps++
					}
				case <-ctx.Done():
					t.Fatal("nothing says that something is missing")
				}
			}
			for ctx := within(t); ; {
				b.publish(t, arn, "begin again")
				select {
				case <-f.recs:
					f.end(t)
					if taps, ends := b.tapsOf(t, arn), b.endpoints(t, arn); len(taps) > 0 || len(ends) > 0 {
						t.Errorf("left behind: %v %v", taps, ends)
					}
					return
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
					t.Fatal("the tail does not go on")
				}
			}
		})
	}
}

// TestTapOverCuts cuts the connection again and again while messages are
// published: the queue keeps them, so all come, each once.
func TestTapOverCuts(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name, count := unique(t, ""), &counter{}
	arn := b.topic(t, name)
	relay := probetest.NewRelay(t, "127.0.0.1:0", strings.TrimPrefix(b.Addresses["http"], "http://"))
	conn := b.open(t, "sns", func(p *probes.Target) { p.Address = "http://" + relay.Addr })
	tailer, err := conn.Tailer()
	must(t, 0, err)
	ctx, stop := context.WithCancel(within(t))
	arrived := make(chan string, 1<<14)
	var stats taprun.Stats
	var done sync.WaitGroup
	done.Go(func() {
		stats, _ = taprun.Run(ctx, tailer, probes.TailQuery{Subject: name, Follow: true}, taprun.Options{Target: "sns-test", Check: conn.Check,
			Retry: taprun.Retry{Min: time.Millisecond, Max: 20 * time.Millisecond, Initial: true},
			Sinks: []taprun.Sink{taprun.SinkFunc(func(_ context.Context, r probes.Record) error {
				if r.Kind == probes.Message {
					arrived <- string(r.Body)
				}
				return nil
			})}})
	})
	next := func() string {
		select {
		case body := <-arrived:
			return body
		case <-ctx.Done():
			t.Fatal("messages do not arrive")
			return ""
		}
	}
	for attached := false; !attached; {
		b.publish(t, arn, "begin")
		select {
		case <-arrived:
			attached = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	seen := map[string]int{}
	for range 2 {
		want := count.bodies(30)
		b.publish(t, arn, want[:10]...)
		relay.Cut()
		b.publish(t, arn, want[10:20]...)
		relay.Cut()
		b.publish(t, arn, want[20:]...)
		for slices.ContainsFunc(want, func(body string) bool { return seen[body] == 0 }) {
			seen[next()]++
		}
	}
	stop()
	done.Wait()
	delete(seen, "begin")
	for body, n := range seen {
		if n != 1 {
			t.Errorf("%q came %d times", body, n)
		}
	}
	if stats.Reconnects == 0 || stats.Incomplete() {
		t.Errorf("%+v", stats)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if taps := b.tapsOf(t, arn); len(taps) > 0 {
		t.Errorf("left behind: %v", taps)
	}
}

// TestParkedTapIsRemoved: a tail broke off and nobody came back.
func TestParkedTapIsRemoved(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name := unique(t, "")
	arn := b.topic(t, name)
	relay := probetest.NewRelay(t, "127.0.0.1:0", strings.TrimPrefix(b.Addresses["http"], "http://"))
	conn := b.open(t, "sns", func(p *probes.Target) { p.Address = "http://" + relay.Addr })
	tailer, err := conn.Tailer()
	must(t, 0, err)
	f := followBy(t, b, tailer.Tail, name, arn, probes.TailQuery{})
	relay.Cut()
	for range f.recs {
	}
	err = <-f.err
	var e *probes.Error
	if !errors.As(err, &e) || e.Resume == "" || !probes.Transient(err) {
		t.Fatalf("%v does not say where to resume", err)
	}
	if len(b.tapsOf(t, arn)) != 1 {
		t.Error("the tap is not kept")
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if taps, ends := b.tapsOf(t, arn), b.endpoints(t, arn); len(taps) > 0 || len(ends) > 0 {
		t.Errorf("left behind: %v %v", taps, ends)
	}
}

func TestTailHasNoPast(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name := unique(t, "")
	b.topic(t, name)
	conn := b.open(t, "sns", nil)
	tailer, err := conn.Tailer()
	must(t, 0, err)
	now := time.Now()
	for what, q := range map[string]probes.TailQuery{
		"last":    {Last: 5},
		"present": {Until: probes.Position{Kind: probes.PosLatest}},
	} {
		q.Subject = name
		recs, err := drained(t, tailer.Tail(within(t), q))
		if err != nil || len(recs) != 1 || recs[0].Kind != probes.Notice {
			t.Errorf("%s: %v %v", what, recs, err)
		}
	}
	led := &probes.Ledger{}
	recs, err := drained(t, tailer.Tail(within(t), probes.TailQuery{Subject: name, Ledger: led, Until: probes.Position{Kind: probes.PosTime, Time: now.Add(time.Second)}}))
	if err != nil || len(recs) != 0 || !slices.Contains(kinds(led), probes.DeedRemoved) {
		t.Errorf("until a time: %v %v %v", recs, err, led.Deeds())
	}
	_, err = drained(t, tailer.Tail(within(t), probes.TailQuery{Subject: name, From: probes.Position{Kind: probes.PosOffset, Offset: 3}}))
	if !errors.Is(err, probes.ErrUsage) {
		t.Errorf("from an offset: %v", err)
	}
}

// TestSlowReader pauses in the middle: nothing comes twice, nothing is lost.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name, count := unique(t, ""), &counter{}
	arn := b.topic(t, name)
	conn := b.open(t, "sns", nil)
	tailer, err := conn.Tailer()
	must(t, 0, err)
	want := map[string]bool{}
	ctx := within(t)
	led := &probes.Ledger{}
	ready := make(chan struct{})
	led.OnDeed = func(d probes.Deed) {
		if d.Kind == probes.DeedCreated && strings.HasPrefix(d.What, "subscription") {
			close(ready)
		}
	}
	go func() {
		<-ready
		for len(b.endpoints(t, arn)) == 0 {
		}
		b.publish(t, arn, "first")
	}()
	for r, err := range resumed(ctx, tailer, probes.TailQuery{Subject: name, Ledger: led}) {
		must(t, 0, err)
		if string(r.Body) == "first" {
			// Published while this reader does not read.
			for _, body := range count.bodies(150) {
				want[body] = true
				b.publish(t, arn, body)
			}
			continue
		}
		if !want[string(r.Body)] {
			t.Fatalf("%q came twice or from nowhere", r.Body)
		}
		delete(want, string(r.Body))
		if len(want) == 0 {
			break
		}
	}
	if len(want) > 0 {
		t.Errorf("%d messages are missing", len(want))
	}
	if taps := b.tapsOf(t, arn); len(taps) > 0 {
		t.Errorf("left behind: %v", taps)
	}
}
