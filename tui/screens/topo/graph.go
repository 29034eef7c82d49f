package topo

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology/draw"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// picture draws the graph, or what is around the cursor where all of it is too
// much. It draws only when something it depends on has changed.
func (t *screen) picture(w int) drawn {
	cursor := ""
	if r, ok := t.current(); ok {
		cursor = t.m.whole(r.node.ID)
	}
	if t.pic.m == t.m && t.pic.w == w && t.pic.cursor == cursor && t.pic.depth == t.depth {
		return t.pic
	}
	p := drawn{m: t.m, w: w, cursor: cursor, depth: t.depth, whole: true, shown: len(t.m.order)}
	o := draw.Options{MaxWidth: w - 2, ASCII: t.o.Theme.ASCII, Focus: cursor, Last: &t.pic.Picture}
	if len(t.m.picture.Nodes) <= draw.MaxNodes {
		p.Picture = draw.Draw(t.m.picture, o)
	}
	if len(p.Lines) == 0 && cursor != "" {
		g := t.m.around(cursor, max(1, t.depth), draw.MaxNodes)
		p.Picture, p.whole, p.shown = draw.Draw(g, o), false, len(g.Nodes)
		if len(p.Lines) > 0 && len(g.Edges) == 0 && len(t.m.edges[cursor]) > 0 {
			p.Lines = nil // the node has more neighbours than a picture can hold
		}
		if len(p.Lines) == 0 && p.Why == "" {
			p.Why = "too many edges for a picture"
		}
	}
	t.pic = p
	return p
}

// graphPane is the picture above what has no edge and the edges of what is under
// the cursor.
func (t *screen) graphPane(w, h int) string {
	blank := strings.Repeat(" ", max(0, w))
	var lone []string
	if t.pic.whole {
		lone = t.loneRows(w, min(3, h/8))
	}
	upper := min(len(t.pic.Lines)+2+len(lone), max(h*3/5, h-12))
	rows := []string{blank}
	from, to := t.pictureWindow(max(0, upper-2-len(lone)))
	for y := from; y < to; y++ {
		rows = append(rows, t.pictureRow(y, w))
	}
	rows = append(append(rows, lone...), blank)
	return kit.Lay(append(rows, t.edgeRows(w, h-len(rows))...), w, h)
}

// loneRows names what has no edge, as much of it as fits.
func (t *screen) loneRows(w, h int) (rows []string) {
	if len(t.m.lone) == 0 || h <= 0 {
		return nil
	}
	l := kit.NewLine(t.o.Theme, w).Say(theme.Dim, " without an edge: ")
	for i, n := range t.m.lone {
		name := safe.Line(t.m.name(n.ID), 40)
		rest := len(t.m.lone) - i
		tail := 0
		if len(rows) == h-1 && rest > 1 {
			tail = len(kit.Plural(rest, "more node"))
		}
		if l.Left() < name.Width()+5+tail {
			if len(rows) == h-1 {
				return append(rows, l.Say(theme.Dim, kit.Plural(rest, "more node")).String())
			}
			rows = append(rows, l.String())
			l = kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ")
		}
		glyph, style := kit.HealthSign(t.o.Theme, n.Health)
		text := theme.Dim
		if n.ID == t.pic.cursor {
			text = theme.Reverse
		}
		l.Say(style, glyph+" ").Put(text, name).Say(theme.Plain, "  ")
	}
	return append(rows, l.String())
}

// pictureWindow keeps the cursor's node in sight.
func (t *screen) pictureWindow(h int) (from, to int) {
	total := len(t.pic.Lines)
	for _, r := range t.pic.Nodes {
		if r.ID == t.pic.cursor && r.Y >= h {
			from = min(r.Y-h/2, total-h)
		}
	}
	return max(0, from), min(total, max(0, from)+h)
}

// pictureRow paints one line of the picture: the cursor's node reversed, what is
// ill in its colour, what does not belong to the cursor's node dim.
func (t *screen) pictureRow(y, w int) string {
	text := t.pic.Lines[y]
	width := ansi.StringWidth(text)
	styles := make([]theme.Style, width)
	for i := range styles {
		styles[i] = theme.Dim
	}
	fill := func(r draw.Rect, s theme.Style) {
		for x := max(0, r.X); x < min(width, r.X+r.W); x++ {
			styles[x] = s
		}
	}
	for _, r := range t.pic.Bright {
		if r.Y == y {
			fill(r, theme.Plain)
		}
	}
	for _, r := range t.pic.Nodes {
		if r.Y != y {
			continue
		}
		if n := t.m.byID[r.ID]; n != nil && n.Health > probes.HealthOK {
			_, style := kit.HealthSign(t.o.Theme, n.Health)
			fill(r, style)
		}
		if r.ID == t.pic.cursor {
			fill(r, theme.Reverse)
		}
	}
	l := kit.NewLine(t.o.Theme, w).Say(theme.Plain, " ")
	for x := 0; x < width; {
		end := x + 1
		for end < width && styles[end] == styles[x] {
			end++
		}
		l.Say(styles[x], ansi.Cut(text, x, end))
		x = end
	}
	return l.String()
}
