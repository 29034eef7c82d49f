package tail

import (
	"slices"

	"iscope/probes"
	"iscope/probes/tap"
)

// view is a place in a ring: which records are on screen, which pass the filter,
// where the cursor is, and whether it moves on. It copies records only when
// asked for rows, and never blocks the ring for longer than one copy.
//
// Sequence numbers never change, so a paused view stays where it is while
// reading goes on; what the ring overwrites meanwhile is counted, not hidden.
type view struct {
	ring   *tap.Ring
	match  func(*probes.Record) bool // nil: everything passes
	follow bool                      // stay at the newest
	frozen uint64                    // paused: records from here on are not shown; 0 is not paused

	// hits are the sequences that pass the filter, scanned up to scanned. Without
	// a filter both are unused: every sequence is a hit.
	hits    []uint64
	scanned uint64

	seen   uint64 // end of the ring at the last update: the cursor and the rows agree on it
	cursor uint64 // sequence the cursor is on
	buf    []probes.Record
}

func newView(ring *tap.Ring) *view { return &view{ring: ring, follow: true} }

// scanBudget is how many records one update looks at, so that a filter over a
// full ring never stalls the keys. The rest is done at the next frame.
const scanBudget = 20_000

// update takes in what came since the last time. It reports whether there is
// more to scan.
func (v *view) update() (more bool) {
	s := v.ring.Stats()
	if v.match != nil {
		more = v.scan(s)
	}
	v.seen = s.Next
	first, end := v.bounds(s)
	total := v.total(first, end)
	switch {
	case total == 0:
		v.cursor = max(v.cursor, s.First)
	case v.follow:
		v.cursor = v.seq(total-1, first)
	default: // onto a record that is shown, the nearest after it if its own is not
		v.cursor = v.seq(min(v.index(v.cursor, first, end), total-1), first)
	}
	return more
}

func (v *view) bounds(s tap.RingStats) (first, end uint64) {
	end = min(s.Next, v.seen)
	if v.frozen > 0 {
		end = min(end, v.frozen)
	}
	return s.First, max(end, s.First)
}

func (v *view) scan(s tap.RingStats) (more bool) {
	drop, _ := slices.BinarySearch(v.hits, s.First)
	v.hits = v.hits[drop:]
	if v.buf == nil {
		v.buf = make([]probes.Record, 512)
	}
	v.scanned = max(v.scanned, s.First)
	for budget := scanBudget; v.scanned < s.Next; {
		if budget <= 0 {
			return true
		}
		first, n := v.ring.Window(v.scanned, v.buf)
		if n == 0 {
			return false
		}
		for i := range n {
			if v.match(&v.buf[i]) {
				v.hits = append(v.hits, first+uint64(i))
			}
		}
		v.scanned, budget = first+uint64(n), budget-n
	}
	clear(v.buf)
	return false
}

// setFilter shows only what matches; nil shows everything again. The cursor
// stays on its record.
func (v *view) setFilter(match func(*probes.Record) bool) {
	v.match, v.hits, v.scanned = match, nil, 0
	v.update()
}

// pause freezes the view at what is shown; reading goes on.
func (v *view) pause() {
	v.frozen = max(1, v.ring.Stats().Next)
	v.follow = false
}

// resume shows what came meanwhile and follows again.
func (v *view) resume() {
	v.frozen, v.follow = 0, true
	v.update()
}

func (v *view) paused() bool { return v.frozen > 0 }

// pending is how many records came since the pause, and how many of what was
// frozen has been overwritten.
func (v *view) pending() (fresh, gone uint64) {
	if v.frozen == 0 {
		return 0, 0
	}
	s := v.ring.Stats()
	if s.First > v.frozen {
		gone = s.First - v.frozen
	}
	return s.Next - min(s.Next, v.frozen), gone
}

// count is how many records can be shown, and how many the filter hides.
func (v *view) count() (shown, hidden uint64) {
	first, end := v.bounds(v.ring.Stats())
	all := end - first
	if v.match == nil {
		return all, 0
	}
	lo, _ := slices.BinarySearch(v.hits, first)
	hi, _ := slices.BinarySearch(v.hits, end)
	shown = uint64(hi - lo)
	return shown, min(v.scanned, end) - min(v.scanned, first) - shown
}

// row is one record on screen.
type row struct {
	seq uint64
	rec probes.Record
}

// rows returns the n rows around the cursor, the cursor's as far down as
// possible: a tail grows at the bottom.
func (v *view) rows(n int, top *uint64) []row {
	first, end := v.bounds(v.ring.Stats())
	seqs := v.window(n, first, end, top)
	out := make([]row, 0, len(seqs))
	for _, seq := range seqs {
		if rec, ok := v.ring.At(seq); ok {
			out = append(out, row{seq, rec})
		}
	}
	return out
}

// window picks the sequences to show. top is the first row shown last time and
// moves only as far as the cursor makes it.
func (v *view) window(n int, first, end uint64, top *uint64) []uint64 {
	at, total := v.index(v.cursor, first, end), v.total(first, end)
	start := v.index(*top, first, end)
	switch {
	case v.follow:
		start = total - n
	case at < start:
		start = at
	case at >= start+n:
		start = at - n + 1
	}
	start = max(0, min(start, total-n))
	out := make([]uint64, 0, n)
	for i := start; i < min(total, start+n); i++ {
		out = append(out, v.seq(i, first))
	}
	if len(out) > 0 {
		*top = out[0]
	}
	return out
}

// total, index and seq see the shown records as a list from 0.
func (v *view) total(first, end uint64) int {
	if v.match == nil {
		return int(end - first)
	}
	return v.index(end, first, end)
}

func (v *view) index(seq, first, end uint64) int {
	seq = max(first, min(seq, end))
	if v.match == nil {
		return int(seq - first)
	}
	lo, _ := slices.BinarySearch(v.hits, first)
	i, _ := slices.BinarySearch(v.hits, seq)
	return i - lo
}

func (v *view) seq(i int, first uint64) uint64 {
	if v.match == nil {
		return first + uint64(i)
	}
	lo, _ := slices.BinarySearch(v.hits, first)
	return v.hits[lo+i]
}

// move moves the cursor by rows. Moving up stops following; reaching the newest
// does not start it again by itself, because a burst would carry the cursor
// away from whoever is reading: F or G does.
func (v *view) move(delta int) {
	s := v.ring.Stats()
	first, end := v.bounds(s)
	total := v.total(first, end)
	if total == 0 {
		return
	}
	i := max(0, min(v.index(v.cursor, first, end)+delta, total-1))
	v.cursor = v.seq(i, first)
	v.follow = v.follow && delta >= 0 && !v.paused()
}

// latest moves to the newest and follows, unless paused.
func (v *view) latest() {
	v.move(1 << 31)
	v.follow = !v.paused()
}

// current returns the record under the cursor.
func (v *view) current() (row, bool) {
	rec, ok := v.ring.At(v.cursor)
	return row{v.cursor, rec}, ok && (v.match == nil || v.match(&rec))
}

// find moves to the next record that matches, in the given direction, and
// reports whether there is one.
func (v *view) find(match func(*probes.Record) bool, forward bool) bool {
	first, end := v.bounds(v.ring.Stats())
	total, step := v.total(first, end), 1
	if !forward {
		step = -1
	}
	for i := v.index(v.cursor, first, end) + step; i >= 0 && i < total; i += step {
		seq := v.seq(i, first)
		if rec, ok := v.ring.At(seq); ok && match(&rec) {
			v.cursor, v.follow = seq, false
			return true
		}
	}
	return false
}
