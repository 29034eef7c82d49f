package topo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// column of a table. Columns that do not fit are left out, not squeezed.
type column struct {
	title string
	width int
	right bool
}

// fit takes columns, the most important first, as long as there is room beside
// what the rest of the row needs, and returns them in their own order.
func fit(all []column, room int, first ...string) (out []column) {
	keep := map[string]bool{}
	for _, title := range first {
		i := slices.IndexFunc(all, func(c column) bool { return c.title == title })
		if room -= all[i].width + 1; room < 0 {
			break
		}
		keep[title] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(c column) bool { return !keep[c.title] })
}

func cell(l *kit.Line, c column, s theme.Style, text safe.Text) {
	if c.right {
		l.ColRight(s, text, c.width)
		return
	}
	l.Col(s, text, c.width)
}

// edgeRows is the table of the edges of what is under the cursor.
func (t *screen) edgeRows(w, h int) []string {
	r, ok := t.current()
	if !ok || h <= 0 {
		return nil
	}
	edges := sorted(t.m.edges[r.node.ID], r.node.ID)
	cols := fit([]column{{"KIND", 14, false}, {"EVIDENCE", 13, false}, {"RATE", 7, true}, {"LAG", 7, true}, {"BY", 16, false}}, w-22,
		"KIND", "LAG", "EVIDENCE", "RATE", "BY")
	name := w - 4
	for _, c := range cols {
		name -= c.width + 1
	}
	name = max(0, name)
	head := kit.NewLine(t.o.Theme, w).Col(theme.Heading, safe.Concat(kit.Text(" EDGES of "), safe.Line(t.m.name(r.node.ID), 60)), name+3)
	for _, c := range cols {
		cell(head, c, theme.Dim, kit.Text(c.title))
	}
	rows := []string{head.String()}
	if len(edges) == 0 {
		rows = append(rows, kit.NewLine(t.o.Theme, w).Say(theme.Dim, "  no source names an edge of it").String())
	}
	for i, e := range edges {
		if len(rows) == h-1 && i < len(edges)-1 {
			rows = append(rows, kit.NewLine(t.o.Theme, w).Say(theme.Dim, "  "+kit.Plural(len(edges)-i, "more edge")+": enter lists all").String())
			break
		}
		rows = append(rows, t.edgeRow(e, r.node.ID, w, name, cols))
	}
	return rows
}

func (t *screen) edgeRow(e *topology.Edge, of string, w, name int, cols []column) string {
	other, out := far(e, of)
	l := kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ").Say(theme.Accent, t.arrow(out)+" ")
	l.Col(t.edgeStyle(e), safe.Line(t.m.name(other), name), name)
	for _, c := range cols {
		text, style := t.edgeCell(e, c.title)
		cell(l, c, style, text)
	}
	return l.String()
}

func (t *screen) edgeCell(e *topology.Edge, title string) (safe.Text, theme.Style) {
	switch title {
	case "KIND":
		return safe.Line(strings.TrimSpace(string(e.Kind)+" "+e.Protocol), 40), theme.Plain
	case "EVIDENCE":
		if e.Stale {
			return safe.Const("stale"), theme.Warn
		}
		return kit.Text(e.Class.String()), theme.Dim
	case "RATE":
		return t.number(metric(e, probes.MetricRate))
	case "LAG":
		return t.number(metric(e, probes.MetricLag))
	case "BY":
		return safe.Line(strings.Join(speakers(e), ", "), 60), theme.Dim
	}
	return safe.Text{}, theme.Plain
}

// edgeStyle: what has not been seen happening is dim.
func (t *screen) edgeStyle(e *topology.Edge) theme.Style {
	if e.Stale || e.Class < probes.Attached {
		return theme.Dim
	}
	return theme.Plain
}

func (t *screen) arrow(out bool) string {
	switch {
	case t.o.Theme.ASCII && out:
		return ">"
	case t.o.Theme.ASCII:
		return "<"
	case out:
		return "→"
	}
	return "←"
}

// far is the other end of an edge, and whether the edge leads there.
func far(e *topology.Edge, of string) (id string, out bool) {
	if e.From == of {
		return e.To, true
	}
	return e.From, false
}

// speakers are the sources of an edge's numbers, or where it has none of the
// edge itself.
func speakers(e *topology.Edge) (by []string) {
	add := func(s string) {
		if !slices.Contains(by, s) {
			by = append(by, s)
		}
	}
	for _, m := range e.Metrics {
		add(m.By)
	}
	if len(by) == 0 {
		for _, c := range e.Claims {
			add(c.By)
		}
	}
	return by
}

// metric is the largest number of that name any source gives: a sum or a mean of
// several sources would be nobody's.
func metric(e *topology.Edge, name string) (value float64, ok bool) {
	for _, m := range e.Metrics {
		if m.Name == name && (!ok || m.Value > value) {
			value, ok = m.Value, true
		}
	}
	return value, ok
}

// number writes a number, or that it is unknown.
func (t *screen) number(v float64, ok bool) (safe.Text, theme.Style) {
	if !ok {
		return kit.Text(t.o.Theme.Glyph(theme.Dash)), theme.Dim
	}
	return kit.Text(figure(v)), theme.Plain
}

// figure writes a number in at most six cells.
func figure(v float64) string {
	switch {
	case v >= 1e9 || v <= -1e5:
		return fmt.Sprintf("%.1e", v)
	case v >= 1e6:
		return fmt.Sprintf("%.1fM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.1fk", v/1e3)
	case v == float64(int64(v)):
		return fmt.Sprintf("%.0f", v)
	case v > 0 && v < 0.05:
		return "<0.1"
	}
	return fmt.Sprintf("%.1f", v)
}

// sorted puts the best evidence first, and of equal one what leads away.
func sorted(edges []*topology.Edge, of string) []*topology.Edge {
	out := slices.Clone(edges)
	slices.SortStableFunc(out, func(a, b *topology.Edge) int {
		return cmp.Or(cmp.Compare(b.Class, a.Class), cmp.Compare(away(a, of), away(b, of)), strings.Compare(a.From+a.To, b.From+b.To))
	})
	return out
}

func away(e *topology.Edge, of string) int {
	if e.From == of {
		return 0
	}
	return 1
}
