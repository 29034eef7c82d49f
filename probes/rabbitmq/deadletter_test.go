package rabbitmq

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
	"iscope/probes/probetest"
)

// dead makes a queue "orders" behind an exchange "x", whose rejected messages go
// to "orders.dlq", and rejects these bodies.
func (b *bed) dead(t *testing.T, bodies ...[]byte) {
	t.Helper()
	b.exchange(t, "x", "topic", nil)
	b.exchange(t, "dlx", "topic", nil)
	b.queue(t, "orders", amqp.Table{"x-dead-letter-exchange": "dlx"})
	b.queue(t, "audit", nil)
	b.queue(t, "orders.dlq", nil)
	b.bind(t, "orders", "order.#", "x")
	b.bind(t, "audit", "#", "x")
	b.bind(t, "orders.dlq", "#", "dlx")
	var msgs []amqp.Publishing
	for _, body := range bodies {
		msgs = append(msgs, amqp.Publishing{Body: body, Headers: amqp.Table{"tenant": "acme"}, MessageId: "m-" + string(body)})
	}
	b.send(t, "x", "order.new", msgs...)
	b.die(t, len(bodies))
}

// die rejects the next n messages of "orders".
func (b *bed) die(t *testing.T, n int) {
	t.Helper()
	ch := b.channel(t)
	defer ch.Close()
	for range n {
		d, ok, err := ch.Get("orders", false)
		if err != nil || !ok {
			t.Fatalf("%v %v", ok, err)
		}
		if err := d.Reject(false); err != nil {
			t.Fatal(err)
		}
	}
	wait(t, "the dead letters", func() bool { return b.depth(t, "orders.dlq") >= n })
}

func (b *bed) depth(t testing.TB, queue string) int {
	t.Helper()
	ch := b.channel(t)
	defer ch.Close()
	q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}

func TestDeadLetters(t *testing.T) {
	b := newBed(t)
	b.dead(t, numbered(0, 3)...)
	// By policy, straight to one queue, and by name only.
	b.queue(t, "parking", nil)
	b.queue(t, "payments.v1", nil)
	b.queue(t, "old_dlq", nil)
	b.queue(t, "deadline", nil) // only sounds like one
	b.api(t, "PUT", "/api/policies/"+b.vhost+"/p", map[string]any{"pattern": `^payments\.`, "apply-to": "queues",
		"definition": map[string]any{"dead-letter-exchange": "", "dead-letter-routing-key": "parking"}}, nil)
	want := []probes.DeadLetter{
		{Subject: "queue/old_dlq", Because: "named like one"},
		{Subject: "queue/orders.dlq", Origins: []string{"queue/orders"}, Count: 3, Because: "dead-letter exchange of queue orders"},
		{Subject: "queue/parking", Origins: []string{"queue/payments.v1"}, Because: "dead-letter exchange of queue payments.v1"},
	}
	p := b.open(t, nil)
	var got []probes.DeadLetter
	// What has just died is counted at once, whatever the statistics say.
	got, err := p.DeadLetters(limit(t))
	if i := slices.IndexFunc(got, func(d probes.DeadLetter) bool { return d.Subject == "queue/orders.dlq" }); err != nil || i < 0 || got[i].Count != 3 {
		t.Errorf("%v, %+v", err, got)
	}
	// Policies come with the statistics.
	wait(t, "statistics", func() bool {
		var err error
		if got, err = p.DeadLetters(limit(t)); err != nil {
			t.Fatal(err)
		}
		return cmp.Equal(want, got)
	})
	_, err = b.open(t, amqpOnly).DeadLetters(limit(t))
	wantKind(t, err, probes.ErrUnsupported)
}

func TestShowDead(t *testing.T) {
	b := newBed(t)
	b.dead(t, numbered(0, 3)...)
	n := 0
	for r, err := range b.open(t, nil).ShowDead(limit(t), probes.PeekQuery{Subject: "queue/orders.dlq"}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		for name, want := range map[string]string{probes.AttrDeadReason: "rejected", probes.AttrDeadOrigin: "queue/orders", probes.AttrDeadCount: "1"} {
			if got, _ := r.Attr(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if _, ok := r.Attr(probes.AttrDeadTime); !ok {
			t.Error("no time of death")
		}
	}
	if n != 3 || b.depth(t, "orders.dlq") != 3 {
		t.Errorf("%d shown, %d left", n, b.depth(t, "orders.dlq"))
	}
}

func sendBack(t *testing.T, p *probe, q probes.RedriveQuery) (recs []probes.Record, err error) {
	t.Helper()
	for r, err := range p.Redrive(limit(t), q) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, r)
	}
	return recs, nil
}

