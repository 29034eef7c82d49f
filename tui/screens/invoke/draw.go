package invoke

import (
	"fmt"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

func (v *screen) View(w, h int) string {
	if v.picker != nil {
		return v.pickerView(w, h)
	}
	var below []string
	if v.confirm != nil {
		below = v.confirmRows(w)
	}
	if v.question != nil {
		below = v.questionRows(w)
	}
	above := v.filterRows(w) // over all panes: expressions are long
	body := max(0, h-len(below)-len(above))
	v.single = w < 100
	rows := append(append(above, strings.Split(v.panes(w, body), "\n")[:body]...), below...)
	if len(rows) > h && h >= 0 {
		rows = rows[len(rows)-h:] // the question before everything else
	}
	return kit.Lay(rows, w, h)
}

// filterRows are the filter of the methods, where one is typed or in force.
func (v *screen) filterRows(w int) []string {
	rows := v.filter.Head(v.o.Theme, v.sifted.String()+" methods", w)
	return append(rows, kit.Unjudged(v.o.Theme, v.sifted.Unjudged, v.sifted.Why, "methods", w)...)
}

func (v *screen) confirmRows(w int) []string {
	th, c := v.o.Theme, v.confirm
	what := kit.NewLine(th, w).Say(theme.Prod, " CONFIRM ").Say(theme.Plain, " ").Put(theme.Bold, safe.Line(c.method.Name, safe.Wide)).Say(theme.Plain, " "+effect(&c.method))
	where := kit.NewLine(th, w).Say(theme.Plain, "           target ").Put(theme.Bold, safe.Line(c.ref.Target, 40)).
		Say(theme.Plain, ", environment ").Put(theme.Bold, safe.Line(c.env.Name, 40)).Say(theme.Plain, " (class "+safe.Line(string(c.env.Class), 10).String()+")")
	return []string{what.String(), where.String(), kit.NewLine(th, w).Say(theme.Plain, "           enter sends it, anything else does not").String()}
}

func (v *screen) panes(w, h int) string {
	th := v.o.Theme
	switch {
	case h <= 0:
		return ""
	case w >= 160:
		left, mid := w/4, w*3/8
		return kit.Beside(th, kit.Beside(th, v.methodPane(left, h), v.requestPane(mid, h)), v.responsePane(w-left-mid-2, h))
	case w >= 100:
		left := w * 7 / 20
		right := w - left - 1
		upper := max(min(h/2, v.requestNeeds()), h-h*3/4)
		if v.call() == nil {
			upper = h * 3 / 4
		}
		stack := append(lines(v.requestPane(right, upper)), lines(v.responsePane(right, h-upper))...)
		return kit.Beside(th, v.methodPane(left, h), kit.Lay(stack, right, h))
	}
	tabs := v.paneTabs(w)
	one := [...]func(int, int) string{v.methodPane, v.requestPane, v.responsePane}[v.pane](w, h-1)
	return kit.Lay(append([]string{tabs}, lines(one)...), w, h)
}

// lines takes a block apart; an empty one has none.
func lines(block string) []string {
	if block == "" {
		return nil
	}
	return strings.Split(block, "\n")
}

// paneTabs names the panes where only one fits.
func (v *screen) paneTabs(w int) string {
	l := kit.NewLine(v.o.Theme, w).Say(theme.Plain, " ")
	for i, name := range [...]string{"Methods", "Request", "Response"} {
		if pane(i) == v.pane {
			l.Say(theme.Reverse, "["+name+"]").Say(theme.Plain, "  ")
		} else {
			l.Say(theme.Dim, name+"  ")
		}
	}
	return l.Say(theme.Dim, " tab").String()
}

// mark is how a method that may change something is told.
func (v *screen) mark(m *probes.Method) string {
	switch {
	case m.Effect == probes.EffectRead:
		return ""
	case v.o.Theme.ASCII:
		return "!"
	}
	return "⚠"
}

func (v *screen) methodPane(w, h int) string {
	th := v.o.Theme
	title := theme.Heading
	if v.pane == onMethods {
		title = theme.Reverse
	}
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Say(title, "METHODS").Say(theme.Plain, fmt.Sprintf(" %d", v.sifted.Shown)).
		Say(theme.Dim, "   "+v.mark(&probes.Method{})+" = may change something")
	rows := []string{head.String()}
	v.height[onMethods] = max(1, h-len(rows))
	if len(v.rows) == 0 {
		return kit.Lay(append(rows, v.noMethods(w)...), w, h)
	}
	from, to := v.list.Window(len(v.rows), h-len(rows))
	for i := from; i < to; i++ {
		l := v.methodRow(&v.rows[i], w)
		if i == v.list.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return kit.Lay(rows, w, h)
}

func (v *screen) methodRow(r *row, w int) *kit.Line {
	th := v.o.Theme
	l := kit.NewLine(th, w)
	switch {
	case r.method == nil && r.group == "":
		o := v.targets[r.target]
		l.Say(theme.Plain, " ")
		switch {
		case o.err != "":
			return l.Say(theme.Bad, th.Glyph(theme.Failed)+" ").Put(theme.Bold, safe.Line(r.target, 40)).Say(theme.Plain, "  ").
				Put(theme.Bad, safe.Line(strings.TrimPrefix(o.err, r.target+": "), safe.Wide)).Say(theme.Dim, "  ").Put(theme.Warn, safe.Line(o.hint, safe.Wide))
		case o.asking:
			return l.Say(theme.Dim, th.Glyph(theme.Unknown)+" ").Put(theme.Bold, safe.Line(r.target, 40)).Say(theme.Dim, "  asking "+th.Glyph(theme.Ellipsis))
		case len(o.methods) == 0:
			return l.Say(theme.Dim, th.Glyph(theme.Unknown)+" ").Put(theme.Bold, safe.Line(r.target, 40)).Say(theme.Dim, "  describes no methods")
		}
		return l.Say(theme.Good, th.Glyph(theme.OK)+" ").Put(theme.Bold, safe.Line(r.target, 40)).Say(theme.Dim, "  "+o.count())
	case r.method == nil:
		return l.Say(theme.Plain, "   ").Put(theme.Accent, safe.Line(r.group, safe.Wide))
	}
	l.Say(theme.Plain, "     ")
	right := strings.TrimSpace(shape(r.method, th.ASCII) + " " + v.mark(r.method))
	style := theme.Plain
	if r.method.Deprecated {
		style = theme.Dim
	}
	l.Put(style, short(r.method).Cut(max(8, w-safe.Width(right)-8)))
	if right != "" {
		l.Gap(safe.Width(right)+1).Say(theme.Warn, right)
	}
	return l
}

// count is how many methods of a target are listed, and of how many.
func (o *offer) count() string {
	all := len(o.methods) + len(o.added)
	if o.shown == all {
		return fmt.Sprint(all)
	}
	return fmt.Sprintf("%d of %d", o.shown, all)
}

// noMethods says why the list is empty and what to do.
func (v *screen) noMethods(w int) []string {
	say := func(s string) string { return kit.NewLine(v.o.Theme, w).Say(theme.Dim, "  "+s).String() }
	states := v.s.States()
	open := 0
	for _, st := range states {
		if st.Phase == session.Asking || st.Phase == session.Unasked {
			open++
		}
	}
	switch {
	case len(states) == 0:
		return []string{say(""), say("This environment has no targets."), say(": open URL adds one.")}
	case v.filter.Text != "":
		return []string{say(""), say("No method matches the filter."), say("esc lifts it.")}
	case open > 0:
		return []string{say(""), say(fmt.Sprintf("Opening %d of %d targets %s", open, len(states), v.o.Theme.Glyph(theme.Ellipsis)))}
	}
	return []string{say(""), say("No target here has methods."), say("grpc and http targets have: : open URL")}
}
