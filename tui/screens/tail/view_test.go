package tail

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"iscope/probes"
	"iscope/probes/tap"
)

func filled(t testing.TB, n int) *tap.Ring {
	ring := tap.NewRing(1 << 30)
	for i := range n {
		ring.Write(t.Context(), probes.Record{ID: fmt.Sprint(i), Body: fmt.Appendf(nil, "body %d", i)})
	}
	return ring
}

func ids(rows []row) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.rec.ID)
	}
	return strings.Join(out, " ")
}

func even(r *probes.Record) bool { return (r.ID[len(r.ID)-1]-'0')%2 == 0 }

func TestFollowingShowsTheNewest(t *testing.T) {
	ring := filled(t, 10)
	v := newView(ring)
	var top uint64
	v.update()
	if got := ids(v.rows(3, &top)); got != "7 8 9" {
		t.Fatal(got)
	}
	ring.Write(t.Context(), probes.Record{ID: "10"})
	v.update()
	if got := ids(v.rows(3, &top)); got != "8 9 10" {
		t.Fatal(got)
	}
}

func TestPausedStaysAndCountsWhatComes(t *testing.T) {
	ring := filled(t, 10)
	v := newView(ring)
	var top uint64
	v.update()
	v.rows(3, &top)
	v.pause()
	for i := range 5 {
		ring.Write(t.Context(), probes.Record{ID: fmt.Sprint(10 + i)})
	}
	v.update()
	if got := ids(v.rows(3, &top)); got != "7 8 9" {
		t.Fatal(got)
	}
	if fresh, gone := v.pending(); fresh != 5 || gone != 0 {
		t.Fatal(fresh, gone)
	}
	v.resume()
	if got := ids(v.rows(3, &top)); got != "12 13 14" {
		t.Fatal(got)
	}
}

func TestMovingUpStopsFollowing(t *testing.T) {
	ring := filled(t, 10)
	v := newView(ring)
	var top uint64
	v.update()
	v.rows(3, &top)
	v.move(-1)
	ring.Write(t.Context(), probes.Record{ID: "10"})
	v.update()
	if cur, _ := v.current(); cur.rec.ID != "8" || ids(v.rows(3, &top)) != "7 8 9" {
		t.Fatalf("cursor on %s, rows %s", cur.rec.ID, ids(v.rows(3, &top)))
	}
	v.latest()
	v.update()
	if got := ids(v.rows(3, &top)); got != "8 9 10" {
		t.Fatal(got)
	}
}

func TestFilterHidesAndCounts(t *testing.T) {
	v := newView(filled(t, 100))
	v.setFilter(even)
	var top uint64
	if got := ids(v.rows(3, &top)); got != "94 96 98" {
		t.Fatal(got)
	}
	if shown, hidden := v.count(); shown != 50 || hidden != 50 {
		t.Fatal(shown, hidden)
	}
	v.move(-1)
	v.setFilter(nil)
	if cur, _ := v.current(); cur.rec.ID != "96" {
		t.Fatalf("lifting the filter moved the cursor to %s", cur.rec.ID)
	}
}

func TestFindGoesBothWays(t *testing.T) {
	v := newView(filled(t, 50))
	v.update()
	seven := func(r *probes.Record) bool { return bytes.HasSuffix(r.Body, []byte("7")) }
	for _, want := range []string{"47", "37"} {
		if !v.find(seven, false) {
			t.Fatal("not found")
		}
		if cur, _ := v.current(); cur.rec.ID != want {
			t.Fatalf("found %s, want %s", cur.rec.ID, want)
		}
	}
	if !v.find(seven, true) || v.cursor != 47 || v.find(seven, true) {
		t.Fatal("forward")
	}
}

// Whatever is done, the rows are in order, within bounds, pass the filter and
// hold the cursor.
func TestViewInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ring := tap.NewRing(rapid.IntRange(400, 40_000).Draw(t, "bytes"))
		v := newView(ring)
		var top uint64
		n := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0, 1, 2:
				for range rapid.IntRange(0, 40).Draw(t, "burst") {
					ring.Write(t.Context(), probes.Record{ID: fmt.Sprint(n)})
					n++
				}
			case 3:
				v.move(rapid.IntRange(-30, 30).Draw(t, "delta"))
			case 4:
				v.pause()
			case 5:
				v.resume()
			case 6:
				v.setFilter(even)
			case 7:
				v.setFilter(nil)
			case 8:
				v.latest()
			}
			v.update()
			check(t, v, v.rows(10, &top))
		}
	})
}

func check(t *rapid.T, v *view, rows []row) {
	shown, _ := v.count()
	if want := min(10, shown); uint64(len(rows)) != want {
		t.Fatalf("%d rows of %d", len(rows), shown)
	}
	held := len(rows) == 0
	for i, r := range rows {
		if i > 0 && r.seq <= rows[i-1].seq {
			t.Fatalf("rows out of order: %s", ids(rows))
		}
		if v.match != nil && !v.match(&r.rec) {
			t.Fatalf("%s does not pass the filter", r.rec.ID)
		}
		held = held || r.seq >= v.cursor
	}
	if !held {
		t.Fatalf("the cursor at %d is below the rows %s", v.cursor, ids(rows))
	}
}
