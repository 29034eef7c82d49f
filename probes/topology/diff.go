package topology

import (
	"cmp"
	"slices"
	"strconv"

	"iscope/probes"
)

// Changes is what differs between two graphs, sorted.
type Changes struct {
	AddedNodes   []Node       `json:"added_nodes"`
	RemovedNodes []Node       `json:"removed_nodes"`
	ChangedNodes []NodeChange `json:"changed_nodes"`
	AddedEdges   []Edge       `json:"added_edges"`
	RemovedEdges []Edge       `json:"removed_edges"`
	ChangedEdges []EdgeChange `json:"changed_edges"`
}

// Empty reports whether there is no difference.
func (c *Changes) Empty() bool {
	return len(c.AddedNodes)+len(c.RemovedNodes)+len(c.ChangedNodes)+
		len(c.AddedEdges)+len(c.RemovedEdges)+len(c.ChangedEdges) == 0
}

// NodeChange is a node that both graphs have.
type NodeChange struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Fields []FieldChange `json:"fields"`
}

// EdgeChange is an edge that both graphs have.
type EdgeChange struct {
	From     string          `json:"from"`
	To       string          `json:"to"`
	Kind     probes.EdgeKind `json:"kind"`
	Protocol string          `json:"protocol,omitempty"`
	Fields   []FieldChange   `json:"fields"`
}

// FieldChange is one fact that changed. Attributes go by their name.
type FieldChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Diff compares what is there and how it is. Who said so, when, and numbers
// that move all the time (metrics) are no difference; neither is a reason
// while the health stays the same.
func Diff(a, b Graph) Changes {
	c := Changes{AddedNodes: []Node{}, RemovedNodes: []Node{}, ChangedNodes: []NodeChange{},
		AddedEdges: []Edge{}, RemovedEdges: []Edge{}, ChangedEdges: []EdgeChange{}}
	before, after := a.index(), b.index()
	for id, n := range after {
		old := before[id]
		if old == nil {
			c.AddedNodes = append(c.AddedNodes, *n)
		} else if f := nodeFields(old, n); len(f) > 0 {
			c.ChangedNodes = append(c.ChangedNodes, NodeChange{ID: id, Name: n.Name, Fields: f})
		}
	}
	for id, n := range before {
		if after[id] == nil {
			c.RemovedNodes = append(c.RemovedNodes, *n)
		}
	}
	c.edges(a.edgeIndex(), b.edgeIndex())
	byID := func(a, b Node) int { return cmp.Compare(a.ID, b.ID) }
	slices.SortFunc(c.AddedNodes, byID)
	slices.SortFunc(c.RemovedNodes, byID)
	slices.SortFunc(c.ChangedNodes, func(a, b NodeChange) int { return cmp.Compare(a.ID, b.ID) })
	return c
}

func (g *Graph) edgeIndex() map[string]*Edge {
	out := make(map[string]*Edge, len(g.Edges))
	for i := range g.Edges {
		e := &g.Edges[i]
		out[edgeKey(e.From, e.To, e.Kind, e.Protocol)] = e
	}
	return out
}

func (c *Changes) edges(before, after map[string]*Edge) {
	for k, e := range after {
		old := before[k]
		if old == nil {
			c.AddedEdges = append(c.AddedEdges, *e)
			continue
		}
		f := field(nil, "class", old.Class.String(), e.Class.String())
		f = field(f, "stale", strconv.FormatBool(old.Stale), strconv.FormatBool(e.Stale))
		if f = attrFields(f, old.Attrs, e.Attrs); len(f) > 0 {
			c.ChangedEdges = append(c.ChangedEdges, EdgeChange{From: e.From, To: e.To, Kind: e.Kind, Protocol: e.Protocol, Fields: f})
		}
	}
	for k, e := range before {
		if after[k] == nil {
			c.RemovedEdges = append(c.RemovedEdges, *e)
		}
	}
	byKey := func(a, b Edge) int {
		return cmp.Compare(edgeKey(a.From, a.To, a.Kind, a.Protocol), edgeKey(b.From, b.To, b.Kind, b.Protocol))
	}
	slices.SortFunc(c.AddedEdges, byKey)
	slices.SortFunc(c.RemovedEdges, byKey)
	slices.SortFunc(c.ChangedEdges, func(a, b EdgeChange) int {
		return cmp.Compare(edgeKey(a.From, a.To, a.Kind, a.Protocol), edgeKey(b.From, b.To, b.Kind, b.Protocol))
	})
}

func nodeFields(a, b *Node) []FieldChange {
	f := field(nil, "kind", string(a.Kind), string(b.Kind))
	f = field(f, "name", a.Name, b.Name)
	f = field(f, "parent", a.Parent, b.Parent)
	f = field(f, "addr", a.Addr, b.Addr)
	if a.Health != b.Health {
		f = field(f, "health", a.Health.String(), b.Health.String())
		f = field(f, "reason", a.Reason, b.Reason)
	}
	f = field(f, "stale", strconv.FormatBool(a.Stale), strconv.FormatBool(b.Stale))
	f = field(f, "mentioned", strconv.FormatBool(a.Mentioned), strconv.FormatBool(b.Mentioned))
	return attrFields(f, a.Attrs, b.Attrs)
}

func field(list []FieldChange, name, before, after string) []FieldChange {
	if before == after {
		return list
	}
	return append(list, FieldChange{Field: name, Before: before, After: after})
}

// attrFields compares attributes by name; repeated ones as a list.
func attrFields(list []FieldChange, a, b []Attr) []FieldChange {
	before, after := attrValues(a), attrValues(b)
	var names []string
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		list = field(list, name, before[name], after[name])
	}
	return list
}

func attrValues(list []Attr) map[string]string {
	out := map[string]string{}
	for _, a := range list {
		if old, ok := out[a.Name]; ok {
			out[a.Name] = old + ", " + a.Value
		} else {
			out[a.Name] = a.Value
		}
	}
	return out
}
