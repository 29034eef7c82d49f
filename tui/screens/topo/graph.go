package topo

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

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
	if t.m.linked <= draw.MaxNodes {
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

// graphPane is the picture above the edges of what is under the cursor.
func (t *screen) graphPane(w, h int) string {
	upper := min(len(t.pic.Lines)+2, max(h*3/5, h-12))
	rows := []string{strings.Repeat(" ", max(0, w))}
	from, to := t.pictureWindow(max(0, upper-2))
	for y := from; y < to; y++ {
		rows = append(rows, t.pictureRow(y, w))
	}
	if n := t.m.lone; n > 0 && t.pic.whole {
		rows = append(rows, kit.NewLine(t.o.Theme, w).Say(theme.Dim, " "+plural(n, "more node")+" without an edge").String())
	}
	for len(rows) < upper {
		rows = append(rows, strings.Repeat(" ", max(0, w)))
	}
	return kit.Lay(append(rows, t.edgeRows(w, h-len(rows))...), w, h)
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
			_, style := sign(t.o.Theme, n.Health)
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
