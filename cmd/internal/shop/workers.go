package shop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
)

// worker is a member of a consumer group that handles one topic.
type worker struct {
	group  string
	topic  string
	client *kgo.Client
	// handle returns the records a record leads to.
	handle func(*kgo.Record) []*kgo.Record
	stalls stalls
	// await is closed after that many records were handled and committed: the
	// shop opens when its history has been worked through.
	await   int
	reached chan struct{}
}

// stalls makes a worker stop reading for a while after every so much work, as
// one does that waits for a slow database: its lag grows, its place in the
// group stays. The zero value never stalls.
type stalls struct {
	first, every, pause time.Duration
}

// billingStalls begin early so that whoever looks early sees the lag too.
var billingStalls = stalls{first: 12 * time.Second, every: 40 * time.Second, pause: 20 * time.Second}

func newWorker(c *crew, address, group, topic string) (*worker, error) {
	client, err := dialBroker(c, address, "shop-"+group,
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(2*time.Second),
	)
	if err != nil {
		return nil, err
	}
	return &worker{group: group, topic: topic, client: client, reached: make(chan struct{})}, nil
}

func (w *worker) run(ctx context.Context) error {
	next := time.Now().Add(w.stalls.first)
	for ctx.Err() == nil {
		if w.stalls.pause > 0 && time.Now().After(next) {
			if sleep(ctx, w.stalls.pause) != nil {
				return nil
			}
			next = time.Now().Add(w.stalls.every)
		}
		err := w.turn(ctx)
		if err != nil && w.await > 0 {
			return err // the shop is not open yet: better none than half a history
		}
		// Later, another member may join the group or take its partitions: what
		// could not be committed comes again, to whoever has them then.
		if err != nil && sleep(ctx, time.Second) != nil {
			return nil
		}
	}
	return nil
}

// turn handles and commits what one poll brings.
func (w *worker) turn(ctx context.Context) error {
	fetches := w.client.PollRecords(ctx, 500)
	var out []*kgo.Record
	fetches.EachRecord(func(r *kgo.Record) { out = append(out, w.handle(r)...) })
	if n := fetches.NumRecords(); n > 0 {
		if err := w.client.ProduceSync(ctx, out...).FirstErr(); err != nil {
			return fmt.Errorf("producing what %s made: %w", w.group, err)
		}
		if err := w.client.CommitRecords(ctx, fetches.Records()...); err != nil {
			return fmt.Errorf("committing for %s: %w", w.group, err)
		}
		w.count(n)
	}
	return nil
}

func (w *worker) count(n int) {
	if w.await <= 0 {
		return
	}
	if w.await -= n; w.await <= 0 {
		close(w.reached)
	}
}

// billing captures the money of every order on orders.created; what it cannot
// read goes to orders.dlq. Orders from before opened were captured shortly
// after they were made, the others now.
func billing(now func() time.Time, opened time.Time) func(*kgo.Record) []*kgo.Record {
	return func(r *kgo.Record) []*kgo.Record {
		at := now().UTC()
		if r.Timestamp.Before(opened) {
			at = r.Timestamp.UTC().Add(400 * time.Millisecond)
		}
		if r.Value == nil {
			return nil // an order that was cleaned up
		}
		o, err := readOrder(r.Value)
		if err != nil {
			return []*kgo.Record{deadRecord(r, "billing", at, err)}
		}
		if o.ID == "" {
			return nil // not an order
		}
		ctx := incoming(context.Background(), headerOf(r, "traceparent"), "billing")
		c := capture{ID: "cap-" + o.ID, OrderID: o.ID, Customer: o.Customer, Amount: o.Total, CapturedAt: at}
		captured, err := jsonRecord(ctx, topicCaptured, o.ID, o.Tenant, at, c)
		if err != nil {
			return []*kgo.Record{deadRecord(r, "billing", at, err)}
		}
		return []*kgo.Record{captured}
	}
}

func readOrder(value []byte) (o order, err error) {
	if !utf8.Valid(value) {
		return o, errors.New("the value is not UTF-8")
	}
	if err := json.Unmarshal(value, &o); err != nil {
		return o, fmt.Errorf("the value is not an order: %w", err)
	}
	return o, nil
}

func headerOf(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// shipping only reads: parcels are outside of the shop.
func shipping(*kgo.Record) []*kgo.Record { return nil }
