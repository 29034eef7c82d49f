package rabbitmq

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	// manyQueues is from how many queues on their statistics are not asked for:
	// the broker gathers them from all nodes, which then takes seconds.
	manyQueues = 2000
	// manyExchanges bounds how many busy exchanges are asked one by one who
	// publishes to them.
	manyExchanges = 100
)

// survey is what the management API says of the vhost at one time.
type survey struct {
	at          time.Time
	overview    overview
	nodes       []node
	exchanges   []exchange
	queues      []queue
	bindings    []binding
	consumers   []consumer
	connections []connection
	channels    []channel
	// counted: queues have counts but no rates.
	counted bool
	missing []string
}

// take makes one. What the user may not see is missing, and said to be.
func (p *probe) take(ctx context.Context) (*survey, error) {
	s := &survey{at: time.Now()}
	if err := p.http.get(ctx, "/api/overview", &s.overview); err != nil {
		return nil, err
	}
	if err := p.takeQueues(ctx, s); err != nil {
		return nil, err
	}
	err := pages(ctx, p.http, p.vhostPath("exchanges"), "", func(x []exchange) { s.exchanges = append(s.exchanges, x...) })
	if err == nil {
		err = p.http.get(ctx, p.vhostPath("bindings")+"?columns=source,destination,destination_type,routing_key", &s.bindings)
	}
	if err == nil {
		err = p.http.get(ctx, p.vhostPath("consumers"), &s.consumers)
	}
	if err != nil {
		return nil, err
	}
	p.optional(ctx, s)
	return s, p.publishers(ctx, s)
}

func (p *probe) takeQueues(ctx context.Context, s *survey) error {
	query := queueColumns + ",state,node,leader,members,online,messages_ready,messages_unacknowledged,consumers,messages_details,message_stats"
	if s.overview.ObjectTotals.Queues > manyQueues {
		query, s.counted = "disable_stats=true&enable_queue_totals=true", true
		s.missing = append(s.missing, fmt.Sprintf("rates, consumers and policies of queues: there are %d, too many to ask the broker for them",
			s.overview.ObjectTotals.Queues))
	}
	return pages(ctx, p.http, p.vhostPath("queues"), query, func(q []queue) { s.queues = append(s.queues, q...) })
}

// optional reads what only users with the tag monitoring may see.
func (p *probe) optional(ctx context.Context, s *survey) {
	skip := func(what string, err error) {
		if err != nil {
			s.missing = append(s.missing, fmt.Sprintf("%s: %v", what, err))
		}
	}
	err := p.http.get(ctx, "/api/nodes", &s.nodes)
	if isStatus(err, http.StatusUnauthorized) {
		err = fmt.Errorf("the user needs the tag monitoring")
	}
	skip("nodes", err)
	// These two lists know no pages, but columns.
	vhost := "/api/vhosts/" + seg(p.set.vhost)
	const ofConnections = "?columns=name,user,state,protocol,peer_host,peer_port,ssl,client_properties,user_provided_name"
	const ofChannels = "?columns=name,messages_unacknowledged,connection_details,message_stats"
	skip("connections", p.http.get(ctx, vhost+"/connections"+ofConnections, &s.connections))
	skip("channels", p.http.get(ctx, vhost+"/channels"+ofChannels, &s.channels))
}

// publishers asks the exchanges that messages come to who sends them: the lists
// do not say, and the exchanges only where the broker keeps detailed statistics.
func (p *probe) publishers(ctx context.Context, s *survey) error {
	if s.overview.RatesMode != "detailed" {
		return nil
	}
	asked := 0
	for i := range s.exchanges {
		x := &s.exchanges[i]
		if x.Stats == nil || x.Stats.In == nil || *x.Stats.In == 0 || x.Name == traceExchange {
			continue
		}
		if asked++; asked > manyExchanges {
			s.missing = append(s.missing, fmt.Sprintf("publishers of some exchanges: only %d are asked", manyExchanges))
			return nil
		}
		var detail exchange
		// The default exchange has no name that a path can hold but this one.
		name := x.Name
		if name == "" {
			name = defaultExchange
		}
		err := p.http.get(ctx, p.vhostPath("exchanges", name), &detail)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil { // it may be gone by now
			x.Incoming, x.Outgoing = detail.Incoming, detail.Outgoing
		}
	}
	return nil
}

// defaultExchange is how the management API's paths name the exchange "".
const defaultExchange = "amq.default"

// narrow leaves what concerns one subject: it, what it is bound to and who uses
// it. It is false if there is no such thing.
func (s *survey) narrow(want subject) bool {
	hit := false
	keep := map[string]bool{} // kind/name
	add := func(kind, name string) { keep[kind+"/"+name] = true }
	for i := range s.exchanges {
		if s.exchanges[i].Name == want.name && want.kind != kindQueue {
			hit = true
			add(kindExchange, want.name)
		}
	}
	for i := range s.queues {
		if s.queues[i].Name == want.name && want.kind != kindExchange {
			hit = true
			add(kindQueue, want.name)
		}
	}
	subjects := keep
	keep = map[string]bool{}
	for k := range subjects {
		keep[k] = true
	}
	s.bindings = slices.DeleteFunc(s.bindings, func(b binding) bool {
		from, to := kindExchange+"/"+b.Source, b.DestKind+"/"+b.Dest
		if !subjects[from] && !subjects[to] {
			return true
		}
		keep[from], keep[to] = true, true
		return false
	})
	s.exchanges = slices.DeleteFunc(s.exchanges, func(x exchange) bool { return !keep[kindExchange+"/"+x.Name] })
	s.queues = slices.DeleteFunc(s.queues, func(q queue) bool { return !keep[kindQueue+"/"+q.Name] })
	s.consumers = slices.DeleteFunc(s.consumers, func(c consumer) bool { return !keep[kindQueue+"/"+c.Queue.Name] })
	s.onlyUsed()
	return hit
}

// onlyUsed drops connections that neither publish to nor consume from what is
// left.
func (s *survey) onlyUsed() {
	used := map[string]bool{}
	for i := range s.consumers {
		used[connectionOf(&s.consumers[i].Channel)] = true
	}
	for i := range s.exchanges {
		for _, in := range s.exchanges[i].Incoming {
			used[connectionName(in.Channel.Connection, in.Channel.Name)] = true
		}
	}
	s.connections = slices.DeleteFunc(s.connections, func(c connection) bool { return !used[c.Name] })
}

func connectionOf(c *channelRef) string { return connectionName(c.Connection, c.Name) }

// connectionName takes it from the channel's name, CONNECTION (NUMBER), where it
// is not given.
func connectionName(connection, channel string) string {
	if connection != "" {
		return connection
	}
	if i := strings.LastIndex(channel, " ("); i >= 0 {
		return channel[:i]
	}
	return channel
}
