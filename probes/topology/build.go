package topology

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"iscope/probes"
)

// BuildOptions is what a graph needs besides the claims.
type BuildOptions struct {
	// Aliases are the configured other names of a target's service, by target.
	Aliases map[string][]string
	// Lag is the consumer lag in messages from which it is a finding; 0 means
	// DefaultLag.
	Lag float64
	// Sources, Gone and Now are set by Store.Graph.
	Sources []SourceState
	Gone    []Gone
	Now     time.Time
}

// DefaultLag is the lag that is worth a finding where nothing is configured.
const DefaultLag = 1000

// Build computes the graph. It keeps no reference to o but may share strings
// and claims' slices.
func Build(claims []probes.Claim, o BuildOptions) Graph {
	claims = withoutOldDials(claims)
	slices.SortStableFunc(claims, func(a, b probes.Claim) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Call, b.Call), cmp.Compare(key(&a), key(&b)),
			cmp.Compare(a.Class, b.Class), a.Seen.Compare(b.Seen), cmp.Compare(a.AsOf, b.AsOf))
	})
	b := &builder{identity: newIdentity(claims), nodes: map[string]*Node{}, edges: map[string]*Edge{}, stale: map[string]bool{}}
	for _, s := range o.Sources {
		b.stale[s.Target] = s.Err != ""
	}
	b.resolve(o.Aliases)
	b.choose()
	for i := range claims {
		if c := &claims[i]; c.Node != nil {
			b.addNode(c)
		}
	}
	b.connect()
	// What names its protocol goes first: a claim that does not (an intention) is
	// then about the one edge there is, and no edge of its own beside it.
	for _, named := range []bool{true, false} {
		for i := range claims {
			if c := &claims[i]; c.Edge != nil && (c.Edge.Protocol != "") == named {
				b.addEdge(c)
			}
		}
	}
	b.judge()
	g := b.graph()
	g.Sources, g.Gone = append([]SourceState{}, o.Sources...), slices.Clone(o.Gone)
	sortGone(g.Gone)
	g.Findings = findings(&g, o)
	return g
}

