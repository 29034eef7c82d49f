package kafka

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"iscope/probes"
)

func (r *reporter) group(g *group) {
	n := &probes.Node{ID: r.id(probes.NodeGroup, g.id), Kind: probes.NodeGroup, Name: g.id}
	add := func(name, value string) {
		if value != "" {
			n.Attrs = append(n.Attrs, probes.Attr{Name: name, Value: value})
		}
	}
	add(attrState, g.state)
	add(attrProtocol, g.protocol)
	if g.hidden == "" {
		add(attrMembers, strconv.Itoa(len(g.members)))
	}
	total, known := 0.0, false
	for _, topic := range g.topics() {
		if lag, ok := r.edge(g, topic); ok {
			total, known = total+lag, true
		}
	}
	if known {
		add(attrLag, strconv.FormatFloat(total, 'f', 0, 64))
	}
	n.Health, n.Reason = groupHealth(g, total)
	class := probes.Declared
	if len(g.members) > 0 {
		class = probes.Attached
	}
	r.node(n, "DescribeGroups", class)
	for i := range g.members {
		r.member(g, &g.members[i])
	}
}

func groupHealth(g *group, lag float64) (probes.Health, string) {
	switch g.state {
	case "Stable":
		return probes.HealthOK, ""
	case "Empty":
		if lag > 0 {
			return probes.HealthWarn, fmt.Sprintf("no members, %.0f messages behind", lag)
		}
		return probes.HealthOK, ""
	case "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling":
		return probes.HealthWarn, "rebalancing"
	case "Dead":
		return probes.HealthFail, "dead"
	}
	return probes.HealthUnknown, g.hidden
}

// edge claims that the group reads the topic and by how much it is behind; not
// ok where that is not known.
func (r *reporter) edge(g *group, topic string) (lag float64, ok bool) {
	e := &probes.Edge{From: r.id(probes.NodeTopic, topic), To: r.id(probes.NodeGroup, g.id), Kind: probes.EdgeConsumes, Protocol: "kafka"}
	var parts []part
	for pt := range g.committed {
		if pt.topic == topic {
			parts = append(parts, pt)
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return int(a.id) - int(b.id) })
	for _, pt := range parts {
		end, known := r.ends[pt]
		if at := g.committed[pt]; at >= 0 && known {
			behind := math.Max(0, float64(end-at))
			lag, ok = lag+behind, true
			if r.detail {
				e.Attrs = append(e.Attrs, probes.Attr{Name: fmt.Sprintf("%s.%d", attrLag, pt.id), Value: strconv.FormatFloat(behind, 'f', 0, 64)})
			}
		}
	}
	if ok {
		e.Metrics = append(e.Metrics, probes.Metric{Name: probes.MetricLag, Value: lag, Unit: "{message}"})
	}
	if rate, ok := r.rates.consumed(g.id, topic); ok {
		e.Metrics = append(e.Metrics, probes.Metric{Name: probes.MetricRate, Value: rate, Unit: "{message}/s"})
	}
	class := probes.Declared
	if g.consumes(topic) {
		class = probes.Attached
	}
	r.out = append(r.out, probes.Claim{Edge: e, By: r.target, Call: "DescribeGroups, OffsetFetch, ListOffsets", Class: class, Seen: r.at})
	return lag, ok
}

func (r *reporter) member(g *group, m *member) {
	byTopic := map[string][]int32{}
	for _, pt := range m.assigned {
		byTopic[pt.topic] = append(byTopic[pt.topic], pt.id)
	}
	var assigned []string
	for topic, ids := range byTopic {
		slices.Sort(ids)
		for _, id := range ids {
			assigned = append(assigned, part{topic, id}.String())
		}
	}
	slices.Sort(assigned)
	r.node(&probes.Node{ID: r.id(probes.NodeMember, g.id+"/"+m.id), Kind: probes.NodeMember, Name: m.id, Parent: r.id(probes.NodeGroup, g.id),
		Health: probes.HealthOK, Attrs: []probes.Attr{{Name: attrClient, Value: m.client}, {Name: attrHost, Value: m.host},
			{Name: attrSubscribed, Value: strings.Join(m.subscribed, ",")}, {Name: attrAssigned, Value: strings.Join(assigned, ",")}}},
		"DescribeGroups", probes.Attached)
}
