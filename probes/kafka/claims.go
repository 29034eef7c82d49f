package kafka

import (
	"strconv"

	"iscope/probes"
)

// Attribute names of this driver, beside those of package probes. kafka.config.
// is followed by the setting's name, and that by .source; kafka.lag.,
// kafka.lag.seconds. and kafka.committed. by a partition. Sizes are in bytes.
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
	attrKind        = "kafka.group.type"
	attrAssignor    = "kafka.group.assignor"
	attrCoordinator = "kafka.group.coordinator"
	attrLag         = "kafka.lag"
	attrLagSeconds  = "kafka.lag.seconds" // since the first unread message was written
	attrLagTrend    = "kafka.lag.trend"   // messages a second; negative while it catches up
	attrLagUnknown  = "kafka.lag.unknown" // why seconds are not known
	attrCommitted   = "kafka.committed"
	attrSize        = "kafka.size"          // as one replica holds it
	attrSizeAll     = "kafka.size.replicas" // all replicas; of a partition "broker:bytes,…"
	attrUnder       = "kafka.partitions.under_replicated"
	attrOffline     = "kafka.partitions.offline"
	attrUnderMin    = "kafka.partitions.under_min_isr"
	attrOfflineReps = "kafka.replicas.offline"
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
