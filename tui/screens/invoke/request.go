package invoke

import (
	"fmt"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/form"
	"iscope/tui/screens/invoke/jsondoc"
	"iscope/tui/theme"
)

func (v *screen) requestPane(w, h int) string {
	th := v.o.Theme
	title := theme.Heading
	if v.pane == onRequest {
		title = theme.Reverse
	}
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Say(title, "REQUEST").Say(theme.Plain, "  ")
	d := v.draft()
	if d == nil {
		return kit.Lay(append([]string{head.String()}, v.aboutTarget(w)...), w, h)
	}
	d.check()
	right := strings.TrimSpace(shape(d.method, th.ASCII) + " " + effect(d.method) + " " + v.mark(d.method))
	head.Put(theme.Bold, safe.Line(d.method.Name, max(0, head.Left()-safe.Width(right)-3))).Say(theme.Plain, "  ").Say(theme.Dim, right)
	rows := []string{head.String()}
	if doc := strings.TrimSpace(d.method.Doc); doc != "" || d.method.Deprecated {
		l := kit.NewLine(th, w).Say(theme.Plain, " ")
		if d.method.Deprecated {
			l.Say(theme.Warn, "deprecated  ")
		}
		rows = append(rows, l.Put(theme.Dim, safe.Line(doc, safe.Wide)).String())
	}
	foot := v.fieldRows(d, w, h)
	below := 0
	if d.body {
		below = max(4, h/3)
	}
	rows = append(rows, v.paramRows(d, w, max(1, h-len(rows)-len(foot)-below))...)
	left := h - len(rows) - len(foot)
	switch {
	case d.showsForm():
		rows = append(rows, v.formRows(d, w, left)...)
	case d.body:
		rows = append(rows, v.documentRows(d, w, left)...)
	case d.slots() == 0:
		rows = append(rows, kit.NewLine(th, w).Say(theme.Dim, " nothing to fill in: s sends").String())
	}
	for len(rows) < h-len(foot) {
		rows = append(rows, kit.NewLine(th, w).String())
	}
	return kit.Lay(append(rows[:max(0, min(len(rows), h-len(foot)))], foot...), w, h)
}

// effect is what a call may do, in words.
func effect(m *probes.Method) string {
	switch m.Effect {
	case probes.EffectRead:
		return "reads only"
	case probes.EffectWrite:
		return "changes something"
	}
	return "may change something"
}

// requestNeeds is how many rows the request takes to be seen whole.
func (v *screen) requestNeeds() int {
	d := v.draft()
	if d == nil {
		return 8
	}
	rows := 3 + d.above() + 4 // headings, and the foot
	switch {
	case d.showsForm():
		rows += 1 + len(d.form.Rows)
	case d.body:
		rows += 1 + d.doc.Lines()
	}
	return rows
}

// fieldRows stand at the foot: what the contract says of the field under the
// cursor, and the same call as a command line.
func (v *screen) fieldRows(d *draft, w, h int) (rows []string) {
	if h < 8 {
		return nil
	}
	th := v.o.Theme
	if head, doc := d.aboutField(); head != "" && v.pane == onRequest {
		l := kit.NewLine(th, w).Say(theme.Accent, " "+th.Glyph(theme.Crumb)+" ").Put(theme.Plain, safe.Line(head, safe.Wide))
		rows = append(rows, l.String())
		for i, piece := range kit.Wrap(doc, w-5) {
			if i == 2 || doc == "" {
				break
			}
			rows = append(rows, kit.NewLine(th, w).Say(theme.Plain, "   ").Put(theme.Dim, safe.Line(piece, safe.Wide)).String())
		}
	}
	return append(rows, kit.NewLine(th, w).Say(theme.Dim, " y copies ").Put(theme.Dim, safe.Line(v.command(d), safe.Wide)).String())
}

// documentHead names the views of the document, and says how it stands.
func (v *screen) documentHead(d *draft, w int) string {
	th := v.o.Theme
	l := kit.NewLine(th, w).Say(theme.Plain, " ")
	tab := func(name string, on bool) {
		if on {
			l.Say(theme.Reverse, "["+name+"]").Say(theme.Plain, " ")
		} else {
			l.Say(theme.Dim, " "+name+"  ")
		}
	}
	if d.form != nil {
		tab("Form", d.showsForm())
	}
	tab("JSON", !d.showsForm())
	wrong := 0
	if d.form != nil && d.valid {
		wrong = d.form.Wrong()
	}
	switch {
	case !d.valid:
		return l.Say(theme.Bad, " "+th.Glyph(theme.Failed)+" ").Put(theme.Bad, safe.Line(d.verdict, safe.Wide)).String()
	case wrong > 0:
		l.Say(theme.Warn, fmt.Sprintf(" %s %s not as the contract has it", th.Glyph(theme.Warning), kit.Plural(wrong, "value")))
		if !d.showsForm() { // the form says it where it is
			l.Say(theme.Warn, ": ").Put(theme.Warn, safe.Line(d.form.First(), safe.Wide))
		}
		return l.String()
	case d.showsForm() && d.parsed != nil:
		return l.Say(theme.Good, " "+th.Glyph(theme.OK)+" valid").
			Say(theme.Dim, fmt.Sprintf(" %s %s set %s %d B", th.Glyph(theme.Dot), kit.Plural(d.form.Set(), "field"), th.Glyph(theme.Dot), len(d.parsed.Compact()))).String()
	}
	return l.Say(theme.Good, " "+th.Glyph(theme.OK)+" "+d.verdict).String()
}

