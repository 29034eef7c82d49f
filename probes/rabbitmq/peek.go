package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

const (
	defaultPeek = 10
	// maxPeek bounds how many messages are kept from consumers at once.
	maxPeek = 1000
	// maxPeekBytes bounds them in memory.
	maxPeekBytes = 64 << 20
)

// Peek takes messages from the head of a queue and gives them back, all at once
// and before the first is yielded, so that a slow reader keeps nothing from the
// consumers. They come back marked as redelivered; on a quorum queue they may be
// nearer to its delivery limit, and it is refused where that could be passed.
func (p *probe) Peek(ctx context.Context, q probes.PeekQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "peeking " + q.Subject
		running, end, err := p.begin(ctx)
		if err != nil {
			yield(probes.Record{}, p.fail(op, err))
			return
		}
		defer end()
		recs, err := p.peek(running, &q)
		for _, r := range recs {
			if !yield(r, nil) {
				return
			}
		}
		if err != nil && ctx.Err() == nil {
			yield(probes.Record{}, p.fail(op, err))
		}
	}
}

func (p *probe) peek(ctx context.Context, q *probes.PeekQuery) ([]probes.Record, error) {
	budget := q.Limit
	switch {
	case budget == 0:
		budget = defaultPeek
	case budget < 0 || budget > maxPeek:
		return nil, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%d messages: a look takes 1 to %d", budget, maxPeek)}
	}
	l, err := p.connect(ctx, "iscope peek")
	if err != nil {
		return nil, err
	}
	defer l.close()
	f, err := p.someQueue(ctx, l, q.Subject)
	if err != nil {
		return nil, err
	}
	risk := p.headroom(l, f)
	if err := risk.allows(q.Force); err != nil {
		return nil, err
	}
	q.Ledger.Note(probes.DeedChanged, fmt.Sprintf("up to %d messages taken from queue %s on vhost %s and put back, marked as redelivered; %s",
		budget, f.Name, p.set.vhost, risk), "given back within the same second, or with the connection")
	look := &look{probe: p, link: l, risk: risk, name: f.Name, maxBody: q.MaxBody, force: q.Force,
		source: probes.Ref{Target: p.target.Name, Subject: q.Subject}}
	return look.take(ctx, budget)
}

// someQueue resolves a subject that must be a queue whose messages can be taken
// and given back.
func (p *probe) someQueue(ctx context.Context, l *link, text string) (*queueFacts, error) {
	s, err := parseSubject(text, time.Now())
	if err != nil {
		return nil, err
	}
	if s.kind == "" {
		s.kind = kindQueue
	}
	if s.kind != kindQueue {
		return nil, &fault{kind: probes.ErrUsage, err: errors.New("an exchange holds no messages"), hint: "name a queue: queue/NAME"}
	}
	return p.lookQueue(ctx, l, s.name)
}

// risk is what taking and giving back may do to a queue's messages.
type risk struct {
	kind  string
	limit int64 // deliveries after which a message is dead-lettered; 0 is none
	// spent is the most that any message can have used up of it; -1 if unknown.
	spent int64
	why   string // it is not allowed for this reason, "" if it is
	// closing: messages are given back by closing the channel.
	closing bool
}

func (r risk) String() string {
	switch {
	case r.kind == queueQuorum && r.limit > 0 && r.spent >= 0:
		return fmt.Sprintf("its delivery limit is %d, and no message has used more than %d of it", r.limit, r.spent)
	case r.kind == queueQuorum && r.limit > 0:
		return fmt.Sprintf("its delivery limit is %d, and it is not known how much of it messages have used", r.limit)
	}
	return "it has no delivery limit"
}

func (r risk) allows(force bool) error {
	if r.why == "" || force && r.kind != queueStream {
		return nil
	}
	if r.kind == queueStream {
		return &fault{kind: probes.ErrUnsupported, err: errors.New(r.why), hint: "tail it: reading a stream takes nothing"}
	}
	return &fault{kind: probes.ErrRefused, err: errors.New(r.why), hint: "pass --force if that does not matter"}
}

// Quorum queues have a delivery limit of 20 from 4.0 on if nothing else is set,
// and from 4.3 on giving back by basic.nack does not count
// (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling).
const defaultDeliveryLimit = 20

