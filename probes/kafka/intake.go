package kafka

import (
	"fmt"
	"strconv"

	"iscope/probes"
)

// accept takes what a fetch brought and moves fetchAt past all whole batches.
func (c *cursor) accept(f *fetched) {
	c.known = f.stable
	if f.stable < 0 {
		c.known = f.high
	}
	c.seen = f.high
	c.fresh, c.waited = false, 0
	whole, before := 0, c.fetchAt
	var bad error
	for rest := f.records; len(rest) > 0 && bad == nil; {
		b, after, need, err := cutBatch(rest)
		if err == errTruncated {
			if whole == 0 {
				// The batch is larger than what was asked for, and this broker
				// does not send the first one whole.
				c.maxBytes = int32(min(max(need, int(c.maxBytes)), maxFrame))
			}
			break
		}
		if bad = err; bad == nil {
			whole += len(rest) - len(after)
			c.fetchAt = max(c.fetchAt, b.last+1)
			rest = after
		}
	}
	if whole > 0 {
		f.frame.hold()
		c.sets = append(c.sets, recordSet{bytes: f.records[:whole:whole], aborted: f.aborted, sound: f.sound, frame: f.frame, seen: f.seen})
	}
	if bad != nil {
		c.lose(c.fetchAt+1, fmt.Sprintf("what the broker sends for offset %d cannot be read: %v", c.fetchAt, bad))
	}
	c.noteHollow(f, c.fetchAt > before || whole < len(f.records))
	c.noteHeld(f)
}

// maxHeld fetches that end at the same open transaction are worth a word: with a
// long poll each, a few seconds.
const maxHeld = 4

// noteHeld tells why a tail stands still although messages come in: what follows
// the start of an open transaction is not committed, whoever sent it.
func (c *cursor) noteHeld(f *fetched) {
	if c.fetchAt < f.stable || f.stable >= f.high || f.stable < 0 {
		c.held = 0
		return
	}
	if f.stable != c.heldAt {
		c.held, c.heldAt = 0, f.stable
	}
	if c.held++; c.held == maxHeld {
		c.say(c.notice(fmt.Sprintf("%s waits at offset %d for a producer to end its transaction; up to %d messages are held back",
			c.part, f.stable, f.high-f.stable)))
	}
}

// maxHollow fetches without an answer, then the range counts as lost.
const maxHollow = 5

// noteHollow keeps a tail with an end from waiting for ever on a range of
// offsets that the broker claims to have and does not send.
func (c *cursor) noteHollow(f *fetched, progress bool) {
	switch {
	case progress || c.fetchAt >= c.known:
		c.hollow = 0
	case f.wasFirst:
		c.hollow++
	}
	if c.hollow < maxHollow {
		return
	}
	c.lose(c.known, fmt.Sprintf("the broker sends nothing of offsets %d to %d", c.fetchAt, c.known-1))
}

// lose moves the next fetch to an offset. What lies between is reported when
// everything fetched before it has been handed out.
func (c *cursor) lose(to int64, reason string) {
	c.sets = append(c.sets, recordSet{lost: &lost{from: c.fetchAt, to: to, reason: reason}})
	c.fetchAt, c.hollow = to, 0
}

// gap hands out a record about offsets that will not come.
func (c *cursor) gap(from, to int64, reason string) {
	c.ready = append(c.ready, item{rec: *gapRecord(c.mk.source, c.part, from, to, reason), part: c.part, first: from, last: to - 1, time: -1})
}

func gapRecord(source probes.Ref, pt part, from, to int64, reason string) *probes.Record {
	return &probes.Record{ID: fmt.Sprintf("%d/%d-gap", pt.id, from), Kind: probes.Gap, Source: source,
		Attrs: []probes.Attr{{Name: probes.AttrPartition, Value: strconv.Itoa(int(pt.id))},
			{Name: probes.AttrOffset, Value: strconv.FormatInt(from, 10)},
			{Name: probes.AttrCount, Value: count(from, to)}, {Name: probes.AttrReason, Value: reason}},
		Err: fmt.Sprintf("%s: %s", pt, reason)}
}

// notice is something to say about the partition.
func (c *cursor) notice(text string) *probes.Record {
	return &probes.Record{Kind: probes.Notice, Source: c.mk.source, Err: text,
		Attrs: []probes.Attr{{Name: probes.AttrPartition, Value: strconv.Itoa(int(c.id))}}}
}

// say hands out a record once everything fetched before it has been.
func (c *cursor) say(r *probes.Record) { c.sets = append(c.sets, recordSet{say: r}) }

func count(from, to int64) string {
	if to <= from {
		return "" // unknown
	}
	return strconv.FormatInt(to-from, 10)
}
