package rabbitmq

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

func peek(t *testing.T, p *probe, q probes.PeekQuery) (recs []probes.Record, err error) {
	t.Helper()
	for r, err := range p.Peek(limit(t), q) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, r)
	}
	return recs, nil
}

// TestPeekGivesBack: order, number and content stay; the mark of redelivery is
// what the ledger says.
func TestPeekGivesBack(t *testing.T) {
	b := newBed(t)
	for _, kind := range []string{queueClassic, queueQuorum} {
		q := b.queue(t, kind, amqp.Table{"x-queue-type": kind})
		b.publish(t, "", q, numbered(0, 20)...)
		ledger := &probes.Ledger{}
		recs, err := peek(t, b.open(t, nil), probes.PeekQuery{Subject: "queue/" + q, Limit: 5, Ledger: ledger})
		if err != nil {
			t.Fatal(err)
		}
		if got := bodies(recs); !slices.Equal(got, texts(numbered(0, 5))) {
			t.Errorf("%s: %q", kind, got)
		}
		if d := ledger.Deeds(); len(d) != 1 || d[0].Kind != probes.DeedChanged || !strings.Contains(d[0].What, "up to 5 messages") {
			t.Errorf("%s: %+v", kind, d)
		}
		var after []string
		for i, d := range b.drain(t, q) {
			after = append(after, string(d.Body))
			if d.Redelivered != (i < 5) {
				t.Errorf("%s: message %d redelivered: %v", kind, i, d.Redelivered)
			}
		}
		if !slices.Equal(after, texts(numbered(0, 20))) {
			t.Errorf("%s: afterwards %q", kind, after)
		}
	}
}

// TestPeekNeverDeadLetters looks again and again at a message of a queue with a
// delivery limit. It is refused in time, and the message is still there.
func TestPeekNeverDeadLetters(t *testing.T) {
	const bound = 3
	b := newBed(t)
	b.queue(t, "q", amqp.Table{"x-queue-type": queueQuorum, "x-delivery-limit": int32(bound)})
	// Its statistics must be known, or it is refused for that; those of a channel
	// that closes at once may never come.
	ch := b.channel(t)
	if err := ch.Publish("", "q", false, false, amqp.Publishing{Body: []byte("precious")}); err != nil {
		t.Fatal(err)
	}
	p := b.open(t, nil)
	wait(t, "statistics", func() bool {
		s := statistics(t, p)
		return s != nil
	})
	looks := 0
	for ; ; looks++ {
		recs, err := peek(t, p, probes.PeekQuery{Subject: "q"})
		if err != nil {
			wantKind(t, err, probes.ErrRefused)
			break
		}
		// The broker's count of redeliveries may have arrived or not: what the look
		// has seen of the message counts as well.
		if len(recs) == 0 || string(recs[0].Body) != "precious" {
			t.Fatalf("look %d: %v", looks, bodies(recs))
		}
	}
	if looks == 0 || looks > bound {
		t.Errorf("%d looks were allowed with a limit of %d", looks, bound)
	}
	if got := b.drain(t, "q"); len(got) != 1 {
		t.Errorf("%d messages are left", len(got))
	}
}

func statistics(t *testing.T, p *probe) *stats {
	t.Helper()
	var q queue
	if err := p.http.get(limit(t), p.vhostPath("queues", "q"), &q); err != nil {
		t.Fatal(err)
	}
	return q.Stats
}

