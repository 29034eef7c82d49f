package aws

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/probetest"
)

func publishTo(t *testing.T, conn *probes.Conn, r probes.Record) (probes.Record, error) {
	t.Helper()
	p, err := conn.Publisher()
	must(t, 0, err)
	return p.Publish(within(t), r)
}

// published publishes again where moto hung up (see resumed), so a copy may come
// as well.
func published(t *testing.T, conn *probes.Conn, r probes.Record) probes.Record {
	t.Helper()
	sent, err := publishTo(t, conn, r)
	for ctx := within(t); err != nil && probes.Transient(err) && ctx.Err() == nil; {
		t.Log(err)
		sent, err = publishTo(t, conn, r)
	}
	return must(t, sent, err)
}

// received waits for the message with an ID; what else comes is hidden.
func (b *bed) received(t *testing.T, url, id string) types.Message {
	t.Helper()
	for ctx := within(t); ctx.Err() == nil; {
		for _, m := range b.receive(t, url, 1, time.Minute) {
			if *m.MessageId == id {
				return m
			}
		}
	}
	t.Fatalf("%s never came", id)
	return types.Message{}
}

func TestPublishToQueue(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, ordered := unique(t, ""), unique(t, fifoSuffix)
		url, orderedURL := b.queue(t, name, nil), b.queue(t, ordered, nil)
		conn := b.open(t, "sqs", nil)
		header := []probes.Field{{Name: "a.b", Value: []byte("ü\t1")}, {Name: "raw", Value: []byte{0, 0xff}}}
		sent := published(t, conn, probes.Record{Source: probes.Ref{Subject: name}, Body: []byte("{\"n\":1.10}\n\U0001F600"), Header: header})
		got := b.received(t, url, sent.ID)
		if *got.Body != string(sent.Body) || sent.Source != (probes.Ref{Target: "sqs-test", Subject: name}) {
			t.Errorf("sent %+v, got %q", sent, *got.Body)
		}
		if d := cmp.Diff(header, messageRecord(&got, probes.Ref{}, 0).Header); d != "" {
			t.Error(d)
		}
		// The same again, to a FIFO queue, is not taken for a repetition.
		for range 2 {
			published(t, conn, probes.Record{Source: probes.Ref{Subject: ordered}, Key: []byte("g1"), Body: []byte("same")})
		}
		ctx := within(t)
		for n := 0; n < 2; {
			for _, m := range b.receive(t, orderedURL, 10, time.Second) {
				n++
				if m.Attributes["MessageGroupId"] != "g1" {
					t.Errorf("%v", m.Attributes)
				}
				must(t, 0, b.delete(ctx, orderedURL, m))
			}
			if ctx.Err() != nil {
				t.Fatal("both should be there")
			}
		}
		explicit := published(t, conn, probes.Record{Source: probes.Ref{Subject: ordered}, Body: []byte("x"), Header: []probes.Field{
			{Name: headerGroup, Value: []byte("g2")}, {Name: headerDedup, Value: []byte("d2")}}})
		m := b.received(t, orderedURL, explicit.ID)
		if m.Attributes["MessageGroupId"] != "g2" || m.Attributes["MessageDeduplicationId"] != "d2" || len(m.MessageAttributes) != 0 {
			t.Errorf("%+v as %v %v", explicit, m.Attributes, m.MessageAttributes)
		}
	})
}

// TestReplayKeepsTypes publishes what was captured: Number stays Number.
func TestReplayKeepsTypes(t *testing.T) {
	b := newBed(t, "aws")
	name := unique(t, "")
	url := b.queue(t, name, nil)
	r := probes.Record{Source: probes.Ref{Subject: name}, Body: []byte("b"), Header: []probes.Field{{Name: "n", Value: []byte("1.50")}, {Name: "Subject", Value: []byte("mine")}},
		Native: (&native{Types: map[string]string{"n": "Number.float"}}).encode()}
	published(t, b.open(t, "sqs", nil), r)
	m := b.receive(t, url, 1, 0)[0]
	if *m.MessageAttributes["n"].DataType != "Number.float" || *m.MessageAttributes["Subject"].StringValue != "mine" {
		t.Errorf("%+v", m.MessageAttributes)
	}
	again := messageRecord(&m, r.Source, 0)
	if d := cmp.Diff(r.Native, again.Native); d != "" {
		t.Error(d)
	}
}

