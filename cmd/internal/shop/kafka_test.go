package shop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// consume reads topics from their start until done says so, outside of any
// group.
func consume(t *testing.T, address string, topics []string, done func([]*kgo.Record) bool) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var all []*kgo.Record
	for ctx := within(t); !done(all); {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("after %d records: %v", len(all), err)
		}
		all = append(all, fetches.Records()...)
	}
	return all
}

func atLeast(n int) func([]*kgo.Record) bool {
	return func(all []*kgo.Record) bool { return len(all) >= n }
}

func request[T kmsg.Response](t *testing.T, address string, req kmsg.Request) T {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	res, err := client.Request(within(t), req)
	if err != nil {
		t.Fatal(err)
	}
	return res.(T)
}

func TestTopicsAreThereAndNoOthersAppear(t *testing.T) {
	s := open(t, Options{})
	for _, broker := range []string{"shop-kafka", "staging-kafka"} {
		req := kmsg.NewPtrMetadataRequest()
		res := request[*kmsg.MetadataResponse](t, s.Addresses()[broker], req)
		partitions := map[string]int{}
		for _, topic := range res.Topics {
			partitions[*topic.Topic] = len(topic.Partitions)
		}
		if len(partitions) != 3 || partitions[topicCreated] != 3 || partitions[topicCaptured] != 3 || partitions[topicDead] != 1 {
			t.Errorf("%s has %v", broker, partitions)
		}
		req.AllowAutoTopicCreation = true
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = kmsg.StringPtr("orders.creatd")
		req.Topics = append(req.Topics, asked)
		res = request[*kmsg.MetadataResponse](t, s.Addresses()[broker], req)
		if err := kerr.ErrorForCode(res.Topics[0].ErrorCode); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("%s answers %v for a mistyped topic", broker, err)
		}
	}
}

func TestHistoryHasEverythingATopicHas(t *testing.T) {
	opened := time.Now()
	s := open(t, Options{})
	seen := map[string]bool{}
	for _, r := range consume(t, s.Addresses()["shop-kafka"], []string{topicCreated}, atLeast(200)) {
		switch {
		case r.Value == nil:
			seen["tombstone"] = true
		case r.Key == nil:
			seen["null key"] = true
		case !utf8.Valid(r.Value):
			seen["binary"] = true
		case bytes.ContainsRune(r.Value, '\x1b'):
			seen["escape sequences"] = true
		case strings.Contains(string(r.Value), `\u001b`):
			seen["escaped escape sequences"] = true
			fallthrough
		default:
			checkOrder(t, r)
			seen["order"] = true
		}
		if r.Timestamp.Before(opened) {
			seen["past"] = true
		}
	}
	if len(seen) != 7 {
		t.Errorf("there are only: %v", seen)
	}
}

// checkOrder checks a record that should be an order.
func checkOrder(t *testing.T, r *kgo.Record) {
	t.Helper()
	var o order
	if err := json.Unmarshal(r.Value, &o); err != nil || o.ID != string(r.Key) || o.Status != statusPaid || len(o.Lines) == 0 {
		t.Errorf("%s is %s: %v", r.Key, r.Value, err)
	}
	if _, ok := parseTrace(headerOf(r, "traceparent")); !ok || headerOf(r, "content-type") != "application/json" || headerOf(r, "tenant") != o.Tenant {
		t.Errorf("%s has the headers %v", r.Key, r.Headers)
	}
}

func TestDeadLettersSayWhy(t *testing.T) {
	s := open(t, Options{})
	reasons := map[string]int{}
	for _, r := range consume(t, s.Addresses()["shop-kafka"], []string{topicDead}, atLeast(6)) {
		reason, by := headerOf(r, "dead-letter-reason"), headerOf(r, "dead-letter-by")
		if reason == "" {
			t.Errorf("%q has no reason: %v", r.Key, r.Headers)
		}
		if by == "billing" && (headerOf(r, "dead-letter-topic") != topicCreated || headerOf(r, "dead-letter-offset") == "") {
			t.Errorf("%q does not say where it was: %v", r.Key, r.Headers)
		}
		reasons[by]++
	}
	if reasons["billing"] == 0 || reasons["shop-orders"] == 0 {
		t.Errorf("dead letters are from %v", reasons)
	}
}

func TestGroupsHaveWorkedThroughTheHistory(t *testing.T) {
	s := open(t, Options{})
	at := s.Addresses()["shop-kafka"]
	groups := request[*kmsg.ListGroupsResponse](t, at, kmsg.NewPtrListGroupsRequest())
	var names []string
	for _, g := range groups.Groups {
		names = append(names, g.Group)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"billing", "shipping"}) {
		t.Fatalf("the groups are %v", names)
	}
	for _, group := range names {
		total := committed(t, at, group)
		if total < 150 {
			t.Errorf("%s has committed %d records", group, total)
		}
	}
}

// committed sums a group's committed offsets.
func committed(t *testing.T, address, group string) (total int64) {
	t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	req.Groups = append(req.Groups, g)
	req.Group = group
	res := request[*kmsg.OffsetFetchResponse](t, address, req)
	for _, g := range res.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				total += max(p.Offset, 0)
			}
		}
	}
	return total
}

func TestOrdersKeepComing(t *testing.T) {
	s := open(t, Options{Rate: 100})
	kafka := s.Addresses()["shop-kafka"]
	live := func(topic string) func([]*kgo.Record) bool {
		return func(all []*kgo.Record) bool {
			n := 0
			for _, r := range all {
				if r.Topic == topic && string(r.Key) > orderID(historyOrders) && len(r.Key) == len(orderID(1)) {
					n++
				}
			}
			return n >= 20
		}
	}
	consume(t, kafka, []string{topicCreated}, live(topicCreated))
	consume(t, kafka, []string{topicCaptured}, live(topicCaptured))
}

func TestAStalledWorkerLagsAndStaysInItsGroup(t *testing.T) {
	c := newCrew(context.Background())
	t.Cleanup(c.stop)
	at, err := startBroker(c, "test")
	if err != nil {
		t.Fatal(err)
	}
	producer, err := dialBroker(c, at, "test")
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorker(c, at, "slow", topicCreated)
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan string, 10)
	w.handle = func(r *kgo.Record) []*kgo.Record { handled <- string(r.Key); return nil }
	if err := producer.ProduceSync(c.ctx, &kgo.Record{Topic: topicCreated, Key: []byte("a"), Value: []byte("{}")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if err := w.turn(c.ctx); err != nil {
		t.Fatal(err)
	}
	w.stalls = stalls{first: time.Nanosecond, pause: time.Hour} // outlasts the test
	c.run("slow", w.run)
	if err := producer.ProduceSync(c.ctx, &kgo.Record{Topic: topicCreated, Key: []byte("b"), Value: []byte("{}")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := <-handled; got != "a" || committed(t, at, "slow") != 1 {
		t.Errorf("handled %q, committed %d", got, committed(t, at, "slow"))
	}
	describe := kmsg.NewPtrDescribeGroupsRequest()
	describe.Groups = []string{"slow"}
	res := request[*kmsg.DescribeGroupsResponse](t, at, describe)
	if g := res.Groups[0]; g.State != "Stable" || len(g.Members) != 1 {
		t.Errorf("the group is %s with %d members", g.State, len(g.Members))
	}
	select {
	case key := <-handled:
		t.Errorf("%q was handled during the stall", key)
	default:
	}
}
