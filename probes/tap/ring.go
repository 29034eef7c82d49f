package tap

import (
	"context"
	"slices"
	"sync"

	"iscope/probes"
)

// Ring keeps the newest records within a number of bytes. It never blocks and
// never refuses: the oldest go first, and are counted.
//
// Records have sequence numbers from 0 in order of arrival; they never change,
// so a reader can hold its place while the ring moves on.
type Ring struct {
	changed chan struct{}

	mu    sync.Mutex
	recs  []probes.Record // circular, len is a power of two
	first uint64          // sequence of the oldest kept
	next  uint64          // sequence of the next to come
	bytes int
	max   int
	lost  uint64

	remarks []uint64 // sequences of the kept gaps and notices
}

// NewRing makes a ring of at most maxBytes (see probes.Record.Size). It always
// keeps at least one record, however large.
func NewRing(maxBytes int) *Ring {
	return &Ring{changed: make(chan struct{}, 1), recs: make([]probes.Record, 1024), max: maxBytes}
}

// Write adds a record. It never fails.
func (r *Ring) Write(_ context.Context, rec probes.Record) error {
	size := rec.Size()
	r.mu.Lock()
	for r.next > r.first && r.bytes+size > r.max {
		r.drop()
	}
	if r.next-r.first == uint64(len(r.recs)) {
		r.grow()
	}
	r.recs[r.next&r.mask()] = rec
	if rec.Kind == probes.Gap || rec.Kind == probes.Notice {
		r.remarks = append(r.remarks, r.next)
	}
	r.next++
	r.bytes += size
	r.mu.Unlock()
	r.wake()
	return nil
}

func (r *Ring) mask() uint64 { return uint64(len(r.recs) - 1) }

func (r *Ring) drop() {
	old := &r.recs[r.first&r.mask()]
	r.bytes -= old.Size()
	*old = probes.Record{}
	if len(r.remarks) > 0 && r.remarks[0] == r.first {
		r.remarks = r.remarks[1:]
	}
	r.first++
	r.lost++
}

func (r *Ring) grow() {
	bigger := make([]probes.Record, 2*len(r.recs))
	for seq := r.first; seq < r.next; seq++ {
		bigger[seq&uint64(len(bigger)-1)] = r.recs[seq&r.mask()]
	}
	r.recs = bigger
}

func (r *Ring) wake() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Changed receives a token when records came since the last one was taken. It
// holds one: a burst is one wake.
func (r *Ring) Changed() <-chan struct{} { return r.changed }

// RingStats is a ring's account.
type RingStats struct {
	First, Next     uint64 // sequences kept are First <= s < Next
	Bytes, MaxBytes int
	Lost            uint64 // overwritten
}

// Stats returns the account.
func (r *Ring) Stats() RingStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return RingStats{First: r.first, Next: r.next, Bytes: r.bytes, MaxBytes: r.max, Lost: r.lost}
}

// Window copies records from sequence from on into dst and returns the sequence
// of the first one copied (later than from if those have gone) and how many.
func (r *Ring) Window(from uint64, dst []probes.Record) (first uint64, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first = max(from, r.first)
	for seq := first; seq < r.next && n < len(dst); seq++ {
		dst[n] = r.recs[seq&r.mask()]
		n++
	}
	return first, n
}

// Remarks counts what is kept from sequence from up to, without, sequence to and
// came from no stream: gaps and notices, which a count of records leaves out.
func (r *Ring) Remarks(from, to uint64) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	lo, _ := slices.BinarySearch(r.remarks, from)
	hi, _ := slices.BinarySearch(r.remarks, max(from, to))
	return uint64(hi - lo)
}

// At returns the record of that sequence, or false if it has gone or is yet to
// come.
func (r *Ring) At(seq uint64) (probes.Record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq < r.first || seq >= r.next {
		return probes.Record{}, false
	}
	return r.recs[seq&r.mask()], true
}

// Clear forgets all records without counting them as lost.
func (r *Ring) Clear() {
	r.mu.Lock()
	clear(r.recs)
	r.first, r.bytes, r.remarks = r.next, 0, nil
	r.mu.Unlock()
	r.wake()
}
