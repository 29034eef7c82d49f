package dlq

import (
	"hash/maphash"
	"sync"

	"iscope/probes"
)

// chosen finds marked messages again while they are redriven. A system need not
// name its messages (in RabbitMQ a message has only its place in the queue), and
// the look itself leaves traces on them (a delivery count). So a message is known
// by what no look changes; where that fits several that were shown and only some
// of them are marked, its headers have to be the same too. As many are chosen as
// were marked: which of two equal ones is sent makes no difference.
type chosen struct {
	seed maphash.Seed

	mu    sync.Mutex
	alike map[uint64]*alike
	left  int // marked and not found yet
}

// alike are shown messages that only their headers tell apart.
type alike struct {
	shown, marked int
	exact         map[uint64]int // marked ones by all there is
}

func newChosen() *chosen { return &chosen{seed: maphash.MakeSeed(), alike: map[uint64]*alike{}} }

// add takes in a message that was shown.
func (c *chosen) add(r *probes.Record, marked bool) {
	same, exact := c.prints(r)
	a := c.alike[same]
	if a == nil {
		a = &alike{exact: map[uint64]int{}}
		c.alike[same] = a
	}
	a.shown++
	if marked {
		a.marked++
		a.exact[exact]++
		c.left++
	}
}

// Select is probes.RedriveQuery's.
func (c *chosen) Select(r *probes.Record) bool {
	same, exact := c.prints(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.alike[same]
	if a == nil || a.marked == 0 || a.marked < a.shown && a.exact[exact] == 0 {
		return false
	}
	a.shown--
	a.marked--
	a.exact[exact]--
	c.left--
	return true
}

// missing is how many marked messages were not found.
func (c *chosen) missing() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.left
}

// prints are hashes of what no look changes, and of that with the headers.
func (c *chosen) prints(r *probes.Record) (same, exact uint64) {
	var h maphash.Hash
	h.SetSeed(c.seed)
	field := func(b []byte) {
		maphash.WriteComparable(&h, len(b)) // so that no two fields run into one
		h.Write(b)
	}
	field(r.Key)
	field(r.Body)
	maphash.WriteComparable(&h, r.Time.UnixNano())
	for _, name := range []string{probes.AttrDeadReason, probes.AttrDeadOrigin, probes.AttrDeadTime} {
		value, _ := r.Attr(name)
		field([]byte(value))
	}
	same = h.Sum64()
	for i := range r.Header {
		field([]byte(r.Header[i].Name))
		field(r.Header[i].Value)
	}
	return same, h.Sum64()
}
