// Package draw turns a small graph into text: a picture from left to right in
// terminal cells, or the input of graphviz and mermaid.
//
// In a picture every edge can be followed without doubt. A vertical line
// belongs to one source; where it crosses a horizontal line without a tee it
// passes over it; edges share a horizontal line only on the last stretch into
// the same target. That holds because neighbouring layers use rows of
// different parity, so no line out of one layer shares a row with a line into
// the next. A test follows the glyphs back to the edges.
//
// Names are drawn as they are. They come from outside: the caller passes only
// names from which control sequences have been removed.
package draw

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"iscope/probes"
	"iscope/probes/topology"
)

const (
	// MaxNodes is how many connected nodes a picture can hold and still be
	// read.
	MaxNodes = 15
	maxLabel = 24 // cells of a name
)

// Options change how Draw draws. The zero value draws without limit of width.
type Options struct {
	MaxWidth int    // in cells; 0 is no limit
	ASCII    bool   // only ASCII glyphs
	Focus    string // ID of the node whose surroundings Picture.Bright tells
	MaxNodes int    // 0 means MaxNodes
	// Last is the picture drawn before: what is in both keeps its order, so
	// that live data does not make the picture jump.
	Last *Picture
}

// Picture is a drawn graph. Lines is empty if there is nothing to draw or if it
// cannot be drawn; then Why says why.
type Picture struct {
	Lines []string
	Width int // of the longest line
	Nodes []Rect
	// Bright is what belongs to Options.Focus: the node, its neighbours and the
	// lines between them. Dim the rest.
	Bright []Rect
	// Back are the edges that close a circle. They are listed below the
	// picture instead of being drawn.
	Back []Edge
	Why  string

	rows map[string]float64 // by item, for the next picture
}

// Rect is a range of cells of one line; the last column is X+W-1.
type Rect struct {
	ID      string // of the node; "" for a stretch of line
	X, Y, W int
}

// Edge is a drawn edge: any number of relations between two top-level nodes.
type Edge struct{ From, To string }

// Draw draws the top-level nodes of a graph and the edges between them.
func Draw(g topology.Graph, o Options) Picture {
	d := newDrawing(g, o)
	if limit := cmp.Or(o.MaxNodes, MaxNodes); len(d.nodes) > limit {
		return Picture{Why: fmt.Sprintf("%d connected nodes; a picture can show %d", len(d.nodes), limit)}
	}
	d.layOut(o.Last)
	// A track per source every second column is easiest to read; shorter names
	// come before narrower tracks. ASCII has one glyph for every junction and
	// needs the space to tell them apart.
	tries := []struct{ label, step int }{{maxLabel, 2}, {16, 2}, {maxLabel, 1}, {16, 1}, {12, 1}, {8, 1}}
	if o.ASCII {
		tries = []struct{ label, step int }{{maxLabel, 2}, {16, 2}, {12, 2}, {8, 2}}
	}
	var p Picture
	for _, try := range tries {
		d.label, d.step = try.label, try.step
		p = d.paint()
		if o.MaxWidth <= 0 || p.Width <= o.MaxWidth {
			return p
		}
	}
	return Picture{Why: fmt.Sprintf("the picture needs %d columns; there are %d", p.Width, o.MaxWidth), rows: p.rows}
}

// drawing is one graph on its way to a picture.
type drawing struct {
	opts   Options
	glyphs *glyphs
	nodes  []topology.Node // connected ones
	lone   []topology.Node
	edges  []edge // without those that close a circle, sorted
	back   []edge
	items  []item
	layers [][]int // items by layer, from top to bottom
	label  int     // longest name in cells
	step   int     // columns per track
}

type edge struct{ from, to int } // indexes into nodes

