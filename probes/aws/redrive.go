package aws

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

const (
	// keep is how long dead letters are hidden that are not sent: a redrive of many
	// must not meet the same again and again.
	keep = 10 * time.Minute
	// maxKept bounds how many are hidden at once, well below SQS's own limit.
	maxKept = 50_000
)

// Redrive sends dead letters with requests of its own. SQS's message move task
// would move all there are, without a choice and without a mark.
//
// A message is deleted only after SQS has confirmed its copy. Killed in between,
// it is there twice, never lost; on a FIFO queue not even twice, if the next
// redrive comes within five minutes, because the copy's deduplication id is made
// of the message's own id.
func (q *queues) Redrive(ctx context.Context, query probes.RedriveQuery) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		op := "redriving " + query.Subject
		running, end, err := q.begin(ctx)
		if err != nil {
			yield(probes.Record{}, q.fail(op, err))
			return
		}
		defer end()
		d := &redriving{queues: q, query: query, yield: yield, kept: map[string]string{}, made: map[string]bool{}, done: map[string]bool{},
			source: probes.Ref{Target: q.target.Name, Subject: query.Subject}}
		if err := d.run(running); err != nil && !d.stopped && ctx.Err() == nil {
			yield(probes.Record{}, q.fail(op, err))
		}
	}
}

// redriving is one run of Redrive.
type redriving struct {
	*queues
	query   probes.RedriveQuery
	source  probes.Ref
	yield   func(probes.Record, error) bool
	stopped bool

	from   *queue
	to     string // URL, "" for each message's origin
	deaths deaths
	kept   map[string]string // receipts by id of messages that stay
	made   map[string]bool   // ids of copies: one that died again is not sent again
	done   map[string]bool   // ids of messages dealt with
	sent   int
	plain  int // copies that have no room for the mark
}

func (d *redriving) run(ctx context.Context) error {
	url, err := d.url(ctx, d.query.Subject)
	if err != nil {
		return err
	}
	if d.from, err = look(ctx, d.probe, url); err != nil {
		return err
	}
	if d.query.To != "" {
		if d.to, err = d.url(ctx, d.query.To); err != nil {
			return err
		}
		if nameOfURL(d.to) == d.from.name {
			return &fault{kind: probes.ErrUsage, err: errors.New("the messages would go to the queue they come from")}
		}
	}
	if err := d.from.allows(d.query.Force); err != nil {
		return err
	}
	d.deaths = d.queues.deaths(ctx, d.from)
	to := "the queue each of them died in"
	if d.to != "" {
		to = "queue " + nameOfURL(d.to)
	}
	d.query.Ledger.Note(probes.DeedChanged, fmt.Sprintf("dead letters of queue %s (about %d are there): those chosen are sent to %s and then deleted, the others are received and given back",
		d.from.name, d.from.visible, to), fmt.Sprintf("hidden for %d minutes at most; if this is killed half-way a message may be there twice, none is lost", keep/time.Minute))
	err = d.all(ctx)
	if back := d.giveBack(ctx); err == nil {
		err = back
	}
	if err == nil {
		d.account()
	}
	return err
}

// all goes through the messages that were there at the start, as far as SQS
// counts: one batch at least, because its count is up to a minute old.
func (d *redriving) all(ctx context.Context) error {
	for ctx.Err() == nil && !d.stopped && !d.enough() && len(d.kept) < maxKept {
		batch, err := receive(ctx, d.probe, d.from.url, perCall, keep, time.Second)
		if err != nil {
			return err
		}
		var fresh []types.Message
		for _, m := range batch {
			id := sdk.ToString(m.MessageId)
			if d.done[id] || d.made[id] {
				d.kept[id] = sdk.ToString(m.ReceiptHandle)
				continue
			}
			fresh = append(fresh, m)
		}
		if len(fresh) == 0 {
			return nil
		}
		if err := d.batch(ctx, fresh); err != nil {
			return err
		}
	}
	return nil
}

func (d *redriving) enough() bool {
	if d.query.Limit > 0 && d.sent >= d.query.Limit {
		return true
	}
	n := int64(len(d.done))
	return n > 0 && n >= d.from.visible
}

// chosen is a dead letter to be sent and what became of it.
type chosen struct {
	message *types.Message
	rec     probes.Record
	err     error
}

