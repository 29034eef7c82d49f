package consul

import (
	"cmp"
	"slices"

	"iscope/probes"
)

// link is an edge with where it comes from. outside are its ends that no
// listing of this datacenter holds.
type link struct {
	edge    probes.Edge
	outside []probes.Node
	part    part
	class   probes.Evidence
}

// edges lists the calls that sidecars are configured for and those that
// intentions allow.
func (c *catalog) edges(target string) []link {
	out := append(c.declared(target), c.permitted(target)...)
	slices.SortFunc(out, func(a, b link) int {
		return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.edge.From, b.edge.From),
			cmp.Compare(a.edge.To, b.edge.To), cmp.Compare(a.edge.Protocol, b.edge.Protocol))
	})
	// Every instance of a service registers the same upstreams.
	return slices.CompactFunc(out, func(a, b link) bool {
		return a.part == b.part && a.edge.From == b.edge.From && a.edge.To == b.edge.To && a.edge.Protocol == b.edge.Protocol
	})
}

// declared: an upstream is a listener of the sidecar, which proves that the
// call is meant, not that it is made.
func (c *catalog) declared(target string) []link {
	var out []link
	for _, in := range c.instances {
		from := in.Proxy.DestinationServiceName
		if in.Kind != "connect-proxy" || from == "" {
			continue
		}
		for _, up := range in.Proxy.Upstreams {
			l := link{part: partInstances, class: probes.Declared}
			l.edge = probes.Edge{From: probes.NodeID(probes.NodeService, target, from), Kind: probes.EdgeCalls}
			l.edge.Protocol, _ = up.Config.Protocol.(string)
			l.edge.To = l.end(target, up.outside(), up.DestinationName)
			out = append(out, l)
		}
	}
	return out
}

// outside says where an upstream leads if not to a service of this datacenter.
func (u *upstream) outside() string {
	switch {
	case u.DestinationPeer != "":
		return "peer " + u.DestinationPeer
	case u.DestinationType == "prepared_query":
		return "prepared query"
	case u.Datacenter != "":
		return "datacenter " + u.Datacenter
	}
	return ""
}

// end returns the ID of one end of the link, which is an external node if it
// is outside.
func (l *link) end(target, outside, name string) string {
	if outside == "" {
		return probes.NodeID(probes.NodeService, target, name)
	}
	n := probes.Node{ID: probes.NodeID(probes.NodeExternal, target, outside+"/"+name), Kind: probes.NodeExternal,
		Name: name + " (" + outside + ")"}
	l.outside = append(l.outside, n)
	return n.ID
}

// permitted: an intention that allows. Denials and wildcards are no edges; see
// rules.
func (c *catalog) permitted(target string) []link {
	var out []link
	for _, in := range c.intentions {
		for _, s := range in.Sources {
			action, partial := verb(s.Action, len(s.Permissions))
			if in.Name == "*" || s.Name == "*" || action != "allow" {
				continue
			}
			l := link{part: partIntentions, class: probes.Permitted}
			peer := ""
			if s.Peer != "" {
				peer = "peer " + s.Peer
			}
			l.edge = probes.Edge{From: l.end(target, peer, s.Name), Kind: probes.EdgeCalls,
				To: probes.NodeID(probes.NodeService, target, in.Name)}
			if partial {
				l.edge.Attrs = []probes.Attr{{Name: attrIntention, Value: "some requests only"}}
			}
			out = append(out, l)
		}
	}
	return out
}

// verb: an intention with permissions decides per request.
func verb(action string, permissions int) (verb string, partial bool) {
	if action == "" && permissions > 0 {
		return "allow", true
	}
	return action, false
}

// rules words the intentions that make no edge, for the service they are about.
func (c *catalog) rules() map[string][]string {
	out := map[string][]string{}
	for _, in := range c.intentions {
		for _, s := range in.Sources {
			action, _ := verb(s.Action, len(s.Permissions))
			switch {
			case in.Name == "*" && s.Name != "*":
				out[s.Name] = append(out[s.Name], action+" to *")
			case in.Name != "*" && (s.Name == "*" || action != "allow"):
				out[in.Name] = append(out[in.Name], action+" from "+s.Name)
			}
		}
	}
	return out
}
