package topology

import (
	"cmp"
	"fmt"
	"slices"

	"iscope/probes"
)

// lagging finds the consumer groups that are behind, and says whether anybody
// is there to catch up.
func lagging(g *Graph, byID map[string]*Node, limit float64) []Finding {
	var out []Finding
	for i := range g.Nodes {
		if g.Nodes[i].Kind == probes.NodeGroup {
			out = append(out, lagOf(g, byID, &g.Nodes[i], limit)...)
		}
	}
	return out
}

// behind is a group's lag in one topic as one source says it.
type behind struct {
	by, topic string
	messages  float64
}

func lagOf(g *Graph, byID map[string]*Node, group *Node, limit float64) []Finding {
	var list []behind
	var claims []Basis
	for i := range g.Edges {
		e := &g.Edges[i]
		if e.To != group.ID || e.Kind != probes.EdgeConsumes {
			continue
		}
		for _, m := range e.Metrics {
			// Partitions are part of their topic's number, or listed instead.
			if m.Name == probes.MetricLag && m.Value >= limit {
				list = append(list, behind{m.By, byID[e.From].Name, m.Value})
				claims = append(claims, e.Claims...)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	worst := slices.MaxFunc(list, func(a, b behind) int { return cmp.Compare(a.messages, b.messages) })
	f := Finding{Kind: FindingLag, Severity: SeverityWarning, Node: group.ID, Claims: claims,
		Text: fmt.Sprintf("%s is %.0f messages behind in %s (%s)", group.Name, worst.messages, worst.topic, worst.by)}
	if abandoned(byID, group) {
		f.Severity = SeverityError
		f.Text += " and has no members"
	}
	return []Finding{f}
}

// abandoned: a complete list of members would not be empty. A state that the
// source gives outranks counting, because members are listed only on request.
func abandoned(byID map[string]*Node, group *Node) bool {
	for _, id := range group.Parts {
		if byID[id].Kind == probes.NodeMember {
			return false
		}
	}
	state, ok := group.Attr("kafka.group.state")
	return !ok || state == "Empty" || state == "Dead"
}
