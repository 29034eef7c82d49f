package topology

import (
	"maps"
	"slices"
	"strings"

	"iscope/probes"
)

func (g *Graph) index() map[string]*Node {
	byID := make(map[string]*Node, len(g.Nodes))
	for i := range g.Nodes {
		byID[g.Nodes[i].ID] = &g.Nodes[i]
	}
	return byID
}

// Find returns the node that s means: by ID, by an ID that was merged into it,
// as target/name, or by name if only one top-level node has it (or, failing
// that, only one node at all).
func (g *Graph) Find(s string) (*Node, bool) {
	var named, parts []*Node
	for i := range g.Nodes {
		n := &g.Nodes[i]
		_, path, _ := strings.Cut(n.ID, ":")
		switch {
		case n.ID == s, slices.Contains(n.IDs, s), path == s:
			return n, true
		case n.Name == s && n.Parent == "":
			named = append(named, n)
		case n.Name == s:
			parts = append(parts, n)
		}
	}
	if len(named) == 0 {
		named = parts
	}
	if len(named) == 1 {
		return named[0], true
	}
	return nil, false
}

// tops maps every node to the top-level node it is part of.
func (g *Graph) tops() map[string]string {
	byID, out := g.index(), make(map[string]string, len(g.Nodes))
	for id, n := range byID {
		for byID[n.Parent] != nil {
			n = byID[n.Parent]
		}
		out[id] = n.ID
	}
	return out
}

// Overview is the graph of the top-level nodes: an edge of a part becomes one
// of the whole. Metrics are listed, not summed. Findings and sources are kept.
func (g Graph) Overview() Graph {
	top := g.tops()
	out := Graph{Nodes: []Node{}, Edges: []Edge{}, Findings: g.Findings, Sources: g.Sources, Gone: g.Gone}
	for _, n := range g.Nodes {
		if top[n.ID] == n.ID {
			out.Nodes = append(out.Nodes, n)
		}
	}
	lifted := map[string]*Edge{}
	for _, e := range g.Edges {
		within := e.From != e.To && top[e.From] == top[e.To]
		e.From, e.To = top[e.From], top[e.To]
		if e.From == "" || e.To == "" || within {
			continue
		}
		k := edgeKey(e.From, e.To, e.Kind, e.Protocol)
		sum := lifted[k]
		if sum == nil {
			lifted[k] = &e
			continue
		}
		sum.Class, sum.Stale = max(sum.Class, e.Class), sum.Stale && e.Stale
		sum.Metrics = slices.Concat(sum.Metrics, e.Metrics)
		sum.Claims = slices.Concat(sum.Claims, e.Claims)
		for _, a := range e.Attrs {
			sum.Attrs = addAttrs(slices.Clip(sum.Attrs), []probes.Attr{a.Attr}, a.By)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(lifted)) {
		out.Edges = append(out.Edges, *lifted[k])
	}
	return out
}

// Neighbourhood is the part of the graph within so many edges of a node, in
// either direction, with the parts of every node in it. An unknown node gives
// an empty graph.
func Neighbourhood(g Graph, node string, depth int) Graph {
	out := Graph{Nodes: []Node{}, Edges: []Edge{}, Findings: []Finding{}, Sources: g.Sources}
	start, ok := g.Find(node)
	if !ok {
		return out
	}
	top := g.tops()
	near := map[string]bool{top[start.ID]: true}
	for range depth {
		next := maps.Clone(near)
		for _, e := range g.Edges {
			if near[top[e.From]] || near[top[e.To]] {
				next[top[e.From]], next[top[e.To]] = true, true
			}
		}
		near = next
	}
	for _, n := range g.Nodes {
		if near[top[n.ID]] {
			out.Nodes = append(out.Nodes, n)
		}
	}
	for _, e := range g.Edges {
		if near[top[e.From]] && near[top[e.To]] {
			out.Edges = append(out.Edges, e)
		}
	}
	for _, f := range g.Findings {
		if f.Node != "" && near[top[f.Node]] {
			out.Findings = append(out.Findings, f)
		}
	}
	return out
}
