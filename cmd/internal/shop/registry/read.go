package registry

import (
	"slices"
	"strings"
)

// Reading. Every method here is called with the lock held and returns copies.

func (r *Registry) nodeEntry() node {
	return node{
		ID: "5f0c1d3e-0000-4000-8000-000000000001", Node: r.node, Address: nodeAddress, Datacenter: Datacenter,
		TaggedAddresses: map[string]string{"lan": nodeAddress, "lan_ipv4": nodeAddress, "wan": nodeAddress, "wan_ipv4": nodeAddress},
		Meta:            map[string]string{"consul-network-segment": ""},
		CreateIndex:     1, ModifyIndex: 1,
	}
}

// found returns the services that keep accepts, by ID.
func (r *Registry) found(keep func(*service) bool) []service {
	list := []service{}
	for _, s := range r.services {
		if keep(s) {
			list = append(list, *s)
		}
	}
	slices.SortFunc(list, func(a, b service) int { return strings.Compare(a.ID, b.ID) })
	return list
}

func named(name string) func(*service) bool {
	return func(s *service) bool { return s.Service == name }
}

// meshed accepts what a client of the mesh would connect to for a service.
func meshed(name string) func(*service) bool {
	return func(s *service) bool {
		return s.Kind == kindProxy && s.Proxy.DestinationServiceName == name
	}
}

func (r *Registry) foundChecks(keep func(*check) bool) []check {
	list := []check{}
	for _, c := range r.checks {
		if keep(c) {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b check) int { return strings.Compare(a.CheckID, b.CheckID) })
	return list
}

// checksOf are an instance's own and those of its node.
func (r *Registry) checksOf(id string) []check {
	return r.foundChecks(func(c *check) bool { return c.ServiceID == "" || c.ServiceID == id })
}

func (r *Registry) health(keep func(*service) bool, onlyPassing bool) []healthEntry {
	list := []healthEntry{}
	for _, s := range r.found(keep) {
		e := healthEntry{Node: r.nodeEntry(), Service: s, Checks: r.checksOf(s.ID)}
		bad := slices.ContainsFunc(e.Checks, func(c check) bool { return c.Status != passing })
		if !onlyPassing || !bad {
			list = append(list, e)
		}
	}
	return list
}

func (r *Registry) catalog(keep func(*service) bool) []catalogEntry {
	list := []catalogEntry{}
	n := r.nodeEntry()
	for _, s := range r.found(keep) {
		list = append(list, catalogEntry{
			ID: n.ID, Node: n.Node, Address: n.Address, Datacenter: Datacenter,
			TaggedAddresses: n.TaggedAddresses, NodeMeta: n.Meta,
			ServiceKind: s.Kind, ServiceID: s.ID, ServiceName: s.Service, ServiceTags: s.Tags,
			ServiceAddress: s.Address, ServiceTaggedAddresses: s.TaggedAddresses, ServiceWeights: s.Weights,
			ServiceMeta: s.Meta, ServicePort: s.Port, ServiceProxy: s.Proxy,
			CreateIndex: s.CreateIndex, ModifyIndex: s.ModifyIndex,
		})
	}
	return list
}

// names maps every service to the tags its instances have.
func (r *Registry) names() map[string][]string {
	tags := map[string][]string{}
	for _, s := range r.found(func(*service) bool { return true }) {
		all := append(tags[s.Service], s.Tags...)
		slices.Sort(all)
		tags[s.Service] = slices.Compact(all)
		if tags[s.Service] == nil {
			tags[s.Service] = []string{}
		}
	}
	return tags
}

func (r *Registry) intentionEntries() []intentions {
	list := []intentions{}
	for _, e := range r.entries {
		list = append(list, *e)
	}
	slices.SortFunc(list, func(a, b intentions) int { return strings.Compare(a.Name, b.Name) })
	return list
}
