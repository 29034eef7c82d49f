package kafka

import (
	"encoding/json"
	"slices"
	"time"

	"iscope/probes"
)

// cursor is the place in one partition: what has been fetched and not yet been
// handed out. It never blocks; a stream fills and drains it.
type cursor struct {
	part
	next    int64 // after the last record handed out or passed over: where to resume
	stop    int64 // first offset not wanted; -1 none
	fetchAt int64 // where the next fetch goes on
	known   int64 // end of what is decided, as far as known
	seen    int64 // end of what there is, decided or not, as far as known

	leader   string        // address
	asking   bool          // a fetch is on its way
	fresh    bool          // nothing is known yet: no fetch has been answered
	retired  bool          // its topic is gone: what was fetched is handed out, no more is asked for
	trouble  error         // why there is no leader
	waited   time.Duration // for a leader, since the last answer
	maxBytes int32
	hollow   int   // fetches in a row that brought nothing although there should be
	held     int   // fetches in a row that ended at heldAt
	heldAt   int64 // start of a transaction that nobody has ended

	sets  []recordSet // not yet decoded, oldest first
	mk    *maker
	infl  inflater
	void  voidProducers
	batch batch
	recs  recordReader
	own   recordReader // the next few of recs, in memory that records may keep
	lent  []byte       // that memory, where they do not
	old   []rawRecord  // of a message set, instead of recs
	raw   rawRecord    // scratch
	fact  json.RawMessage

	ready []item // decoded
	at    int
	dirty bool // ready holds what was handed out

	lease *frame // that the batch being decoded aliases
	drop  func(*frame)
	since time.Time // when that batch came
}

// recordSet is what one fetch brought.
type recordSet struct {
	bytes   []byte
	aborted []aborted
	opened  bool
	sound   int            // bytes of batches with right checksums that it begins with
	frame   *frame         // that bytes alias
	seen    time.Time      // when it came
	lost    *lost          // instead: what it did not bring
	say     *probes.Record // instead: something to say
}

// lost is a range of offsets that will not come. to is less than from where the
// log became shorter.
type lost struct {
	from, to int64
	reason   string
}

// item is a record with what merging needs.
type item struct {
	rec probes.Record
	part
	first int64 // its offset
	last  int64 // last offset that is dealt with once it is handed out
	time  int64 // milliseconds
}

// end makes stop the end, dropping what was decoded beyond it.
func (c *cursor) end(stop int64) {
	c.stop = stop
	for i := c.at; i < len(c.ready); i++ {
		if c.ready[i].first >= stop {
			c.ready = c.ready[:i]
			c.stopHere()
			return
		}
	}
}

// done reports that everything wanted has been handed out. Only a fill tells
// whether something is left between the last record and the stop.
func (c *cursor) done() bool { return c.stop >= 0 && c.next >= c.stop && c.at == len(c.ready) }

// wants reports whether fetching more makes sense: when half of what was asked for
// last has been decoded, so that more comes in time and little waits.
func (c *cursor) wants() bool {
	if c.asking || c.stop >= 0 && c.fetchAt >= c.stop {
		return false
	}
	waiting := len(c.recs.b)
	for i := range c.sets {
		waiting += len(c.sets[i].bytes)
	}
	return waiting < int(c.maxBytes)/2
}

// behind reports that the broker is known to hold more than has been fetched.
func (c *cursor) behind() bool {
	return c.fetchAt < c.known && (c.stop < 0 || c.fetchAt < c.stop)
}

// fill decodes until something is ready, and reports whether it is.
func (c *cursor) fill() bool {
	if c.at < len(c.ready) {
		return true
	}
	c.ready, c.at = c.ready[:0], 0
	for len(c.ready) == 0 {
		switch {
		case c.decoding():
			c.decode()
		case len(c.sets) > 0:
			c.letGo()
			c.open()
		default:
			c.letGo()
			if c.dirty { // what was handed out is no longer ours to keep
				clear(c.ready[:cap(c.ready)])
				c.dirty = false
			}
			return false
		}
	}
	return true
}

// decoding reports that a batch is not finished.
func (c *cursor) decoding() bool { return c.own.left > 0 || c.recs.left > 0 || len(c.old) > 0 }

// keepLent is the largest memory for a portion that is used again: one large
// message should not stay for the rest of the tail.
const keepLent = 2 * slabBytes

// letGo gives back the memory of a batch that has been decoded.
func (c *cursor) letGo() {
	if c.lease != nil {
		c.drop(c.lease)
		c.lease = nil
	}
}

// shift drops the oldest set.
func (c *cursor) shift() {
	if f := c.sets[0].frame; f != nil {
		c.drop(f)
	}
	c.sets = slices.Delete(c.sets, 0, 1)
}

// pop hands out the oldest ready item.
func (c *cursor) pop() *item {
	it := &c.ready[c.at]
	c.at++
	c.next = max(c.next, it.last+1)
	return it
}
