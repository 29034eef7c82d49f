package rabbitmq

import (
	"context"
	"errors"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// event is something that happens to a tail beside its messages.
type event struct {
	rec probes.Record
	err error
}

// errHorizon ends a tail at the time it was asked to end at.
var errHorizon = errors.New("the end that was asked for")

// ackEvery is how many messages are acknowledged at once. Fewer wait until none
// has come for idleAck.
const (
	ackEvery = 100
	idleAck  = 200 * time.Millisecond
)

// A window is how many messages may be under way. It begins small, because their
// size is not known, and becomes once what windowBytes hold, at most the
// target's prefetch.
const (
	firstWindow = 20
	windowBytes = 32 << 20
)

// pump moves deliveries of one consumer to the tail's caller. Acknowledgements
// follow the caller, so that a slow one stops the deliveries.
type pump struct {
	*tail
	ch    *amqp.Channel
	queue string
	tag   string
	// show makes a record of a delivery; false leaves it out.
	show func(*amqp.Delivery) (probes.Record, bool)
	// last is asked after each delivery whether it was the last one; nil: never.
	last   func() bool
	events chan event
	// again are the arguments of a consumer that goes on after the last delivery;
	// nil where a queue's order sees to that.
	again func() amqp.Table

	window    int
	bytes     int // of the bodies in the first window
	msgs      <-chan amqp.Delivery
	closed    chan *amqp.Error
	cancelled chan string
	unacked   uint64 // the newest tag that is not acknowledged
	pending   int    // how many are not
	quiet     bool   // nothing came since the last tick
}

// start begins to consume.
func (p *pump) start(ctx context.Context, args amqp.Table) error {
	p.closed = p.ch.NotifyClose(make(chan *amqp.Error, 1))
	p.cancelled = p.ch.NotifyCancel(make(chan string, 1))
	p.window = min(firstWindow, p.set.prefetch)
	err := p.consume(ctx, "iscope", args)
	p.link.wire.busy.Store(err == nil)
	return err
}

func (p *pump) consume(ctx context.Context, tag string, args amqp.Table) error {
	if err := p.link.call(ctx, func() error { return p.ch.Qos(p.window, 0, false) }); err != nil {
		return err
	}
	return p.link.call(ctx, func() (err error) {
		p.msgs, err = p.ch.Consume(p.queue, tag, false, false, false, false, args)
		p.tag = tag
		return err
	})
}

// widen replaces the consumer by one with the final window, when the first
// window is used up: the broker then sends the old one nothing more, so no order
// is lost. The new one comes first, because a tap's queue goes with its last
// consumer; a stream's old one is ended first and what it still sends is taken.
func (p *pump) widen(ctx context.Context) (done bool, err error) {
	old, left := p.tag, p.msgs
	p.window = max(p.window, min(p.set.prefetch, windowBytes/max(1, p.bytes/p.window)))
	calls, stop := lingering(ctx)
	defer stop()
	cancel := func() error { return p.link.call(calls, func() error { return p.ch.Cancel(old, false) }) }
	if p.again == nil {
		if err = p.consume(calls, "iscope.wide", nil); err == nil {
			err = cancel()
		}
		return false, errors.Join(err, p.ack())
	}
	if err := cancel(); err != nil {
		return false, err
	}
	for d := range left {
		if done, err := p.take(&d); done || err != nil {
			return done, err
		}
	}
	if err := p.ack(); err != nil {
		return false, err
	}
	return false, p.consume(calls, "iscope.wide", p.again())
}

// run pumps until the caller has enough, the context ends (nil) or the source
// does.
func (p *pump) run(ctx context.Context) error {
	idle := time.NewTicker(idleAck)
	defer idle.Stop()
	for {
		select {
		case d, ok := <-p.msgs:
			if !ok {
				return p.ended(ctx)
			}
			if done, err := p.take(&d); done || err != nil {
				return err
			}
			if p.narrow() && p.pending == p.window {
				if done, err := p.widen(ctx); done || err != nil {
					return err
				}
			}
		case e := <-p.events:
			if e.err != nil {
				return e.err
			}
			if !p.emit(e.rec) {
				return nil
			}
		case <-idle.C:
			if p.quiet {
				if err := p.ack(); err != nil {
					return err
				}
			}
			p.quiet = true
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), errHorizon) {
				return nil
			}
			return ctx.Err()
		}
	}
}

func (p *pump) take(d *amqp.Delivery) (done bool, err error) {
	rec, ok := p.show(d)
	p.unacked = d.DeliveryTag
	p.pending++
	p.bytes += len(d.Body)
	p.quiet = false
	if ok && !p.emit(rec) || p.last != nil && p.last() {
		return true, p.ack()
	}
	if !p.narrow() && p.pending >= min(ackEvery, (p.window+1)/2) {
		return false, p.ack()
	}
	return false, nil
}

// narrow: the window has not found its size yet.
func (p *pump) narrow() bool { return p.tag == "iscope" && p.window < p.set.prefetch }

func (p *pump) ack() error {
	if p.pending == 0 {
		return nil
	}
	p.pending, p.bytes = 0, 0
	return p.link.cause(p.ch.Ack(p.unacked, true))
}

// ended finds out why there are no more deliveries.
func (p *pump) ended(ctx context.Context) error {
	select {
	case e, ok := <-p.closed:
		if ok && e != nil {
			return p.link.cause(e)
		}
	default:
	}
	select {
	case _, ok := <-p.cancelled: // closed with the channel, too
		if ok {
			return &fault{kind: probes.ErrNotFound, err: errors.New("the queue was deleted while it was tailed")}
		}
	default:
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return p.link.cause(amqp.ErrClosed)
}
