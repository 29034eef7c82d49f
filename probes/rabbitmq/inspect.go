package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// exchangeFacts is what has to be known of an exchange before it is tapped.
type exchangeFacts struct {
	name       string
	kind       string // its type; of a delayed exchange, the type it delays for
	declared   string // the type it was declared with
	autoDelete bool
	alternate  string // alternate exchange, "" if there is none
	// guarded: an alternate exchange may exist that we are not shown.
	guarded bool
	// managed: bindings were read from the management API.
	managed  bool
	bindings []binding
}

// queueFacts is what is known of a queue. Without the management API only its
// type is, and that not always.
type queueFacts struct {
	queue
	managed bool
}

// isNoAPI reports that the management API is absent or does not let us in, so
// that AMQP has to do.
func isNoAPI(err error) bool {
	var no *noAPI
	return errors.As(err, &no) || isStatus(err, http.StatusUnauthorized) || isStatus(err, http.StatusForbidden)
}

func (p *probe) vhostPath(parts ...string) string {
	path := "/api/" + parts[0] + "/" + seg(p.set.vhost)
	for _, s := range parts[1:] {
		path += "/" + seg(s)
	}
	return path
}

// lookExchange finds out about an exchange, by the management API or else over
// the link.
func (p *probe) lookExchange(ctx context.Context, l *link, name string) (*exchangeFacts, error) {
	var x exchange
	err := p.settled(ctx, func() error { return p.http.get(ctx, p.vhostPath("exchanges", name), &x) }, func() error {
		return l.exchangeThere(ctx, name)
	})
	switch {
	case isStatus(err, http.StatusNotFound):
		return nil, notFound(kindExchange, name, p.names(ctx, "exchanges"))
	case isNoAPI(err):
		return l.lookExchange(ctx, name)
	case err != nil:
		return nil, err
	}
	f := &exchangeFacts{name: name, kind: x.Type, declared: x.Type, autoDelete: x.AutoDelete, managed: true}
	if t, ok := x.Arguments.text("x-delayed-type"); ok && x.Type == "x-delayed-message" {
		f.kind = t
	}
	f.alternate, _ = x.Arguments.text("alternate-exchange")
	if f.alternate == "" && x.Policy != "" {
		var pol policy
		if p.http.get(ctx, p.vhostPath("policies", x.Policy), &pol) == nil {
			f.alternate, _ = pol.Definition.text("alternate-exchange")
		} else {
			f.guarded = true
		}
	}
	return f, p.http.get(ctx, "/api/exchanges/"+seg(p.set.vhost)+"/"+seg(name)+"/bindings/source", &f.bindings)
}

// names lists what there is, for hints; nil if that cannot be found out.
func (p *probe) names(ctx context.Context, what string) []string {
	var names []string
	err := pages(ctx, p.http, p.vhostPath(what), "columns=name&disable_stats=true", func(items []struct {
		Name string `json:"name"`
	}) {
		for _, i := range items {
			if i.Name != "" {
				names = append(names, i.Name)
			}
		}
	})
	if err != nil {
		return nil
	}
	if names == nil {
		names = []string{}
	}
	return names
}

// lookExchange asks the broker to declare the exchange again, in a way that it
// must refuse: the alternate exchange is no string, which makes creating one
// impossible. What it says then names the first property that differs
// (rabbit_exchange:assert_equivalence), so a few tries name them all.
func (l *link) lookExchange(ctx context.Context, name string) (*exchangeFacts, error) {
	err := l.try(ctx, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(name, amqp.ExchangeDirect, false, false, false, false, nil)
	})
	if isMissing(err) {
		return nil, notFound(kindExchange, name, nil)
	}
	if err != nil {
		return nil, err
	}
	f := &exchangeFacts{name: name, kind: amqp.ExchangeDirect}
	durable, internal := true, false
	impossible := amqp.Table{"alternate-exchange": int32(1)}
	for range 6 { // as many properties there are, and one
		err := l.try(ctx, func(ch *amqp.Channel) error {
			return ch.ExchangeDeclare(name, f.kind, durable, f.autoDelete, internal, false, impossible)
		})
		arg, current := inequivalent(err)
		switch arg {
		case "type":
			f.kind = current
		case "durable":
			durable = !durable
		case "auto_delete":
			f.autoDelete = !f.autoDelete
		case "internal":
			internal = !internal
		case "alternate-exchange":
			f.declared = f.kind
			if current != "none" {
				f.alternate = current
			}
			return f, nil
		default:
			return nil, &fault{kind: probes.ErrRefused, err: errors.Join(errors.New("the type of the exchange cannot be found out"), err),
				hint: "set the option management to the URL of the management API, or give the user the permission configure on the exchange"}
		}
	}
	return nil, &fault{kind: probes.ErrProtocol, err: errors.New("the broker describes the exchange in contradictory ways")}
}

