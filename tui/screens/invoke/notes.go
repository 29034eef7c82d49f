package invoke

import (
	"strconv"
	"strings"

	"iscope/inspectors/hint"
	"iscope/probes"
)

// note is something said about an exchange beside its messages.
type note struct {
	what   string // "contract", "error", or what a hint is about
	where  string // a path in the answer, or what a hint was read from
	text   string // from outside
	bad    bool
	record probes.Kind
}

// maxNotes bounds what one call can say.
const maxNotes = 200

// noteAbout keeps what a record says beside its body. The lock is held.
func (c *call) noteAbout(rec *probes.Record) {
	for _, a := range rec.Attrs {
		if len(c.notes) >= maxNotes {
			return
		}
		switch a.Name {
		case probes.AttrViolation:
			where, text, ok := strings.Cut(a.Value, ": ")
			if !ok {
				where, text = "", a.Value
			}
			c.notes = append(c.notes, note{"contract", where, text, true, rec.Kind})
		case probes.AttrPath:
			where, text, ok := strings.Cut(a.Value, ": ")
			if !ok {
				text = rec.Err
			}
			c.notes = append(c.notes, note{"error", where, text, true, rec.Kind})
		}
	}
	status, _ := rec.Attr(probes.AttrHTTPStatus)
	if rec.Kind == probes.Response && len(status) == 3 && status[0] == '3' && status != "304" {
		c.hops++
	}
}

// weigh adds what an answer took on the wire. The lock is held.
func (c *call) weigh(rec *probes.Record) {
	text, ok := rec.Attr(probes.AttrWireSize)
	if !ok {
		return
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		c.wire, c.weighed = c.wire+n, true
	}
}

// explained is how many records of a call are looked at for hints: the first and
// the last ones.
const explained = 64

// explain asks for hints once the call has ended.
func (c *call) explain() {
	p := c.progress()
	if p.ring == nil {
		return
	}
	s := p.ring.Stats()
	recs := make([]probes.Record, explained)
	_, n := p.ring.Window(s.First, recs)
	if s.Next > s.First+explained {
		n = explained / 2
		_, more := p.ring.Window(s.Next-explained/2, recs[n:])
		n += more
	}
	hints := hint.Explain(recs[:n])
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range hints {
		if h.Topic != hint.Contract && len(c.notes) < maxNotes { // violations are notes of their own
			c.notes = append(c.notes, note{string(h.Topic), h.Source, h.Text, !h.Calm, probes.Notice})
		}
	}
}