func TestPublishRefusesBadMessages(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, ordered := unique(t, ""), unique(t, fifoSuffix)
		url := b.queue(t, name, map[string]string{"MaximumMessageSize": "1024"})
		b.queue(t, ordered, nil)
		conn := b.open(t, "sqs", nil)
		var many []probes.Field
		for range 11 {
			many = append(many, probes.Field{Name: "h" + randomID(3), Value: []byte("v")})
		}
		field := func(name, value string) []probes.Field { return []probes.Field{{Name: name, Value: []byte(value)}} }
		body := []byte("b")
		for want, r := range map[string]probes.Record{
			"no empty message":      {},
			"byte at 2":             {Body: []byte("ab\x00")},
			"byte at 1":             {Body: []byte("a\xff")},
			"11 headers":            {Body: body, Header: many},
			"comes twice":           {Body: body, Header: append(field("a", "1"), field("a", "2")...)},
			"is empty":              {Body: body, Header: field("a", "")},
			"cannot name":           {Body: body, Header: field("a b", "1")},
			"only FIFO":             {Body: body, Header: field(headerDedup, "1")},
			"name two groups":       {Body: body, Key: []byte("k"), Header: field(headerGroup, "j")},
			"needs a message group": {Body: body, Source: probes.Ref{Subject: ordered}},
		} {
			if r.Source.Subject == "" {
				r.Source.Subject = name
			}
			_, err := publishTo(t, conn, r)
			if !errors.Is(err, probes.ErrUsage) || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q: %v; hint %q", want, err, probes.HintOf(err))
			}
		}
		// ElasticMQ does not hold to the queue's own limit.
		_, err := publishTo(t, conn, probes.Record{Source: probes.Ref{Subject: name}, Body: []byte(strings.Repeat("x", 1025))})
		if b.Addresses["http"] == probetest.Lookup("aws").Addresses["http"] && (!errors.Is(err, probes.ErrUsage) || !strings.Contains(probes.HintOf(err), "has 1025 bytes")) {
			t.Errorf("%v; hint %q", err, probes.HintOf(err))
		}
		_, err = publishTo(t, conn, probes.Record{Source: probes.Ref{Subject: name + "x"}, Body: body})
		if !errors.Is(err, probes.ErrNotFound) || !strings.Contains(probes.HintOf(err), name) {
			t.Errorf("%v; hint %q", err, probes.HintOf(err))
		}
		for _, m := range b.receive(t, url, 10, 0) {
			if len(*m.Body) < 1025 {
				t.Errorf("%q was sent", *m.Body)
			}
		}
	})
}

func TestPublishToTopic(t *testing.T) {
	b := newBed(t, "aws")
	name, ordered := unique(t, ""), unique(t, fifoSuffix)
	url, orderedURL := b.queue(t, unique(t, ""), nil), b.queue(t, unique(t, fifoSuffix), nil)
	b.subscribe(t, b.topic(t, name), url, nil)
	b.subscribe(t, b.topic(t, ordered), orderedURL, nil)
	conn := b.open(t, "sns", nil)
	r := probes.Record{Source: probes.Ref{Subject: name}, Body: []byte("body"), Header: []probes.Field{{Name: "Subject", Value: []byte("s")}, {Name: "raw", Value: []byte{0}}}}
	sent := published(t, conn, r)
	m := b.receive(t, url, 1, 0)[0]
	got := notification(&m, sent.Source, 0)
	if subject, _ := got.Attr(attrSubject); got.ID != sent.ID || string(got.Body) != "body" || subject != "s" || len(got.Header) != 1 || string(got.Header[0].Value) != "\x00" {
		t.Errorf("%+v", got)
	}
	// What was captured is published as it was.
	again := published(t, conn, got)
	m = b.receive(t, url, 10, 0)[0]
	if s, _ := again.Attr(attrSubject); s != "s" {
		t.Errorf("%+v", again)
	}
	published(t, conn, probes.Record{Source: probes.Ref{Subject: ordered}, Key: []byte("g"), Body: []byte("b")})
	if m := b.receive(t, orderedURL, 1, 0); len(m) != 1 || m[0].Attributes["MessageGroupId"] != "g" {
		t.Errorf("%+v", m)
	}
	_, err := publishTo(t, conn, probes.Record{Source: probes.Ref{Subject: name + "x"}, Body: []byte("b")})
	if !errors.Is(err, probes.ErrNotFound) || !strings.Contains(probes.HintOf(err), name) {
		t.Errorf("%v; hint %q", err, probes.HintOf(err))
	}
}
