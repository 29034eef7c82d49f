package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// DeadLetters lists the queues that dead letters of other queues are routed to,
// and those that are named like one. It needs the management API.
func (p *probe) DeadLetters(ctx context.Context) ([]probes.DeadLetter, error) {
	const op = "listing dead letters"
	ctx, end, err := p.begin(ctx)
	if err != nil {
		return nil, p.fail(op, err)
	}
	defer end()
	r, err := p.routes(ctx)
	if isNoAPI(err) {
		err = &fault{kind: probes.ErrUnsupported, err: err,
			hint: "which queues hold dead letters is known to the management API only; one that you know can be shown and redriven without it"}
	}
	if err != nil {
		return nil, p.fail(op, err)
	}
	out := r.deadLetters()
	p.recount(ctx, r, out)
	return out, nil
}

// recountTime bounds recount: a list is not to wait for its last digit.
const recountTime = 3 * time.Second

// recount asks the broker itself how many messages can be received. What the
// management API says may be five seconds old: a queue that has just got its first
// dead letter is empty there. Its numbers stay where AMQP does not answer in time.
func (p *probe) recount(ctx context.Context, r *routes, found []probes.DeadLetter) {
	if len(found) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(ctx, recountTime)
	defer stop()
	l, err := p.connect(ctx, "iscope dlq")
	if err != nil {
		return
	}
	defer l.close()
	for i := range found {
		d := &found[i]
		q := r.queue(strings.TrimPrefix(d.Subject, kindQueue+"/"))
		if q.kind() == queueStream {
			continue // AMQP counts none of theirs
		}
		err := l.try(ctx, func(ch *amqp.Channel) error {
			now, err := ch.QueueDeclarePassive(q.Name, false, false, false, false, nil)
			if err == nil {
				d.Count = int64(now.Messages)
			}
			return err
		})
		var refusal *amqp.Error
		if err != nil && (!errors.As(err, &refusal) || !refusal.Server) {
			return
		}
	}
}

func (r *routes) queue(name string) *queue {
	i := slices.IndexFunc(r.queues, func(q queue) bool { return q.Name == name })
	return &r.queues[i]
}

// routes is what has to be known to follow a dead letter.
type routes struct {
	queues    []queue
	exchanges map[string]exchange
	bySource  map[string][]binding
}

const queueColumns = "columns=name,type,durable,auto_delete,exclusive,arguments,policy,effective_policy_definition,messages_ready,head_message_timestamp"

func (p *probe) routes(ctx context.Context) (*routes, error) {
	r := &routes{exchanges: map[string]exchange{}, bySource: map[string][]binding{}}
	err := pages(ctx, p.http, p.vhostPath("queues"), queueColumns, func(q []queue) { r.queues = append(r.queues, q...) })
	if err != nil {
		return nil, err
	}
	err = pages(ctx, p.http, p.vhostPath("exchanges"), "columns=name,type,arguments", func(xs []exchange) {
		for _, x := range xs {
			r.exchanges[x.Name] = x
		}
	})
	if err != nil {
		return nil, err
	}
	var all []binding
	if err := p.http.get(ctx, p.vhostPath("bindings")+"?columns=source,destination,destination_type,routing_key", &all); err != nil {
		return nil, err
	}
	for _, b := range all {
		r.bySource[b.Source] = append(r.bySource[b.Source], b)
	}
	return r, nil
}

func (r *routes) deadLetters() []probes.DeadLetter {
	origins := map[string][]string{}
	for i := range r.queues {
		q := &r.queues[i]
		dlx, _, ok := q.setting("dead-letter-exchange")
		if !ok || strings.HasPrefix(q.Name, tapPrefix) {
			continue
		}
		key, _, hasKey := q.setting("dead-letter-routing-key")
		for _, to := range r.reach(dlx, key, hasKey) {
			if to != q.Name {
				origins[to] = append(origins[to], q.Name)
			}
		}
	}
	out := []probes.DeadLetter{}
	for i := range r.queues {
		q := &r.queues[i]
		from := origins[q.Name]
		slices.Sort(from)
		from = slices.Compact(from)
		d := probes.DeadLetter{Subject: kindQueue + "/" + q.Name, Count: -1}
		switch {
		case len(from) > 0:
			d.Because = "dead-letter exchange of queue " + strings.Join(from[:min(3, len(from))], ", ")
			for _, name := range from {
				d.Origins = append(d.Origins, kindQueue+"/"+name)
			}
		case isDeadLetterName(q.Name):
			d.Because = "named like one"
		default:
			continue
		}
		if q.Ready != nil {
			d.Count = *q.Ready
		}
		if q.Head != nil {
			d.Oldest = time.Unix(*q.Head, 0).UTC()
		}
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b probes.DeadLetter) int { return strings.Compare(a.Subject, b.Subject) })
	return out
}

// reach lists the queues that a message to an exchange may come to. Without a
// key of its own, a dead letter keeps the key it was published with, which may
// be any.
func (r *routes) reach(exchange, key string, hasKey bool) []string {
	var found []string
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		if name == "" {
			if hasKey {
				found = append(found, key)
			}
			return
		}
		for _, b := range r.bySource[name] {
			if hasKey && !keyMatches(r.exchanges[name].Type, b.Key, key) {
				continue
			}
			if b.DestKind == kindExchange {
				visit(b.Dest)
			} else {
				found = append(found, b.Dest)
			}
		}
	}
	visit(exchange)
	return found
}

// keyMatches says whether a binding lets a routing key through. Types that do not
// go by the key let every one through.
func keyMatches(kind, pattern, key string) bool {
	switch kind {
	case "direct":
		return pattern == key
	case "topic":
		return topicMatches(strings.Split(pattern, "."), strings.Split(key, "."))
	}
	return true
}

// topicMatches: * is one word, # any number of them.
func topicMatches(pattern, key []string) bool {
	switch {
	case len(pattern) == 0:
		return len(key) == 0
	case pattern[0] == "#":
		for i := 0; i <= len(key); i++ {
			if topicMatches(pattern[1:], key[i:]) {
				return true
			}
		}
		return false
	case len(key) == 0:
		return false
	}
	return (pattern[0] == "*" || pattern[0] == key[0]) && topicMatches(pattern[1:], key[1:])
}

// ShowDead peeks into a queue of dead letters, or reads one that is a stream.
func (p *probe) ShowDead(ctx context.Context, q probes.PeekQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		if e := p.target.Environment; !e.Write {
			yield(probes.Record{}, p.fail("reading dead letters of "+q.Subject, &fault{kind: probes.ErrRefused,
				err:  fmt.Errorf("to read them is to receive them, and environment %q (class %s) is read-only", e.Name, e.Class),
				hint: "pass --write to allow it for this command, or set write: true for the environment"}))
			return
		}
		for r, err := range p.Peek(ctx, q) {
			if errors.Is(err, probes.ErrUnsupported) {
				p.showStream(ctx, q, yield)
				return
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (p *probe) showStream(ctx context.Context, q probes.PeekQuery, yield func(probes.Record, error) bool) {
	left := q.Limit
	if left == 0 {
		left = defaultPeek
	}
	for r, err := range p.Tail(ctx, probes.TailQuery{Subject: q.Subject, MaxBody: q.MaxBody, Ledger: q.Ledger,
		From: probes.Position{Kind: probes.PosEarliest}, Until: probes.Position{Kind: probes.PosLatest}}) {
		if !yield(r, err) {
			return
		}
		if left--; left == 0 {
			return
		}
	}
}
