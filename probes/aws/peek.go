package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

const (
	defaultPeek = 10
	// maxPeek bounds how many messages are kept from consumers at once.
	maxPeek = 1000
	// maxPeekBytes bounds them in memory.
	maxPeekBytes = 64 << 20
	// hold is how long a message is hidden at most, should it not be given back.
	hold = 30 * time.Second
	// collect is how long a look takes messages, well below hold.
	collect = 20 * time.Second
	// perCall is the most that one receive returns.
	perCall = 10
)

// Peek receives each message once and gives all back before the first is yielded,
// so that a slow reader keeps nothing from the consumers.
//
// Of a FIFO queue it takes one receive's worth without hiding anything, because a
// hidden message stops its whole group; more only if forced.
//
// A message's receive count is not known before it is received. What is checked
// before is that a new message has receives left for its consumer; the look stops
// at the first message that has less than two.
func (q *queues) Peek(ctx context.Context, query probes.PeekQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		q.peeked(ctx, "peeking "+query.Subject, query, nil, yield)
	}
}

// peeked runs a peek; mark, if given, adds to each message.
func (q *queues) peeked(ctx context.Context, op string, query probes.PeekQuery, mark func(context.Context, *queue) func(*types.Message, *probes.Record), yield func(probes.Record, error) bool) {
	running, end, err := q.begin(ctx)
	if err != nil {
		yield(probes.Record{}, q.fail(op, err))
		return
	}
	defer end()
	recs, err := q.peek(running, &query, mark)
	for _, r := range recs {
		if !yield(r, nil) {
			return
		}
	}
	if err != nil && ctx.Err() == nil {
		yield(probes.Record{}, q.fail(op, err))
	}
}

func (q *queues) peek(ctx context.Context, query *probes.PeekQuery, mark func(context.Context, *queue) func(*types.Message, *probes.Record)) ([]probes.Record, error) {
	budget := query.Limit
	switch {
	case budget == 0:
		budget = defaultPeek
	case budget < 0 || budget > maxPeek:
		return nil, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%d messages: a look takes 1 to %d", budget, maxPeek)}
	}
	url, err := q.url(ctx, query.Subject)
	if err != nil {
		return nil, err
	}
	one, err := look(ctx, q.probe, url)
	if err != nil {
		return nil, err
	}
	if err := one.allows(query.Force); err != nil {
		return nil, err
	}
	p := &peek{probe: q.probe, queue: one, budget: budget, query: query, hold: hold, seen: map[string]bool{},
		source: probes.Ref{Target: q.target.Name, Subject: query.Subject}}
	if one.fifo && !query.Force {
		p.hold, p.budget = 0, min(budget, perCall)
	}
	if mark != nil {
		p.mark = mark(ctx, one)
	}
	query.Ledger.Note(probes.DeedChanged, p.deed(), p.until())
	return p.run(ctx)
}

// headroom is how many receives a message that nobody has received yet has left
// after a look; -1 if there is no limit.
func (q *queue) headroom() int64 {
	if q.redrive == nil {
		return -1
	}
	return q.redrive.maxReceives - 1
}

// allows refuses where a look leaves no room for the consumer: one receive that
// fails, and one more.
func (q *queue) allows(force bool) error {
	if q.redrive == nil || q.headroom() >= 2 || force {
		return nil
	}
	return &fault{kind: probes.ErrRefused, err: fmt.Errorf("a message goes to %s after %d receives, a look is one: its consumer would have %d left",
		nameOfARN(q.redrive.to), q.redrive.maxReceives, max(0, q.headroom())), hint: "pass --force if that does not matter"}
}

// peek is one look into a queue.
type peek struct {
	*probe
	queue  *queue
	query  *probes.PeekQuery
	source probes.Ref
	budget int
	hold   time.Duration // 0: messages are not hidden
	mark   func(*types.Message, *probes.Record)

	seen  map[string]bool
	held  []string // receipts of messages to be given back
	bytes int
	notes []string
}

func (p *peek) deed() string {
	text := fmt.Sprintf("up to %d messages of queue %s received and given back: the receive count of each rises by one", p.budget, p.queue.name)
	if p.queue.redrive == nil {
		return text + "; it has no redrive policy, so nothing is dead-lettered by that"
	}
	return text + fmt.Sprintf("; a message goes to %s after %d receives, so a new one has %d left afterwards, and what has failed before has fewer",
		nameOfARN(p.queue.redrive.to), p.queue.redrive.maxReceives, p.queue.headroom())
}

