package session

import (
	"slices"
	"strings"

	"iscope/probes"
	"iscope/probes/topology"
)

// Can reports whether a target is known to have an ability: see probes.Conn.Can.
func (s *Session) Can(target, ability string) bool { return can(s.States(), target, ability) }

func can(states []State, target, ability string) bool {
	return slices.ContainsFunc(states, func(st State) bool { return st.Name == target && slices.Contains(st.Can, ability) })
}

// Source takes a node's ID apart: see probes.NodeID. What follows the target is
// the subject by which the target knows the node.
func Source(id string) (target, subject string) {
	_, path, ok := strings.Cut(id, ":")
	if !ok {
		return "", ""
	}
	// Targets given by URL have slashes in their names.
	if scheme, rest, isURL := strings.Cut(path, "://"); isURL && !strings.Contains(scheme, "/") {
		host, subject, _ := strings.Cut(rest, "/")
		return scheme + "://" + host, subject
	}
	target, subject, _ = strings.Cut(path, "/")
	return target, subject
}

// Identities are all IDs under which sources know a node.
func Identities(n *topology.Node) []string {
	if len(n.IDs) > 0 {
		return n.IDs
	}
	return []string{n.ID}
}

// Stream is what is read of a node: a topic, a queue, an exchange, or what a
// registry says of a service.
func Stream(states []State, n *topology.Node) (probes.Ref, bool) {
	switch n.Kind {
	case probes.NodeQueue: // who only delivers into it knows it too, and cannot read it
		return refOf(states, n, "tail", "peek")
	case probes.NodeTopic, probes.NodeExchange, probes.NodeService, probes.NodeGateway:
		return refOf(states, n, "tail")
	}
	return probes.Ref{}, false
}

// Queue is what can be looked into of a node.
func Queue(states []State, n *topology.Node) (probes.Ref, bool) {
	if n.Kind != probes.NodeQueue {
		return probes.Ref{}, false
	}
	return refOf(states, n, "peek")
}

func refOf(states []State, n *topology.Node, abilities ...string) (probes.Ref, bool) {
	for _, id := range Identities(n) {
		target, subject := Source(id)
		lacks := func(ability string) bool { return !can(states, target, ability) }
		if subject != "" && !slices.ContainsFunc(abilities, lacks) {
			return probes.Ref{Target: target, Subject: subject}, true
		}
	}
	return probes.Ref{}, false
}
