package rabbitmq

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	"iscope/probes"
)

// Attributes of nodes and edges.
const (
	attrVersion    = "rabbitmq.version"
	attrErlang     = "rabbitmq.erlang_version"
	attrCluster    = "rabbitmq.cluster"
	attrMemory     = "rabbitmq.memory_used"  // bytes
	attrMemLimit   = "rabbitmq.memory_limit" // bytes
	attrDisk       = "rabbitmq.disk_free"    // bytes
	attrDiskLimit  = "rabbitmq.disk_limit"   // bytes
	attrKind       = "rabbitmq.type"
	attrPolicy     = "rabbitmq.policy"
	attrReady      = "rabbitmq.ready"
	attrUnacked    = "rabbitmq.unacknowledged"
	attrConsumers  = "rabbitmq.consumers"
	attrGrowth     = "rabbitmq.growth" // messages a second
	attrIn         = "rabbitmq.rate.in"
	attrOut        = "rabbitmq.rate.out"
	attrAckRate    = "rabbitmq.rate.ack"
	attrPublished  = "rabbitmq.rate.publish"
	attrClient     = "rabbitmq.client" // product, as the client names it
	attrFlags      = "rabbitmq.flags"  // "durable, auto-delete"
	attrArgument   = "rabbitmq.argument."
	attrRoutingKey = "rabbitmq.routing_key"
	attrRelation   = "rabbitmq.relation" // "dead-letter", "alternate"
	attrUser       = "rabbitmq.user"
	attrState      = "rabbitmq.state"
	attrTLS        = "rabbitmq.tls" // "false": what it sends can be read on the way
	attrPrefetch   = "rabbitmq.prefetch"
	attrTag        = "rabbitmq.consumer_tag"
	attrInstances  = "rabbitmq.connections"
)

// reporter turns a survey into claims. IDs hold the kind beside the name,
// because an exchange and a queue may have the same: what follows the target in
// an ID is a subject.
type reporter struct {
	*survey
	target, vhost string
	addr          string // where AMQP answered, without the management API
	detail        bool
	clients       map[string]string // connection name to client
	out           []probes.Claim
}

func (r *reporter) claims() []probes.Claim {
	r.brokers()
	for i := range r.exchanges {
		r.exchange(&r.exchanges[i])
	}
	for i := range r.queues {
		r.queue(&r.queues[i])
	}
	r.bound()
	r.applications()
	r.consuming()
	r.publishing()
	return r.out
}

func (r *reporter) node(n *probes.Node, call string, class probes.Evidence) {
	r.out = append(r.out, probes.Claim{Node: n, By: r.target, Call: r.call(call), Class: class, Seen: r.at})
}

func (r *reporter) edge(e *probes.Edge, call string, class probes.Evidence) {
	e.Protocol = "amqp"
	r.out = append(r.out, probes.Claim{Edge: e, By: r.target, Call: r.call(call), Class: class, Seen: r.at})
}

func (r *reporter) call(what string) string {
	if r.addr != "" {
		return "AMQP passive declare"
	}
	return "GET /api/" + what
}

func (r *reporter) exchangeID(name string) string {
	return probes.NodeID(probes.NodeExchange, r.target, kindExchange+"/"+name)
}

func (r *reporter) queueID(name string) string {
	return probes.NodeID(probes.NodeQueue, r.target, kindQueue+"/"+name)
}

// attrs collects attributes, leaving out what is unknown.
type attrs []probes.Attr

func (a *attrs) text(name, value string) {
	if value != "" {
		*a = append(*a, probes.Attr{Name: name, Value: value})
	}
}

func (a *attrs) count(name string, n *int64) {
	if n != nil {
		a.text(name, strconv.FormatInt(*n, 10))
	}
}

func (a *attrs) rate(name string, r rate) {
	if r.Rate != nil {
		a.text(name, strconv.FormatFloat(*r.Rate, 'f', 1, 64))
	}
}

func (r *reporter) brokers() {
	if r.addr != "" {
		r.node(&probes.Node{ID: probes.NodeID(probes.NodeBroker, r.target, r.addr), Kind: probes.NodeBroker, Name: r.addr, Addr: r.addr,
			Health: probes.HealthOK, Aliases: []string{probes.AddrAlias(r.addr)}, Attrs: attrsOf(attrVersion, r.overview.Version)}, "", probes.Declared)
		return
	}
	for i := range r.nodes {
		b := &r.nodes[i]
		n := &probes.Node{ID: probes.NodeID(probes.NodeBroker, r.target, b.Name), Kind: probes.NodeBroker, Name: b.Name, Addr: r.listener(b.Name)}
		n.Health, n.Reason = b.health()
		if n.Addr != "" {
			n.Aliases = []string{probes.AddrAlias(n.Addr)}
		}
		var a attrs
		if b.Name == r.overview.Node { // others may run another version while a cluster is upgraded
			a.text(attrVersion, r.overview.Version)
			a.text(attrErlang, r.overview.Erlang)
		}
		a.text(attrCluster, r.overview.Cluster)
		a.count(attrMemory, &b.MemUsed)
		a.count(attrMemLimit, &b.MemLimit)
		a.count(attrDisk, (*int64)(&b.DiskFree))
		a.count(attrDiskLimit, (*int64)(&b.DiskLimit))
		n.Attrs = a
		r.node(n, "nodes", probes.Declared)
	}
}

