package tail

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
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

func even(r *probes.Record) (bool, error) { return (r.ID[len(r.ID)-1]-'0')%2 == 0, nil }

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
	if c := v.count(); c != (sums{shown: 50, hidden: 50}) {
		t.Fatal(c)
	}
	v.move(-1)
	v.setFilter(nil)
	if cur, _ := v.current(); cur.rec.ID != "96" {
		t.Fatalf("lifting the filter moved the cursor to %s", cur.rec.ID)
	}
}

// TestRemarksAreNotCounted: a gap and a notice are rows under every filter, and
// no records.
func TestRemarksAreNotCounted(t *testing.T) {
	ring := filled(t, 10)
	ring.Write(t.Context(), probes.Record{ID: "gap", Kind: probes.Gap})
	ring.Write(t.Context(), probes.Record{ID: "notice", Kind: probes.Notice})
	v := newView(ring)
	v.update()
	if got := v.count(); got != (sums{shown: 10}) {
		t.Errorf("%+v", got)
	}
	nothing := func(r *probes.Record) (bool, error) { return r.Kind == probes.Gap || r.Kind == probes.Notice, nil }
	v.setFilter(nothing)
	if got := v.count(); got != (sums{hidden: 10}) || got.String() != "0 of 10 match" {
		t.Errorf("%+v", got)
	}
	var top uint64
	if got := ids(v.rows(5, &top)); got != "gap notice" {
		t.Error(got)
	}
}

func TestFindGoesBothWays(t *testing.T) {
	v := newView(filled(t, 50))
	v.update()
	seven := func(r *probes.Record) (bool, error) { return bytes.HasSuffix(r.Body, []byte("7")), nil }
	for _, want := range []string{"47", "37"} {
		if !v.find(seven, v.cursor, false).hit {
			t.Fatal("not found")
		}
		if cur, _ := v.current(); cur.rec.ID != want {
			t.Fatalf("found %s, want %s", cur.rec.ID, want)
		}
	}
	if !v.find(seven, v.cursor, true).hit || v.cursor != 47 || v.find(seven, v.cursor, true).hit {
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
	c := v.count()
	if want := min(10, c.shown); uint64(len(rows)) != want {
		t.Fatalf("%d rows of %d", len(rows), c.shown)
	}
	held := len(rows) == 0
	for i, r := range rows {
		if i > 0 && r.seq <= rows[i-1].seq {
			t.Fatalf("rows out of order: %s", ids(rows))
		}
		if v.judge != nil {
			if ok, _ := v.judge(&r.rec); !ok {
				t.Fatalf("%s does not pass the filter", r.rec.ID)
			}
		}
		held = held || r.seq >= v.cursor
	}
	if !held {
		t.Fatalf("the cursor at %d is below the rows %s", v.cursor, ids(rows))
	}
}

// ticking is a clock that goes on by a millisecond whenever it is looked at.
func ticking() func() time.Time {
	at := time.Unix(0, 0)
	return func() time.Time {
		at = at.Add(time.Millisecond)
		return at
	}
}

// A filter over a full ring is worked through update by update, and what is still
// to be looked at is counted.
func TestAFilterIsWorkedThroughPieceByPiece(t *testing.T) {
	const n = 5000
	v := newView(filled(t, n))
	v.now = ticking()
	more, steps := v.setFilter(even), 1
	for c := v.count(); more; c = v.count() {
		if c.unscanned == 0 || c.shown+c.hidden+c.unscanned != n {
			t.Fatalf("after %d updates: %+v", steps, c)
		}
		before := c.unscanned
		more = v.update()
		if c = v.count(); c.unscanned >= before {
			t.Fatalf("update %d looked at nothing", steps)
		}
		steps++
	}
	if c := v.count(); c != (sums{shown: n / 2, hidden: n / 2}) || steps < 5 {
		t.Fatalf("%+v after %d updates", c, steps)
	}
}

func TestASearchGoesOn(t *testing.T) {
	v := newView(filled(t, 5000))
	v.update()
	v.now = ticking()
	last := func(r *probes.Record) (bool, error) { return r.ID == "7", nil }
	f := v.find(last, v.cursor, false)
	steps := 0
	for ; f.more; steps++ {
		if v.cursor == 7 {
			t.Fatal("found, and going on")
		}
		f = v.find(last, f.at, false)
	}
	if !f.hit || v.cursor != 7 || steps < 5 {
		t.Fatalf("%+v at %d after %d steps", f, v.cursor, steps)
	}
}

// What could not be judged for want of a schema is judged again when that has
// come, in its place among the others.
func TestTheUnjudgedAreJudgedAgain(t *testing.T) {
	v := newView(filled(t, 1000))
	come := false
	v.setFilter(func(r *probes.Record) (bool, error) {
		ok, _ := even(r)
		if !come && strings.HasSuffix(r.ID, "4") {
			return false, errors.New("the schema is being fetched")
		}
		return ok, nil
	})
	if c := v.count(); c != (sums{shown: 400, hidden: 600, unjudged: 100}) || v.why == nil {
		t.Fatalf("%+v, %v", c, v.why)
	}
	come = true
	v.now = ticking()
	v.reconsider()
	for v.update() {
		if c := v.count(); c.shown+c.hidden+c.unscanned != 1000 {
			t.Fatalf("%+v", c)
		}
	}
	if c := v.count(); c != (sums{shown: 500, hidden: 500}) || !slices.IsSorted(v.hits) {
		t.Fatalf("%+v", c)
	}
}

// BenchmarkScan looks through a ring by an expression about bodies of 300 bytes.
func BenchmarkScan(b *testing.B) {
	const n = 20_000
	ring := tap.NewRing(1 << 30)
	for i := range n {
		body := fmt.Appendf(nil, `{"orderId":"A-%d","status":"CREATED","amount":120.50,"note":%q}`, i, strings.Repeat("x", 230))
		ring.Write(b.Context(), probes.Record{ID: fmt.Sprint(i), Kind: probes.Message, Body: body})
	}
	f, err := filter.Compile(`body.amount > 120 && body.orderId endsWith "1"`)
	if err != nil {
		b.Fatal(err)
	}
	f = kit.Decoding(f, func(*probes.Record) inspectors.Env { return inspectors.Env{} })
	v := newView(ring)
	for b.Loop() {
		for more := v.setFilter(kit.Judging(b.Context(), f)); more; {
			more = v.update()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}
