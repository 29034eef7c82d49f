package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// Publish sends one message to exchange/NAME, with the record's key as the
// routing key, or to queue/NAME, and waits until the broker has confirmed it. It
// is mandatory: a message that no queue takes comes back and is an ErrNotFound.
func (p *probe) Publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	op := "publishing to " + r.Source.Subject
	ctx, end, err := p.begin(ctx)
	if err != nil {
		return r, p.fail(op, err)
	}
	defer end()
	stored, err := p.publish(ctx, r)
	if err != nil {
		return r, p.fail(op, err)
	}
	return stored, nil
}

func (p *probe) publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	s, err := parseSubject(r.Source.Subject, time.Now())
	if err != nil {
		return r, err
	}
	msg, err := compose(&r, p.user())
	if err != nil {
		return r, err
	}
	w, err := p.outbox.borrow(ctx, p)
	if err != nil {
		return r, err
	}
	if err := p.resolve(ctx, w.link, &s); err != nil {
		p.outbox.giveBack(w)
		return r, err
	}
	exchange, key, err := destination(s, &r)
	if err != nil {
		p.outbox.giveBack(w)
		return r, err
	}
	if err := w.send(ctx, exchange, key, msg); err != nil {
		w.drop()
		return r, p.undelivered(ctx, s, key, err)
	}
	p.outbox.giveBack(w)
	m := message{Publishing: msg, exchange: exchange, key: key}
	stored := m.record(probes.Ref{Target: p.target.Name, Subject: r.Source.Subject}, r.ID, 0)
	stored.Attrs = slices.DeleteFunc(stored.Attrs, func(a probes.Attr) bool { return a.Name == attrOffset })
	return stored, nil
}

// user is the name that the broker knows us by, "" if it is in a certificate.
func (p *probe) user() string {
	if plain, ok := p.set.sasl[0].(*amqp.PlainAuth); ok {
		return plain.Username
	}
	return ""
}

func destination(s subject, r *probes.Record) (exchange, key string, err error) {
	switch {
	case s.kind == kindQueue:
		exchange, key = "", s.name
	case len(s.keys) == 1:
		exchange, key = s.name, s.keys[0]
	default:
		exchange, key = s.name, string(r.Key)
	}
	if len(key) > maxShort || len(exchange) > maxShort {
		return "", "", &fault{kind: probes.ErrUsage,
			err: fmt.Errorf("the routing key has %d bytes, AMQP allows %d", max(len(key), len(exchange)), maxShort)}
	}
	return exchange, key, nil
}

// errReturned is a message that no queue took.
var errReturned = errors.New("no queue takes a message with this routing key")

// undelivered names what is missing.
func (p *probe) undelivered(ctx context.Context, s subject, key string, err error) error {
	switch {
	case errors.Is(err, errReturned) && s.kind == kindQueue:
		return notFound(kindQueue, s.name, p.names(ctx, "queues"))
	case errors.Is(err, errReturned):
		return &fault{kind: probes.ErrNotFound, err: fmt.Errorf("%w (%q)", err, key),
			hint: "bind a queue to the exchange with that key, or check it with describe"}
	case isMissing(err):
		return notFound(kindExchange, s.name, p.names(ctx, "exchanges"))
	}
	return err
}

// outbox keeps one connection and its idle channels for publishing.
type outbox struct {
	mu   sync.Mutex
	link *link
	idle []*writer
}

// writer is a channel in confirm mode, used by one caller at a time.
type writer struct {
	link     *link
	ch       *amqp.Channel
	returned chan amqp.Return
	closed   chan *amqp.Error
}

func (o *outbox) borrow(ctx context.Context, p *probe) (*writer, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link != nil && o.link.conn.IsClosed() {
		o.link.close()
		o.link, o.idle = nil, nil
	}
	for len(o.idle) > 0 {
		w := o.idle[len(o.idle)-1]
		o.idle = o.idle[:len(o.idle)-1]
		if !w.ch.IsClosed() {
			return w, nil
		}
	}
	if o.link == nil {
		l, err := p.connect(ctx, "iscope publish")
		if err != nil {
			return nil, err
		}
		o.link = l
	}
	return newWriter(ctx, o.link)
}

func (o *outbox) giveBack(w *writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if w.link == o.link {
		o.idle = append(o.idle, w)
	}
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.link != nil {
		o.link.close()
	}
}

func newWriter(ctx context.Context, l *link) (*writer, error) {
	ch, err := l.channel(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{link: l, ch: ch}
	w.returned = ch.NotifyReturn(make(chan amqp.Return, 1))
	w.closed = ch.NotifyClose(make(chan *amqp.Error, 1))
	return w, l.call(ctx, func() error { return ch.Confirm(false) })
}

// drop closes the channel, if it is not closed yet.
func (w *writer) drop() {
	ctx, stop := context.WithTimeout(context.Background(), farewell)
	defer stop()
	w.link.call(ctx, w.ch.Close) // one that cannot be closed goes with its connection
}

// send publishes one message and waits for its confirmation. A return precedes
// it (https://www.rabbitmq.com/docs/confirms#when-publishes-are-confirmed).
func (w *writer) send(ctx context.Context, exchange, key string, msg amqp.Publishing) error {
	ctx, stop := context.WithTimeout(ctx, w.link.timeout)
	defer stop()
	var dc *amqp.DeferredConfirmation
	err := w.link.call(ctx, func() (err error) {
		dc, err = w.ch.PublishWithDeferredConfirm(exchange, key, true, false, msg)
		return err
	})
	if err != nil {
		return err
	}
	select {
	case <-dc.Done():
	case <-ctx.Done():
		return w.inDoubt(ctx.Err())
	}
	if dc.Acked() {
		select {
		case <-w.returned:
			return errReturned
		default:
			return nil
		}
	}
	return w.refused()
}

// refused finds out why a message was not confirmed.
func (w *writer) refused() error {
	select {
	case e, ok := <-w.closed:
		if !ok || e == nil {
			e = amqp.ErrClosed
		}
		if err := w.link.cause(e); kindOf(err) != probes.ErrUnreachable {
			return err
		} else {
			return w.inDoubt(err)
		}
	default:
		return &fault{kind: probes.ErrUnreachable, err: errors.New("the broker could not take the message (basic.nack)"),
			hint: "a queue may be full with x-overflow reject-publish, or a quorum queue without a majority"}
	}
}

// inDoubt says that nobody knows what became of the message, and why if the
// broker has told.
func (w *writer) inDoubt(err error) error {
	if why := w.link.blockedBy(); why != "" {
		return &fault{kind: probes.ErrTimeout,
			err:  fmt.Errorf("the broker has blocked publishing (%s); the message may or may not be stored: %w", why, err),
			hint: "an alarm for memory or disk is on; see the broker's node"}
	}
	return fmt.Errorf("the message may or may not be stored: %w", err)
}
