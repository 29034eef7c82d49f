package kafka

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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

	leader   string        // address
	asking   bool          // a fetch is on its way
	fresh    bool          // nothing is known yet: no fetch has been answered
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
	old   []rawRecord // of a message set, instead of recs
	raw   rawRecord   // scratch
	fact  json.RawMessage

	ready []item // decoded
	at    int
}

// recordSet is what one fetch brought.
type recordSet struct {
	bytes   []byte
	aborted []aborted
	opened  bool
	lost    *lost  // instead: what it did not bring
	notice  string // instead: something to say
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

// wants reports whether fetching more makes sense: at most one set waits while
// another is being decoded.
func (c *cursor) wants() bool {
	return !c.asking && len(c.sets) < 2 && (c.stop < 0 || c.fetchAt < c.stop)
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
	clear(c.ready) // what was handed out is no longer ours to keep
	c.ready, c.at = c.ready[:0], 0
	for len(c.ready) == 0 {
		switch {
		case c.recs.left > 0 || len(c.old) > 0:
			c.decode()
		case len(c.sets) > 0:
			c.open()
		default:
			return false
		}
	}
	return true
}

// pop hands out the oldest ready item.
func (c *cursor) pop() *item {
	it := &c.ready[c.at]
	c.at++
	c.next = max(c.next, it.last+1)
	return it
}

// open starts on the next batch.
func (c *cursor) open() {
	set := &c.sets[0]
	if set.notice != "" {
		c.ready = append(c.ready, item{rec: probes.Record{Kind: probes.Notice, Source: c.mk.source, Err: set.notice,
			Attrs: []probes.Attr{{Name: probes.AttrPartition, Value: strconv.Itoa(int(c.id))}}}, part: c.part, first: c.next, last: c.next - 1, time: -1})
		c.sets = slices.Delete(c.sets, 0, 1)
		return
	}
	if l := set.lost; l != nil {
		c.sets = slices.Delete(c.sets, 0, 1)
		c.next = min(c.next, l.to)
		c.gap(l.from, l.to, l.reason)
		return
	}
	if !set.opened {
		c.void.expect(set.aborted)
		set.opened = true
	}
	b, rest, _, err := cutBatch(set.bytes)
	set.bytes = rest
	if len(rest) == 0 {
		c.sets = slices.Delete(c.sets, 0, 1)
	}
	if err == nil {
		err = b.open()
	}
	if err == nil && c.unwanted(&b) {
		c.pass(b.last)
		return
	}
	if err == nil {
		err = c.start(&b)
	}
	if err != nil {
		c.damaged(&b, b.base, err)
	}
}

// unwanted reports that nothing in the batch is a message to show: it lies
// outside of what was asked for, ends a transaction, or belongs to one that was
// aborted.
func (c *cursor) unwanted(b *batch) bool {
	if b.magic < 2 {
		return b.last < c.next
	}
	if b.attrs&(attrMarker|attrTxn) != 0 {
		c.void.reach(b.last)
	}
	if b.attrs&attrMarker != 0 {
		if b.isAbort() {
			c.void.end(b.pid)
		}
		return true
	}
	isVoid := b.attrs&attrTxn != 0 && c.void.active[b.pid]
	return isVoid || b.count == 0 || b.last < c.next || c.stop >= 0 && b.base >= c.stop
}

func (c *cursor) start(b *batch) error {
	c.batch, c.fact = *b, nil
	if b.magic < 2 {
		old, err := b.legacy(&c.infl)
		c.old, c.recs = old, recordReader{}
		if err == nil && len(old) == 0 {
			c.pass(b.last)
		}
		return err
	}
	body, err := c.infl.inflate(int8(b.attrs&attrCodec), b.records)
	if err != nil {
		return err
	}
	c.recs = recordReader{b: body, left: int(b.count), base: b.base, time: b.first}
	if b.attrs&attrAppend != 0 {
		c.recs.time, c.recs.fixed = b.newest, true
	}
	return nil
}

// damaged passes over what cannot be read, and says so.
func (c *cursor) damaged(b *batch, from int64, err error) {
	c.recs, c.old = recordReader{}, nil
	from = max(from, c.next)
	if c.stop >= 0 && from >= c.stop {
		c.stopHere()
		return
	}
	c.gap(from, b.last+1, fmt.Sprintf("the batch at offset %d cannot be read: %v", b.base, err))
}

// pass moves on without handing anything out.
func (c *cursor) pass(last int64) { c.next = max(c.next, last+1) }

// decode makes the next few records of the batch ready.
func (c *cursor) decode() {
	if c.fact == nil {
		c.fact = nativeOf(c.part, &c.batch)
	}
	from := c.batch.base
	for len(c.ready) < slabCount {
		ok, err := c.read()
		if err != nil {
			c.damaged(&c.batch, from, err)
			return
		}
		if !ok {
			break
		}
		if c.raw.offset < c.batch.base && c.batch.magic == 2 || c.raw.offset > c.batch.last {
			c.damaged(&c.batch, from, errRecord)
			return
		}
		from = c.raw.offset + 1
		if c.raw.offset < c.next {
			continue // brokers send whole batches
		}
		if c.stop >= 0 && c.raw.offset >= c.stop {
			c.stopHere()
			return
		}
		c.ready = append(c.ready, item{rec: c.mk.record(&c.raw, c.fact, len(c.recs.b)),
			part: c.part, first: c.raw.offset, last: c.raw.offset, time: c.raw.time})
	}
	if c.recs.left == 0 && len(c.old) == 0 {
		c.finish()
	}
}

// finish ends a batch: what compaction removed after its last record is passed.
func (c *cursor) finish() {
	if n := len(c.ready); n > 0 {
		c.ready[n-1].last = max(c.ready[n-1].last, c.batch.last)
		return
	}
	c.pass(c.batch.last)
}

// stopHere drops all that is not decoded: nothing up to the stop is among it.
func (c *cursor) stopHere() {
	c.recs, c.old, c.sets = recordReader{}, nil, nil
	c.fetchAt = max(c.fetchAt, c.stop)
	if n := len(c.ready); n > c.at {
		c.ready[n-1].last = max(c.ready[n-1].last, c.stop-1)
		return
	}
	c.pass(c.stop - 1)
}

// read takes one record off the batch into c.raw.
func (c *cursor) read() (bool, error) {
	if len(c.old) > 0 {
		c.raw, c.old = c.old[0], c.old[1:]
		return true, nil
	}
	return c.recs.next(&c.raw)
}
