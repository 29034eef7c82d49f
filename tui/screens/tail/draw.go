package tail

import (
	"fmt"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

func (t *screen) View(w, h int) string {
	if t.feed == nil {
		return t.empty(w, h)
	}
	rows := []string{t.sourceRow(w), t.timeline(w)}
	if t.asking != 0 {
		rows = append(rows, t.promptRow(w))
	}
	body := h - len(rows)
	switch {
	case t.detail && w >= 160:
		list := w * 3 / 5
		return kit.Lay(append(rows, strings.Split(kit.Beside(t.o.Theme, t.list(list, body), t.pane(w-list-1, body)), "\n")...), w, h)
	case t.detail && w >= 100 && body > 16:
		lower := body / 2
		rows = append(rows, strings.Split(t.list(w, body-lower), "\n")...)
		return kit.Lay(append(rows, strings.Split(t.pane(w, lower), "\n")...), w, h)
	case t.detail:
		return kit.Lay(append(rows, strings.Split(t.pane(w, body), "\n")...), w, h)
	}
	return kit.Lay(append(rows, strings.Split(t.list(w, body), "\n")...), w, h)
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
	l := kit.NewLine(th, w).Say(theme.Plain, " ").Put(theme.Bold, safe.Line(t.feed.Ref.String(), max(0, w/2)))
	st := t.feed.State()
	switch {
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
		return l.String()
	}
	if v.paused() {
		fresh, gone := v.pending()
		l.Say(theme.Warn, fmt.Sprintf("  %s PAUSED %s +%d new (%d lost)", th.Glyph(theme.Paused), t.o.Now().Sub(t.paused).Round(time.Second), fresh, gone))
	} else if v.follow {
		l.Say(theme.Good, "  "+th.Glyph(theme.Follow)+" FOLLOW")
	}
	s := t.feed.Ring.Stats()
	l.Say(theme.Dim, fmt.Sprintf("  overwritten %d  buf %d%%", s.Lost, s.Bytes*100/max(1, s.MaxBytes)))
	if n := len(t.s.Feeds()); n > 1 {
		l.Say(theme.Dim, fmt.Sprintf("  +%d streams (a)", n-1))
	}
	return l.String()
}

// timeline is the count per second over the last minutes, and what the filter
// leaves.
func (t *screen) timeline(w int) string {
	shown, hidden := t.view().count()
	right := fmt.Sprintf(" %d records", shown)
	if t.filter != "" {
		right = fmt.Sprintf(" f: %s  %d of %d match, %d hidden", safe.Line(t.filter, 30), shown, shown+hidden, hidden)
	}
	if err, hint := t.feed.Trouble(); err != "" {
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

func (t *screen) promptRow(w int) string {
	label := " FIND   "
	if t.asking == 'f' {
		label = " FILTER "
	}
	l := kit.NewLine(t.o.Theme, w).Say(theme.Accent, label)
	tail := "  enter, esc, tab switches"
	t.prompt.Draw(l, max(8, w-len(label)-len(tail)-2), true)
	return l.Gap(len(tail)+1).Say(theme.Dim, tail).String()
}

// columns are those of the driver that fit, with the time before them.
func (t *screen) columns(w int) []probes.Column {
	all, _ := t.feed.Look()
	left := w - 15
	var out []probes.Column
	for _, c := range all {
		if c.Attr == "summary" {
			continue
		}
		if left -= c.Width + 1; left < 24 {
			break
		}
		out = append(out, c)
	}
	return append(out, probes.Column{Title: "SUMMARY", Attr: "summary"})
}

func (t *screen) list(w, h int) string {
	th := t.o.Theme
	cols := t.columns(w)
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Col(theme.Dim, safe.Const("TIME"), 12)
	for _, c := range cols {
		if c.Right {
			head.ColRight(theme.Dim, kit.Text(c.Title), c.Width)
		} else if c.Attr == "summary" {
			head.Say(theme.Dim, c.Title)
		} else {
			head.Col(theme.Dim, kit.Text(c.Title), c.Width)
		}
	}
	rows := []string{head.String()}
	v := t.view()
	t.height = max(1, h-1)
	visible := v.rows(t.height, t.tops[t.feed])
	for _, r := range visible {
		rows = append(rows, t.row(r, cols, w, r.seq == v.cursor))
	}
	if len(visible) == 0 {
		rows = append(rows, t.nothing(w)...)
	}
	return kit.Lay(rows, w, h)
}

func (t *screen) nothing(w int) []string {
	say := func(s string) string { return kit.NewLine(t.o.Theme, w).Say(theme.Dim, "  "+s).String() }
	_, impact := t.feed.Look()
	if t.filter != "" {
		return []string{say(""), say("Nothing matches the filter. esc lifts it.")}
	}
	return []string{say(""), say("No record yet."), say(impact)}
}

func (t *screen) row(r row, cols []probes.Column, w int, cursor bool) string {
	th := t.o.Theme
	l := kit.NewLine(th, w)
	mark, style := " ", theme.Plain
	if r.rec.Err != "" {
		mark, style = "!", theme.Bad
	}
	l.Say(style, mark)
	at := r.rec.Time
	if at.IsZero() {
		at = r.rec.Seen
	}
	l.Col(theme.Dim, safe.Line(at.UTC().Format("15:04:05.000"), 12), 12)
	if r.rec.Kind == probes.Gap || r.rec.Kind == probes.Notice {
		why, _ := r.rec.Attr(probes.AttrReason)
		l.Put(theme.Warn, safe.Line(r.rec.Kind.String()+": "+r.rec.Err+" "+why, w))
	} else {
		for _, c := range cols {
			t.cell(l, &r.rec, c)
		}
	}
	if cursor {
		return l.Selected()
	}
	return l.String()
}

func (t *screen) cell(l *kit.Line, r *probes.Record, c probes.Column) {
	var text safe.Text
	switch c.Attr {
	case "summary":
		summary := safe.Line(t.chain.Summary(r, 4*l.Left()+64), l.Left())
		if summary.Escaped() {
			l.Say(theme.Warn, "[esc] ")
		}
		l.Put(theme.Plain, summary)
		return
	case "key":
		text = safe.LineBytes(r.Key, c.Width)
		if r.Key == nil {
			text = kit.Text(t.o.Theme.Glyph(theme.Dash))
		}
	case "size":
		text = safe.Line(size(int64(len(r.Body))+r.Cut), c.Width)
	case "subject":
		text = safe.Line(r.Source.Subject, c.Width)
	default:
		value, _ := r.Attr(c.Attr)
		text = safe.Line(value, c.Width)
	}
	if c.Right {
		l.ColRight(theme.Plain, text, c.Width)
		return
	}
	l.Col(theme.Plain, text, c.Width)
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%dM", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%dk", n>>10)
	}
	return fmt.Sprint(n)
}
