package topo

import (
	"cmp"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/session"
)

// model is the graph as the screen needs it. It is computed in the background
// and not changed afterwards.
type model struct {
	focus  string
	depth  int
	states []session.State

	g     topology.Graph // what is in scope, with parts
	top   topology.Graph // its top-level nodes and edges
	byID  map[string]*topology.Node
	names map[string]string // where the name alone would not tell nodes apart
	order []*topology.Node  // top-level, the worst first
	// edges are the top-level ones of top-level nodes, and of parts their own.
	edges    map[string][]*topology.Edge
	findings []finding
	about    map[string][]int // findings by the top-level node they are about
	counts   [4]int           // top-level nodes by health
	all      int              // top-level nodes whether in scope or not

	picture topology.Graph   // what can be drawn, names made safe
	lone    []*topology.Node // the others: no source names an edge of them
}

// finding is one line at the bottom.
type finding struct {
	severity topology.Severity
	kind     string
	text     string
	node     string
	target   string
	claims   []topology.Basis
}

// computed is a finished model, for the screen that asked: after a change of
// environment there is another one.
type computed struct {
	by *screen
	m  *model
}

// compute asks the session what it knows and lays it out, in the background.
func (t *screen) compute() tea.Cmd {
	s, focus, depth := t.s, t.focus, t.depth
	return func() tea.Msg {
		return computed{t, newModel(s.Graph(), s.States(), focus, depth)}
	}
}

func newModel(g topology.Graph, states []session.State, focus string, depth int) *model {
	m := &model{focus: focus, depth: depth, states: states}
	gone := g.Gone
	whole := g.Overview()
	m.all = len(whole.Nodes)
	m.g, m.top = g, whole
	if focus != "" {
		m.g = topology.Neighbourhood(g, focus, depth)
		m.top = m.g.Overview()
	}
	m.index()
	m.sort()
	m.find(gone)
	m.toDraw()
	return m
}

func (m *model) index() {
	m.byID, m.edges = make(map[string]*topology.Node, len(m.g.Nodes)), map[string][]*topology.Edge{}
	for i := range m.g.Nodes {
		m.byID[m.g.Nodes[i].ID] = &m.g.Nodes[i]
	}
	add := func(e *topology.Edge, parts bool) {
		for i, id := range []string{e.From, e.To} {
			if n := m.byID[id]; n != nil && m.isPart(n) == parts && (i == 0 || e.To != e.From) {
				m.edges[id] = append(m.edges[id], e)
			}
		}
	}
	for i := range m.top.Edges {
		add(&m.top.Edges[i], false)
	}
	for i := range m.g.Edges {
		add(&m.g.Edges[i], true)
	}
}

func (m *model) isPart(n *topology.Node) bool { return m.byID[n.Parent] != nil }

// whole is the top-level node that a node is part of.
func (m *model) whole(id string) string {
	for n := m.byID[id]; n != nil; n = m.byID[id] {
		if !m.isPart(n) {
			return id
		}
		id = n.Parent
	}
	return id
}

// sort puts the worst first, and names apart what has the same name.
func (m *model) sort() {
	same := map[string]int{}
	for i := range m.top.Nodes {
		n := &m.top.Nodes[i]
		m.order = append(m.order, n)
		m.counts[min(int(n.Health), len(m.counts)-1)]++
		same[string(n.Kind)+n.Name]++
	}
	slices.SortStableFunc(m.order, func(a, b *topology.Node) int {
		return cmp.Or(cmp.Compare(badness(a), badness(b)), cmp.Compare(kindRank(a.Kind), kindRank(b.Kind)),
			strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	m.names = map[string]string{}
	for _, n := range m.order {
		if target, _ := session.Source(n.ID); same[string(n.Kind)+n.Name] > 1 && target != "" {
			m.names[n.ID] = n.Name + " (" + target + ")"
		}
	}
}

// badness: what nobody vouches for stands between the ill and the well.
func badness(n *topology.Node) int {
	switch n.Health {
	case probes.HealthFail:
		return 0
	case probes.HealthWarn:
		return 1
	case probes.HealthOK:
		return 3
	}
	return 2
}

func kindRank(k probes.NodeKind) int {
	order := [...]probes.NodeKind{probes.NodeGateway, probes.NodeService, probes.NodeExternal, probes.NodeTopic,
		probes.NodeQueue, probes.NodeExchange, probes.NodeGroup, probes.NodeBroker}
	if i := slices.Index(order[:], k); i >= 0 {
		return i
	}
	return len(order)
}

// name is how a node is called on screen. It comes from outside.
func (m *model) name(id string) string {
	if s, ok := m.names[id]; ok {
		return s
	}
	if n := m.byID[id]; n != nil && n.Name != "" {
		return n.Name
	}
	return id
}

// find lists what somebody should look at, and what has gone lately.
func (m *model) find(gone []topology.Gone) {
	m.about = map[string][]int{}
	for _, f := range m.g.Findings {
		if f.Node != "" && m.byID[f.Node] != nil {
			id := m.whole(f.Node)
			m.about[id] = append(m.about[id], len(m.findings))
		}
		m.findings = append(m.findings, finding{f.Severity, f.Kind, f.Text, f.Node, f.Target, f.Claims})
	}
	for _, g := range gone {
		what := string(g.Kind) + " " + g.Name
		if g.Node == "" {
			what = m.name(g.From) + " " + string(g.EdgeKind) + " " + m.name(g.To)
		}
		m.findings = append(m.findings, finding{severity: topology.SeverityInfo, kind: "gone", target: g.By,
			text: what + ": no longer named by " + g.By + " since " + g.At.UTC().Format("15:04:05Z")})
	}
}

// toDraw prepares what the picture shows: nodes with an edge, their names without
// control sequences.
func (m *model) toDraw() {
	linked := map[string]bool{}
	for _, e := range m.top.Edges {
		linked[e.From], linked[e.To] = true, true
	}
	for _, n := range m.order {
		if !linked[n.ID] {
			m.lone = append(m.lone, n)
		}
	}
	for _, n := range m.top.Nodes {
		if linked[n.ID] {
			m.picture.Nodes = append(m.picture.Nodes, m.drawable(n))
		}
	}
	m.picture.Edges = m.top.Edges
}

func (m *model) drawable(n topology.Node) topology.Node {
	n.Name = safe.Line(cmp.Or(n.Name, n.ID), 60).String()
	return n
}

// around is the part of the graph within so many edges of a node, as long as a
// picture can hold it; else with fewer edges.
func (m *model) around(id string, depth, most int) topology.Graph {
	near := map[string]bool{id: true}
	for range depth {
		next := map[string]bool{}
		for at := range near {
			for _, e := range m.edges[at] {
				next[e.From], next[e.To] = true, true
			}
		}
		before := len(near)
		for at := range next {
			if !near[at] {
				before++
			}
		}
		if before > most {
			break
		}
		for at := range next {
			near[at] = true
		}
	}
	var g topology.Graph
	for i := range m.top.Nodes {
		if near[m.top.Nodes[i].ID] {
			g.Nodes = append(g.Nodes, m.drawable(m.top.Nodes[i]))
		}
	}
	for _, e := range m.top.Edges {
		if near[e.From] && near[e.To] {
			g.Edges = append(g.Edges, e)
		}
	}
	return g
}