// batch deals with up to ten messages: sends those that are chosen, deletes those
// that were sent, and reports each.
func (d *redriving) batch(ctx context.Context, fresh []types.Message) error {
	var list []*chosen
	for i := range fresh {
		m := &fresh[i]
		id := sdk.ToString(m.MessageId)
		d.done[id], d.kept[id] = true, sdk.ToString(m.ReceiptHandle)
		rec := messageRecord(m, d.source, 0)
		rec.Attrs = append(rec.Attrs, d.deaths.attrs(m)...)
		if (d.query.Limit == 0 || d.sent+len(list) < d.query.Limit) && (d.query.Select == nil || d.query.Select(&rec)) {
			list = append(list, &chosen{message: m, rec: rec})
		}
	}
	// What has begun is finished, also when the caller leaves: a copy that is sent
	// has its original deleted.
	calls, stop := d.unhurried(ctx)
	defer stop()
	workers := perCall
	if d.from.fifo {
		workers = 1 // in order
	}
	_ = each(calls, len(list), workers, func(ctx context.Context, i int) error {
		list[i].rec, list[i].err = d.send(ctx, list[i])
		return nil
	})
	var receipts []string
	for _, c := range list {
		if c.err != nil {
			c.rec.Err = d.fail("redriving", c.err).Error()
			continue
		}
		id := sdk.ToString(c.message.MessageId)
		receipts = append(receipts, d.kept[id])
		delete(d.kept, id)
		d.made[c.rec.ID] = true
		d.sent++
		if _, marked := c.rec.HeaderValue(probes.HeaderRedriven); !marked {
			d.plain++
		}
	}
	err := remove(calls, d.probe, d.from.url, receipts)
	for _, c := range list {
		if !d.stopped && !d.yield(c.rec, nil) {
			d.stopped = true
		}
	}
	if err != nil {
		return fmt.Errorf("up to %d messages were redriven, but are still in %s too: %w", len(receipts), d.from.name, err)
	}
	return nil
}

// unhurried outlives the caller's context, but not for long.
func (d *redriving) unhurried(ctx context.Context) (context.Context, context.CancelFunc) {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(farewell, cancel) })
	return calls, func() { unhook(); cancel() }
}

// send sends the copy of one dead letter. On failure it returns the record as it
// was read.
func (d *redriving) send(ctx context.Context, c *chosen) (probes.Record, error) {
	url, name := d.to, d.query.To
	if url == "" {
		origin := d.deaths.origin(c.message)
		if origin == "" {
			return c.rec, &fault{kind: probes.ErrUsage, err: errors.New("the message does not say which queue it died in"), hint: "say where to"}
		}
		var err error
		if url, err = d.url(ctx, origin); err != nil {
			return c.rec, err
		}
		name = nameOfURL(url)
	}
	o := d.copied(c.message)
	if isFIFO(nameOfURL(url)) {
		o.dedup = "iscope-redrive-" + c.rec.ID
	}
	if err := o.ordered(isFIFO(nameOfURL(url))); err != nil {
		return c.rec, err
	}
	sent, err := send(ctx, d.probe, url, o, system(c.message.Attributes).get(types.MessageSystemAttributeNameAWSTraceHeader))
	if err != nil {
		return c.rec, o.tooLong(err)
	}
	copied := *c.message
	copied.MessageAttributes = o.queueAttributes()
	rec := c.rec
	rec.Header = header(copied.MessageAttributes, &native{})
	return stored(rec, probes.Ref{Target: d.target.Name, Subject: name}, sdk.ToString(sent.MessageId), sdk.ToString(sent.SequenceNumber), o), nil
}

// copied is a message as it was, with the mark if there is room for an attribute.
func (d *redriving) copied(m *types.Message) *outgoing {
	o := &outgoing{body: sdk.ToString(m.Body), group: system(m.Attributes).get(types.MessageSystemAttributeNameMessageGroupId)}
	times := 1
	for _, h := range header(m.MessageAttributes, &native{}) {
		v := m.MessageAttributes[h.Name]
		if h.Name == probes.HeaderRedriven {
			times += redriven(string(h.Value))
			continue
		}
		o.attrs = append(o.attrs, attribute{name: h.Name, dataType: sdk.ToString(v.DataType), text: sdk.ToString(v.StringValue), bytes: v.BinaryValue})
	}
	if len(o.attrs) < maxAttributes {
		o.attrs = append(o.attrs, attribute{name: probes.HeaderRedriven, dataType: typeString, text: fmt.Sprintf("%d from %s", times, d.from.name)})
	}
	return o
}

// redriven reads how often a message was redriven before.
func redriven(mark string) int {
	text, _, _ := strings.Cut(mark, " ")
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

func (d *redriving) giveBack(ctx context.Context) error {
	var receipts []string
	for _, r := range d.kept {
		receipts = append(receipts, r)
	}
	if len(receipts) == 0 {
		return nil
	}
	ctx, stop := leaving(ctx)
	defer stop()
	if err := release(ctx, d.probe, d.from.url, receipts); err != nil {
		d.query.Ledger.Note(probes.DeedLeft, fmt.Sprintf("messages of queue %s that could not be given back", d.from.name), fmt.Sprintf("visible again by themselves within %s", keep))
		return fmt.Errorf("giving messages back, which SQS does itself within %s: %w", keep, err)
	}
	return nil
}

// account says what a person should know besides the messages.
func (d *redriving) account() {
	tell := func(format string, args ...any) {
		if !d.stopped && !d.yield(notice(d.source, fmt.Sprintf(format, args...)), nil) {
			d.stopped = true
		}
	}
	if d.plain > 0 {
		tell("%d copies have no %s: a message has at most %d attributes", d.plain, probes.HeaderRedriven, maxAttributes)
	}
	if len(d.kept) >= maxKept {
		tell("stopped after %d dead letters that were not chosen: more would have to be hidden at once", maxKept)
	}
	if d.from.inFlight > 0 {
		tell("about %d messages of %s were with another receiver", d.from.inFlight, d.from.name)
	}
}