// withoutOldDials copies the claims without those of dials to what nobody
// names any more or names at another address now: a dial says how something
// is, not that it exists.
func withoutOldDials(claims []probes.Claim) []probes.Claim {
	type place struct{ id, addr string }
	named := map[place]bool{}
	for i := range claims {
		if n := claims[i].Node; n != nil && claims[i].By != ByDial {
			named[place{n.ID, n.Addr}] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(claims), func(c probes.Claim) bool {
		return c.By == ByDial && (c.Node == nil || !named[place{c.Node.ID, c.Node.Addr}])
	})
}

type builder struct {
	*identity
	primary map[string]string // representative to the ID the node is shown under
	byAlias map[string]string // alias to an ID that has it, rather not an instance's
	merged  map[string][]string
	nodes   map[string]*Node // by shown ID
	edges   map[string]*Edge
	stale   map[string]bool // targets that fail
}

// choose picks the ID a node is shown under: the one that has instances (a
// registry's name for it), else the first.
func (b *builder) choose() {
	b.primary, b.merged, b.byAlias = map[string]string{}, map[string][]string{}, map[string]string{}
	hasParts := map[string]bool{}
	for _, id := range b.ids {
		d := b.identity.nodes[id]
		if d.kind == probes.NodeInstance {
			hasParts[d.up] = true
		}
		for _, alias := range d.aliases {
			other, ok := b.byAlias[alias]
			if !ok || b.identity.nodes[other].kind == probes.NodeInstance && d.kind != probes.NodeInstance {
				b.byAlias[alias] = id
			}
		}
	}
	for _, id := range b.ids {
		root := b.find(id)
		b.merged[root] = append(b.merged[root], id)
		if p, ok := b.primary[root]; !ok || hasParts[id] && !hasParts[p] {
			b.primary[root] = id
		}
	}
}

// shown is the ID of the node that an ID or an alias means; the ID itself if
// nothing is known of it.
func (b *builder) shown(id string) string {
	if _, ok := b.identity.nodes[id]; ok {
		return b.primary[b.find(id)]
	}
	if other, ok := b.byAlias[id]; ok {
		return b.primary[b.find(other)]
	}
	return id
}

func (b *builder) addNode(c *probes.Claim) {
	said := c.Node
	root := b.find(said.ID)
	id := b.primary[root]
	n := b.nodes[id]
	if n == nil {
		d := b.identity.nodes[id]
		n = &Node{ID: id, Kind: d.kind, Name: d.name, Stale: true}
		if all := b.merged[root]; len(all) > 1 {
			n.IDs = all
		}
		b.nodes[id] = n
	}
	if said.ID == id || n.Addr == "" {
		n.Addr = cmp.Or(said.Addr, n.Addr)
	}
	if up := b.parentOf(said); up != id && (said.ID == id || n.Parent == "") {
		n.Parent = cmp.Or(up, n.Parent)
	}
	n.Attrs = addAttrs(n.Attrs, said.Attrs, c.By)
	n.Verdicts = addVerdict(n.Verdicts, Verdict{By: c.By, Health: said.Health, Reason: said.Reason})
	n.Claims = append(n.Claims, basis(c))
	n.Stale = n.Stale && b.stale[c.By]
}

func (b *builder) parentOf(n *probes.Node) string {
	if n.Parent == "" {
		return ""
	}
	return b.shown(n.Parent)
}

func basis(c *probes.Claim) Basis {
	return Basis{By: c.By, Call: c.Call, Class: c.Class, AsOf: c.AsOf, Seen: c.Seen}
}

func addAttrs(list []Attr, more []probes.Attr, by string) []Attr {
	for _, a := range more {
		if !slices.ContainsFunc(list, func(o Attr) bool { return o.Attr == a }) {
			list = append(list, Attr{Attr: a, By: by})
		}
	}
	return list
}

// addVerdict keeps the worst verdict of each source.
func addVerdict(list []Verdict, v Verdict) []Verdict {
	if v.Health == probes.HealthUnknown {
		return list
	}
	for i := range list {
		if list[i].By == v.By {
			if v.Health > list[i].Health {
				list[i] = v
			}
			return list
		}
	}
	return append(list, v)
}

// connect hangs parts under what they are part of. A parent that no source
// names, or a circle of parents, leaves a node on its own.
func (b *builder) connect() {
	for _, id := range slices.Sorted(maps.Keys(b.nodes)) {
		n := b.nodes[id]
		if n.Parent == "" {
			continue
		}
		if _, ok := b.nodes[n.Parent]; !ok || b.circular(n) {
			n.Parent = ""
			continue
		}
		up := b.nodes[n.Parent]
		up.Parts = append(up.Parts, id)
	}
}

func (b *builder) circular(n *Node) bool {
	seen := map[string]bool{n.ID: true}
	for up := n.Parent; up != ""; up = b.nodes[up].Parent {
		if seen[up] {
			return true
		}
		seen[up] = true
		if b.nodes[up] == nil {
			return false
		}
	}
	return false
}

func (b *builder) addEdge(c *probes.Claim) {
	said := c.Edge
	from, to := b.end(said.From), b.end(said.To)
	k := edgeKey(from, to, said.Kind, said.Protocol)
	e := b.edges[k]
	if e == nil && said.Protocol == "" {
		e = b.only(from, to, said.Kind)
	}
	if e == nil {
		e = &Edge{From: from, To: to, Kind: said.Kind, Protocol: said.Protocol, Class: c.Class, Stale: true}
		b.edges[k] = e
	}
	e.Class = max(e.Class, c.Class)
	for _, m := range said.Metrics {
		e.Metrics = append(e.Metrics, Metric{Metric: m, By: c.By})
	}
	e.Attrs = addAttrs(e.Attrs, said.Attrs, c.By)
	e.Claims = append(e.Claims, basis(c))
	e.Stale = e.Stale && b.stale[c.By]
}

// only returns the edge between two nodes if there is just one of that kind.
func (b *builder) only(from, to string, kind probes.EdgeKind) (only *Edge) {
	for _, e := range b.edges {
		if e.From == from && e.To == to && e.Kind == kind {
			if only != nil {
				return nil
			}
			only = e
		}
	}
	return only
}

// end makes a node for an end that no source lists, so that no edge leads
// nowhere.
func (b *builder) end(id string) string {
	id = b.shown(id)
	if b.nodes[id] == nil {
		n := &Node{ID: id, Kind: probes.NodeExternal, Name: id, Mentioned: true}
		if kind, path, ok := strings.Cut(id, ":"); ok && kind != "addr" {
			n.Kind, n.Name = probes.NodeKind(kind), path
			if _, name, ok := strings.Cut(path, "/"); ok {
				n.Name = name
			}
		} else if ok {
			n.Name, n.Addr = path, path
		}
		b.nodes[id] = n
	}
	return id
}

func (b *builder) graph() Graph {
	g := Graph{Nodes: []Node{}, Edges: []Edge{}}
	for _, id := range slices.Sorted(maps.Keys(b.nodes)) {
		g.Nodes = append(g.Nodes, *b.nodes[id])
	}
	for _, k := range slices.Sorted(maps.Keys(b.edges)) {
		g.Edges = append(g.Edges, *b.edges[k])
	}
	return g
}
