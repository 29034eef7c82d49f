package consul

import (
	"maps"
	"slices"
)

// view is what changes are told about. It is small enough to travel in
// Error.Resume, so that a tail that was interrupted tells what it missed.
type view struct {
	Services  map[string]bool  `json:"services"`
	Instances map[string]state `json:"instances"` // by instance key
	// Partial: the token does not see everything, so absence proves nothing.
	Partial bool `json:"partial,omitempty"`
}

type state struct {
	Service string `json:"service"`
	ID      string `json:"id"`
	Node    string `json:"node"`
	Addr    string `json:"addr"`
	Status  string `json:"health"`
	Reason  string `json:"reason,omitempty"`
}

// Words of change.Change.
const (
	changeRegistered = "registered"
	changeGone       = "gone"
	changeHidden     = "not listed" // gone, or hidden from this token since
	changeMoved      = "moved"
	changeHealth     = "health"
)

// change is the body of an event.
type change struct {
	Change   string `json:"change"`
	Service  string `json:"service"`
	Instance string `json:"instance,omitempty"` // empty: the service itself
	Node     string `json:"node,omitempty"`
	Address  string `json:"address,omitempty"`
	From     string `json:"from,omitempty"` // health or address before
	To       string `json:"to,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// view extracts it, all services or one.
func (w *watcher) view(subject string) view {
	v := view{Services: map[string]bool{}, Instances: map[string]state{},
		Partial: w.info[partServices].filtered || w.info[partInstances].filtered}
	verdict := newVerdicts(w.now.checks)
	for name := range w.now.services {
		if subject == "" || name == subject {
			v.Services[name] = true
		}
	}
	for i := range w.now.instances {
		in := &w.now.instances[i]
		if subject != "" && in.Service != subject {
			continue
		}
		health, reason := verdict.instance(in)
		v.Services[in.Service] = true
		v.Instances[in.key()] = state{Service: in.Service, ID: in.ID, Node: in.Node, Addr: in.Addr,
			Status: health.String(), Reason: reason}
	}
	return v
}

// changes lists what differs, in the order: new services, instances, services
// that are gone.
func (v view) changes(next view) []change {
	var out []change
	for _, name := range slices.Sorted(maps.Keys(next.Services)) {
		if !v.Services[name] {
			out = append(out, change{Change: changeRegistered, Service: name})
		}
	}
	gone := changeGone
	if next.Partial {
		gone = changeHidden
	}
	keys := maps.Clone(v.Instances)
	maps.Copy(keys, next.Instances)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		before, was := v.Instances[key]
		after, is := next.Instances[key]
		out = append(out, compare(before, was, after, is, gone)...)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Services)) {
		if !next.Services[name] {
			out = append(out, change{Change: gone, Service: name})
		}
	}
	return out
}

func compare(before state, was bool, after state, is bool, gone string) []change {
	switch {
	case !is:
		return []change{before.change(gone)}
	case !was:
		c := after.change(changeRegistered)
		c.To, c.Reason = after.Status, after.Reason
		return []change{c}
	}
	var out []change
	if before.Service != after.Service {
		return append(compare(before, true, after, false, gone), compare(before, false, after, true, gone)...)
	}
	if before.Addr != after.Addr {
		c := after.change(changeMoved)
		c.From, c.To = before.Addr, after.Addr
		out = append(out, c)
	}
	if before.Status != after.Status {
		c := after.change(changeHealth)
		c.From, c.To, c.Reason = before.Status, after.Status, after.Reason
		out = append(out, c)
	}
	return out
}

func (s state) change(what string) change {
	return change{Change: what, Service: s.Service, Instance: s.ID, Node: s.Node, Address: s.Addr}
}
