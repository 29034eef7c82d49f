package topo

import (
	"slices"
	"strings"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// row is one line of the list: a node, or below it one of its edges (node is
// the other end) or parts.
type row struct {
	node  *topology.Node
	owner string // ID of the node it stands below, "" at the top
	edge  *topology.Edge
	last  bool
	more  int // parts not listed
}

func (r *row) id() string {
	id := r.owner + "\x00"
	if r.node != nil {
		id += r.node.ID
	}
	if r.edge != nil {
		id += "\x00" + r.edge.From + "\x00" + string(r.edge.Kind) + r.edge.Protocol
	}
	return id
}

// maxParts is how many parts of one node the tree and the detail list: a topic
// may have thousands of partitions.
const maxParts = 100

// effective is the look that is shown: a picture that cannot be drawn becomes a
// tree.
func (t *screen) effective(w int) (l look, why string) {
	if t.look != asGraph {
		return t.look, ""
	}
	switch {
	case w < graphWidth:
		return asTree, "graph needs 100 columns"
	case t.m == nil:
		return asGraph, ""
	case len(t.m.top.Edges) == 0:
		return asTree, "no source names an edge"
	}
	return asGraph, ""
}

// lay makes the rows and keeps the cursor on its own.
func (t *screen) lay() {
	was, had := t.current()
	t.rows = t.rows[:0]
	if t.m == nil {
		return
	}
	t.sifted = kit.Sifted{}
	for _, n := range t.m.order {
		if !t.sifted.Row(t.filter.In, func() *filter.Row { return t.m.filterRow(n) }) {
			continue
		}
		t.rows = append(t.rows, row{node: n})
		if t.open[n.ID] && t.look != asTable {
			t.layBranch(n)
		}
	}
	t.place(was, had)
}

// filterRow is a node as filters see it, as those of iscope topology do.
func (m *model) filterRow(n *topology.Node) *filter.Row {
	var by []string
	for _, c := range n.Claims {
		if !slices.Contains(by, c.By) {
			by = append(by, c.By)
		}
	}
	r := &filter.Row{Kind: string(n.Kind), Name: n.Name, Target: strings.Join(by, ", "), Address: n.Addr, Reason: n.Reason}
	if n.Health != probes.HealthUnknown {
		r.Health = n.Health.String()
	}
	if parent := m.byID[n.Parent]; parent != nil {
		r.Group = parent.Name
	}
	for _, at := range n.Attrs {
		r.Attrs = append(r.Attrs, at.Attr)
	}
	return r
}

func (t *screen) layBranch(n *topology.Node) {
	at := len(t.rows)
	for _, e := range t.m.edges[n.ID] {
		other := e.To
		if other == n.ID {
			other = e.From
		}
		if o := t.m.byID[other]; o != nil {
			t.rows = append(t.rows, row{node: o, owner: n.ID, edge: e})
		}
	}
	for i, id := range n.Parts {
		if i == maxParts {
			t.rows = append(t.rows, row{node: n, owner: n.ID, more: len(n.Parts) - i})
			break
		}
		if p := t.m.byID[id]; p != nil {
			t.rows = append(t.rows, row{node: p, owner: n.ID})
		}
	}
	if len(t.rows) > at {
		t.rows[len(t.rows)-1].last = true
	}
}

func (t *screen) place(was row, had bool) {
	if t.want != "" && t.select1(t.want) {
		t.want = ""
		return
	}
	if !t.moved { // what is worst stays under the cursor
		t.list.Cursor = 0
		return
	}
	for i := range t.rows {
		if had && t.rows[i].id() == was.id() {
			t.list.Cursor = i
			return
		}
	}
	t.list.Move(0, len(t.rows))
}

// select1 puts the cursor on the node that s means, or on what it is part of.
func (t *screen) select1(s string) bool {
	n, ok := t.m.g.Find(s)
	if !ok {
		target, _, _ := strings.Cut(s, "/")
		if n, ok = t.m.g.Find(target); !ok {
			return false
		}
	}
	id := t.m.whole(n.ID)
	for i := range t.rows {
		if r := &t.rows[i]; r.owner == "" && r.node.ID == id {
			t.list.Cursor, t.moved = i, true
			return true
		}
	}
	return false
}

// fold opens or closes the branch under the cursor; closing within a branch goes
// to its head.
func (t *screen) fold(open bool) {
	r, ok := t.current()
	if !ok || t.pane != onList {
		return
	}
	t.moved = true
	id := r.node.ID
	if r.owner != "" {
		if open {
			return
		}
		id = r.owner
	}
	t.open[id] = open
	t.lay()
	if r.owner != "" {
		for i := range t.rows {
			if t.rows[i].owner == "" && t.rows[i].node.ID == id {
				t.list.Cursor = i
			}
		}
	}
}

// branch reports whether a row can be opened.
func (t *screen) branch(r *row) bool {
	return r.owner == "" && t.look != asTable && len(t.m.edges[r.node.ID])+len(r.node.Parts) > 0
}

// can reports whether a target has an ability.
func (m *model) can(target, ability string) bool {
	return slices.ContainsFunc(m.states, func(st session.State) bool { return st.Name == target && slices.Contains(st.Can, ability) })
}

// callable is what i calls of a node: a target that describes its methods, and
// the service within it where that is a part.
func (m *model) callable(n *topology.Node) (probes.Ref, bool) {
	for _, id := range session.Identities(n) {
		target, name := session.Source(id)
		if !m.can(target, "invoke") {
			continue
		}
		if name == target {
			name = ""
		}
		return probes.Ref{Target: target, Subject: name}, true
	}
	for _, c := range n.Claims {
		if m.can(c.By, "invoke") {
			return probes.Ref{Target: c.By}, true
		}
	}
	return probes.Ref{}, false
}
