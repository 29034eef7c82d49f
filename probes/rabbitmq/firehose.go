package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// The firehose (https://www.rabbitmq.com/docs/firehose) copies every publication
// of a vhost to this exchange, with the routing key publish.EXCHANGE.
const (
	traceExchange  = "amq.rabbitmq.trace"
	traceKey       = "publish.#"
	headerQueues   = "routed_queues"
	headerKeys     = "routing_keys"
	headerExchange = "exchange_name"
	headerProps    = "properties"
)

// queue tails a queue that is no stream, by the firehose.
func (t *tail) queue(ctx context.Context, q *queueFacts) error {
	if !q.managed {
		return t.unseen(ctx, &fault{kind: probes.ErrRefused,
			err: errors.New("a queue is tailed through the firehose, and without the management API it can neither be switched on nor back")})
	}
	v, err := t.vhostState(ctx)
	if err != nil {
		return err
	}
	if !v.Tracing && !t.mayTrace() {
		return t.unseen(ctx, &fault{kind: probes.ErrRefused,
			err: errors.New("a queue is tailed through the firehose, which is off, and switching it on is not allowed here")})
	}
	if done, err := t.live(); done || err != nil {
		return err
	}
	if !t.caveats(v, q) {
		return nil
	}
	back, err := t.traceOn(ctx, t.query.Ledger)
	if err != nil {
		return err
	}
	defer back()
	b := newTap(t, traceExchange, []string{traceKey})
	b.loose = true
	b.lostWhat = fmt.Sprintf("copies of messages of the whole vhost came faster than they were read, some perhaps of %s", t.subject)
	b.watch = func(ctx context.Context) error { return t.stillTraced(ctx) }
	return b.run(ctx, t.routed)
}

// mayTrace: the option decides, else whether the environment may be written to.
func (t *tail) mayTrace() bool {
	if t.set.firehose != nil {
		return *t.set.firehose
	}
	return t.target.Environment.Write
}

// unseen completes a refusal with the other ways to see something of the queue.
func (t *tail) unseen(ctx context.Context, f *fault) error {
	f.hint = "allow it with the option firehose: true, or look into the queue with peek"
	var bound []binding
	if t.http.get(ctx, "/api/queues/"+seg(t.set.vhost)+"/"+seg(t.subject.name)+"/bindings", &bound) == nil {
		for _, b := range bound {
			if b.Source != "" {
				f.hint += ", or tail what feeds it: " + kindExchange + "/" + b.Source
				break
			}
		}
	}
	return f
}

// caveats says what the firehose does not show of this queue.
func (t *tail) caveats(v *vhost, q *queueFacts) bool {
	if len(v.State) > 1 {
		text := fmt.Sprintf("the cluster has %d nodes, and the firehose shows what is published through one of them only", len(v.State))
		if !t.emit(notice(t.source, text)) {
			return false
		}
	}
	if isDeadLetterName(q.Name) {
		return t.emit(notice(t.source, "what is dead-lettered into a queue is no publication: the firehose does not show it; see dlq show"))
	}
	return true
}

// stillTraced reports what ends the stream without a word from the broker.
func (t *tail) stillTraced(ctx context.Context) error {
	if err := t.link.queueThere(ctx, t.subject.name); err != nil {
		return err
	}
	v, err := t.vhostState(ctx)
	if err != nil {
		return nil // the management API may be away for a while; the firehose is not
	}
	if !v.Tracing {
		return &fault{kind: probes.ErrIncomplete, err: errors.New("somebody has switched the firehose off"),
			hint: "ask who did, and why, before switching it on again"}
	}
	return nil
}

// routed unwraps a copy if it is of a message that was routed to our queue.
func (t *tail) routed(m *message, id string) (probes.Record, bool) {
	queues, _ := m.Headers[headerQueues].([]any)
	if !slices.Contains(queues, any(t.subject.name)) {
		return probes.Record{}, false
	}
	inner := unwrap(m)
	r := inner.record(t.source, id, t.query.MaxBody)
	var names []string
	for _, q := range queues {
		if s, ok := q.(string); ok {
			names = append(names, s)
		}
	}
	r.Attrs = append(r.Attrs, probes.Attr{Name: attrRoutedTo, Value: strings.Join(names, ",")})
	if by, ok := m.Headers["connection"].(string); ok {
		r.Attrs = append(r.Attrs, probes.Attr{Name: attrPublisher, Value: by})
	}
	return r, true
}

// unwrap makes the message that a copy is of. Its properties are in a table,
// under their names in the protocol.
func unwrap(m *message) message {
	out := message{Publishing: amqp.Publishing{Body: m.Body}}
	out.exchange, _ = m.Headers[headerExchange].(string)
	if keys, ok := m.Headers[headerKeys].([]any); ok && len(keys) > 0 {
		out.key, _ = keys[0].(string)
	}
	props, _ := m.Headers[headerProps].(amqp.Table)
	text := func(name string) string { s, _ := props[name].(string); return s }
	out.ContentType, out.ContentEncoding = text("content_type"), text("content_encoding")
	out.CorrelationId, out.ReplyTo, out.Expiration = text("correlation_id"), text("reply_to"), text("expiration")
	out.MessageId, out.Type, out.UserId, out.AppId = text("message_id"), text("type"), text("user_id"), text("app_id")
	out.Headers, _ = props["headers"].(amqp.Table)
	if n, ok := integer(props["delivery_mode"]); ok {
		out.DeliveryMode = uint8(n)
	}
	if n, ok := integer(props["priority"]); ok {
		out.Priority = uint8(n)
	}
	switch at := props["timestamp"].(type) {
	case time.Time:
		out.Timestamp = at
	default:
		if n, ok := integer(at); ok {
			out.Timestamp = time.Unix(n, 0)
		}
	}
	return out
}
