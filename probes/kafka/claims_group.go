package kafka

import (
	"cmp"
	"fmt"
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
	add(attrKind, g.kind)
	add(attrProtocol, g.protocol)
	add(attrAssignor, g.assignor)
	add(attrCoordinator, g.coordinator)
	if g.hidden == "" {
		add(attrMembers, strconv.Itoa(len(g.members)))
	}
	var total lagSum
	for _, topic := range g.topics() {
		total.join(r.edge(g, topic))
	}
	if total.known {
		add(attrLag, strconv.FormatInt(total.messages, 10))
		if total.timed {
			add(attrLagSeconds, seconds(total.seconds))
		}
		if total.trending {
			add(attrLagTrend, strconv.FormatFloat(total.trend, 'f', 1, 64))
		}
		add(attrLagUnknown, total.why)
	}
	n.Health, n.Reason = groupHealth(g, &total)
	class := probes.Declared
	if len(g.members) > 0 {
		class = probes.Attached
	}
	r.node(n, g.call(), class)
	for i := range g.members {
		r.member(g, &g.members[i])
	}
}

// call names the API that a group's description comes from.
func (g *group) call() string {
	switch g.kind {
	case "consumer":
		return "ConsumerGroupDescribe"
	case "share":
		return "ShareGroupDescribe"
	}
	return "DescribeGroups"
}

// lagSum is the lag over several partitions: messages add up, of seconds the
// most count.
type lagSum struct {
	messages int64
	known    bool
	seconds  float64
	timed    bool   // seconds are known of a partition at least
	why      string // of another they are not
	trend    float64
	trending bool
}

func (t *lagSum) add(l lag) {
	t.messages, t.known = t.messages+l.messages, true
	if l.why != "" {
		t.why = l.why
		return
	}
	t.seconds, t.timed = max(t.seconds, l.seconds), true
}

func (t *lagSum) join(o lagSum) {
	t.messages, t.known = t.messages+o.messages, t.known || o.known
	t.seconds, t.timed = max(t.seconds, o.seconds), t.timed || o.timed
	t.trend, t.trending = t.trend+o.trend, t.trending || o.trending
	if o.why != "" {
		t.why = o.why
	}
}

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', 1, 64) }

func groupHealth(g *group, lag *lagSum) (probes.Health, string) {
	switch g.state {
	case "Stable":
		return probes.HealthOK, ""
	case "Empty":
		if lag.messages > 0 {
			return probes.HealthWarn, fmt.Sprintf("no members, %d messages behind", lag.messages)
		}
		return probes.HealthOK, ""
	case "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling":
		return probes.HealthWarn, "rebalancing"
	case "Dead":
		return probes.HealthFail, "dead"
	}
	return probes.HealthUnknown, g.hidden
}

// edge claims that the group reads the topic and by how much it is behind.
func (r *reporter) edge(g *group, topic string) (sum lagSum) {
	e := &probes.Edge{From: r.id(probes.NodeTopic, topic), To: r.id(probes.NodeGroup, g.id), Kind: probes.EdgeConsumes, Protocol: "kafka"}
	var parts []part
	for pt := range g.committed {
		if pt.topic == topic {
			parts = append(parts, pt)
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return int(a.id) - int(b.id) })
	for _, pt := range parts {
		l, ok := r.lagOf(g, pt)
		if !ok {
			continue
		}
		sum.add(l)
		if r.detail {
			e.Attrs = append(e.Attrs, probes.Attr{Name: fmt.Sprintf("%s.%d", attrLag, pt.id), Value: strconv.FormatInt(l.messages, 10)},
				probes.Attr{Name: fmt.Sprintf("%s.%d", attrLagSeconds, pt.id), Value: cmp.Or(l.why, seconds(l.seconds))},
				probes.Attr{Name: fmt.Sprintf("%s.%d", attrCommitted, pt.id), Value: strconv.FormatInt(g.committed[pt], 10)})
		}
	}
	if sum.known {
		e.Metrics = append(e.Metrics, probes.Metric{Name: probes.MetricLag, Value: float64(sum.messages), Unit: "{message}"})
	}
	if sum.timed {
		e.Metrics = append(e.Metrics, probes.Metric{Name: attrLagSeconds, Value: sum.seconds, Unit: "s"})
	}
	if sum.why != "" {
		e.Attrs = append(e.Attrs, probes.Attr{Name: attrLagUnknown, Value: sum.why})
	}
	if sum.trend, sum.trending = r.rates.trend(g.id, topic); sum.trending {
		e.Metrics = append(e.Metrics, probes.Metric{Name: attrLagTrend, Value: sum.trend, Unit: "{message}/s"})
	}
	if rate, ok := r.rates.consumed(g.id, topic); ok {
		e.Metrics = append(e.Metrics, probes.Metric{Name: probes.MetricRate, Value: rate, Unit: "{message}/s"})
	}
	class := probes.Declared
	if g.consumes(topic) {
		class = probes.Attached
	}
	r.out = append(r.out, probes.Claim{Edge: e, By: r.target, Call: g.call() + ", OffsetFetch, ListOffsets, Fetch", Class: class, Seen: r.at})
	return sum
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
		g.call(), probes.Attached)
}
