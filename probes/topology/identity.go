package topology

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"iscope/probes"
)

// identity finds out which names mean the same node. Its steps go from what
// was said outright to what addresses show:
//
//  1. equal IDs are one node;
//  2. aliases that people configured: other names of a service;
//  3. aliases that sources gave, if the kinds fit;
//  4. an address that exactly one registered service has an instance at: what
//     is dialled there is that service. An address in several registered
//     services (a load balancer, a host's shared proxy) proves nothing;
//  5. instances of one service at one address in different sources are one
//     instance.
//
// Equal names alone never make two nodes one.
type identity struct {
	nodes  map[string]*draft
	ids    []string // sorted, so that the result depends on no map order
	parent map[string]string
}

// draft is what all claims with one ID say together.
type draft struct {
	id, name, up string // up: the parent's ID
	kind         probes.NodeKind
	by           map[string]bool
	aliases      []string
}

func newIdentity(claims []probes.Claim) *identity {
	u := &identity{nodes: map[string]*draft{}, parent: map[string]string{}}
	for i := range claims {
		n := claims[i].Node
		if n == nil {
			continue
		}
		d := u.nodes[n.ID]
		if d == nil {
			d = &draft{id: n.ID, kind: n.Kind, by: map[string]bool{}}
			u.nodes[n.ID] = d
		}
		d.by[claims[i].By] = true
		d.name, d.up = cmp.Or(d.name, n.Name), cmp.Or(d.up, n.Parent)
		d.aliases = append(d.aliases, n.Aliases...)
	}
	u.ids = slices.Sorted(maps.Keys(u.nodes))
	return u
}

// find returns the representative of an ID.
func (u *identity) find(id string) string {
	for {
		up, ok := u.parent[id]
		if !ok {
			return id
		}
		if next, ok := u.parent[up]; ok {
			u.parent[id] = next
		}
		id = up
	}
}

func (u *identity) union(a, b string) {
	a, b = u.find(a), u.find(b)
	if a > b {
		a, b = b, a
	}
	if a != b {
		u.parent[b] = a
	}
}

// resolve runs the steps. configured maps a target to the other names of its
// service.
func (u *identity) resolve(configured map[string][]string) {
	for _, id := range u.ids {
		d := u.nodes[id]
		if !callable(d.kind) || d.up != "" {
			continue
		}
		for _, target := range slices.Sorted(maps.Keys(configured)) {
			if id == probes.NodeID(d.kind, target, target) || d.name == target && d.by[target] {
				d.aliases = append(d.aliases, configured[target]...)
			}
		}
	}
	u.byName()
	u.byShared()
	u.byAddress()
}

// callable kinds can be one: what a registry calls a service, a gateway calls
// external.
func callable(k probes.NodeKind) bool {
	return k == probes.NodeService || k == probes.NodeGateway || k == probes.NodeExternal
}

func isAddr(alias string) bool { return strings.HasPrefix(alias, "addr:") }

// byName joins a service to those that an alias of it names: by ID, as
// target/name, or by name.
func (u *identity) byName() {
	named := map[string][]string{}
	for _, id := range u.ids {
		d := u.nodes[id]
		if !callable(d.kind) || d.up != "" {
			continue
		}
		named[d.name] = append(named[d.name], id)
		_, path, _ := strings.Cut(id, ":")
		named[path] = append(named[path], id)
		named[id] = append(named[id], id)
	}
	for _, id := range u.ids {
		d := u.nodes[id]
		if !callable(d.kind) || d.up != "" {
			continue
		}
		for _, alias := range d.aliases {
			for _, other := range named[alias] {
				u.union(id, other)
			}
		}
	}
}

// byShared joins nodes that share an alias other than an address.
func (u *identity) byShared() {
	first := map[string]string{}
	for _, id := range u.ids {
		d := u.nodes[id]
		class := string(d.kind)
		if callable(d.kind) {
			class = "callable"
		}
		for _, alias := range d.aliases {
			if isAddr(alias) {
				continue
			}
			k := class + " " + alias
			if other, ok := first[k]; ok {
				u.union(id, other)
			} else {
				first[k] = id
			}
		}
	}
}

// byAddress looks at who is at each address.
func (u *identity) byAddress() {
	direct, instances := map[string][]string{}, map[string][]string{}
	for _, id := range u.ids {
		d := u.nodes[id]
		for _, alias := range slices.Compact(slices.Sorted(slices.Values(d.aliases))) {
			switch {
			case !isAddr(alias):
			case d.kind == probes.NodeInstance:
				instances[alias] = append(instances[alias], id)
			case callable(d.kind) && d.up == "":
				direct[alias] = append(direct[alias], id)
			}
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(direct)) {
		owners := u.owners(instances[alias])
		if len(owners) > 1 {
			continue
		}
		list := append(owners, direct[alias]...)
		for _, id := range list[1:] {
			u.union(list[0], id)
		}
	}
	for _, alias := range slices.Sorted(maps.Keys(instances)) {
		u.sameInstance(instances[alias])
	}
}

// owners lists the services that have these instances.
func (u *identity) owners(instances []string) []string {
	var out []string
	for _, id := range instances {
		up := u.nodes[id].up
		if _, ok := u.nodes[up]; !ok {
			continue
		}
		if owner := u.find(up); !slices.Contains(out, owner) {
			out = append(out, owner)
		}
	}
	return out
}

// sameInstance joins the instances at one address that different sources name
// under the same service. Two registrations in one source stay two.
func (u *identity) sameInstance(ids []string) {
	for i, a := range ids {
		for _, b := range ids[i+1:] {
			da, db := u.nodes[a], u.nodes[b]
			if da.up != "" && u.find(da.up) == u.find(db.up) && !overlap(da.by, db.by) {
				u.union(a, b)
			}
		}
	}
}

func overlap(a, b map[string]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}
