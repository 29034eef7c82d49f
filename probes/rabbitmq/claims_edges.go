package rabbitmq

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"

	"iscope/probes"
)

// maxKeys bounds the routing keys listed on one edge.
const maxKeys = 20

// bound says which exchange routes where: one edge for each pair, whatever the
// number of keys.
func (r *reporter) bound() {
	type pair struct{ from, to string }
	keys := map[pair][]string{}
	for i := range r.bindings {
		b := &r.bindings[i]
		if b.Source == "" {
			continue // every queue is bound to the default exchange
		}
		to := r.queueID(b.Dest)
		if b.DestKind == kindExchange {
			to = r.exchangeID(b.Dest)
		}
		p := pair{r.exchangeID(b.Source), to}
		keys[p] = append(keys[p], b.Key)
	}
	order := slices.SortedFunc(maps.Keys(keys), func(a, b pair) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for _, p := range order {
		e := &probes.Edge{From: p.from, To: p.to, Kind: probes.EdgeRoutes}
		slices.Sort(keys[p])
		for i, k := range keys[p] {
			if i == maxKeys {
				e.Attrs = append(e.Attrs, probes.Attr{Name: attrRoutingKey, Value: "and " + strconv.Itoa(len(keys[p])-maxKeys) + " more"})
				break
			}
			e.Attrs = append(e.Attrs, probes.Attr{Name: attrRoutingKey, Value: k})
		}
		r.edge(e, "bindings", probes.Declared)
	}
}

func (r *reporter) clientID(name string) string {
	return probes.NodeID(probes.NodeExternal, r.target, name)
}

// applications says who is connected. Connections that give themselves the same
// name are one application; asked for details, each is said too.
func (r *reporter) applications() {
	r.clients = map[string]string{}
	byName := map[string][]*connection{}
	for i := range r.connections {
		c := &r.connections[i]
		name := c.client()
		r.clients[c.Name] = name
		byName[name] = append(byName[name], c)
	}
	published := r.published()
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		list := byName[name]
		n := &probes.Node{ID: r.clientID(name), Kind: probes.NodeExternal, Name: name}
		n.Health, n.Reason = connectionsHealth(list)
		var a attrs
		a.text(attrInstances, strconv.Itoa(len(list)))
		a.text(attrUser, list[0].User)
		product, _ := list[0].Properties.text("product")
		a.text(attrClient, product)
		a.rate(attrPublished, sumOf(list, published))
		if slices.ContainsFunc(list, (*connection).exposed) {
			a.text(attrTLS, "false")
		}
		n.Attrs = a
		r.node(n, "connections", probes.Attached)
		for _, c := range list {
			if r.detail {
				r.connection(c)
			}
		}
	}
}

func sumOf(list []*connection, by map[string]float64) (sum rate) {
	for _, c := range list {
		if v, known := by[c.Name]; known {
			if sum.Rate == nil {
				sum.Rate = new(float64)
			}
			*sum.Rate += v
		}
	}
	return sum
}

// published is how many messages a second each connection publishes, wherever to.
func (r *reporter) published() map[string]float64 {
	sums := map[string]float64{}
	for i := range r.channels {
		if ch := &r.channels[i]; ch.Stats != nil && ch.Stats.Publish.Rate != nil {
			sums[connectionOf(&ch.Connection)] += *ch.Stats.Publish.Rate
		}
	}
	return sums
}

func (r *reporter) connection(c *connection) {
	n := &probes.Node{ID: probes.NodeID(probes.NodeMember, r.target, c.Name), Kind: probes.NodeMember, Name: c.Name, Parent: r.clientID(c.client())}
	n.Health, n.Reason = connectionsHealth([]*connection{c})
	var a attrs
	a.text(attrUser, c.User)
	a.text(attrState, c.State)
	a.text(attrTLS, strconv.FormatBool(c.TLS))
	a.text(probes.AttrProtocol, c.Protocol)
	if c.PeerHost != "" {
		a.text(probes.AttrPeer, net.JoinHostPort(c.PeerHost, strconv.Itoa(c.PeerPort)))
	}
	n.Attrs = a
	r.node(n, "connections", probes.Attached)
}

// client returns the node of a connection, making one up if the list of
// connections does not hold it.
func (r *reporter) client(connection string) (id string) {
	name, known := r.clients[connection]
	if !known {
		name = cmp.Or(connection, "(unknown connection)")
		r.clients[connection] = name
		r.node(&probes.Node{ID: r.clientID(name), Kind: probes.NodeExternal, Name: name}, "consumers", probes.Attached)
	}
	return r.clientID(name)
}

// consuming says who consumes from which queue, with what waits in it.
func (r *reporter) consuming() {
	byName := map[string]*queue{}
	for i := range r.queues {
		byName[r.queues[i].Name] = &r.queues[i]
	}
	type pair struct{ queue, client string }
	edges := map[pair]*probes.Edge{}
	for i := range r.consumers {
		c := &r.consumers[i]
		p := pair{c.Queue.Name, r.client(connectionOf(&c.Channel))}
		e := edges[p]
		if e == nil {
			e = &probes.Edge{From: r.queueID(c.Queue.Name), To: p.client, Kind: probes.EdgeConsumes,
				Attrs: attrsOf(attrPrefetch, strconv.FormatInt(c.Prefetch, 10))}
			if q := byName[c.Queue.Name]; q != nil && q.Messages != nil && q.kind() != queueStream {
				e.Metrics = append(e.Metrics, probes.Metric{Name: probes.MetricLag, Value: float64(*q.Messages), Unit: "{message}"})
			}
			if q := byName[c.Queue.Name]; q != nil && q.Stats != nil && q.Stats.Deliver.Rate != nil {
				e.Metrics = append(e.Metrics, probes.Metric{Name: probes.MetricRate, Value: *q.Stats.Deliver.Rate, Unit: "{message}/s"})
			}
			edges[p] = e
		}
		e.Attrs = append(e.Attrs, probes.Attr{Name: attrTag, Value: c.Tag})
	}
	order := slices.SortedFunc(maps.Keys(edges), func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.queue, b.queue), cmp.Compare(a.client, b.client))
	})
	for _, p := range order {
		r.edge(edges[p], "consumers", probes.Attached)
	}
}

// publishing says who was seen to publish where, and which queues the default
// exchange was seen to reach.
func (r *reporter) publishing() {
	for i := range r.exchanges {
		x := &r.exchanges[i]
		rates := map[string]*float64{}
		for _, in := range x.Incoming {
			id := r.client(connectionName(in.Channel.Connection, in.Channel.Name))
			if old := rates[id]; old != nil && in.Stats.Publish.Rate != nil {
				*old += *in.Stats.Publish.Rate
				continue
			}
			rates[id] = in.Stats.Publish.Rate
		}
		for _, id := range slices.Sorted(maps.Keys(rates)) {
			e := &probes.Edge{From: id, To: r.exchangeID(x.Name), Kind: probes.EdgeProduces}
			if rate := rates[id]; rate != nil {
				e.Metrics = []probes.Metric{{Name: probes.MetricRate, Value: *rate, Unit: "{message}/s"}}
			}
			r.edge(e, "exchanges/"+cmp.Or(x.Name, defaultExchange), probes.ObservedOne)
		}
		for _, out := range x.Outgoing {
			if x.Name == "" && out.Queue.Name != "" {
				e := &probes.Edge{From: r.exchangeID(""), To: r.queueID(out.Queue.Name), Kind: probes.EdgeRoutes}
				r.edge(e, "exchanges/"+defaultExchange, probes.ObservedOne)
			}
		}
	}
}
