package endpoints

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// line is one row of the tree: a target, or a node below it.
type line struct {
	target string
	node   *node // nil for the target itself
	depth  int
}

func (l *line) id() string {
	if l.node == nil {
		return l.target
	}
	return l.node.id
}

func (l *line) branch() bool { return l.node == nil || len(l.node.kids) > 0 }

func (l *line) ref() probes.Ref {
	if l.node == nil {
		return probes.Ref{Target: l.target}
	}
	return probes.Ref{Target: l.target, Subject: l.node.subject}
}

func (e *screen) current() (line, bool) {
	if e.list.Cursor < 0 || e.list.Cursor >= len(e.rows) {
		return line{}, false
	}
	return e.rows[e.list.Cursor], true
}

// isOpen: targets are open unless closed, everything else the other way round.
func (e *screen) isOpen(l *line) bool {
	open, set := e.open[l.id()]
	return open || !set && l.node == nil
}

// lay makes the rows that are visible, and keeps the cursor on its own.
func (e *screen) lay() {
	was, had := e.current()
	e.reveal()
	e.rows = e.rows[:0]
	e.sifted = kit.Sifted{}
	for _, t := range e.s.Targets() {
		top := line{target: t}
		at := len(e.rows)
		e.rows = append(e.rows, top)
		if e.filter.In == nil && !e.isOpen(&top) {
			continue
		}
		for _, n := range e.nodes[t] {
			e.layNode(n, 1)
		}
		if len(e.rows) == at+1 && !e.keeps(t) {
			e.rows = e.rows[:at]
		}
	}
	e.place(was, had)
}

// reveal opens the group of the method that is wanted.
func (e *screen) reveal() {
	for _, n := range e.nodes[e.want.Target] {
		if slices.ContainsFunc(n.kids, func(k *node) bool { return k.method != nil && k.subject == e.want.Subject }) {
			e.open[n.id] = true
		}
	}
}

// layNode adds a node and what is below it. While there is a filter everything
// that has a hit below it is open.
func (e *screen) layNode(n *node, depth int) {
	l := line{target: n.target, node: n, depth: depth}
	at := len(e.rows)
	e.rows = append(e.rows, l)
	hit := e.hit(n)
	if e.filter.In == nil && !e.isOpen(&l) {
		return
	}
	for _, k := range n.kids {
		e.layNode(k, depth+1)
	}
	if !hit && len(e.rows) == at+1 {
		e.rows = e.rows[:at]
	}
}

// toHit puts the cursor on the first row that the filter chooses, unless it
// chooses the one the cursor was on when the filter was opened.
func (e *screen) toHit() {
	chosen := func(l line) bool {
		if e.filter.In == nil || l.node == nil || l.node.kind == "methods" {
			return false
		}
		ok, _ := e.filter.In.Match(l.node.row())
		return ok
	}
	at := slices.IndexFunc(e.rows, func(l line) bool { return l.id() == e.origin && chosen(l) })
	if at < 0 { // what is called so before what merely mentions it
		named := kit.NewNames(e.filter.Text)
		at = slices.IndexFunc(e.rows, func(l line) bool { return chosen(l) && named.Match(l.node.name) })
	}
	if at < 0 {
		at = slices.IndexFunc(e.rows, chosen)
	}
	if at >= 0 {
		e.list.Cursor, e.scroll = at, kit.Scroll{}
	}
}

// hit reports whether the filter chooses a node. A group of methods is no thing of
// its own: it is there for what it holds.
func (e *screen) hit(n *node) bool {
	if n.kind == "methods" {
		return e.filter.In == nil
	}
	return e.sifted.Row(e.filter.In, n.row)
}

// keeps reports whether a target is in the list though nothing of it is: because
// the filter chooses the target itself, or because there is none.
func (e *screen) keeps(target string) bool {
	if e.filter.In == nil {
		return true
	}
	ok, _ := e.filter.In.Match(&filter.Row{Kind: "target", Name: target, Target: target, Reason: e.trouble[target]})
	return ok
}

// row is a node as filters see it, as those of iscope list do.
func (n *node) row() *filter.Row {
	if n.method != nil {
		return kit.MethodRow(n.target, n.method)
	}
	r := &filter.Row{Kind: n.kind, Name: n.name, Target: n.target, Group: n.group, Address: n.addr, Health: n.health, Reason: n.reason}
	for _, c := range n.claims {
		r.Attrs = append(r.Attrs, probes.Attr{Name: c.Node.Name, Value: c.Node.Reason})
	}
	return r
}

func (e *screen) place(was line, had bool) {
	for i, r := range e.rows {
		if e.want.Target != "" && r.ref() == e.want {
			e.list.Cursor = i
			return
		}
	}
	for i, r := range e.rows {
		if had && r.id() == was.id() {
			e.list.Cursor = i
			return
		}
	}
	e.list.Move(0, len(e.rows))
}

