package rabbitmq

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// everyType is a table with a value of each type that AMQP has, nested too.
func everyType() amqp.Table {
	scalars := amqp.Table{"t": true, "b": int8(-3), "B": byte(200), "s": int16(-300), "u": uint16(60_000), "I": int32(-70_000),
		"i": uint32(4_000_000_000), "l": int64(1) << 60, "f": float32(1.5), "d": 0.1, "D": amqp.Decimal{Scale: 3, Value: -5},
		"S": "text", "binary": "\xff\x00", "x": []byte{0, 255}, "V": nil, "T": time.Unix(1_700_000_000, 0), "empty": ""}
	out := maps.Clone(scalars)
	out["F"] = amqp.Table{"in": scalars, "\xfe": int32(1), "base64:": "x"}
	out["A"] = []any{int64(1), "two", amqp.Table{"three": 3.0}, []any{}, nil}
	out["\xff"] = int32(7)
	return out
}

// TestFaithfulCopy publishes a record as it was tailed: what arrives is equal to
// the original, to the last type of a nested header.
func TestFaithfulCopy(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "fanout", nil)
	b.queue(t, "q", nil)
	f := b.follow(t, b.open(t, nil), probes.TailQuery{Subject: "exchange/x"})
	b.bound(t, "x")
	original := amqp.Publishing{Headers: everyType(), ContentType: "application/json", ContentEncoding: "utf-8", DeliveryMode: 1, Priority: 4,
		CorrelationId: "c", ReplyTo: "r", Expiration: "60000", MessageId: "m", Timestamp: time.Unix(1_700_000_000, 0), Type: "order",
		UserId: b.user(), AppId: "shop", Body: []byte("\x00\xff")}
	b.send(t, "x", "k", original)
	rec := f.message()
	rec.Source.Subject = "queue/q"
	stored, err := b.open(t, nil).Publish(limit(t), rec)
	if err != nil {
		t.Fatal(err)
	}
	got := b.drain(t, "q")
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	copied := messageOf(&got[0]).Publishing
	if d := cmp.Diff(original, copied, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("original and copy differ (-original +copy):\n%s", d)
	}
	if d := cmp.Diff(rec.Header, stored.Header); d != "" {
		t.Errorf("as stored:\n%s", d)
	}
	if d := cmp.Diff(string(rec.Native), string(stored.Native)); d != "" {
		t.Errorf("as stored:\n%s", d)
	}
}

func TestPublishByHand(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "topic", nil)
	b.queue(t, "q", nil)
	b.bind(t, "q", "a.#", "x")
	for _, edit := range []func(*probes.Target){nil, amqpOnly} {
		p := b.open(t, edit)
		rec := probes.Record{Source: probes.Ref{Subject: "exchange/x"}, Key: []byte("a.b"), Body: []byte("{}"),
			Header: []probes.Field{{Name: "Content-Type", Value: []byte("application/json")}, {Name: "n", Value: []byte("1")}, {Name: "void"}}}
		if _, err := p.Publish(limit(t), rec); err != nil {
			t.Fatal(err)
		}
		rec.Source.Subject = "q" // a bare name
		if _, err := p.Publish(limit(t), rec); err != nil {
			t.Fatal(err)
		}
		got := b.drain(t, "q")
		if len(got) != 2 || got[0].RoutingKey != "a.b" || got[1].RoutingKey != "q" {
			t.Fatalf("%+v", got)
		}
		want := amqp.Publishing{ContentType: "application/json", DeliveryMode: 2, Headers: amqp.Table{"n": "1", "void": nil}, Body: []byte("{}")}
		if d := cmp.Diff(want, messageOf(&got[0]).Publishing); d != "" {
			t.Error(d)
		}
	}
}

func TestPublishFails(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "topic", nil)
	b.queue(t, "full", amqp.Table{"x-max-length": int32(1), "x-overflow": "reject-publish"})
	b.publish(t, "", "full", []byte("one"))
	long := strings.Repeat("k", 256)
	for _, edit := range []func(*probes.Target){nil, amqpOnly} {
		p := b.open(t, edit)
		for _, c := range []struct {
			rec  probes.Record
			kind error
			says string
		}{
			{probes.Record{Source: probes.Ref{Subject: "queue/fulll"}}, probes.ErrNotFound, `no queue "fulll"`},
			{probes.Record{Source: probes.Ref{Subject: "exchange/xx"}}, probes.ErrNotFound, `no exchange "xx"`},
			{probes.Record{Source: probes.Ref{Subject: "exchange/x"}, Key: []byte("k")}, probes.ErrNotFound, "no queue takes"},
			{probes.Record{Source: probes.Ref{Subject: "exchange/x"}, Key: []byte(long)}, probes.ErrUsage, "256 bytes"},
			{probes.Record{Source: probes.Ref{Subject: "queue/full"}}, probes.ErrUnreachable, "basic.nack"},
			{probes.Record{Source: probes.Ref{Subject: "queue/full"}, Cut: 3}, probes.ErrUsage, "3 bytes"},
			{probes.Record{Source: probes.Ref{Subject: "queue/full"}, Header: []probes.Field{{Name: "a"}, {Name: "a"}}}, probes.ErrUsage, "twice"},
			{probes.Record{Source: probes.Ref{Subject: "queue/full"}, Header: []probes.Field{{Name: long}}}, probes.ErrUsage, "256 bytes"},
			{probes.Record{}, probes.ErrUsage, "no exchange or queue was named"},
		} {
			_, err := p.Publish(limit(t), c.rec)
			wantKind(t, err, c.kind)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		}
		// None of it has hurt the connection.
		b.queue(t, "good", nil)
		if _, err := p.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: "queue/good"}}); err != nil {
			t.Error(err)
		}
	}
}