func attrsOf(name, value string) []probes.Attr {
	var a attrs
	a.text(name, value)
	return a
}

// listener is the node's AMQP address, if it can be dialled as it stands.
func (r *reporter) listener(name string) string {
	for _, l := range r.overview.Listeners {
		ip := net.ParseIP(l.Address)
		if l.Node == name && l.Protocol == "amqp" && ip != nil && !ip.IsUnspecified() {
			return net.JoinHostPort(l.Address, strconv.Itoa(l.Port))
		}
	}
	return ""
}

func (r *reporter) exchange(x *exchange) {
	n := &probes.Node{ID: r.exchangeID(x.Name), Kind: probes.NodeExchange, Name: cmp.Or(x.Name, "(default)")}
	var a attrs
	a.text(attrKind, x.Type)
	a.text(attrFlags, flags(x.Durable, x.AutoDelete, x.Internal, false))
	a.text(attrPolicy, x.Policy)
	if x.Stats != nil {
		a.rate(probes.MetricRate, x.Stats.PublishIn)
		a.rate(attrOut, x.Stats.PublishOut)
	}
	a.arguments(x.Arguments)
	n.Attrs = a
	r.node(n, "exchanges", probes.Declared)
	if to, ok := x.Arguments.text("alternate-exchange"); ok {
		e := &probes.Edge{From: n.ID, To: r.exchangeID(to), Kind: probes.EdgeRoutes, Attrs: attrsOf(attrRelation, "alternate")}
		r.edge(e, "exchanges", probes.Declared)
	}
}

func flags(durable, autoDelete, internal, exclusive bool) string {
	var words []string
	for _, f := range []struct {
		word string
		on   bool
	}{{"durable", durable}, {"auto-delete", autoDelete}, {"internal", internal}, {"exclusive", exclusive}} {
		if f.on {
			words = append(words, f.word)
		}
	}
	return strings.Join(words, ", ")
}

func (a *attrs) arguments(args table) {
	var out []probes.Attr
	for name, v := range args {
		switch v := v.(type) {
		case string:
			out = append(out, probes.Attr{Name: attrArgument + name, Value: v})
		case float64:
			out = append(out, probes.Attr{Name: attrArgument + name, Value: strconv.FormatFloat(v, 'f', -1, 64)})
		case bool:
			out = append(out, probes.Attr{Name: attrArgument + name, Value: strconv.FormatBool(v)})
		}
	}
	slices.SortFunc(out, func(x, y probes.Attr) int { return cmp.Compare(x.Name, y.Name) })
	*a = append(*a, out...)
}

func (r *reporter) queue(q *queue) {
	n := &probes.Node{ID: r.queueID(q.Name), Kind: probes.NodeQueue, Name: q.Name}
	n.Health, n.Reason = q.health()
	var a attrs
	a.text(attrKind, q.kind())
	a.text(attrFlags, flags(q.Durable, q.AutoDelete, false, q.Exclusive))
	a.count(attrReady, q.Ready)
	a.count(attrUnacked, q.Unacked)
	a.count(attrConsumers, q.Consumers)
	a.text(attrPolicy, q.Policy)
	a.text(attrState, q.State)
	if !r.counted {
		a.rate(attrGrowth, q.Growth)
	}
	if q.Stats != nil {
		a.rate(attrIn, q.Stats.Publish)
		a.rate(attrOut, q.Stats.Deliver)
		a.rate(attrAckRate, q.Stats.Ack)
		a.rate(probes.MetricRate, q.Stats.Publish)
	}
	a.arguments(q.Arguments)
	n.Attrs = a
	r.node(n, "queues", probes.Declared)
	if to, _, ok := q.setting("dead-letter-exchange"); ok {
		e := &probes.Edge{From: n.ID, To: r.exchangeID(to), Kind: probes.EdgeRoutes, Attrs: attrsOf(attrRelation, "dead-letter")}
		if key, _, ok := q.setting("dead-letter-routing-key"); ok {
			e.Attrs = append(e.Attrs, probes.Attr{Name: attrRoutingKey, Value: key})
			if to == "" { // straight to one queue
				e.To = r.queueID(key)
			}
		}
		r.edge(e, "queues", probes.Declared)
	}
}