// loaded is what one look at the session and the targets has brought.
type loaded struct {
	graph   *topology.Graph
	target  string // or the methods of one target
	methods []probes.Method
	err     error
}

// refresh asks for the graph, and once for each target's methods. All of it
// happens in the background.
func (e *screen) refresh() tea.Cmd {
	s := e.s
	cmds := []tea.Cmd{func() tea.Msg {
		g := s.Graph()
		return loaded{graph: &g}
	}}
	for _, st := range s.States() {
		if e.asked[st.Name] || !slices.Contains(st.Can, "invoke") || st.Phase < session.Well {
			continue
		}
		e.asked[st.Name] = true
		cmds = append(cmds, func() tea.Msg {
			ctx, stop := session.Bounded(s)
			defer stop()
			conn, err := s.Conn(ctx, st.Name)
			if err != nil {
				return loaded{target: st.Name, err: err}
			}
			methods, err := conn.Methods(ctx)
			return loaded{target: st.Name, methods: methods, err: err}
		})
	}
	return tea.Batch(cmds...)
}

// take sorts what came into the tree.
func (e *screen) take(l loaded) {
	if l.graph != nil {
		e.takeGraph(l.graph)
	} else {
		delete(e.trouble, l.target)
		if l.err != nil {
			e.trouble[l.target] = l.err.Error()
		}
		keep := slices.DeleteFunc(e.nodes[l.target], func(n *node) bool { return n.kind == "methods" })
		e.nodes[l.target] = append(keep, methodNodes(l.target, l.methods)...)
	}
	e.lay()
}

func (e *screen) takeGraph(g *topology.Graph) {
	nodes := map[string]*topology.Node{}
	for i := range g.Nodes {
		nodes[g.Nodes[i].ID] = &g.Nodes[i]
	}
	fresh := map[string][]*node{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Parent != "" && nodes[n.Parent] != nil {
			continue
		}
		for _, target := range claimants(n) {
			fresh[target] = append(fresh[target], graphNode(target, n, nodes))
		}
	}
	for _, t := range e.s.Targets() {
		methods := slices.DeleteFunc(slices.Clone(e.nodes[t]), func(n *node) bool { return n.kind != "methods" })
		slices.SortStableFunc(fresh[t], func(a, b *node) int { return strings.Compare(a.kind+a.name, b.kind+b.name) })
		e.nodes[t] = append(fresh[t], methods...)
	}
}

// claimants are the targets that say something of a node.
func claimants(n *topology.Node) (targets []string) {
	for _, c := range n.Claims {
		if !slices.Contains(targets, c.By) {
			targets = append(targets, c.By)
		}
	}
	return targets
}

func graphNode(target string, n *topology.Node, all map[string]*topology.Node) *node {
	out := &node{id: target + "\x00" + n.ID, kind: string(n.Kind), name: n.Name, target: target, note: n.Addr, subject: subjectOf(n, target),
		addr: n.Addr, reason: n.Reason}
	if parent := all[n.Parent]; parent != nil {
		out.group = parent.Name
	}
	if n.Health != probes.HealthUnknown {
		out.health = n.Health.String()
		out.note = strings.TrimSpace(n.Health.String() + " " + out.note + " " + n.Reason)
	}
	for _, a := range n.Attrs {
		out.claims = append(out.claims, probes.Claim{By: a.By, Node: &probes.Node{Name: a.Name, Reason: a.Value}})
	}
	for _, id := range n.Parts {
		if p := all[id]; p != nil && slices.Contains(claimants(p), target) {
			out.kids = append(out.kids, graphNode(target, p, all))
		}
	}
	return out
}

// subjectOf is by which name a target knows a node.
func subjectOf(n *topology.Node, target string) string {
	for _, id := range session.Identities(n) {
		if t, subject := session.Source(id); t == target && subject != "" {
			return subject
		}
	}
	return n.Name
}

// methodNodes groups methods by service or tag.
func methodNodes(target string, ms []probes.Method) (groups []*node) {
	byName := map[string]*node{}
	for i := range ms {
		m := &ms[i]
		g := byName[m.Group]
		if g == nil {
			g = &node{id: target + "\x00methods\x00" + m.Group, kind: "methods", name: m.Group, target: target}
			byName[m.Group] = g
			groups = append(groups, g)
		}
		g.kids = append(g.kids, &node{id: target + "\x00method\x00" + m.Name, kind: "method", name: m.Name, subject: m.Name, target: target,
			note: m.Doc, method: m})
	}
	for _, g := range groups {
		g.subject = g.name
		if g.name == "" {
			g.name = "(no tag)"
		}
		g.note = kit.Plural(len(g.kids), "method")
	}
	return groups
}

func streams(m *probes.Method) string {
	switch {
	case m.ClientStream && m.ServerStream:
		return "bidi"
	case m.ClientStream:
		return "client stream"
	case m.ServerStream:
		return "server stream"
	}
	return ""
}
