package shop

import (
	"encoding/json"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// oddities are the messages on orders.created that no order explains: what an
// old till, a clean-up job and a careless script leave on every real topic
// sooner or later. They follow order number n.
func oddities(seed int64, n int, at time.Time) []*kgo.Record {
	r := dice(seed, "oddity", n)
	header := func(kind string) []kgo.RecordHeader {
		return []kgo.RecordHeader{
			{Key: "content-type", Value: []byte(kind)},
			{Key: "traceparent", Value: []byte(newTrace(r).header())},
			{Key: "tenant", Value: []byte("eu")},
		}
	}
	var found []*kgo.Record
	add := func(key, value []byte, headers []kgo.RecordHeader) {
		found = append(found, &kgo.Record{
			Topic: topicCreated, Key: key, Value: value, Headers: headers,
			Partition: int32(n % 3), Timestamp: at,
		})
	}
	if n%40 == 7 { // claims to be JSON and is not
		value := make([]byte, 32+r.IntN(64))
		for i := range value {
			value[i] = byte(r.Uint32())
		}
		value[0] = 0xff // never valid UTF-8
		add([]byte("till-3"), value, header("application/json"))
	}
	if n%53 == 11 { // the clean-up job's tombstone for an older order
		add([]byte(orderID(n-5)), nil, nil)
	}
	if n%61 == 13 { // no key, so any partition
		value, _ := json.Marshal(map[string]any{"type": "stock.counted", "sku": products[r.IntN(len(products))].SKU, "count": r.IntN(restock)})
		add(nil, value, header("application/json"))
	}
	if n%97 == 23 { // raw control sequences: clear screen, title, a C1 introducer
		value := "till note: \x1b[2J\x1b[H\x1b]0;owned\x07\x1b[5mcall \u009b31m+1 555 0100\x1b[0m\r\nthanks\b\b"
		add([]byte("till-7"), []byte(value), header("text/plain"))
	}
	return found
}