func (p *peek) until() string {
	if p.hold == 0 {
		return "not hidden from anyone meanwhile"
	}
	return fmt.Sprintf("hidden from consumers until the look is over, for %d seconds at most", p.hold/time.Second)
}

func (p *peek) run(ctx context.Context) ([]probes.Record, error) {
	recs, err := p.take(ctx)
	if back := p.giveBack(ctx); err == nil {
		err = back
	}
	if n := len(recs); err == nil && n < p.budget && int64(n) < p.queue.visible {
		p.notes = append(p.notes, fmt.Sprintf("%d messages were seen of about %d that can be received: this is a sample", n, p.queue.visible))
	}
	if want := p.query.Limit; p.hold == 0 && (want > perCall || p.queue.visible > int64(len(recs)) && len(recs) == perCall) {
		p.notes = append(p.notes, fmt.Sprintf("of a FIFO queue at most %d are looked at: more would have to be hidden, which stops their groups; force that if it does not matter", perCall))
	}
	for _, text := range p.notes {
		recs = append(recs, notice(p.source, text))
	}
	return recs, err
}

// take receives until the budget is used up, nothing comes, or a message has too
// little room. The first receive is of one message only where there is a limit.
func (p *peek) take(ctx context.Context) (recs []probes.Record, err error) {
	enough := time.Now().Add(collect)
	size := perCall
	if p.queue.redrive != nil && !p.query.Force {
		size = 1
	}
	for calls := 0; len(recs) < p.budget && p.bytes < maxPeekBytes && calls <= 2*p.budget && time.Now().Before(enough); calls++ {
		batch, err := receive(ctx, p.probe, p.queue.url, min(size, p.budget-len(recs)), p.hold, time.Second)
		if err != nil {
			if errors.Is(err, probes.ErrLimit) && len(recs) > 0 {
				p.notes = append(p.notes, "stopped early: "+err.Error())
				return recs, nil
			}
			return recs, err
		}
		fresh := 0
		room := true
		for i := range batch {
			m := &batch[i]
			p.held = append(p.held, sdk.ToString(m.ReceiptHandle))
			p.bytes += len(sdk.ToString(m.Body))
			if p.seen[sdk.ToString(m.MessageId)] {
				continue
			}
			p.seen[sdk.ToString(m.MessageId)] = true
			fresh++
			recs = append(recs, p.record(m))
			room = p.room(m) && room
		}
		if fresh == 0 || p.hold == 0 || !room {
			return recs, nil
		}
		size = perCall
	}
	return recs, nil
}

func (p *peek) record(m *types.Message) probes.Record {
	r := messageRecord(m, p.source, p.query.MaxBody)
	if p.mark != nil {
		p.mark(m, &r)
	}
	return r
}

// room says whether a message has receives left for its consumer, and notes it if
// it has not.
func (p *peek) room(m *types.Message) bool {
	if p.queue.redrive == nil {
		return true
	}
	n, limit := system(m.Attributes).receives(), p.queue.redrive.maxReceives
	if limit-n >= 2 {
		return true
	}
	p.notes = append(p.notes, fmt.Sprintf("message %s has been received %d times, with %d it goes to %s", sdk.ToString(m.MessageId), n, limit, nameOfARN(p.queue.redrive.to)))
	if p.query.Force {
		return true
	}
	p.notes = append(p.notes, "stopped there")
	return false
}

// giveBack makes the messages visible again, also when the caller has left.
func (p *peek) giveBack(ctx context.Context) error {
	if p.hold == 0 || len(p.held) == 0 {
		return nil
	}
	ctx, stop := leaving(ctx)
	defer stop()
	if err := release(ctx, p.probe, p.queue.url, p.held); err != nil {
		p.query.Ledger.Note(probes.DeedLeft, fmt.Sprintf("messages of queue %s that could not be given back", p.queue.name), fmt.Sprintf("visible again by themselves within %s", p.hold))
		return fmt.Errorf("giving messages back, which SQS does itself within %s: %w", p.hold, err)
	}
	return nil
}
