package draw

import (
	"cmp"
	"fmt"
	"strings"

	"iscope/probes"
	"iscope/probes/topology"
)

// Dot writes the top-level nodes and their edges for graphviz.
func Dot(g topology.Graph) string {
	g = g.Overview()
	var b strings.Builder
	b.WriteString("digraph topology {\n  rankdir=LR;\n  node [shape=box];\n")
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "  %s [label=%s%s];\n", dotQuote(n.ID), dotQuote(cmp.Or(n.Name, n.ID)), dotStyle(&n))
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "  %s -> %s [label=%s%s];\n", dotQuote(e.From), dotQuote(e.To), dotQuote(edgeLabel(&e)), dotLine(&e))
	}
	b.WriteString("}\n")
	return b.String()
}

// dotQuote makes a quoted ID of the DOT language, in which only the quote needs
// escaping; labels also read backslashes.
func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", "").Replace(s) + `"`
}

func dotStyle(n *topology.Node) string {
	style := ""
	if n.Kind == probes.NodeTopic || n.Kind == probes.NodeQueue {
		style += ", shape=cylinder"
	}
	switch n.Health {
	case probes.HealthFail:
		style += ", color=red"
	case probes.HealthWarn:
		style += ", color=orange"
	}
	if n.Mentioned || n.Stale {
		style += ", style=dashed"
	}
	return style
}

// dotLine dashes what was not seen happening.
func dotLine(e *topology.Edge) string {
	if e.Class < probes.Attached || e.Stale {
		return ", style=dashed"
	}
	return ""
}

func edgeLabel(e *topology.Edge) string {
	return strings.TrimSpace(string(e.Kind) + " " + e.Protocol)
}

// Mermaid writes the top-level nodes and their edges as a mermaid flowchart.
func Mermaid(g topology.Graph) string {
	g = g.Overview()
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[string]string{}
	for i, n := range g.Nodes {
		// Names of its own: mermaid reads some words, such as "end", as syntax.
		id := fmt.Sprintf("n%d", i)
		ids[n.ID] = id
		left, right := `["`, `"]`
		if n.Kind == probes.NodeTopic || n.Kind == probes.NodeQueue {
			left, right = `[("`, `")]`
		}
		fmt.Fprintf(&b, "  %s%s%s%s\n", id, left, mermaidText(cmp.Or(n.Name, n.ID)), right)
	}
	for _, e := range g.Edges {
		arrow := "-->"
		if e.Class < probes.Attached || e.Stale {
			arrow = "-.->"
		}
		fmt.Fprintf(&b, "  %s %s|\"%s\"| %s\n", ids[e.From], arrow, mermaidText(edgeLabel(&e)), ids[e.To])
	}
	return b.String()
}

// mermaidText writes everything but letters, digits and harmless signs as a
// numeric entity: quotes, backquotes, # and %%{ all mean something.
func mermaidText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(" -_./:@", r), r > 0x7f:
			b.WriteRune(r)
		case r < ' ':
			b.WriteByte(' ')
		default:
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}
