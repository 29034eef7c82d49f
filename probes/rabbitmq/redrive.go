package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// Redrive takes each dead letter, publishes a copy to the queue it died in (by
// the default exchange: other queues of its exchange have dealt with it
// already) or to q.To, and acknowledges it only when the broker has confirmed
// the copy. Killed in between, it leaves the message twice, never lost. Those
// that are not chosen or cannot be sent go back at the end.
//
// The copy starts anew: without x-death and its kin, with HeaderRedriven, and
// with its first routing key in the header iscope-routing-key.
func (p *probe) Redrive(ctx context.Context, q probes.RedriveQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "redriving " + q.Subject
		running, end, err := p.begin(ctx)
		if err != nil {
			yield(probes.Record{}, p.fail(op, err))
			return
		}
		defer end()
		d := &redrive{probe: p, query: q, source: probes.Ref{Target: p.target.Name, Subject: q.Subject}, yield: yield}
		if err := d.run(running); err != nil && !d.stopped && ctx.Err() == nil {
			yield(probes.Record{}, p.fail(op, err))
		}
	}
}

type redrive struct {
	*probe
	query   probes.RedriveQuery
	source  probes.Ref
	yield   func(probes.Record, error) bool
	stopped bool

	name string  // of the queue of dead letters
	to   subject // empty for each message's origin
	link *link
	ch   *amqp.Channel // dead letters come by it
	out  *writer
	risk risk
	kept uint64 // the newest tag that goes back
}

func (d *redrive) run(ctx context.Context) error {
	var err error
	if d.query.To != "" {
		if d.to, err = parseSubject(d.query.To, time.Now()); err != nil {
			return err
		}
	}
	if d.link, err = d.connect(ctx, "iscope redrive"); err != nil {
		return err
	}
	defer d.link.close()
	f, err := d.someQueue(ctx, d.link, d.query.Subject)
	if err != nil {
		return err
	}
	d.name = f.Name
	if d.to.name != "" {
		if err := d.resolve(ctx, d.link, &d.to); err != nil {
			return err
		}
		if d.to.kind == kindQueue && d.to.name == d.name {
			return &fault{kind: probes.ErrUsage, err: errors.New("the messages would go to the queue they come from")}
		}
	}
	d.risk = d.headroom(d.link, f)
	if err := d.risk.allows(d.query.Force); err != nil {
		return err
	}
	return d.all(ctx)
}

func (d *redrive) all(ctx context.Context) error {
	count := 0
	err := d.link.try(ctx, func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(d.name, false, false, false, false, nil)
		count = q.Messages
		return err
	})
	if err != nil {
		return err
	}
	d.query.Ledger.Note(probes.DeedChanged, fmt.Sprintf("dead letters of queue %s on vhost %s (%d are there): "+
		"those chosen are published to %s and then removed; the others are taken and put back",
		d.name, d.set.vhost, count, d.destination()), "a message may be there twice if this is killed half-way; none is lost")
	if d.ch, err = d.link.channel(ctx); err != nil {
		return err
	}
	if d.out, err = newWriter(ctx, d.link); err != nil {
		return err
	}
	calls, stop := lingering(ctx)
	defer stop()
	err = d.each(ctx, calls, count)
	if d.kept > 0 {
		err = errors.Join(err, d.risk.giveBack(calls, d.link, d.ch, d.kept))
	}
	return err
}

func (d *redrive) destination() string {
	if d.to.name == "" {
		return "the queue each of them died in"
	}
	return d.to.String()
}

// each goes through the messages that were there at the start.
func (d *redrive) each(ctx, calls context.Context, count int) error {
	for sent := 0; count > 0 && (d.query.Limit == 0 || sent < d.query.Limit) && ctx.Err() == nil; count-- {
		var del amqp.Delivery
		ok := false
		err := d.link.call(calls, func() (err error) { del, ok, err = d.ch.Get(d.name, false); return err })
		if err != nil || !ok {
			return err
		}
		m := messageOf(&del)
		m.queue = d.name
		rec := m.record(d.source, strconv.FormatUint(del.DeliveryTag, 10), 0)
		if d.query.Select != nil && !d.query.Select(&rec) {
			d.kept = del.DeliveryTag
			continue
		}
		stored, err := d.send(calls, &m)
		switch {
		case err == nil:
			if err := d.link.call(calls, func() error { return d.ch.Ack(del.DeliveryTag, false) }); err != nil {
				return fmt.Errorf("a message was redriven, but is still in %s too: %w", d.name, err)
			}
			rec = stored
			sent++
		case d.link.conn.IsClosed():
			return err
		default:
			d.kept, rec.Err = del.DeliveryTag, d.fail("redriving", err).Error()
		}
		if !d.yield(rec, nil) {
			d.stopped = true
			return nil
		}
	}
	return nil
}

// send publishes the copy of one dead letter.
func (d *redrive) send(ctx context.Context, m *message) (probes.Record, error) {
	deaths, _ := m.Headers[headerDeath].([]any)
	last, known := origin(deaths, d.name)
	to := d.to
	if to.name == "" {
		if !known {
			return probes.Record{}, &fault{kind: probes.ErrUsage, err: errors.New("the message does not say where it comes from (no x-death header)"),
				hint: "say where to: queue/NAME or exchange/NAME"}
		}
		to = subject{kind: kindQueue, name: last.queue}
	}
	copied := m.Publishing
	copied.Headers = anew(m.Headers, d.name)
	if copied.UserId != d.user() {
		copied.UserId = ""
	}
	first := firstKey(m, last)
	exchange, key, err := destination(to, &probes.Record{Key: []byte(first)})
	if err != nil {
		return probes.Record{}, err
	}
	if delete(copied.Headers, headerFirstKey); key != first {
		copied.Headers[headerFirstKey] = first
	}
	if d.out.ch.IsClosed() { // a refusal closes it
		if d.out, err = newWriter(ctx, d.link); err != nil {
			return probes.Record{}, err
		}
	}
	if err := d.out.send(ctx, exchange, key, copied); err != nil {
		return probes.Record{}, d.undelivered(ctx, to, key, err)
	}
	out := message{Publishing: copied, exchange: exchange, key: key}
	return out.record(probes.Ref{Target: d.target.Name, Subject: to.String()}, "", 0), nil
}

// headerFirstKey keeps the routing key that a message was published with first:
// straight to a queue, it has the queue's name for one.
const headerFirstKey = "iscope-routing-key"

func firstKey(m *message, last death) string {
	if key, ok := m.Headers[headerFirstKey].(string); ok {
		return key
	}
	if len(last.keys) > 0 {
		return last.keys[0]
	}
	return m.key
}

// anew copies headers without those of its death, and counts the redrive.
func anew(headers amqp.Table, from string) amqp.Table {
	out := amqp.Table{}
	for name, value := range headers {
		if !diedAt(name) {
			out[name] = value
		}
	}
	times := 1
	if before, ok := headers[probes.HeaderRedriven].(string); ok {
		n, _, _ := strings.Cut(before, " ")
		if k, err := strconv.Atoi(n); err == nil && k > 0 {
			times = k + 1
		}
	}
	out[probes.HeaderRedriven] = fmt.Sprintf("%d from %s", times, from)
	return out
}
