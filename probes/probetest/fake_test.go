package probetest_test

import (
	"fmt"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

// The fake has no address to be absent from, so it is held to the parts of the
// suite that need none.
func TestFakeKeepsTheContract(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 3)
	n := 0
	conn := f.Conn(probes.Environment{Write: true})
	s := probetest.Suite{Driver: conn.Driver, Target: conn.Target}
	s.RunParts(t, probetest.Suite{
		Tail: &probetest.TailCase{Subject: "orders", Unknown: "nope", Produce: func(_ *testing.T, k int) (bodies [][]byte) {
			for range k {
				n++
				b := fmt.Appendf(nil, `{"p":%d}`, n)
				f.Append("orders", probes.Record{Body: b})
				bodies = append(bodies, b)
			}
			return bodies
		}},
		Publish: &probetest.PublishCase{Subject: "orders", Unknown: "nope"},
	})
}

// What a message is called and what the broker notes on it change between two
// looks, as with RabbitMQ; a redrive moves what was chosen and nothing else.
func TestFakeRedrives(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 1)
	for _, id := range []string{"a", "b", "c"} {
		f.Append("dead", probes.Record{Body: []byte(id), Attrs: []probes.Attr{{Name: probes.AttrDeadOrigin, Value: "orders"}}})
	}
	f.Behave("dead", probetest.Manner{Dead: &probes.DeadLetter{Because: "named like one"}})
	var ledger probes.Ledger
	for range 2 {
		for r, err := range f.ShowDead(t.Context(), probes.PeekQuery{Subject: "dead", Ledger: &ledger}) {
			if err != nil {
				t.Fatal(err)
			}
			_, looked := r.HeaderValue("x-delivery-count")
			if want := len(ledger.Deeds()) > 1; looked != want {
				t.Fatalf("look %d of %s: %v", len(ledger.Deeds()), r.Body, r.Header)
			}
		}
	}
	for r, err := range f.Redrive(t.Context(), probes.RedriveQuery{Subject: "dead", Select: func(r *probes.Record) bool { return string(r.Body) == "b" }}) {
		if err != nil || r.Source.Subject != "orders" {
			t.Fatal(r, err)
		}
	}
	if all, err := f.DeadLetters(t.Context()); err != nil || len(all) != 1 || all[0].Count != 2 {
		t.Fatal(all, err)
	}
	if log := f.Log("orders"); len(log) != 2 || string(log[1].Body) != "b" {
		t.Fatal(log)
	}
}
