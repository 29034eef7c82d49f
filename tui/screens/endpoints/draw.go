package endpoints

import (
	"strings"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

func (e *screen) View(w, h int) string {
	if len(e.rows) == 0 && e.filter == "" {
		e.lay()
	}
	var rows []string
	if e.asking || e.filter != "" {
		l := kit.NewLine(e.o.Theme, w).Say(theme.Accent, " FILTER ")
		rows = append(rows, e.prompt.Draw(l, max(8, w-12), e.asking).String())
	}
	body := h - len(rows)
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
		if e.filter != "" {
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
		fold = map[bool]string{true: "- ", false: "+ "}[e.isOpen(r)]
	}
	l.Say(theme.Dim, fold)
	if r.node == nil {
		st := states[r.target]
		glyph, style := kit.PhaseSign(th, st.Phase)
		l.Say(style, glyph+" ").Put(theme.Bold, safe.Line(r.target, 40)).Say(theme.Dim, "  "+safe.Line(st.Driver, 10).String()+"  "+st.Phase.String())
	} else {
		kind := r.node.kind
		if kind == "methods" || kind == "method" {
			kind = ""
		}
		l.Put(theme.Plain, safe.Line(r.node.name, max(10, w-20))).Say(theme.Dim, "  "+kind+"  ").Put(theme.Dim, safe.Line(r.node.note, max(0, l.Left())))
	}
	if cursor {
		return l.Selected()
	}
	return l.String()
}

// pane describes what is under the cursor.
func (e *screen) pane(w, h int) string {
	r, ok := e.current()
	if !ok {
		return kit.Lay(nil, w, h)
	}
	var rows []string
	add := func(style theme.Style, text string) {
		rows = append(rows, kit.NewLine(e.o.Theme, w).Say(theme.Plain, " ").Put(style, safe.Line(text, max(0, w-2))).String())
	}
	add(theme.Heading, r.ref().String())
	switch {
	case r.node == nil:
		e.aboutTarget(r.target, add)
	case r.node.method != nil:
		aboutMethod(r.node, add)
	default:
		add(theme.Dim, strings.TrimSpace(r.node.kind+"  "+r.node.note))
		add(theme.Plain, "")
		for _, c := range r.node.claims {
			add(theme.Plain, c.Node.Name+" = "+c.Node.Reason+"   ("+c.By+")")
		}
		for _, k := range r.node.kids {
			add(theme.Plain, k.kind+" "+k.name+"  "+k.note)
		}
	}
	from, to := e.scroll.Window(len(rows), h)
	return kit.Lay(rows[from:to], w, h)
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
			add(theme.Plain, st.Hint)
		}
		for _, m := range st.Missing {
			add(theme.Warn, "left out: "+m)
		}
	}
	if t := e.trouble[target]; t != "" {
		add(theme.Warn, "methods: "+t)
	}
}

func aboutMethod(n *node, add func(theme.Style, string)) {
	m := n.method
	add(theme.Dim, strings.TrimSpace("method  "+m.Effect.String()+"  "+streams(m)))
	if m.Doc != "" {
		add(theme.Plain, m.Doc)
	}
	if m.Input != "" || m.Output != "" {
		add(theme.Plain, "takes "+m.Input)
		add(theme.Plain, "gives "+m.Output)
	}
	for _, p := range m.Params {
		required := ""
		if p.Required {
			required = " required"
		}
		add(theme.Plain, "param "+p.Name+" ("+p.In+" "+p.Type+required+") "+p.Doc)
	}
	if m.Template == nil {
		return
	}
	add(theme.Plain, "")
	for _, row := range indented(m.Template) {
		add(theme.Plain, row)
	}
}
