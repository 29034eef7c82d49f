package kafka

import (
	"fmt"
	"slices"
)

// open starts on the next batch.
func (c *cursor) open() {
	set := &c.sets[0]
	if set.say != nil {
		c.ready = append(c.ready, item{rec: *set.say, part: c.part, first: c.next, last: c.next - 1, time: -1})
		c.shift()
		return
	}
	if l := set.lost; l != nil {
		c.shift()
		c.next = min(c.next, l.to)
		c.gap(l.from, l.to, l.reason)
		return
	}
	if !set.opened {
		c.void.expect(set.aborted)
		set.opened = true
	}
	b, rest, _, err := cutBatch(set.bytes)
	set.frame.hold()
	set.bytes, c.lease, c.since = rest, set.frame, set.seen
	checked := len(b.raw) <= set.sound
	set.sound -= len(b.raw)
	if len(rest) == 0 {
		c.shift()
	}
	if err == nil {
		err = b.open(checked)
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
		c.old, c.recs, c.own = old, recordReader{}, recordReader{}
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
	if b.attrs&attrCodec != 0 { // what was stored is no longer needed
		c.batch.raw, c.batch.records = nil, nil
		c.letGo()
	}
	return nil
}

// damaged passes over what cannot be read, and says so.
func (c *cursor) damaged(b *batch, from int64, err error) {
	c.recs, c.own, c.old = recordReader{}, recordReader{}, nil
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
	c.dirty = true
	c.mk.again()
	for len(c.ready) < slabCount {
		if c.mk.lend && len(c.ready) > 0 && c.own.left == 0 {
			break // the next portion takes the place of this one
		}
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
		c.add()
	}
	if !c.decoding() {
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
	c.recs, c.own, c.old = recordReader{}, recordReader{}, nil
	for len(c.sets) > 0 {
		c.shift()
	}
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
	if c.mk.copies() {
		return c.recs.next(&c.raw)
	}
	if c.own.left == 0 && c.recs.left > 0 {
		c.own = c.recs.portion(slabBytes, &c.lent)
		if !c.mk.lend || cap(c.lent) > keepLent {
			c.lent = nil
		}
		if c.own.left == 0 {
			return c.recs.next(&c.raw) // which says what is wrong with it
		}
	}
	return c.own.next(&c.raw)
}

// add makes what was read ready. The item is filled where it lies: it is too large
// to be copied about.
func (c *cursor) add() {
	n := len(c.ready)
	if n == cap(c.ready) {
		c.ready = slices.Grow(c.ready, 1)
	}
	c.ready = c.ready[:n+1]
	it := &c.ready[n]
	it.part, it.first, it.last, it.time = c.part, c.raw.offset, c.raw.offset, c.raw.time
	c.mk.fill(&it.rec, &c.raw, c.fact, len(c.own.b)+len(c.recs.b), c.batch.magic == 2)
	it.rec.Seen = c.since
}
