package tail

import (
	"slices"
	"time"

	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
)

// view is a place in a ring: which records are on screen, which pass the filter,
// where the cursor is, and whether it moves on. It copies records only when
// asked for rows, and never blocks the ring for longer than one copy.
//
// Sequence numbers never change, so a paused view stays where it is while
// reading goes on; what the ring overwrites meanwhile is counted, not hidden.
type view struct {
	ring   *tap.Ring
	judge  kit.Judge // nil: everything passes
	follow bool      // stay at the newest
	frozen uint64    // paused: records from here on are not shown; 0 is not paused

	// hits are the sequences that pass the filter, scanned up to scanned, and
	// unjudged those of which it could not be said; redo are those of them that are
	// to be judged again. Without a filter all are unused: every sequence is a hit.
	hits, unjudged, redo []uint64
	scanned              uint64
	why                  error // the first could not be judged

	seen   uint64 // end of the ring at the last update: the cursor and the rows agree on it
	cursor uint64 // sequence the cursor is on
	buf    []probes.Record
	now    func() time.Time // for the budget
}

func newView(ring *tap.Ring) *view { return &view{ring: ring, follow: true, now: time.Now} }

// scanBudget is how long one update looks at records, so that a filter over a full
// ring, or one that is dear, never stalls the keys. The rest is done at the next
// frame. After so many records the time is looked at.
const (
	scanBudget = 20 * time.Millisecond
	scanStep   = 16
)

// update takes in what came since the last time. It reports whether there is
// more to scan.
func (v *view) update() (more bool) {
	s := v.ring.Stats()
	if v.judge != nil {
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
	case v.judge != nil && v.cursor >= v.scanned: // not looked at yet: it may stay
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
	for _, list := range []*[]uint64{&v.hits, &v.unjudged, &v.redo} {
		drop, _ := slices.BinarySearch(*list, s.First)
		*list = (*list)[drop:]
	}
	b := budget{v: v, until: v.now().Add(scanBudget)}
	if !v.again(&b) {
		return true
	}
	if v.buf == nil {
		v.buf = make([]probes.Record, 512)
	}
	for v.scanned = max(v.scanned, s.First); v.scanned < s.Next; {
		first, n := v.ring.Window(v.scanned, v.buf)
		if n == 0 {
			break
		}
		for i := range n {
			if b.spent() {
				return true
			}
			seq := first + uint64(i)
			if v.judged(seq, &v.buf[i]) {
				v.hits = append(v.hits, seq)
			}
			v.scanned = seq + 1
		}
	}
	clear(v.buf)
	return false
}

// budget is the time of one update.
type budget struct {
	v     *view
	until time.Time
	n     int
}

// spent reports that it is; something is always done.
func (b *budget) spent() bool {
	b.n++
	return b.n > 1 && b.n%scanStep == 0 && b.v.now().After(b.until)
}

// judged judges a record and keeps those that cannot be.
func (v *view) judged(seq uint64, r *probes.Record) bool {
	ok, err := v.judge(r)
	if err != nil {
		if v.unjudged = append(v.unjudged, seq); v.why == nil {
			v.why = err
		}
	}
	return ok
}

// again judges those of redo, before anything newer, and reports whether it is
// through with them.
func (v *view) again(b *budget) bool {
	var fresh []uint64
	i := 0
	for ; i < len(v.redo) && !b.spent(); i++ {
		if rec, ok := v.ring.At(v.redo[i]); ok && v.judged(v.redo[i], &rec) {
			fresh = append(fresh, v.redo[i])
		}
	}
	v.redo = v.redo[i:]
	if len(fresh) > 0 {
		v.hits = append(v.hits, fresh...)
		slices.Sort(v.hits)
	}
	return len(v.redo) == 0
}

// reconsider judges again what could not be judged: schemas have come.
func (v *view) reconsider() {
	v.redo = append(v.redo, v.unjudged...)
	slices.Sort(v.redo)
	v.unjudged, v.why = nil, nil
}

// setFilter shows only what is chosen; nil shows everything again. The cursor
// stays on its record.
func (v *view) setFilter(judge kit.Judge) (more bool) {
	v.judge, v.hits, v.unjudged, v.redo, v.scanned, v.why = judge, nil, nil, nil, 0, nil
	return v.update()
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

// sums are how many records there are, without the rows that are the tail's own
// remarks: shown, hidden by the filter (unjudged of which because it could not
// tell), and not yet looked at.
type sums struct{ shown, hidden, unjudged, unscanned uint64 }

func (v *view) count() (c sums) {
	first, end := v.bounds(v.ring.Stats())
	all := end - first
	if v.judge == nil {
		return sums{shown: all - min(all, v.ring.Remarks(first, end))}
	}
	within := func(list []uint64) uint64 {
		lo, _ := slices.BinarySearch(list, first)
		hi, _ := slices.BinarySearch(list, end)
		return uint64(hi - lo)
	}
	c.shown, c.unjudged = within(v.hits), within(v.unjudged)
	redo := within(v.redo)
	scanned := min(max(v.scanned, first), end) - first
	c.unscanned = all - scanned + redo
	c.hidden = scanned - redo - c.shown
	// Every filter lets remarks pass.
	c.shown -= min(c.shown, v.ring.Remarks(first, first+scanned))
	c.unscanned -= min(c.unscanned, v.ring.Remarks(first+scanned, end))
	return c
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
	if v.judge == nil {
		return int(end - first)
	}
	return v.index(end, first, end)
}

func (v *view) index(seq, first, end uint64) int {
	seq = max(first, min(seq, end))
	if v.judge == nil {
		return int(seq - first)
	}
	lo, _ := slices.BinarySearch(v.hits, first)
	i, _ := slices.BinarySearch(v.hits, seq)
	return i - lo
}

func (v *view) seq(i int, first uint64) uint64 {
	if v.judge == nil {
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
	if ok && v.judge != nil {
		_, ok = slices.BinarySearch(v.hits, v.cursor)
	}
	return row{v.cursor, rec}, ok
}

// found is how far a search has come.
type found struct {
	hit  bool
	more bool   // it has to go on from at
	at   uint64 // the last one looked at
	left int    // how many are still to be looked at
}

// find looks for the next record that judge chooses, from one on in the given
// direction, for a while. The cursor goes to it.
func (v *view) find(judge kit.Judge, from uint64, forward bool) (f found) {
	first, end := v.bounds(v.ring.Stats())
	total, step := v.total(first, end), 1
	if !forward {
		step = -1
	}
	b := budget{v: v, until: v.now().Add(scanBudget)}
	f.at = from
	for i := v.index(from, first, end) + step; i >= 0 && i < total; i += step {
		if b.spent() {
			f.more, f.left = true, i+1
			if forward {
				f.left = total - i
			}
			return f
		}
		f.at = v.seq(i, first)
		rec, ok := v.ring.At(f.at)
		if !ok {
			continue
		}
		if ok, _ := judge(&rec); ok {
			v.cursor, v.follow, f.hit = f.at, false, true
			return f
		}
	}
	return f
}