// inequivalent reads the broker's words about the property that differs.
func inequivalent(err error) (arg, current string) {
	var e *amqp.Error
	if !errors.As(err, &e) || e.Code != amqp.PreconditionFailed {
		return "", ""
	}
	_, after, ok := strings.Cut(e.Reason, "inequivalent arg '")
	if !ok {
		return "", ""
	}
	arg, after, _ = strings.Cut(after, "'")
	_, current, _ = strings.Cut(after, "current is ")
	return arg, strings.Trim(current, "'")
}

// try runs f on a channel of its own: a refusal closes the channel.
func (l *link) try(ctx context.Context, f func(*amqp.Channel) error) error {
	ch, err := l.channel(ctx)
	if err != nil {
		return err
	}
	err = l.call(ctx, func() error { return f(ch) })
	if err == nil {
		err = l.call(ctx, ch.Close)
	}
	return err
}

// lookQueue finds out about a queue, by the management API or else over the
// link.
func (p *probe) lookQueue(ctx context.Context, l *link, name string) (*queueFacts, error) {
	f := &queueFacts{managed: true}
	err := p.settled(ctx, func() error { return p.http.get(ctx, p.vhostPath("queues", name), &f.queue) }, func() error {
		return l.queueThere(ctx, name)
	})
	switch {
	case isStatus(err, http.StatusNotFound):
		return nil, notFound(kindQueue, name, p.names(ctx, "queues"))
	case isNoAPI(err):
		return l.lookQueue(ctx, name)
	case err != nil:
		return nil, err
	}
	f.Type = f.kind()
	return f, nil
}

// settled asks the management API until it agrees with AMQP on whether a thing
// exists: on a broker that has just started, it does not for a moment.
func (p *probe) settled(ctx context.Context, ask, there func() error) error {
	ctx, stop := context.WithTimeout(ctx, p.target.RequestTimeout())
	defer stop()
	for {
		err := ask()
		if !isStatus(err, http.StatusNotFound) || kindOf(there()) == probes.ErrNotFound {
			return err
		}
		if !pause(ctx, 100*time.Millisecond) {
			return &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("the broker has it, but its management API does not: %v", err)}
		}
	}
}

// lookQueue finds out the type of a queue like lookExchange does: a stream
// cannot have a message TTL, nor can anything have a negative one.
func (l *link) lookQueue(ctx context.Context, name string) (*queueFacts, error) {
	f := &queueFacts{queue: queue{Name: name}}
	err := l.try(ctx, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
		ready, consumers := int64(q.Messages), int64(q.Consumers)
		f.Ready, f.Consumers = &ready, &consumers
		return err
	})
	if isMissing(err) {
		return nil, notFound(kindQueue, name, nil)
	}
	if err != nil {
		return nil, err
	}
	impossible := amqp.Table{"x-queue-type": queueStream, "x-message-ttl": int32(-1)}
	err = l.try(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(name, true, false, false, false, impossible)
		return err
	})
	arg, current := inequivalent(err)
	switch {
	case err == nil:
		f.Type = queueStream
	case arg == "x-queue-type":
		f.Type = current
	case arg != "":
		f.Type = queueClassic
	case isCode(err, amqp.AccessRefused): // the type stays unknown
	default:
		return nil, err
	}
	return f, nil
}

// resolve finds out whether a bare name is an exchange or a queue.
func (p *probe) resolve(ctx context.Context, l *link, s *subject) error {
	if s.kind != "" {
		return nil
	}
	_, noExchange := p.lookExchange(ctx, l, s.name)
	_, noQueue := p.lookQueue(ctx, l, s.name)
	missing := func(err error) bool { return err != nil && kindOf(err) == probes.ErrNotFound }
	switch {
	case missing(noExchange) && missing(noQueue):
		var there []string
		there = append(append(there, p.names(ctx, "exchanges")...), p.names(ctx, "queues")...)
		return notFound("exchange or queue", s.name, there)
	case missing(noExchange):
		s.kind = kindQueue
	case missing(noQueue):
		s.kind = kindExchange
	case noExchange != nil:
		return noExchange
	case noQueue != nil:
		return noQueue
	default:
		return &fault{kind: probes.ErrUsage, err: errors.New("there is an exchange and a queue of that name"),
			hint: "write exchange/" + s.name + " or queue/" + s.name}
	}
	return nil
}
