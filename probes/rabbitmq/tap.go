package rabbitmq

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// tapPrefix begins the name of everything we create.
const tapPrefix = "iscope.tap."

// maxBytes bounds what the broker holds for a tap, in bytes of bodies.
const maxBytes = 64 << 20

// tapQueue is an own queue bound to an exchange, for as long as it is read.
type tapQueue struct {
	*tail
	name     string
	exchange string
	keys     []string
	losses   *losses
	// watch is asked now and then whether what is tailed is still there.
	watch func(context.Context) error
	// lostWhat words the loss; loose is set when not every lost message would have
	// been shown.
	lostWhat string
	loose    bool
	ch       *amqp.Channel
}

func newTap(t *tail, exchange string, keys []string) *tapQueue {
	b := make([]byte, 5)
	rand.Read(b) // never fails (crypto/rand)
	return &tapQueue{tail: t, name: tapPrefix + hex.EncodeToString(b), exchange: exchange, keys: keys,
		lostWhat: "came faster than they were read: the broker holds at most " + strconv.Itoa(t.set.maxLength) + " for this tap"}
}

// run creates the tap, yields what show makes of its messages and removes it.
func (b *tapQueue) run(ctx context.Context, show func(m *message, id string) (probes.Record, bool)) error {
	defer b.remove()
	if err := b.declare(ctx); err != nil {
		return err
	}
	if err := b.bind(ctx); err != nil {
		return err
	}
	p := &pump{tail: b.tail, ch: b.ch, queue: b.name, show: func(d *amqp.Delivery) (probes.Record, bool) {
		m := messageOf(d)
		return show(&m, b.name[len(tapPrefix):]+"/"+strconv.FormatUint(d.DeliveryTag, 10))
	}}
	if err := p.start(ctx, nil); err != nil {
		return err
	}
	ctx, stop := b.horizon(ctx)
	var guard sync.WaitGroup
	defer guard.Wait()
	defer stop()
	p.events = make(chan event)
	guard.Go(func() { b.guard(ctx, p.events) })
	err := p.run(ctx)
	if ctx.Err() != nil && !b.stopped {
		b.settle(context.WithoutCancel(ctx))
	}
	return err
}

// declare makes the queue, and what counts its losses.
func (b *tapQueue) declare(ctx context.Context) (err error) {
	b.losses, err = newLosses(ctx, b, "")
	if isCode(err, amqp.AccessRefused) {
		b.losses, err = newLosses(ctx, b, b.name+".dead")
	}
	if err == nil {
		err = b.declareQueue(ctx)
	}
	if isCode(err, amqp.AccessRefused) {
		return &fault{kind: probes.ErrDenied, err: err, hint: `a tap needs the permissions configure, write and read on ^iscope\.tap\.`}
	}
	return err
}

const untilEnd = "removed when the tail ends, or with its connection"

// declareQueue leaves b.ch open if it succeeds.
func (b *tapQueue) declareQueue(ctx context.Context) (err error) {
	b.query.Ledger.Note(probes.DeedCreated, fmt.Sprintf("queue %s on vhost %s, exclusive, holding at most %d messages and %d MiB",
		b.name, b.set.vhost, b.set.maxLength, maxBytes>>20), untilEnd)
	if b.ch, err = b.link.channel(ctx); err != nil {
		return err
	}
	return b.link.call(ctx, func() error {
		_, err := b.ch.QueueDeclare(b.name, false, true, true, false, b.losses.bounded(b.set.maxLength, b.losses.name))
		return err
	})
}

func (b *tapQueue) bind(ctx context.Context) error {
	for _, key := range b.keys {
		b.query.Ledger.Note(probes.DeedCreated, fmt.Sprintf("binding of %s to exchange %s with key %q; "+
			"while it is there, a message that only it takes counts as routed",
			b.name, b.exchange, key), untilEnd)
		if err := b.link.call(ctx, func() error { return b.ch.QueueBind(b.name, key, b.exchange, false, nil) }); err != nil {
			return err
		}
	}
	return nil
}