func newDrawing(g topology.Graph, o Options) *drawing {
	g = g.Overview()
	d := &drawing{opts: o, glyphs: &unicodeGlyphs}
	if o.ASCII {
		d.glyphs = &asciiGlyphs
	}
	connected := map[string]bool{}
	for _, e := range g.Edges {
		connected[e.From], connected[e.To] = true, true
	}
	index := map[string]int{}
	for _, n := range g.Nodes {
		if connected[n.ID] {
			index[n.ID] = len(d.nodes)
			d.nodes = append(d.nodes, n)
		} else {
			d.lone = append(d.lone, n)
		}
	}
	var edges []edge
	for _, e := range g.Edges {
		edges = append(edges, edge{index[e.From], index[e.To]})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	d.edges, d.back = acyclic(len(d.nodes), slices.Compact(edges))
	return d
}

// acyclic takes out the edges that lead back in a depth-first walk from the
// nodes nobody leads to.
func acyclic(n int, edges []edge) (forward, back []edge) {
	out, entered := make([][]int, n), make([]bool, n)
	for _, e := range edges {
		out[e.from] = append(out[e.from], e.to)
		entered[e.to] = entered[e.to] || e.from != e.to
	}
	const open, done = 1, 2
	state := make([]int, n)
	var walk func(int)
	walk = func(v int) {
		state[v] = open
		for _, to := range out[v] {
			if state[to] == open {
				back = append(back, edge{v, to})
				continue
			}
			forward = append(forward, edge{v, to})
			if state[to] == 0 {
				walk(to)
			}
		}
		state[v] = done
	}
	for _, first := range []bool{true, false} {
		for v := range n {
			if state[v] == 0 && entered[v] != first {
				walk(v)
			}
		}
	}
	return forward, back
}

// text is what is drawn for a node.
func (d *drawing) text(n *topology.Node, closes bool) string {
	name := cmp.Or(n.Name, n.ID)
	s := d.glyphs.mark(n) + " " + ansi.Truncate(name, d.label, d.glyphs.cut)
	if closes {
		s += d.glyphs.circle
	}
	return s
}

// mark shows the health if it is bad, else the kind.
func (g *glyphs) mark(n *topology.Node) string {
	switch n.Health {
	case probes.HealthFail:
		return g.fail
	case probes.HealthWarn:
		return g.warn
	}
	if m, ok := g.kinds[n.Kind]; ok {
		return m
	}
	return g.kinds[""]
}

// below lists what the picture itself does not hold.
func (d *drawing) below(p *Picture) {
	width := cmp.Or(d.opts.MaxWidth, max(p.Width, 80))
	for _, e := range d.back {
		from, to := &d.nodes[e.from], &d.nodes[e.to]
		p.Back = append(p.Back, Edge{From: from.ID, To: to.ID})
		line := d.glyphs.circle + " back edge: " + cmp.Or(from.Name, from.ID) + " " + d.glyphs.arrow + " " + cmp.Or(to.Name, to.ID)
		p.Lines = append(p.Lines, ansi.Truncate(line, width, d.glyphs.cut))
	}
	if len(d.lone) > 0 && len(p.Lines) > 0 {
		p.Lines = append(p.Lines, "")
	}
	const space = 3
	var line strings.Builder
	used := 0
	for i := range d.lone {
		text := d.text(&d.lone[i], false)
		w := ansi.StringWidth(text)
		if used > 0 && used+space+w > width {
			p.Lines = append(p.Lines, line.String())
			line.Reset()
			used = 0
		}
		if used > 0 {
			line.WriteString(strings.Repeat(" ", space))
			used += space
		}
		r := Rect{ID: d.lone[i].ID, X: used, Y: len(p.Lines), W: w}
		p.Nodes = append(p.Nodes, r)
		if r.ID == d.opts.Focus {
			p.Bright = append(p.Bright, r)
		}
		line.WriteString(text)
		used += w
	}
	if used > 0 {
		p.Lines = append(p.Lines, line.String())
	}
	for _, l := range p.Lines {
		p.Width = max(p.Width, ansi.StringWidth(l))
	}
}