// headroom finds out whether a look can pass a message's delivery limit. A
// message's count is seen only when it has been taken, so the queue's own count
// of redeliveries stands in: no message was returned more often than the queue
// redelivered, and once since.
func (p *probe) headroom(l *link, f *queueFacts) risk {
	version, _ := l.conn.Properties["version"].(string)
	newest := atLeast(version, 4, 3)
	// A quorum queue without a delivery limit puts what is given back by
	// basic.nack behind all others (seen with 3.10.8); what a closed channel leaves
	// goes to its old place.
	r := risk{kind: f.Type, spent: unknown, closing: f.Type == queueQuorum && !newest}
	switch f.Type {
	case queueClassic:
		return r
	case queueStream:
		r.why = "messages cannot be taken from a stream"
		return r
	case queueQuorum:
	default:
		r.why = "the type of the queue is not known, so a look might dead-letter a message"
		return r
	}
	if !f.managed && !newest {
		r.why = "without the management API the queue's delivery limit is not known: a look might dead-letter a message"
		return r
	}
	limited := false
	if _, r.limit, limited = f.setting("delivery-limit"); !limited && atLeast(version, 4, 0) {
		r.limit, limited = defaultDeliveryLimit, true
	}
	if !limited || r.limit < 0 || newest {
		r.limit = 0
		return r
	}
	if f.Stats != nil {
		r.spent = 1
		if f.Stats.Redeliver != nil {
			r.spent += *f.Stats.Redeliver
		}
		r.spent = max(r.spent, p.spent.of(f.Name))
	}
	switch {
	case r.spent == unknown:
		r.why = fmt.Sprintf("the queue dead-letters a message at its delivery limit of %d, and there are no statistics to say how near one is", r.limit)
	case r.spent+1 > r.limit:
		r.why = fmt.Sprintf("a look counts as a delivery, the limit is %d, and a message may have used up %d of it", r.limit, r.spent)
	}
	return r
}

// spent remembers the counts that messages had after we gave them back. The
// broker's own statistics come late, and those of a channel that lived for a few
// milliseconds sometimes never (seen with 3.10.8).
type spent struct {
	mu   sync.Mutex
	most map[string]int64 // by queue
}

func (s *spent) note(queue string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.most == nil {
		s.most = map[string]int64{}
	}
	s.most[queue] = max(s.most[queue], n)
}

func (s *spent) of(queue string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most[queue]
}

// giveBack returns all messages up to a tag that were taken by a channel, and
// closes it.
func (r risk) giveBack(ctx context.Context, l *link, ch *amqp.Channel, tag uint64) error {
	var err error
	if !r.closing {
		err = l.call(ctx, func() error { return ch.Nack(tag, true, true) })
	}
	if err == nil {
		err = l.call(ctx, ch.Close) // the broker has then seen it
	}
	if err != nil {
		return fmt.Errorf("giving messages back, which the broker does itself when the connection ends: %w", err)
	}
	return nil
}

// atLeast compares a version such as 3.10.8.
func atLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	a, errA := strconv.Atoi(parts[0])
	b, errB := strconv.Atoi(parts[1])
	return errA == nil && errB == nil && (a > major || a == major && b >= minor)
}

// look is one peek.
type look struct {
	*probe
	link    *link
	risk    risk
	source  probes.Ref
	name    string
	maxBody int
	force   bool
}

func (k *look) take(ctx context.Context, budget int) (recs []probes.Record, err error) {
	ch, err := k.link.channel(ctx)
	if err != nil {
		return nil, err
	}
	calls, stop := lingering(ctx) // what was taken is given back before we leave
	defer stop()
	var last uint64
	bytes := 0
	for len(recs) < budget && bytes < maxPeekBytes && ctx.Err() == nil {
		var d amqp.Delivery
		ok := false
		if err = k.link.call(calls, func() error { d, ok, err = ch.Get(k.name, false); return err }); err != nil || !ok {
			break
		}
		last, bytes = d.DeliveryTag, bytes+len(d.Body)
		recs = append(recs, k.record(&d))
		spent, _ := integer(d.Headers[headerDeliveries])
		k.spent.note(k.name, spent+1)
		if k.risk.limit > 0 && spent+1 >= k.risk.limit && !k.force {
			text := fmt.Sprintf("stopped here: this message was returned %d times and the queue's delivery limit is %d", spent, k.risk.limit)
			recs = append(recs, notice(k.source, text))
			break
		}
	}
	if last > 0 {
		err = errors.Join(err, k.risk.giveBack(calls, k.link, ch, last))
	}
	return recs, err
}

// record has no id of the broker's: the first message is 1.
func (k *look) record(d *amqp.Delivery) probes.Record {
	m := messageOf(d)
	m.queue = k.name
	r := m.record(k.source, strconv.FormatUint(d.DeliveryTag, 10), k.maxBody)
	if d.Redelivered {
		r.Attrs = append(r.Attrs, probes.Attr{Name: attrRedelivered, Value: "true"})
	}
	return r
}
