package topo

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// Widths of a name in the list.
const (
	leastName = 14
	mostName  = 40

	reasonWidth = 16 // room that is kept for the reason of what is ill
	leastWhy    = 10
	narrowList  = 60 // below it numbers come before reasons
)

func (t *screen) listPane(l look, w, h int) string {
	t.height = max(1, h-1)
	from, to := t.list.Window(len(t.rows), h-1)
	name := leastName
	for _, r := range t.rows[from:to] {
		name = max(name, safe.Line(t.m.name(r.node.ID), mostName).Width())
	}
	name = min(name+1, mostName, max(leastName, w/2))
	reason := reasonWidth
	if w < narrowList {
		reason = 0
	}
	cols := fit([]column{{"KIND", 8, false}, {"PARTS", 9, true}, {"RATE", 7, true}, {"LAG", 7, true}, {"SEEN", 5, true}},
		w-name-6-reason, "KIND", "LAG", "RATE", "PARTS", "SEEN")
	head := kit.NewLine(t.o.Theme, w).Say(theme.Dim, "     ").Col(theme.Dim, safe.Const("NAME"), name)
	for _, c := range cols {
		cell(head, c, theme.Dim, kit.Text(c.title))
	}
	if head.Left() >= leastWhy {
		head.Say(theme.Dim, "WHY")
	}
	rows := []string{head.String()}
	for i := from; i < to; i++ {
		line := t.listRow(&t.rows[i], w, name, cols)
		if i == t.list.Cursor && t.pane != onFindings {
			rows = append(rows, line.Selected())
			continue
		}
		rows = append(rows, line.String())
	}
	if len(t.rows) == 0 {
		rows = append(rows, kit.NewLine(t.o.Theme, w).Say(theme.Dim, "  No name matches the filter; esc lifts it.").String())
	}
	return kit.Lay(rows, w, h)
}

func (t *screen) listRow(r *row, w, name int, cols []column) *kit.Line {
	th := t.o.Theme
	l := kit.NewLine(th, w)
	if r.more > 0 {
		return l.Say(theme.Dim, "     "+t.twig(r)+" "+kit.Plural(r.more, "more part"))
	}
	fold := " "
	if t.branch(r) {
		fold = map[bool]string{true: "-", false: "+"}[t.open[r.node.ID]]
	}
	glyph, style := kit.HealthSign(th, r.node.Health)
	indent := ""
	l.Say(theme.Dim, " "+fold+" ")
	if r.owner != "" {
		if indent = t.twig(r); r.edge != nil {
			_, out := far(r.edge, r.owner)
			indent += t.arrow(out)
		}
		indent += " "
	}
	width := max(0, name-safe.Width(indent))
	l.Say(style, glyph+" ").Say(theme.Dim, indent).Col(nodeStyle(r.node), safe.Line(t.m.name(r.node.ID), width), width)
	for _, c := range cols {
		text, style := t.nodeCell(r, c.title)
		cell(l, c, style, text)
	}
	return t.why(l, r)
}

// twig connects a row with the node it stands below.
func (t *screen) twig(r *row) string {
	switch {
	case t.o.Theme.ASCII && r.last:
		return "`-"
	case t.o.Theme.ASCII:
		return "|-"
	case r.last:
		return "└"
	}
	return "├"
}

func nodeStyle(n *topology.Node) theme.Style {
	if n.Stale || n.Mentioned {
		return theme.Dim
	}
	return theme.Plain
}

// why ends a row: what is wrong, or where it stands on what evidence.
func (t *screen) why(l *kit.Line, r *row) *kit.Line {
	n := r.node
	switch {
	case l.Left() < leastWhy:
		return l
	case r.edge != nil:
		text := r.edge.Class.String() + " by " + strings.Join(speakers(r.edge), ", ")
		return l.Put(theme.Dim, safe.Line(text, safe.Wide))
	case n.Stale:
		l.Say(theme.Warn, "stale ")
	case n.Mentioned:
		return l.Say(theme.Dim, "only mentioned: no source lists it")
	}
	if n.Reason != "" {
		_, style := kit.HealthSign(t.o.Theme, n.Health)
		return l.Put(style, safe.Line(n.Reason, safe.Wide))
	}
	return l.Put(theme.Dim, safe.Line(n.Addr, safe.Wide))
}

func (t *screen) nodeCell(r *row, title string) (safe.Text, theme.Style) {
	n := r.node
	switch title {
	case "KIND":
		if r.edge != nil {
			return safe.Line(string(r.edge.Kind), 20), theme.Dim
		}
		return safe.Line(string(n.Kind), 20), theme.Plain
	case "PARTS":
		if text := partsOf(n); text != "" && r.edge == nil {
			return safe.Line(text, 20), theme.Plain
		}
		if r.owner != "" {
			return safe.Text{}, theme.Plain
		}
		return t.number(0, false)
	case "RATE":
		if r.edge != nil {
			return t.number(metric(r.edge, probes.MetricRate))
		}
		return t.number(nodeRate(n))
	case "LAG":
		if r.edge != nil {
			return t.number(metric(r.edge, probes.MetricLag))
		}
		return t.number(t.worstLag(n))
	case "SEEN":
		return t.age(seen(n.Claims))
	}
	return safe.Text{}, theme.Plain
}

// partsOf counts what a node is made of: the parts that are listed, or the
// number a source gives of them.
func partsOf(n *topology.Node) string {
	words := [...][2]string{{".partitions", " parts"}, {".instances", " inst"}, {".members", " memb"}, {".operations", " ops"}}
	for _, a := range n.Attrs {
		i := slices.IndexFunc(words[:], func(w [2]string) bool { return strings.HasSuffix(a.Name, w[0]) })
		if i >= 0 {
			return a.Value + words[i][1]
		}
	}
	if len(n.Parts) > 0 {
		return kit.Plural(len(n.Parts), "part")
	}
	return ""
}

// nodeRate is the rate a source gives for the node itself.
func nodeRate(n *topology.Node) (v float64, ok bool) {
	s, ok := n.Attr(probes.MetricRate)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// worstLag is the largest lag on an edge of the node: of a group in one of its
// topics, of a topic by one of its groups.
func (t *screen) worstLag(n *topology.Node) (v float64, ok bool) {
	for _, e := range t.m.edges[n.ID] {
		if m, has := metric(e, probes.MetricLag); has && (!ok || m > v) {
			v, ok = m, true
		}
	}
	return v, ok
}

// seen is when a source last said so.
func seen(claims []topology.Basis) (last time.Time) {
	for _, c := range claims {
		if c.Seen.After(last) {
			last = c.Seen
		}
	}
	return last
}

func (t *screen) age(at time.Time) (safe.Text, theme.Style) {
	if at.IsZero() {
		return t.number(0, false)
	}
	return kit.Text(kit.Age(t.o.Now().Sub(at))), theme.Dim
}