// TestRedrive sends chosen dead letters back to the queue they died in, and to
// that one only; the others stay as they were.
func TestRedrive(t *testing.T) {
	b := newBed(t)
	b.dead(t, numbered(0, 6)...)
	b.drain(t, "audit")
	ledger := &probes.Ledger{}
	even := func(r *probes.Record) bool { return strings.Contains("024", string(r.Body)) }
	recs, err := sendBack(t, b.open(t, nil), probes.RedriveQuery{Subject: "queue/orders.dlq", Select: even, Ledger: ledger})
	if err != nil {
		t.Fatal(err)
	}
	if got := bodies(recs); !slices.Equal(got, []string{"0", "2", "4"}) {
		t.Errorf("redrove %q", got)
	}
	for _, r := range recs {
		if mark, _ := r.HeaderValue(probes.HeaderRedriven); string(mark) != "1 from orders.dlq" || r.Source.Subject != "queue/orders" || r.Err != "" {
			t.Errorf("%+v", r)
		}
	}
	var left []string
	for _, d := range b.drain(t, "orders.dlq") {
		left = append(left, string(d.Body))
	}
	if !slices.Equal(left, []string{"1", "3", "5"}) {
		t.Errorf("left are %q", left)
	}
	back := b.drain(t, "orders")
	if len(back) != 3 || b.depth(t, "audit") != 0 {
		t.Fatalf("%d came back, %d to others", len(back), b.depth(t, "audit"))
	}
	want := amqp.Table{"tenant": "acme", probes.HeaderRedriven: "1 from orders.dlq", headerFirstKey: "order.new"}
	if d := cmp.Diff(want, back[0].Headers); d != "" || back[0].MessageId != "m-0" {
		t.Errorf("%s\n%+v", d, back[0])
	}
	if len(ledger.Deeds()) != 1 {
		t.Errorf("%+v", ledger.Deeds())
	}
}

// TestRedriveCounts dies and is redriven twice, the second time elsewhere, with
// a limit.
func TestRedriveCounts(t *testing.T) {
	b := newBed(t)
	b.dead(t, numbered(0, 2)...)
	p := b.open(t, amqpOnly)
	if recs, err := sendBack(t, p, probes.RedriveQuery{Subject: "orders.dlq"}); err != nil || len(recs) != 2 {
		t.Fatalf("%v %v", recs, err)
	}
	b.die(t, 2)
	b.drain(t, "audit")
	recs, err := sendBack(t, p, probes.RedriveQuery{Subject: "orders.dlq", To: "exchange/x", Limit: 1})
	if err != nil || len(recs) != 1 {
		t.Fatalf("%v %v", recs, err)
	}
	got := b.drain(t, "audit")
	if len(got) != 1 || got[0].RoutingKey != "order.new" || got[0].Headers[probes.HeaderRedriven] != "2 from orders.dlq" {
		t.Errorf("%+v", got)
	}
	if n := b.depth(t, "orders.dlq"); n != 1 {
		t.Errorf("%d are left", n)
	}
}

// TestRedriveFails: what cannot be sent stays.
func TestRedriveFails(t *testing.T) {
	b := newBed(t)
	b.dead(t, numbered(0, 2)...)
	b.publish(t, "", "orders.dlq", []byte("no dead letter"))
	if _, err := b.channel(t).QueueDelete("orders", false, false, false); err != nil {
		t.Fatal(err)
	}
	p := b.open(t, nil)
	recs, err := sendBack(t, p, probes.RedriveQuery{Subject: "orders.dlq"})
	if err != nil || len(recs) != 3 {
		t.Fatalf("%v %v", recs, err)
	}
	for _, r := range recs {
		if r.Err == "" || r.Source.Subject != "orders.dlq" {
			t.Errorf("%+v", r)
		}
	}
	if n := b.depth(t, "orders.dlq"); n != 3 {
		t.Errorf("%d are left", n)
	}
	for subject, kind := range map[string]error{"queue/nope": probes.ErrNotFound, "exchange/nope": probes.ErrNotFound, "queue/orders.dlq": probes.ErrUsage} {
		recs, err := sendBack(t, p, probes.RedriveQuery{Subject: "orders.dlq", To: subject})
		if err == nil && len(recs) > 0 && recs[0].Err != "" && kind == probes.ErrNotFound {
			continue
		}
		wantKind(t, err, kind)
	}
	if n := b.depth(t, "orders.dlq"); n != 3 {
		t.Errorf("%d are left", n)
	}
}

// TestRedriveLosesNothing cuts the wire in the middle, again and again: each
// message is in one of the queues, or in both.
func TestRedriveLosesNothing(t *testing.T) {
	const n = 200
	b := newBed(t)
	b.dead(t, numbered(0, n)...)
	relay := probetest.NewRelay(t, "127.0.0.1:0", b.addresses["amqp"])
	p := b.open(t, func(t *probes.Target) { t.Address = relay.Addr })
	for sent, cuts := 0, 0; ; {
		var failed error
		for r, err := range p.Redrive(limit(t), probes.RedriveQuery{Subject: "orders.dlq"}) {
			if err != nil {
				failed = err
				break
			}
			if r.Err != "" {
				t.Fatal(r.Err)
			}
			if sent++; sent%50 == 25 {
				cuts++
				relay.CutAfter(int64(100 + 37*cuts))
			}
		}
		if failed == nil {
			if cuts == 0 {
				t.Error("the wire was never cut")
			}
			break
		}
		wantKind(t, failed, probes.ErrUnreachable)
	}
	seen := map[string]bool{}
	for _, queue := range []string{"orders", "orders.dlq"} {
		wait(t, "what the broker takes back", func() bool { return queue == "orders" || b.depth(t, queue) == 0 })
		for _, d := range b.drain(t, queue) {
			seen[string(d.Body)] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d messages are left", len(seen), n)
	}
}

// Reading them means receiving them, which a read-only environment forbids.
func TestDeadLettersOfAReadOnlyEnvironment(t *testing.T) {
	b := newBed(t)
	b.dead(t, []byte("one"))
	p := b.open(t, func(target *probes.Target) { target.Environment.Write = false })
	for _, err := range p.ShowDead(t.Context(), probes.PeekQuery{Subject: "queue/orders.dlq"}) {
		if !errors.Is(err, probes.ErrRefused) || probes.HintOf(err) == "" {
			t.Errorf("%v", err)
		}
	}
}