func (v *screen) documentRows(d *draft, w, h int) []string {
	if h <= 0 {
		return nil
	}
	here := v.pane == onRequest && d.onBody()
	v.height[onRequest] = max(1, h-1)
	return append([]string{v.documentHead(d, w)}, d.doc.Rows(v.o.Theme, w, max(0, h-1), v.typing && here, d.wrong)...)
}

// formRows are the rows of the form that are visible.
func (v *screen) formRows(d *draft, w, h int) []string {
	if h <= 0 {
		return nil
	}
	rows := []string{v.documentHead(d, w)}
	if len(d.form.Rows) == 0 {
		return append(rows, kit.NewLine(v.o.Theme, w).Say(theme.Dim, "   this message has no fields: s sends it empty").String())
	}
	if at := d.cursor - d.above(); at >= 0 {
		d.rows.Cursor = at
	}
	v.height[onRequest] = max(1, h-1)
	from, to := d.rows.Window(len(d.form.Rows), h-1)
	name := 10
	for i := from; i < to; i++ {
		r := &d.form.Rows[i]
		name = max(name, min(w/3, 2*r.Depth+safe.Line(r.Label, safe.Wide).Width()+3))
	}
	for i := from; i < to; i++ {
		rows = append(rows, v.formRow(d, i, name, w))
	}
	return rows
}

const (
	typeWidth  = 18
	leastValue = 12 // cells of a value, whatever is wrong with it
)

func (v *screen) formRow(d *draft, i, name, w int) string {
	th := v.o.Theme
	r := &d.form.Rows[i]
	here := v.pane == onRequest && d.cursor == d.above()+i
	l := kit.NewLine(th, w)
	if here {
		l.Say(theme.Accent, th.Glyph(theme.Cursor)+" ")
	} else {
		l.Say(theme.Plain, "  ")
	}
	label := safe.Concat(safe.Text{}.Fit(min(2*r.Depth, name-6)), v.label(r))
	style := theme.Bold
	if r.Value == nil && r.Kind != form.Group {
		style = theme.Plain
	}
	l.Col(style, label, name)
	if w >= 60 {
		kind := r.Type()
		switch r.Kind {
		case form.Add:
			kind = ""
		case form.Extra:
			kind = "not in contract"
		}
		l.Col(theme.Dim, safe.Line(kind, typeWidth), typeWidth)
	}
	if here && v.typing {
		d.line.Draw(l, max(8, l.Left()-v.problemWidth(r)), true)
	} else {
		v.formValue(d, r, l, here)
	}
	return v.formProblem(r, l).String()
}

func (v *screen) problemWidth(r *form.Row) int {
	if r.Problem == "" {
		return 1
	}
	return min(40, safe.Line(r.Problem, safe.Wide).Width()) + 5
}

func (v *screen) label(r *form.Row) safe.Text {
	label := safe.Line(r.Label, safe.Wide)
	if r.Shape != nil && r.Kind == form.Field {
		if r.Shape.Required {
			label = safe.Concat(label, safe.Const("*"))
		}
		if r.Shape.Deprecated {
			label = safe.Concat(label, safe.Const(" (old)"))
		}
	}
	switch {
	case r.Branch && r.Open:
		return safe.Concat(kit.Text(fold(true)+" "), label)
	case r.Branch:
		return safe.Concat(kit.Text(fold(false)+" "), label)
	}
	return label
}

// fold is the sign of an open or closed branch, as in Endpoints.
func fold(open bool) string {
	if open {
		return "-"
	}
	return "+"
}

// formValue is what a row holds, or how it is filled in.
func (v *screen) formValue(d *draft, r *form.Row, l *kit.Line, here bool) {
	th := v.o.Theme
	words, _, now := d.form.Choices(r)
	if len(words) > 0 {
		left, right := "◂ ", " ▸"
		if th.ASCII {
			left, right = "< ", " >"
		}
		what, style := kit.Text(v.unsetText(r)), theme.Dim
		if now >= 0 && (r.Value != nil || r.Kind == form.Group) {
			what, style = safe.Line(words[now], 40), theme.Plain
		} else if r.Value != nil {
			what, style = safe.Line(d.form.Typed(r), 40), theme.Plain
		}
		if !here {
			left, right = "", ""
		}
		l.Say(theme.Accent, left).Put(style, what).Say(theme.Accent, right)
		if r.Kind == form.Group || r.Shape.Kind != probes.ShapeUnion {
			return
		}
		l.Say(theme.Plain, "  ")
	}
	switch {
	case r.Kind == form.Add || r.Kind == form.Group:
	case r.Value == nil && len(words) == 0:
		l.Say(theme.Dim, v.unsetText(r))
	case r.Value == nil:
	case r.Value.Kind >= jsondoc.Object:
		l.Say(theme.Dim, held(r))
	case r.Value.Kind == jsondoc.String && r.Value.Text == "":
		l.Say(theme.Dim, `"" (empty)`)
	default:
		room := max(leastValue, l.Left()-v.problemWidth(r))
		l.Put(theme.Plain, safe.Line(d.form.Typed(r), min(room, l.Left())))
	}
}

