package tail

import (
	"fmt"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes/tap"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

func (t *screen) View(w, h int) string {
	if t.feed == nil {
		return t.empty(w, h)
	}
	rows := append([]string{t.sourceRow(w), t.timeline(w)}, t.filterRows(w)...)
	rows = append(rows, kit.WithDetail(t.o.Theme, t.detail, w, h-len(rows), t.listPane, t.recordPane)...)
	return kit.Lay(rows, w, h)
}

func (t *screen) empty(w, h int) string {
	say := func(s string) string { return kit.NewLine(t.o.Theme, w).Say(theme.Plain, "  "+s).String() }
	return kit.Lay([]string{say(""), say("No stream is open."), say(""),
		say("2 lists what can be tailed: go to a topic or a registry and press t."),
		say(": tail TARGET/SUBJECT opens one by name; TARGET may be a URL.")}, w, h)
}

// sourceRow says what is read, how fast, and whether the view moves.
func (t *screen) sourceRow(w int) string {
	th := t.o.Theme
	v := t.view()
	l := kit.NewLine(th, w).Say(theme.Plain, " ")
	if t.feed.Looked != nil {
		l.Say(theme.Reverse, "PEEK").Say(theme.Plain, " ")
	}
	l.Put(theme.Bold, safe.Line(t.feed.Ref.String(), max(0, w/2)))
	st := t.feed.State()
	switch {
	case t.feed.Looked != nil:
		t.looked(l, st)
		return l.String()
	case st.Phase == tap.Ended && st.Err != nil:
		l.Say(theme.Bad, " "+th.Glyph(theme.Failed)+" ended")
	case st.Phase == tap.Ended:
		l.Say(theme.Dim, " ended")
	case st.Phase == tap.Reconnecting:
		l.Say(theme.Bad, fmt.Sprintf(" %s lost, attempt %d", th.Glyph(theme.Warning), st.Attempt))
	case st.Phase == tap.Connecting:
		l.Say(theme.Dim, " connecting …")
	case t.feed.Held():
		l.Say(theme.Warn, " source held")
	}
	l.Say(theme.Plain, fmt.Sprintf("  %.0f/s", t.feed.Rates.PerSecond()))
	if st.Phase == tap.Ended {
		kit.Account(l, th, t.feed)
		return l.String()
	}
	if v.paused() {
		fresh, gone := v.pending()
		l.Say(theme.Warn, fmt.Sprintf("  %s PAUSED %s +%d new (%d lost)", th.Glyph(theme.Paused), t.o.Now().Sub(t.paused).Round(time.Second), fresh, gone))
	} else if v.follow {
		l.Say(theme.Good, "  "+th.Glyph(theme.Follow)+" FOLLOW")
	}
	kit.Account(l, th, t.feed)
	if t.reading().State().Error != "" {
		l.Say(theme.Warn, "  "+th.Glyph(theme.Warning)+" no schemas (7)")
	}
	s := t.feed.Ring.Stats()
	parts := []string{fmt.Sprintf("overwritten %d", s.Lost), fmt.Sprintf("buf %d%%", s.Bytes*100/max(1, s.MaxBytes))}
	if n := len(t.s.Feeds()); n > 1 {
		parts = append(parts, fmt.Sprintf("+%d streams (a)", n-1))
	}
	for _, text := range parts { // half a number would be another one
		if safe.Width(text)+2 <= l.Left() {
			l.Say(theme.Dim, "  "+text)
		}
	}
	return l.String()
}

// timeline is the count per second over the last minutes, and of all that is kept.
func (t *screen) timeline(w int) string {
	c := t.view().count()
	all := c.shown + c.hidden + c.unscanned
	right := " " + kit.Plural(int(all), "record")
	kept := t.feed.Ring.Stats()
	if err, hint := t.feed.Trouble(); err != "" && kept.Next > kept.First { // the empty list says more
		if hint != "" {
			err += " – " + hint
		}
		return kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ").Put(theme.Bad, safe.Line(err, max(0, w-2))).String()
	}
	l := kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ")
	width := min(l.Left()-safe.Width(right)-1, 150)
	if width > 8 {
		l.Say(theme.Accent, spark(t.o.Theme, t.feed.Rates.Timeline(), width))
	}
	return l.Say(theme.Plain, right).String()
}

// spark draws buckets as a line of blocks, each cell the sum of an equal share
// of them; nothing at all is a blank.
func spark(th theme.Theme, b []tap.Bucket, width int) string {
	per := max(1, (len(b)+width-1)/width)
	var sums []uint64
	var most uint64
	for end := len(b); end > 0; end -= per {
		var sum uint64
		for _, x := range b[max(0, end-per):end] {
			sum += x.Records
		}
		sums, most = append(sums, sum), max(most, sum)
	}
	var out strings.Builder
	blocks := th.Blocks()
	for i := min(len(sums), width) - 1; i >= 0; i-- {
		if sums[i] == 0 {
			out.WriteByte(' ')
			continue
		}
		out.WriteString(blocks[int(sums[i]*uint64(len(blocks)-1)/max(1, most))])
	}
	return out.String()
}

// filterRows are the prompt, or the filter in force, and what it could not judge.
func (t *screen) filterRows(w int) []string {
	if t.find.Open() {
		return t.find.Head(t.o.Theme, "then n and N", w)
	}
	c := t.view().count()
	rows := t.filter.Head(t.o.Theme, c.String(), w)
	if c.unjudged > 0 && t.view().why != nil {
		rows = append(rows, kit.Unjudged(t.o.Theme, int(c.unjudged), t.view().why.Error(), "records", w)...)
	}
	return rows
}

func (t *screen) listPane(w, h int) string {
	columns, _ := t.feed.Look()
	t.list.Fit(columns, w)
	t.list.Reading(t.reading())
	rows := []string{t.list.Head(w)}
	v := t.view()
	t.height = max(1, h-1)
	visible := v.rows(t.height, t.tops[t.feed])
	for _, r := range visible {
		l := t.list.Row(&r.rec, " ", theme.Plain, w)
		if r.seq == v.cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	if len(visible) == 0 {
		rows = append(rows, t.nothing(w)...)
	}
	return kit.Lay(rows, w, h)
}

// recordPane shows the record under the cursor.
func (t *screen) recordPane(w, h int) string {
	_, impact := t.feed.Look()
	from := kit.Origin{Impact: impact, Deeds: t.feed.Deeds(), Reading: t.reading()}
	r, ok := t.view().current()
	if !ok {
		return t.pane.View(nil, 0, from, w, h)
	}
	return t.pane.View(&r.rec, r.seq, from, w, h)
}
