package topo

import (
	"fmt"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// Widths from which there are two panes, a picture, and three panes.
const (
	graphWidth = 100
	wideWidth  = 160
)

func (t *screen) View(w, h int) string {
	t.visible = map[pane]bool{onList: true}
	if t.m == nil || t.m.all == 0 {
		return t.nothingYet(w, h)
	}
	l, why := t.effective(w)
	var pic drawn
	if l == asGraph {
		if pic = t.picture(t.graphWidth(w)); len(pic.Lines) == 0 {
			l, why = asTree, pic.Why
		}
	}
	rows := append([]string{t.header(w, l, why)}, t.sources(w, h)...)
	rows = append(rows, t.filter.Head(t.o.Theme, t.sifted.String()+" nodes", w)...)
	rows = append(rows, kit.Unjudged(t.o.Theme, t.sifted.Unjudged, t.sifted.Why, "nodes", w)...)
	below := t.findingRows(w, h)
	body := max(0, h-len(rows)-len(below))
	rows = append(rows, strings.Split(t.body(l, w, body), "\n")...)
	if len(rows) > max(0, h-len(below)) {
		rows = rows[:max(0, h-len(below))]
	}
	if !t.visible[t.pane] {
		t.pane = onList
	}
	return kit.Lay(append(rows, below...), w, h)
}

// graphWidth is how wide the picture's pane is.
func (t *screen) graphWidth(w int) int {
	if w >= wideWidth {
		return w * 2 / 5
	}
	return w * 3 / 5
}

func (t *screen) body(l look, w, h int) string {
	th := t.o.Theme
	t.visible[onDetail] = w >= wideWidth || t.detail || l == asTree && w >= graphWidth
	left := t.graphWidth(w)
	switch {
	case w < graphWidth && t.detail:
		return t.detailPane(w, h)
	case w < graphWidth:
		return t.listPane(l, w, h)
	case w >= wideWidth && l == asGraph:
		list := (w - left - 2) * 11 / 20
		return kit.Beside(th, kit.Beside(th, t.graphPane(left, h), t.listPane(l, list, h)), t.detailPane(w-left-list-2, h))
	case l == asGraph && t.detail:
		return kit.Beside(th, t.detailPane(left, h), t.listPane(l, w-left-1, h))
	case l == asGraph:
		return kit.Beside(th, t.graphPane(left, h), t.listAndDetail(l, w-left-1, h))
	case l == asTable && w < wideWidth && t.detail:
		return t.detailPane(w, h)
	case l == asTable && w < wideWidth:
		lower := h / 3
		return kit.Lay(append(strings.Split(t.listPane(l, w, h-lower), "\n"), t.edgeRows(w, lower)...), w, h)
	}
	list := w * 11 / 20
	return kit.Beside(th, t.listPane(l, list, h), t.detailPane(w-list-1, h))
}

// listAndDetail is the list, and below it as much of the detail as there is room
// for.
func (t *screen) listAndDetail(l look, w, h int) string {
	upper := min(len(t.rows)+1, h*3/5)
	if h-upper < 8 || len(t.rows) == 0 {
		return t.listPane(l, w, h)
	}
	return kit.Lay(append(strings.Split(t.listPane(l, w, upper), "\n"), strings.Split(t.detailPane(w, h-upper), "\n")...), w, h)
}

// nothingYet says what is going on while there is no graph.
func (t *screen) nothingYet(w, h int) string {
	var rows []string
	say := func(s theme.Style, text string) {
		rows = append(rows, kit.NewLine(t.o.Theme, w).Say(theme.Plain, "  ").Put(s, safe.Line(text, safe.Wide)).String())
	}
	states := t.s.States()
	if t.m != nil {
		states = t.m.states
	}
	say(theme.Plain, "")
	switch asking, failed := tally(states); {
	case len(states) == 0:
		say(theme.Plain, "This environment has no targets.")
		say(theme.Dim, "E switches to another one; : open URL adds a target, such as kafka://127.0.0.1:9092.")
		return kit.Lay(rows, w, h)
	case asking > 0:
		say(theme.Plain, fmt.Sprintf("Asking %d of %d targets what there is %s", asking, len(states), t.o.Theme.Glyph(theme.Ellipsis)))
	case t.m == nil:
		say(theme.Plain, "Putting the answers together "+t.o.Theme.Glyph(theme.Ellipsis))
	case failed == len(states):
		say(theme.Bad, "No target answers.")
		say(theme.Dim, "R asks again; 7 shows every step that was taken.")
	default:
		say(theme.Plain, "No source names a service, topic or group.")
		say(theme.Dim, "What they answered is below; 7 has the details.")
	}
	say(theme.Plain, "")
	for i := range states {
		rows = append(rows, t.sourceRow(w, &states[i]))
	}
	return kit.Lay(rows, w, h)
}

func tally(states []session.State) (asking, failed int) {
	for _, st := range states {
		switch st.Phase {
		case session.Unasked, session.Asking:
			asking++
		case session.Failed:
			failed++
		}
	}
	return asking, failed
}

// header says how many there are, how they are, and what of them is shown.
func (t *screen) header(w int, l look, why string) string {
	th, m := t.o.Theme, t.m
	line := kit.NewLine(th, w).Say(theme.Heading, fmt.Sprintf(" NODES %d", len(m.order))).Say(theme.Dim, " "+th.Glyph(theme.Dot))
	for _, h := range []probes.Health{probes.HealthFail, probes.HealthWarn, probes.HealthUnknown, probes.HealthOK} {
		if n := m.counts[h]; n > 0 {
			glyph, style := kit.HealthSign(th, h)
			line.Say(style, fmt.Sprintf(" %s%d", glyph, n)).Say(theme.Plain, " "+h.String())
		}
	}
	line.Say(theme.Accent, "   "+l.String())
	if t.focus != "" {
		line.Say(theme.Plain, " focus ").Put(theme.Bold, safe.Line(m.name(t.focus), 30)).
			Say(theme.Plain, fmt.Sprintf(" depth %d, %d of %d nodes", m.depth, len(m.order), m.all))
	} else if l == asGraph && !t.pic.whole {
		line.Say(theme.Warn, fmt.Sprintf(" %d nodes, showing %d around the cursor: o focuses", len(m.order), t.pic.shown))
	}
	if why != "" {
		line.Say(theme.Dim, " ("+why+"; a cycles views)")
	}
	return line.String()
}

// sources is one row of how every source is doing, and a row of its own for each
// that did not answer in full.
func (t *screen) sources(w, h int) []string {
	th := t.o.Theme
	l := kit.NewLine(th, w).Say(theme.Dim, " SOURCES ")
	well, room := 0, w-9
	for i := range t.m.states {
		if st := &t.m.states[i]; st.Phase == session.Well {
			well++
		}
		room -= safe.Line(t.m.states[i].Name, 30).Width() + len(t.m.states[i].Phase.String()) + 5
	}
	if room < 0 && well > 0 { // of those that are well the number will do
		glyph, style := kit.PhaseSign(th, session.Well)
		l.Say(style, fmt.Sprintf("%s%d", glyph, well)).Say(theme.Dim, " ok  ")
	}
	var trouble []*session.State
	for i := range t.m.states {
		st := &t.m.states[i]
		if st.Phase == session.Failed || st.Phase == session.Partly {
			trouble = append(trouble, st)
		}
		if st.Phase == session.Well && room < 0 {
			continue
		}
		glyph, style := kit.PhaseSign(th, st.Phase)
		l.Say(style, glyph+" ").Put(theme.Plain, safe.Line(st.Name, 30)).Say(theme.Dim, " "+st.Phase.String()+"  ")
	}
	rows := []string{l.String()}
	most := max(0, h/10)
	for i, st := range trouble {
		if i == most-1 && len(trouble) > most {
			rest := fmt.Sprintf("   %d more sources did not answer in full: 7 lists them", len(trouble)-i)
			return append(rows, kit.NewLine(th, w).Say(theme.Warn, rest).String())
		}
		if i == most {
			break
		}
		rows = append(rows, t.sourceRow(w, st))
	}
	return rows
}

func (t *screen) sourceRow(w int, st *session.State) string {
	glyph, style := kit.PhaseSign(t.o.Theme, st.Phase)
	l := kit.NewLine(t.o.Theme, w).Say(theme.Plain, "   ").Say(style, glyph+" ").Put(theme.Bold, safe.Line(st.Name, 40)).
		Say(theme.Dim, " "+st.Phase.String())
	switch {
	case st.Phase == session.Failed:
		text := strings.TrimPrefix(st.Error, st.Name+": ")
		if st.Hint != "" {
			text += "; " + st.Hint
		}
		l.Say(theme.Plain, ": ").Put(style, safe.Line(text, safe.Wide))
	case st.Phase == session.Partly:
		text := strings.Join(st.Missing, "; ")
		if text == "" {
			text = "it does not say what is left out"
		}
		l.Say(theme.Plain, ": left out: ").Put(style, safe.Line(text, safe.Wide))
	case st.Phase == session.Asking && st.Step != "":
		l.Say(theme.Dim, " ("+safe.Line(st.Step, 20).String()+")")
	}
	return l.String()
}