func (v *screen) unsetText(r *form.Row) string {
	if r.Branch {
		return v.o.Theme.Glyph(theme.Dash)
	}
	if r.Shape != nil && r.Shape.Default != "" {
		return "not set (default " + safe.Line(form.Unquote(r.Shape.Default), 24).String() + ")"
	}
	return v.o.Theme.Glyph(theme.Dash)
}

// held is how much is in an object, a list or a map.
func held(r *form.Row) string {
	n := len(r.Value.Kids)
	switch {
	case r.Value.Kind == jsondoc.List:
		return kit.Plural(n, "element")
	case n == 0:
		return "{} (empty)"
	case r.Shape != nil && r.Shape.Kind == probes.ShapeMap && n == 1:
		return "1 entry"
	case r.Shape != nil && r.Shape.Kind == probes.ShapeMap:
		return itoa(n) + " entries"
	}
	return kit.Plural(n, "field") + " set"
}

// formProblem ends a row with what is wrong there.
func (v *screen) formProblem(r *form.Row, l *kit.Line) *kit.Line {
	th := v.o.Theme
	switch {
	case r.Problem == "required":
		return l.Say(theme.Warn, "  "+th.Glyph(theme.Warning)+" required")
	case r.Problem != "":
		return l.Say(theme.Bad, "  "+th.Glyph(theme.Failed)+" ").Put(theme.Bad, safe.Line(r.Problem, safe.Wide))
	case r.Inside > 0:
		return l.Say(theme.Warn, fmt.Sprintf("  %s %d wrong inside", th.Glyph(theme.Warning), r.Inside))
	}
	return l
}

// aboutTarget stands in the request's place while no method is chosen.
func (v *screen) aboutTarget(w int) (rows []string) {
	say := func(s theme.Style, text string) {
		for _, piece := range kit.Wrap(text, w-3) {
			rows = append(rows, kit.NewLine(v.o.Theme, w).Say(theme.Plain, "  ").Put(s, safe.Line(piece, safe.Wide)).String())
		}
	}
	say(theme.Plain, "")
	r, ok := v.current()
	if !ok {
		return rows
	}
	o := v.targets[r.target]
	if o.err == "" {
		say(theme.Dim, "Choose a method.")
		return rows
	}
	say(theme.Bad, v.o.Theme.Glyph(theme.Failed)+" "+o.err)
	if o.hint != "" {
		say(theme.Warn, "hint: "+o.hint)
	}
	say(theme.Dim, "R asks again; 7 shows every step that was taken. i names a method yourself, such as GET /path.")
	return rows
}

// paramRows are the one-line fields, with the one under the cursor in sight.
func (v *screen) paramRows(d *draft, w, h int) (rows []string) {
	n := len(d.params) + len(d.headers)
	from := 0
	if n > h {
		from = max(0, min(d.cursor-h+1, n-h))
	}
	name := 8
	for i := range d.params {
		name = max(name, min(24, safe.Line(d.params[i].Name, 24).Width()+1))
	}
	for i := from; i < min(n, from+h); i++ {
		rows = append(rows, v.paramRow(d, i, name, w))
	}
	return rows
}

func (v *screen) paramRow(d *draft, i, name, w int) string {
	th := v.o.Theme
	l := kit.NewLine(th, w)
	here := v.pane == onRequest && d.cursor == i
	if here {
		l.Say(theme.Accent, th.Glyph(theme.Cursor)+" ")
	} else {
		l.Say(theme.Plain, "  ")
	}
	if i >= len(d.params) {
		l.Col(theme.Dim, safe.Const("header"), name)
		return d.headers[i-len(d.params)].Draw(l, l.Left()-1, here && v.typing).String()
	}
	p := &d.params[i]
	label := safe.Line(p.Name, name-1)
	if p.Required {
		label = safe.Concat(label, safe.Const("*"))
	}
	l.Col(theme.Bold, label, name).Col(theme.Dim, safe.Line(strings.TrimSpace(p.In+" "+p.Type), 16), 16)
	value := max(8, l.Left()/2)
	p.field.Draw(l, value, here && v.typing)
	if p.Required && p.field.Value() == "" {
		return l.Say(theme.Warn, " required").String()
	}
	return l.Say(theme.Plain, "  ").Put(theme.Dim, safe.Line(p.Doc, safe.Wide)).String()
}
