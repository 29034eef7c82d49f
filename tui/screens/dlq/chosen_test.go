package dlq

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"iscope/probes"
)

// message is one of few that there are, so that many are equal or nearly so. A
// look leaves its number on it.
func message(kind, header, looks int) probes.Record {
	r := probes.Record{ID: fmt.Sprint(looks), Body: fmt.Append(nil, kind), Header: []probes.Field{{Name: "tenant", Value: fmt.Append(nil, header)}},
		Attrs: []probes.Attr{{Name: probes.AttrDeadReason, Value: "rejected"}, {Name: probes.AttrDeadCount, Value: fmt.Sprint(looks)}}}
	if looks > 0 {
		r.Header = append(r.Header, probes.Field{Name: "x-delivery-count", Value: fmt.Append(nil, looks)})
	}
	return r
}

// What is marked is found again, as often as it was marked, and nothing that was
// not marked is taken for it: neither when nothing changed, nor when the look left
// a trace, nor when messages have gone or come meanwhile.
func TestChosenAreTheMarked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := rapid.Bool().Draw(t, "trace")
		n := rapid.IntRange(0, 12).Draw(t, "n")
		c := newChosen()
		type one struct{ kind, header int }
		all, marked, unmarked := make([]one, n), map[one]int{}, map[one]int{}
		shownOfKind, markedOfKind := map[int]int{}, map[int]int{}
		total := 0
		for i := range all {
			m := one{rapid.IntRange(0, 2).Draw(t, "kind"), rapid.IntRange(0, 1).Draw(t, "header")}
			all[i] = m
			on := rapid.Bool().Draw(t, "marked")
			r := message(m.kind, m.header, 0)
			c.add(&r, on)
			shownOfKind[m.kind]++
			if on {
				marked[m]++
				markedOfKind[m.kind]++
				total++
			} else {
				unmarked[m]++
			}
		}
		looks := 0
		if trace {
			looks = 1
		}
		got, sent := map[one]int{}, 0
		for _, m := range all {
			if r := message(m.kind, m.header, looks); c.Select(&r) {
				got[m]++
				sent++
			}
		}
		for m, k := range got {
			if k > marked[m] {
				t.Fatalf("%v was marked %d times and is sent %d times", m, marked[m], k)
			}
		}
		for m, k := range marked {
			// With a trace, what only headers tell apart cannot be told apart.
			if clear := !trace || markedOfKind[m.kind] == shownOfKind[m.kind]; clear && got[m] != k {
				t.Fatalf("%v was marked %d times and is sent %d times", m, k, got[m])
			}
		}
		if c.missing() != total-sent {
			t.Fatalf("%d missing of %d, %d sent", c.missing(), total, sent)
		}
		if r := message(9, 9, looks); c.Select(&r) {
			t.Fatal("one that was never shown is sent")
		}
	})
}
