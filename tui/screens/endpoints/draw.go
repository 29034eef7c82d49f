package endpoints

import (
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

func (e *screen) View(w, h int) string {
	if len(e.rows) == 0 && e.filter.Text == "" {
		e.lay()
	}
	var rows []string
	count := "" // of what is folded without a filter nobody counts
	if e.filter.In != nil {
		count = e.sifted.String()
	}
	rows = append(rows, e.filter.Head(e.o.Theme, count, w)...)
	rows = append(rows, kit.Unjudged(e.o.Theme, e.sifted.Unjudged, e.sifted.Why, "rows", w)...)
	body := max(0, h-len(rows))
	switch {
	case w >= 100:
		left := w / 2
		if w >= 160 {
			left = w * 2 / 5
		}
		rows = append(rows, strings.Split(kit.Beside(e.o.Theme, e.tree(left, body), e.pane(w-left-1, body)), "\n")...)
	case e.detail:
		rows = append(rows, strings.Split(e.pane(w, body), "\n")...)
	default:
		rows = append(rows, strings.Split(e.tree(w, body), "\n")...)
	}
	return kit.Lay(rows, w, h)
}

func (e *screen) tree(w, h int) string {
	e.height = max(1, h)
	states := map[string]session.State{}
	for _, st := range e.s.States() {
		states[st.Name] = st
	}
	var rows []string
	from, to := e.list.Window(len(e.rows), h)
	for i := from; i < to; i++ {
		rows = append(rows, e.row(&e.rows[i], states, w, i == e.list.Cursor))
	}
	if len(e.rows) == 0 {
		text := "  No targets. : open URL adds one."
		if e.filter.Text != "" {
			text = "  Nothing matches. esc lifts the filter."
		}
		rows = append(rows, kit.NewLine(e.o.Theme, w).Say(theme.Dim, text).String())
	}
	return kit.Lay(rows, w, h)
}

func (e *screen) row(r *line, states map[string]session.State, w int, cursor bool) string {
	th := e.o.Theme
	l := kit.NewLine(th, w).Say(theme.Plain, " "+strings.Repeat("  ", r.depth))
	fold := "  "
	if r.branch() {
		fold = map[bool]string{true: "- ", false: "+ "}[e.isOpen(r) || e.filter.Text != ""]
	}
	l.Say(theme.Dim, fold)
	switch {
	case r.node == nil:
		st := states[r.target]
		glyph, style := kit.PhaseSign(th, st.Phase)
		l.Say(style, glyph+" ").Put(theme.Bold, safe.Line(r.target, 40)).Say(theme.Dim, "  "+safe.Line(st.Driver, 10).String()+"  "+st.Phase.String())
	case r.node.method != nil:
		e.methodRow(r.node, l)
	default:
		kind := r.node.kind
		if kind == "methods" {
			kind = ""
		}
		l.Put(theme.Plain, safe.Line(r.node.name, max(10, w-20))).Say(theme.Dim, "  "+kind+"  ").Put(theme.Dim, safe.Line(r.node.note, max(0, l.Left())))
	}
	if cursor {
		return l.Selected()
	}
	return l.String()
}

// methodRow is a method with how its messages go and whether it may change
// something.
func (e *screen) methodRow(n *node, l *kit.Line) {
	th, m := e.o.Theme, n.method
	name := n.name
	if rest, ok := strings.CutPrefix(name, m.Group+"/"); ok && m.Group != "" {
		name = rest
	}
	style, right := theme.Plain, streams(m)
	if m.Effect != probes.EffectRead {
		mark := "⚠"
		if th.ASCII {
			mark = "!"
		}
		right = strings.TrimSpace(right + " " + mark)
	}
	if m.Deprecated {
		style, right = theme.Dim, strings.TrimSpace("deprecated "+right)
	}
	room := max(8, l.Left()-safe.Width(right)-2)
	text := safe.Line(name, safe.Wide).Cut(room)
	l.Put(style, text)
	if left := room - text.Width() - 2; left > 12 {
		l.Say(theme.Plain, "  ").Put(theme.Dim, safe.Line(n.note, safe.Wide).Cut(left))
	}
	if right != "" {
		l.Gap(safe.Width(right)+1).Say(theme.Warn, right)
	}
}

// pane describes what is under the cursor.
func (e *screen) pane(w, h int) string {
	r, ok := e.current()
	if !ok {
		return kit.Lay(nil, w, h)
	}
	type said struct {
		style theme.Style
		text  string
	}
	var all []said // drawn when visible: a contract may have thousands of lines
	add := func(style theme.Style, text string) { all = append(all, said{style, text}) }
	heading := theme.Heading
	if e.inPane {
		heading = theme.Reverse
	}
	add(heading, r.ref().String())
	switch {
	case r.node == nil:
		e.aboutTarget(r.target, func(s theme.Style, text string) {
			for _, piece := range kit.Wrap(text, w-3) {
				add(s, piece)
			}
		})
	case r.node.method != nil:
		e.aboutMethod(r.node, w, add)
	default:
		add(theme.Dim, strings.TrimSpace(r.node.kind+"  "+r.node.note))
		add(theme.Plain, "")
		for _, c := range r.node.claims {
			add(theme.Plain, c.Node.Name+" = "+c.Node.Reason+"   ("+c.By+")")
		}
		for _, k := range r.node.kids {
			add(theme.Plain, strings.TrimPrefix(k.kind+" ", "method ")+k.name+"  "+k.note)
		}
	}
	e.rowsIn, e.heightP = len(all), h
	from, to := e.scroll.Window(len(all), h)
	var rows []string
	for _, r := range all[from:to] {
		rows = append(rows, kit.NewLine(e.o.Theme, w).Say(theme.Plain, " ").Put(r.style, safe.Line(r.text, max(0, w-2))).String())
	}
	return kit.Lay(rows, w, h)
}

func (e *screen) aboutTarget(target string, add func(theme.Style, string)) {
	for _, st := range e.s.States() {
		if st.Name != target {
			continue
		}
		add(theme.Plain, st.Driver+" at "+st.Address)
		add(theme.Plain, "can "+strings.Join(st.Can, ", "))
		if st.Error != "" {
			add(theme.Bad, st.Error)
			if st.Hint != "" {
				add(theme.Warn, "hint: "+st.Hint)
			}
		}
		for _, m := range st.Missing {
			add(theme.Warn, "left out: "+m)
		}
	}
	if t := e.trouble[target]; t != "" {
		add(theme.Warn, "methods: "+t)
	}
}

// aboutMethod is what the contract says of a method: in a few lines, then in its
// own words.
func (e *screen) aboutMethod(n *node, w int, add func(theme.Style, string)) {
	m := n.method
	effect := map[probes.Effect]string{probes.EffectRead: "reads only", probes.EffectWrite: "changes something",
		probes.EffectUnknown: "may change something"}[m.Effect]
	if s := streams(m); s != "" {
		effect += ", " + s
	}
	add(theme.Dim, effect+"   i calls it")
	if m.Deprecated {
		add(theme.Warn, "deprecated")
	}
	for _, piece := range kit.Wrap(strings.TrimSpace(m.Doc), w-3) {
		if m.Doc != "" {
			add(theme.Plain, piece)
		}
	}
	for _, p := range m.Params {
		required := ""
		if p.Required {
			required = " required"
		}
		add(theme.Plain, "param "+p.Name+" ("+p.In+" "+p.Type+required+") "+p.Doc)
	}
	for i, ref := range schemasOf(m) {
		add(theme.Plain, "")
		add(theme.Heading, map[bool]string{true: "takes ", false: "gives "}[i == 0 && ref == m.Input]+ref)
		e.schemaRows(schemaRef{n.target, ref}, add)
	}
	if m.Template == nil {
		return
	}
	add(theme.Plain, "")
	add(theme.Heading, "a request with every field")
	for _, row := range indented(m.Template) {
		add(theme.Plain, row)
	}
}

func (e *screen) schemaRows(key schemaRef, add func(theme.Style, string)) {
	c, has := e.contracts[key]
	switch {
	case !has && !e.s.Can(key.target, "schema"):
		add(theme.Dim, "  the target gives no text of it")
	case !has:
		add(theme.Dim, "  asking "+e.o.Theme.Glyph(theme.Ellipsis))
	case c.trouble != "":
		add(theme.Warn, "  "+c.trouble)
	}
	for _, row := range c.rows {
		add(theme.Plain, "  "+strings.ReplaceAll(row, "\t", "  "))
	}
}
