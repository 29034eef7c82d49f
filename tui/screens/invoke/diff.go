package invoke

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/jsondoc"
	"iscope/tui/theme"
)

// comparison is what differs between an answer and the one before it.
type comparison struct {
	before  string // when that was
	changes []jsondoc.Change
	more    bool
	trouble string // why they could not be compared
}

// compared is a comparison that was made in the background.
type compared struct {
	by *screen
	c  *call
	comparison
}

// maxCompared is the largest answer that is compared.
const maxCompared = 16 << 20

// before is the call of the same method before the one that is shown, whose
// answer is still there.
func (v *screen) before(c *call) *call {
	i := slices.Index(v.calls, c)
	for i--; i >= 0; i-- {
		if old := v.calls[i]; old.ref == c.ref && !old.inFlight() {
			if _, ok := old.answer(); ok {
				return old
			}
		}
	}
	return nil
}

// answer is the last answer of a call.
func (c *call) answer() (probes.Record, bool) {
	ring := c.progress().ring
	if ring == nil {
		return probes.Record{}, false
	}
	s := ring.Stats()
	for seq := s.Next; seq > s.First && seq+16 > s.Next; seq-- {
		if rec, ok := ring.At(seq - 1); ok && (rec.Kind == probes.Response || rec.Kind == probes.End && len(rec.Body) > 0) {
			return rec, true
		}
	}
	return probes.Record{}, false
}

func (v *screen) refuseDiff() string {
	c := v.call()
	switch {
	case c == nil:
		return "nothing has been called yet"
	case c.inFlight():
		return "the call has not ended yet"
	}
	if _, ok := c.answer(); !ok {
		return "the call has no answer to compare"
	}
	if v.before(c) == nil {
		return "there is no earlier answer of this method to compare with; r calls it again"
	}
	return ""
}

func (v *screen) showDiff() tea.Cmd {
	v.resp.diff = nil
	return v.toResponse(tabDiff)
}

// compare compares by path, in the background: an answer may be large.
func (v *screen) compare() tea.Cmd {
	c := v.call()
	old := v.before(c)
	newer, _ := c.answer()
	older, _ := old.answer()
	at := old.progress().began.UTC().Format("15:04:05")
	return func() tea.Msg {
		out := compared{v, c, comparison{before: at}}
		if len(newer.Body) > maxCompared || len(older.Body) > maxCompared {
			out.trouble = "the answers are too large to compare: more than " + sizeOf(maxCompared)
			return out
		}
		a, b := jsondoc.Of(older.Body), jsondoc.Of(newer.Body)
		if a == nil || b == nil {
			out.trouble = "only JSON is compared by path, and one of the answers is none"
			if string(older.Body) == string(newer.Body) {
				out.trouble = "the answers are the same, byte for byte"
			}
			return out
		}
		out.changes, out.more = jsondoc.Diff(a, b)
		return out
	}
}

func (v *screen) diffRows() (rows []func(int) string) {
	d := v.resp.diff
	switch {
	case d == nil && v.refuseDiff() != "":
		return append(rows, v.say(theme.Dim, v.refuseDiff()))
	case d == nil:
		return append(rows, v.say(theme.Dim, "comparing "+v.o.Theme.Glyph(theme.Ellipsis)))
	case d.trouble != "":
		return append(rows, v.say(theme.Dim, d.trouble))
	case len(d.changes) == 0:
		return append(rows, v.say(theme.Good, v.o.Theme.Glyph(theme.OK)+" the same as the answer of "+d.before+"; the order of names counts for nothing"))
	}
	rows = append(rows, v.say(theme.Dim, kit.Plural(len(d.changes), "change")+" since the answer of "+d.before))
	for _, c := range d.changes {
		where := c.Path.String()
		if where == "" {
			where = "(the whole document)"
		}
		rows = append(rows, v.say(theme.JSONKey, where))
		if c.Old != nil {
			rows = append(rows, v.side(theme.Bad, "-", c.Old))
		}
		if c.New != nil {
			rows = append(rows, v.side(theme.Good, "+", c.New))
		}
	}
	if d.more {
		rows = append(rows, v.say(theme.Warn, "only the first changes are listed"))
	}
	return rows
}

func (v *screen) side(s theme.Style, sign string, of *jsondoc.Value) func(int) string {
	text := of.Compact()
	return func(w int) string {
		l := kit.NewLine(v.o.Theme, w).Say(s, "   "+sign+" ")
		return l.Put(s, safe.Line(text[:min(len(text), 4*w+64)], max(0, l.Left()))).String()
	}
}
