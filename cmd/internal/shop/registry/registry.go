// Package registry is a small service registry that speaks the part of
// Consul's HTTP API that discovery uses: services, instances, health, sidecar
// proxies and intentions, with blocking queries and TTL checks. One
// datacenter, one node, no ACLs, all in memory.
//
// It exists because a real agent is a hundred megabytes and the demo must run
// anywhere. What it answers is held to the same tests as the real agent
// (probes/consul/consultest); shapes follow Consul 1.22.5.
package registry

import (
	"strings"
	"sync"
	"time"
)

// Datacenter is the name of the only one.
const Datacenter = "dc1"

// table is what a blocking query waits on.
type table int

const (
	tableServices table = iota
	tableChecks
	tableConfig
	tables
)

// Registry is the state. Its methods may be called from many goroutines.
type Registry struct {
	node string
	now  func() time.Time

	mu        sync.Mutex
	services  map[string]*service // by ID
	checks    map[string]*check   // by CheckID
	entries   map[string]*intentions
	index     uint64
	last      [tables]uint64 // the index of each table's latest change
	changed   chan struct{}  // closed and replaced at every change
	deadlines chan struct{}  // 1-slot: a TTL check may expire earlier than thought
}

// New returns an empty registry of a node with this name, which listens on that
// port: like a Consul server it lists itself.
func New(node string, port int) *Registry {
	r := &Registry{
		node: node, now: time.Now,
		services: map[string]*service{}, checks: map[string]*check{}, entries: map[string]*intentions{},
		index:   1, // an index of 0 would make clients' polls not block
		changed: make(chan struct{}), deadlines: make(chan struct{}, 1),
	}
	for t := range r.last {
		r.last[t] = r.index
	}
	r.services["consul"] = &service{ID: "consul", Service: "consul", Port: port, Weights: onePiece, CreateIndex: 1, ModifyIndex: 1}
	r.checks["serfHealth"] = &check{
		Node: node, CheckID: "serfHealth", Name: "Serf Health Status", Status: passing,
		Output: "Agent alive and reachable", CreateIndex: 1, ModifyIndex: 1,
	}
	return r
}

// touch notes a change of a table. The caller holds the lock.
func (r *Registry) touch(t table) uint64 {
	r.index++
	r.last[t] = r.index
	close(r.changed)
	r.changed = make(chan struct{})
	return r.index
}

// Register adds or replaces a service and, if it asks for one, its sidecar.
func (r *Registry) Register(d Definition) error {
	if d.Name == "" {
		return refused("Missing service name")
	}
	if d.ID == "" {
		d.ID = d.Name
	}
	if d.Kind == kindProxy && (d.Proxy == nil || d.Proxy.DestinationServiceName == "") {
		return refused("Invalid service definition: Proxy.DestinationServiceName must be non-empty for Connect proxy services")
	}
	for _, c := range d.allChecks() {
		if err := c.valid(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.put(d)
	if d.Connect != nil && d.Connect.SidecarService != nil {
		r.put(d.sidecar(r.freePort()))
	}
	r.mirrorAliases()
	select {
	case r.deadlines <- struct{}{}:
	default:
	}
	return nil
}

// put stores one definition. Checks it no longer has go away; those it still
// has keep their status.
func (r *Registry) put(d Definition) {
	s := d.service()
	old := r.services[s.ID]
	if old == nil || !old.same(s) {
		s.ModifyIndex = r.touch(tableServices)
		s.CreateIndex = s.ModifyIndex
		if old != nil {
			s.CreateIndex = old.CreateIndex
		}
		r.services[s.ID] = s
	}
	kept := map[string]bool{}
	defs := d.allChecks()
	for i, def := range defs {
		c := def.check(r.node, s, i, len(defs))
		kept[c.CheckID] = true
		if c.ttl > 0 {
			c.deadline = r.now().Add(c.ttl)
		}
		if known := r.checks[c.CheckID]; known != nil && known.ServiceID == c.ServiceID {
			known.ttl, known.deadline = c.ttl, c.deadline
			continue
		}
		c.ModifyIndex = r.touch(tableChecks)
		c.CreateIndex = c.ModifyIndex
		r.checks[c.CheckID] = c
	}
	for id, c := range r.checks {
		if c.ServiceID == s.ID && !kept[id] && !strings.HasPrefix(id, maintenance) {
			delete(r.checks, id)
			r.touch(tableChecks)
		}
	}
}

// Deregister removes a service, its checks and its sidecar.
func (r *Registry) Deregister(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id == "consul" || r.services[id] == nil {
		return unknown("Unknown service ID %q. Ensure that the service ID is passed, not the service name.", id)
	}
	for _, gone := range []string{id, id + sidecarSuffix} {
		if gone != id && (r.services[gone] == nil || !r.services[gone].owned) {
			continue
		}
		delete(r.services, gone)
		r.touch(tableServices)
		for cid, c := range r.checks {
			if c.ServiceID == gone {
				delete(r.checks, cid)
				r.touch(tableChecks)
			}
		}
	}
	r.mirrorAliases()
	return nil
}

// SetCheck sets the status of a TTL check. As with the real agent, a new
// output alone wakes no blocking query.
func (r *Registry) SetCheck(id, status, output string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.checks[id]
	if c == nil || c.ttl == 0 {
		return unknown("Unknown check ID %q. Ensure that the check ID is passed, not the check name.", id)
	}
	c.deadline = r.now().Add(c.ttl)
	c.Output = output
	r.setStatus(c, status)
	r.mirrorAliases()
	return nil
}

func (r *Registry) setStatus(c *check, status string) {
	if c.Status != status {
		c.Status = status
		c.ModifyIndex = r.touch(tableChecks)
	}
}

// mirrorAliases gives the checks of sidecars the worst status of what they
// stand before.
func (r *Registry) mirrorAliases() {
	for _, c := range r.checks {
		if c.alias == "" {
			continue
		}
		status, output := passing, "No checks found."
		for _, of := range r.foundChecks(func(of *check) bool { return of.ServiceID == c.alias }) {
			if output = "All checks passing."; rank(of.Status) > rank(status) {
				status, output = of.Status, "Aliased check "+of.CheckID+" is "+of.Status
			}
		}
		c.Output = output
		r.setStatus(c, status)
	}
}

// freePort finds a sidecar port where Consul would (21000 to 21255).
func (r *Registry) freePort() int {
	for port := 21000; port <= 21255; port++ {
		free := true
		for _, s := range r.services {
			free = free && s.Port != port
		}
		if free {
			return port
		}
	}
	return 0
}

const nodeAddress = "127.0.0.1"