// remove takes everything away. The broker does the same when the connection
// ends, so a failure leaves nothing behind.
func (b *tapQueue) remove() {
	b.query.Ledger.Note(probes.DeedRemoved, fmt.Sprintf("queue %s and what belongs to it, on vhost %s", b.name, b.set.vhost), "")
	ctx, stop := context.WithTimeout(context.WithoutCancel(b.life), farewell)
	defer stop()
	ch, err := b.link.channel(ctx)
	// Unbound first: a publisher that meets a queue in the moment it goes may get a
	// basic.nack, although all others have got the message.
	for _, key := range b.keys[:min(len(b.keys), 10)] {
		if err == nil {
			err = b.link.call(ctx, func() error { return ch.QueueUnbind(b.name, key, b.exchange, nil) })
		}
	}
	for _, name := range append([]string{b.name}, b.losses.queues()...) {
		if err == nil {
			err = b.link.call(ctx, func() error { _, err := ch.QueueDelete(name, false, false, false); return err })
		}
	}
}

const (
	// guardEvery is how often a tap is looked after while nothing is wrong,
	// guardFast while its queue is filling.
	guardEvery = time.Second
	guardFast  = 50 * time.Millisecond
	// watchEvery is how often it is asked whether what is tailed is still there.
	watchEvery = 5 * time.Second
)

// guard counts losses and watches what is tailed until the context ends. It has
// a channel of its own, so that a slow reader does not stop the counting.
func (b *tapQueue) guard(ctx context.Context, events chan<- event) {
	tell := func(e event) bool {
		select {
		case events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	calls, stop := lingering(ctx)
	defer stop()
	ch, err := b.link.channel(calls)
	lost, watched := int64(0), time.Now()
	timer := time.NewTimer(guardEvery)
	defer timer.Stop()
	for err == nil {
		var out chan<- event // only offered when there is something
		e := b.lossEvent(lost)
		if lost != 0 {
			out = events
		}
		select {
		case <-ctx.Done():
			return
		case out <- e:
			lost = 0
			continue
		case <-timer.C:
		}
		var n int64
		var filling bool
		if n, filling, err = b.check(calls, ch); err == nil {
			lost = addLost(lost, n)
		}
		if err == nil && b.watch != nil && time.Since(watched) > watchEvery {
			watched = time.Now()
			err = b.watch(calls)
		}
		timer.Reset(guardEvery)
		if filling || n != 0 {
			timer.Reset(guardFast)
		}
	}
	if ctx.Err() == nil {
		tell(event{err: err})
	}
}

// unknown is a loss of unknown size.
const unknown = int64(-1)

func addLost(a, b int64) int64 {
	if a == unknown || b == unknown {
		return unknown
	}
	return a + b
}

func (b *tapQueue) lossEvent(lost int64) event {
	if b.loose && lost > 0 {
		return event{rec: gap(b.source, unknown, strconv.FormatInt(lost, 10)+" "+b.lostWhat)}
	}
	return event{rec: gap(b.source, lost, b.lostWhat)}
}

// check returns how many messages were dropped since the last time, and whether
// the queue is so full that more may be soon.
func (b *tapQueue) check(ctx context.Context, ch *amqp.Channel) (lost int64, filling bool, err error) {
	var q amqp.Queue
	err = b.link.call(ctx, func() error {
		q, err = ch.QueueDeclarePassive(b.name, false, false, false, false, nil)
		return err
	})
	if err != nil {
		return 0, false, err
	}
	lost, err = b.losses.count(ctx, ch)
	return lost, q.Messages > b.set.maxLength/2, err
}

// settle counts once more when the tail ends, so that what was lost last is said
// too.
func (b *tapQueue) settle(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, farewell)
	defer stop()
	ch, err := b.link.channel(ctx)
	if err != nil {
		return
	}
	if lost, _, err := b.check(ctx, ch); err == nil && lost != 0 {
		b.emit(b.lossEvent(lost).rec)
	}
}

// exchangeThere reports an exchange that does not exist (any more): a tap's queue
// stays, and nothing would ever come again.
func (l *link) exchangeThere(ctx context.Context, name string) error {
	err := l.try(ctx, func(ch *amqp.Channel) error {
		return ch.ExchangeDeclarePassive(name, amqp.ExchangeDirect, false, false, false, false, nil)
	})
	if isMissing(err) {
		return &fault{kind: probes.ErrNotFound, err: errors.New("the exchange was deleted while it was tailed")}
	}
	return err
}

// queueThere does the same for a queue; one that is another connection's own is
// there.
func (l *link) queueThere(ctx context.Context, name string) error {
	err := l.try(ctx, func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclarePassive(name, false, false, false, false, nil)
		return err
	})
	switch {
	case isMissing(err):
		return &fault{kind: probes.ErrNotFound, err: errors.New("the queue was deleted while it was tailed")}
	case isCode(err, amqp.ResourceLocked):
		return nil
	}
	return err
}