func TestPeekRefuses(t *testing.T) {
	b := newBed(t)
	b.queue(t, "limited", amqp.Table{"x-queue-type": queueQuorum, "x-delivery-limit": int32(1)})
	b.queue(t, "stream", amqp.Table{"x-queue-type": queueStream})
	b.queue(t, "classic", nil)
	b.exchange(t, "x", "fanout", nil)
	for _, c := range []struct {
		subject string
		force   bool
		limit   int
		edit    func(*probes.Target)
		kind    error
	}{
		{"queue/limited", false, 0, nil, probes.ErrRefused},
		{"queue/limited", false, 0, amqpOnly, probes.ErrRefused},
		{"queue/limited", true, 0, nil, nil},
		{"queue/stream", true, 0, nil, probes.ErrUnsupported},
		{"queue/stream", false, 0, amqpOnly, probes.ErrUnsupported},
		{"queue/classic", false, 0, amqpOnly, nil},
		{"queue/nope", false, 0, nil, probes.ErrNotFound},
		{"exchange/x", false, 0, nil, probes.ErrUsage},
		{"queue/classic", false, 5000, nil, probes.ErrUsage},
	} {
		recs, err := peek(t, b.open(t, c.edit), probes.PeekQuery{Subject: c.subject, Force: c.force, Limit: c.limit})
		if c.kind == nil && (err != nil || len(recs) != 0) {
			t.Errorf("%s: %v %v", c.subject, recs, err)
		}
		if c.kind != nil {
			wantKind(t, err, c.kind)
		}
	}
	own, err := b.channel(t).QueueDeclare("mine", false, false, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = peek(t, b.open(t, nil), probes.PeekQuery{Subject: "queue/" + own.Name})
	wantKind(t, err, probes.ErrDenied)
}

func TestLargePeek(t *testing.T) {
	b := newBed(t)
	b.queue(t, "q", nil)
	b.publish(t, "", "q", numbered(0, 300)...)
	recs, err := peek(t, b.open(t, nil), probes.PeekQuery{Subject: "q", Limit: 1000, MaxBody: 1})
	if err != nil || len(recs) != 300 || recs[299].Cut != 2 {
		t.Errorf("%d records, %v", len(recs), err)
	}
	if got := b.drain(t, "q"); len(got) != 300 || fmt.Sprint(string(got[299].Body)) != "299" {
		t.Errorf("%d messages are left", len(got))
	}
}

// TestPeekBesideConsumer looks again and again while an application consumes: it
// gets every message, and acknowledges each once.
func TestPeekBesideConsumer(t *testing.T) {
	b := newBed(t)
	for _, kind := range []string{queueClassic, queueQuorum} {
		q := b.queue(t, kind, amqp.Table{"x-queue-type": kind})
		before := b.left(t)
		p := b.open(t, nil)
		const n = 400
		b.publish(t, "", q, numbered(0, n/2)...)
		if _, err := peek(t, p, probes.PeekQuery{Subject: "queue/" + q, Limit: n}); err != nil {
			t.Fatal(err)
		}
		app := b.consume(t, q, nil)
		b.publish(t, "", q, numbered(n/2, n)...)
		got := map[string]int{}
		for ctx := limit(t); len(got) < n; {
			select {
			case d := <-app.msgs:
				got[string(d.Body)]++
				if err := d.Ack(false); err != nil {
					t.Fatal(err)
				}
				if len(got)%100 != 0 {
					continue
				}
				if _, err := peek(t, p, probes.PeekQuery{Subject: "queue/" + q, Limit: 20}); err != nil {
					t.Fatal(err)
				}
			case <-ctx.Done():
				t.Fatalf("%s: %d of %d messages came", kind, len(got), n)
			}
		}
		for body, times := range got {
			if times != 1 {
				t.Errorf("%s: %s came %d times", kind, body, times)
			}
		}
		if d := gocmp.Diff(before, b.left(t)); d != "" {
			t.Errorf("%s: left behind (-before +after):\n%s", kind, d)
		}
	}
}

// TestPeekKilled kills a look with SIGKILL while it holds messages: they go back
// with its connection.
func TestPeekKilled(t *testing.T) {
	b := newBed(t)
	for _, kind := range []string{queueClassic, queueQuorum} {
		q := b.queue(t, kind, amqp.Table{"x-queue-type": kind})
		const n = 500
		b.publish(t, "", q, numbered(0, n)...)
		before := b.left(t)
		for range 5 {
			kid := b.child(t, "queue/"+q, n)
			kid.until("deed changed")
			kid.kill()
		}
		var after []string
		wait(t, "the messages", func() bool {
			for _, d := range b.drain(t, q) {
				after = append(after, string(d.Body))
			}
			return len(after) >= n
		})
		slices.SortFunc(after, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
		if d := gocmp.Diff(texts(numbered(0, n)), after); d != "" {
			t.Errorf("%s: %s", kind, d)
		}
		if d := gocmp.Diff(before, b.left(t)); d != "" {
			t.Errorf("%s: left behind (-before +after):\n%s", kind, d)
		}
	}
}
