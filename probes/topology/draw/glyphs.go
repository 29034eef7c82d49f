package draw

import "iscope/probes"

// glyphs is one alphabet.
type glyphs struct {
	kinds              map[probes.NodeKind]string // "" is any other
	fail, warn         string
	cut, circle, arrow string
	head               string // of an arrow into a node
	flat, upright      string
	// joints by the ways they open: 1 up, 2 down, 4 left, 8 right
	joints [16]string
}

const (
	up = 1 << iota
	down
	left
	right
)

var unicodeGlyphs = glyphs{
	kinds: map[probes.NodeKind]string{"": "●", probes.NodeTopic: "≋", probes.NodeQueue: "≡", probes.NodeExchange: "⋈",
		probes.NodeGroup: "◆", probes.NodeBroker: "■", probes.NodeGateway: "◇", probes.NodeExternal: "○"},
	fail: "✗", warn: "▲", cut: "…", circle: "↺", arrow: "→", head: "▸", flat: "─", upright: "│",
	joints: [16]string{
		down | right: "╭", down | left: "╮", up | right: "╰", up | left: "╯",
		up | down | right: "├", up | down | left: "┤", down | left | right: "┬", up | left | right: "┴",
		up | down | left | right: "┼",
	},
}

var asciiGlyphs = glyphs{
	kinds: map[probes.NodeKind]string{"": "o", probes.NodeTopic: "=", probes.NodeQueue: "=", probes.NodeExchange: "%",
		probes.NodeGroup: "*", probes.NodeBroker: "#", probes.NodeGateway: "@", probes.NodeExternal: "?"},
	fail: "x", warn: "!", cut: "..", circle: "~", arrow: "->", head: ">", flat: "-", upright: "|",
	joints: [16]string{
		down | right: "+", down | left: "+", up | right: "+", up | left: "+",
		up | down | right: "+", up | down | left: "+", down | left | right: "+", up | left | right: "+",
		up | down | left | right: "+",
	},
}

// of is the glyph of a cell.
func (g *glyphs) of(c *cell) string {
	switch {
	case c.arrow:
		return g.head
	case c.join:
		ways := 0
		for i, open := range [...]bool{c.up, c.down, c.left, c.right} {
			if open {
				ways |= 1 << i
			}
		}
		return g.joints[ways]
	case c.up || c.down:
		return g.upright
	case c.left || c.right:
		return g.flat
	}
	return " "
}
