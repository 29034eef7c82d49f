package draw

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// cell says which ways lines leave it. Lines that merely cross do not touch:
// then join is false and the vertical one is shown.
type cell struct {
	up, down, left, right bool
	join                  bool
	arrow                 bool
	bright                bool
}

// canvas is a grid of cells and the names on it.
type canvas struct {
	cells [][]cell
	names []name
}

type name struct {
	text   string
	node   int
	x, y   int
	width  int
	bright bool
}

func newCanvas(width, height int) *canvas {
	c := &canvas{cells: make([][]cell, height)}
	for y := range c.cells {
		c.cells[y] = make([]cell, width)
	}
	return c
}

func (c *canvas) across(y, x0, x1 int, bright bool) {
	for x := x0; x <= x1; x++ {
		at := &c.cells[y][x]
		at.left, at.right, at.bright = at.left || x > x0, at.right || x < x1, at.bright || bright
	}
}

func (c *canvas) upright(x, y0, y1 int, bright bool) {
	for y := min(y0, y1); y <= max(y0, y1); y++ {
		at := &c.cells[y][x]
		at.up, at.down, at.bright = at.up || y > min(y0, y1), at.down || y < max(y0, y1), at.bright || bright
	}
}

// paint draws the laid out items with the current width of names and tracks.
func (d *drawing) paint() Picture {
	p := Picture{rows: map[string]float64{}}
	closes := map[int]bool{}
	for _, e := range d.back {
		closes[e.from] = true
	}
	texts := make([]string, len(d.nodes))
	for v := range d.nodes {
		texts[v] = d.text(&d.nodes[v], closes[v])
	}
	lay := d.columns(texts)
	c := newCanvas(lay.width, d.height()+1)
	lit := d.litNodes()
	for i := range d.items {
		it := &d.items[i]
		p.rows[d.key(it)] = float64(it.row)
		if !it.pass {
			c.names = append(c.names, name{text: texts[it.node], node: it.node, x: lay.layer[it.layer], y: it.row,
				width: ansi.StringWidth(texts[it.node]), bright: lit[it.node]})
		}
	}
	for l := range d.layers {
		for i := range lay.buses[l] {
			d.paintBus(c, lay, l, &lay.buses[l][i], texts)
		}
	}
	p.Lines = d.render(c, &p)
	d.below(&p)
	return p
}

// columns are where things are from left to right.
type columns struct {
	layer []int // first column of each layer
	gap   []int // first column after it
	buses [][]bus
	width int
}

func (d *drawing) columns(texts []string) columns {
	var c columns
	x := 0
	for l, items := range d.layers {
		buses, tracks := d.route(l)
		c.layer, c.buses = append(c.layer, x), append(c.buses, buses)
		wide := 1
		for _, it := range items {
			if !d.items[it].pass {
				wide = max(wide, ansi.StringWidth(texts[d.items[it].node]))
			}
		}
		x += wide
		c.gap = append(c.gap, x)
		if tracks > 0 {
			// a stretch, the tracks, a stretch, an arrow
			x += 1 + (tracks-1)*d.step + 1 + 1 + 1
		}
	}
	c.width = x
	return c
}

// paintBus draws the lines from one item to the next layer.
func (d *drawing) paintBus(c *canvas, lay columns, l int, b *bus, texts []string) {
	from := &d.items[b.from]
	col := lay.gap[l] + 1 + b.track*d.step
	start := lay.layer[l]
	if !from.pass {
		start += ansi.StringWidth(texts[from.node])
	}
	for _, to := range d.items[b.from].outs {
		target := &d.items[to]
		bright := d.lit(from.node, to)
		c.across(b.exit, start, col, bright)
		c.upright(col, b.exit, target.row, bright)
		c.cells[b.exit][col].join, c.cells[target.row][col].join = true, true
		end := lay.layer[l+1]
		if target.pass {
			c.across(target.row, col, end, bright)
			continue
		}
		c.across(target.row, col, end-1, bright)
		c.cells[target.row][end-1].arrow = true
	}
}

// litNodes are the focus and its neighbours.
func (d *drawing) litNodes() map[int]bool {
	out := map[int]bool{}
	for _, e := range slices.Concat(d.edges, d.back) {
		if d.opts.Focus == d.nodes[e.from].ID || d.opts.Focus == d.nodes[e.to].ID {
			out[e.from], out[e.to] = true, true
		}
	}
	return out
}

// lit reports whether the line from a source to an item leads from or to the
// focus.
func (d *drawing) lit(source, to int) bool {
	if d.opts.Focus == "" {
		return false
	}
	if d.nodes[source].ID == d.opts.Focus {
		return true
	}
	it := &d.items[to]
	if !it.pass {
		return d.nodes[it.node].ID == d.opts.Focus
	}
	return slices.ContainsFunc(it.outs, func(next int) bool { return d.lit(source, next) })
}

// render writes the canvas as lines and tells where the nodes are.
func (d *drawing) render(c *canvas, p *Picture) []string {
	lines := make([]string, len(c.cells))
	for y, row := range c.cells {
		var b strings.Builder
		var lit Rect
		flush := func() {
			if lit.W > 0 {
				p.Bright = append(p.Bright, lit)
			}
			lit = Rect{Y: y}
		}
		flush()
		for x := 0; x < len(row); {
			if n := c.nameAt(x, y); n != nil {
				flush()
				b.WriteString(n.text)
				r := Rect{ID: d.nodes[n.node].ID, X: x, Y: y, W: n.width}
				p.Nodes = append(p.Nodes, r)
				if n.bright {
					p.Bright = append(p.Bright, r)
				}
				x += n.width
				continue
			}
			b.WriteString(d.glyphs.of(&row[x]))
			switch {
			case !row[x].bright:
				flush()
			case lit.W == 0:
				lit.X, lit.W = x, 1
			default:
				lit.W++
			}
			x++
		}
		flush()
		lines[y] = strings.TrimRight(b.String(), " ")
		p.Width = max(p.Width, ansi.StringWidth(lines[y]))
	}
	return lines
}

func (c *canvas) nameAt(x, y int) *name {
	for i := range c.names {
		if c.names[i].x == x && c.names[i].y == y {
			return &c.names[i]
		}
	}
	return nil
}
