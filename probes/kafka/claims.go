package kafka

import (
	"strconv"
	"strings"

	"github.com/segmentio/kafka-go/protocol/describeconfigs"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

// Attribute names of this driver, beside those of package probes. kafka.config.
// is followed by the setting's name, kafka.lag. by a partition.
const (
	attrPartitions  = "kafka.partitions"
	attrReplication = "kafka.replication_factor"
	attrInternal    = "kafka.internal"
	attrLeader      = "kafka.leader"
	attrReplicas    = "kafka.replicas"
	attrISR         = "kafka.isr"
	attrStart       = "kafka.offset.start"
	attrEnd         = "kafka.offset.end"
	attrConfig      = "kafka.config."
	attrController  = "kafka.controller"
	attrRack        = "kafka.rack"
	attrBroker      = "kafka.broker.id"
	attrState       = "kafka.group.state"
	attrProtocol    = "kafka.group.protocol"
	attrMembers     = "kafka.group.members"
	attrLag         = "kafka.lag"
	attrClient      = "kafka.client.id"
	attrHost        = "kafka.client.host"
	attrAssigned    = "kafka.assigned"
	attrSubscribed  = "kafka.subscribed"
)

// reporter turns a survey into claims.
type reporter struct {
	*survey
	target string
	detail bool
	rates  *rates // nil in the first round
	out    []probes.Claim
}

func (r *reporter) claims() []probes.Claim {
	for _, b := range r.brokers {
		r.broker(b)
	}
	for _, t := range r.topics {
		r.topic(t)
	}
	for _, g := range r.groups {
		r.group(g)
	}
	return r.out
}

func (r *reporter) node(n *probes.Node, call string, class probes.Evidence) {
	r.out = append(r.out, probes.Claim{Node: n, By: r.target, Call: call, Class: class, Seen: r.at})
}

func (r *reporter) id(kind probes.NodeKind, name string) string {
	return probes.NodeID(kind, r.target, name)
}

func (r *reporter) broker(b broker) {
	n := &probes.Node{ID: r.id(probes.NodeBroker, b.addr), Kind: probes.NodeBroker, Name: b.addr, Addr: b.addr, Health: probes.HealthOK,
		Aliases: []string{probes.AddrAlias(b.addr)},
		Attrs:   []probes.Attr{{Name: attrBroker, Value: strconv.Itoa(int(b.id))}, {Name: probes.AttrClusterID, Value: r.cluster.id}}}
	if b.rack != "" {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrRack, Value: b.rack})
	}
	if b.id == r.cluster.controller {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrController, Value: "true"})
	}
	if why, bad := r.down[b.id]; bad {
		n.Health, n.Reason = probes.HealthFail, why
	}
	r.node(n, "Metadata", probes.Declared)
}

func (r *reporter) topic(t *metadata.ResponseTopic) {
	n := &probes.Node{ID: r.id(probes.NodeTopic, t.Name), Kind: probes.NodeTopic, Name: t.Name,
		Attrs: []probes.Attr{{Name: attrPartitions, Value: strconv.Itoa(len(t.Partitions))}}}
	if len(t.Partitions) > 0 {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrReplication, Value: strconv.Itoa(len(t.Partitions[0].ReplicaNodes))})
	}
	if t.IsInternal {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrInternal, Value: "true"})
	}
	if rate, ok := r.rates.produced(t.Name); ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: probes.MetricRate, Value: strconv.FormatFloat(rate, 'f', 1, 64)})
	}
	n.Health, n.Reason = topicHealth(t)
	for _, e := range r.configs[t.Name] {
		if worthShowing(e) {
			n.Attrs = append(n.Attrs, probes.Attr{Name: attrConfig + e.ConfigName, Value: e.ConfigValue})
		}
	}
	r.node(n, "Metadata", probes.Declared)
	if r.detail {
		for i := range t.Partitions {
			r.partition(t.Name, &t.Partitions[i])
		}
	}
}

// Sources of a setting's value (KIP-226).
const sourceTopic = 1

// worthShowing picks what was set for the topic, and what says how long messages
// stay.
func worthShowing(e describeconfigs.ResponseConfigEntry) bool {
	switch e.ConfigName {
	case "cleanup.policy", "retention.ms", "retention.bytes", "max.message.bytes", "min.insync.replicas":
		return true
	}
	return e.ConfigSource == sourceTopic && !e.IsSensitive
}

func topicHealth(t *metadata.ResponseTopic) (probes.Health, string) {
	var headless, lagging []string
	for i := range t.Partitions {
		tp := &t.Partitions[i]
		id := strconv.Itoa(int(tp.PartitionIndex))
		switch {
		case tp.LeaderID < 0:
			headless = append(headless, id)
		case len(tp.IsrNodes) < len(tp.ReplicaNodes):
			lagging = append(lagging, id)
		}
	}
	switch {
	case t.ErrorCode != 0:
		return probes.HealthFail, brokerError(t.ErrorCode, "").Error()
	case len(headless) > 0:
		return probes.HealthFail, "no leader for partition " + strings.Join(headless, ", ")
	case len(lagging) > 0:
		return probes.HealthWarn, "too few replicas in sync for partition " + strings.Join(lagging, ", ")
	}
	return probes.HealthOK, ""
}

func (r *reporter) partition(topic string, tp *metadata.ResponsePartition) {
	pt := part{topic, tp.PartitionIndex}
	n := &probes.Node{ID: r.id(probes.NodePartition, pt.String()), Kind: probes.NodePartition, Name: pt.String(), Health: probes.HealthOK,
		Parent: r.id(probes.NodeTopic, topic), Attrs: []probes.Attr{{Name: probes.AttrPartition, Value: strconv.Itoa(int(pt.id))},
			{Name: attrLeader, Value: strconv.Itoa(int(tp.LeaderID))}, {Name: attrReplicas, Value: join32(tp.ReplicaNodes)},
			{Name: attrISR, Value: join32(tp.IsrNodes)}}}
	if off, ok := r.starts[pt]; ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrStart, Value: strconv.FormatInt(off, 10)})
	}
	if off, ok := r.ends[pt]; ok {
		n.Attrs = append(n.Attrs, probes.Attr{Name: attrEnd, Value: strconv.FormatInt(off, 10)})
	}
	switch {
	case tp.LeaderID < 0:
		n.Health, n.Reason = probes.HealthFail, "no leader"
	case len(tp.IsrNodes) < len(tp.ReplicaNodes):
		n.Health, n.Reason = probes.HealthWarn, "too few replicas in sync"
	}
	r.node(n, "Metadata, ListOffsets", probes.Declared)
}

func join32(ids []int32) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = strconv.Itoa(int(id))
	}
	return strings.Join(words, ",")
}
