package shop

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/grpc/status"
)

// publisher writes the shop's messages. Its methods return when the broker
// has the message.
type publisher struct {
	client *kgo.Client
}

// created announces a paid order.
func (p *publisher) created(ctx context.Context, o order) error {
	r, err := createdRecord(ctx, o)
	if err != nil {
		return err
	}
	return p.client.ProduceSync(ctx, r).FirstErr()
}

func createdRecord(ctx context.Context, o order) (*kgo.Record, error) {
	return jsonRecord(ctx, topicCreated, o.ID, o.Tenant, o.CreatedAt, o)
}

// declined puts an order without payment where someone will look at it.
func (p *publisher) declined(ctx context.Context, o order, why *status.Status) error {
	r, err := declinedRecord(ctx, o, why)
	if err != nil {
		return err
	}
	return p.client.ProduceSync(ctx, r).FirstErr()
}

func declinedRecord(ctx context.Context, o order, why *status.Status) (*kgo.Record, error) {
	r, err := jsonRecord(ctx, topicDead, o.ID, o.Tenant, o.CreatedAt, o)
	if err != nil {
		return nil, err
	}
	r.Headers = append(r.Headers,
		kgo.RecordHeader{Key: "dead-letter-reason", Value: []byte("payment: " + why.Message())},
		kgo.RecordHeader{Key: "dead-letter-exception-class-name", Value: []byte(why.Code().String())},
		kgo.RecordHeader{Key: "dead-letter-by", Value: []byte("shop-orders")})
	return r, nil
}

// deadRecord is the dead letter for a record that by could not handle: the
// bytes and headers as they were, and where they came from.
func deadRecord(r *kgo.Record, by string, at time.Time, reason error) *kgo.Record {
	headers := append([]kgo.RecordHeader(nil), r.Headers...)
	for _, h := range [][2]string{
		{"dead-letter-reason", reason.Error()},
		{"dead-letter-by", by},
		{"dead-letter-topic", r.Topic},
		{"dead-letter-partition", strconv.Itoa(int(r.Partition))},
		{"dead-letter-offset", strconv.FormatInt(r.Offset, 10)},
	} {
		headers = append(headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
	}
	return &kgo.Record{Topic: topicDead, Key: r.Key, Value: r.Value, Headers: headers, Timestamp: at}
}

func jsonRecord(ctx context.Context, topic, key, tenant string, at time.Time, v any) (*kgo.Record, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding a message for %s: %w", topic, err)
	}
	return &kgo.Record{
		Topic: topic, Key: []byte(key), Value: value, Timestamp: at,
		Headers: []kgo.RecordHeader{
			{Key: "content-type", Value: []byte("application/json")},
			{Key: "traceparent", Value: []byte(traceFrom(ctx).header())},
			{Key: "tenant", Value: []byte(tenant)},
		},
	}, nil
}
