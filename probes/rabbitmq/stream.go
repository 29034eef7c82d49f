package rabbitmq

import (
	"context"
	"fmt"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// stream reads a stream (https://www.rabbitmq.com/docs/streams#consuming).
// Nothing in it is consumed; acknowledgements only ask for more.
//
// Times are found by the broker, to the chunk: up to a second's messages before
// the time may come too.
func (t *tail) stream(ctx context.Context) error {
	what := fmt.Sprintf("messages of stream %s on vhost %s; a stream loses nothing by being read", t.subject.name, t.set.vhost)
	t.query.Ledger.Note(probes.DeedRead, what, "")
	s, err := t.span(ctx)
	if err != nil {
		return err
	}
	r, err := t.reading(ctx, s)
	if err != nil || r == nil {
		return err
	}
	return t.readStream(ctx, r)
}

// span is what a stream holds: offsets first to end-1. Both are 0 if nothing was
// ever in it.
type span struct{ first, end int64 }

// span finds out the range of offsets. The broker tells it nowhere (its count of
// messages is seconds old), but it can be seen from what new consumers are sent:
// one at the last chunk ends with the newest message.
func (t *tail) span(ctx context.Context) (s span, err error) {
	first, _, ok, err := t.sample(ctx, "first", 1)
	if err != nil || !ok {
		return s, err
	}
	_, last, ok, err := t.sample(ctx, "last", maxWindow)
	if err != nil || !ok {
		return s, err
	}
	return span{first: first, end: last + 1}, nil
}

// sample returns the first and the last offset that a consumer at the given
// position is sent at once.
//
// A broker's channel has the stream tell it when there is something to send, so
// the reply to a cancellation may come before the first message. A second
// consumer makes the channel ask the stream and wait (osiris:init_reader); what
// the stream has told for the first one is dealt with before the cancellation.
func (t *tail) sample(ctx context.Context, at any, prefetch int) (first, last int64, ok bool, err error) {
	const tag, barrier = "iscope.sample", "iscope.barrier"
	err = t.link.try(ctx, func(ch *amqp.Channel) error {
		if err := ch.Qos(prefetch, 0, false); err != nil {
			return err
		}
		msgs, err := ch.Consume(t.subject.name, tag, false, false, false, false, amqp.Table{headerOffset: at})
		if err != nil {
			return err
		}
		if _, err := ch.Consume(t.subject.name, barrier, false, false, false, false, amqp.Table{headerOffset: "next"}); err != nil {
			return err
		}
		if err := ch.Cancel(tag, false); err != nil {
			return err
		}
		for d := range msgs {
			off, known := d.Headers[headerOffset].(int64)
			if !known {
				continue
			}
			if !ok {
				first, ok = off, true
			}
			last = off
		}
		return nil
	})
	return first, last, ok, err
}

// reading is where a stream is read from and to.
type reading struct {
	at    any   // x-stream-offset
	from  int64 // nothing before it is shown
	until int64 // nor from here on; -1: no end
}

// reading turns the query into one; nil if there is nothing to read.
func (t *tail) reading(ctx context.Context, s span) (*reading, error) {
	q := &t.query
	r := &reading{until: -1}
	if err := t.begins(r, s); err != nil || t.stopped {
		return nil, err
	}
	switch q.Until.Kind {
	case probes.PosLatest:
		r.until = s.end
	case probes.PosOffset:
		r.until = q.Until.Offset
	case probes.PosTime:
		if q.Until.Time.After(t.started) {
			break // the horizon ends it
		}
		first, _, ok, err := t.sample(ctx, q.Until.Time, 1)
		if err != nil {
			return nil, err
		}
		if r.until = s.end; ok {
			r.until = first
		}
	}
	if q.Last > 0 && !q.Follow && q.Until.Kind == probes.PosDefault {
		r.until = s.end
	}
	if from, known := r.at.(int64); known && r.until >= 0 && from >= r.until || r.until == 0 {
		return nil, nil
	}
	return r, nil
}

// begins says where to start. Positions are made offsets where that can be done,
// so that the tail can resume even before its first message.
func (t *tail) begins(r *reading, s span) error {
	from := t.query.From
	switch o := t.subject.offset.(type) {
	case int64:
		from = probes.Position{Kind: probes.PosOffset, Offset: o}
	case nil:
	default:
		r.at = o // "last", an interval or a time: the broker knows
	}
	if n, err := strconv.ParseInt(t.query.Resume, 10, 64); err == nil {
		r.at = nil
		return t.at(r, n, s, true)
	}
	switch {
	case r.at == "first":
		return t.at(r, s.first, s, false)
	case r.at == "next":
		return t.at(r, s.end, s, false)
	case r.at != nil:
		return nil
	case t.query.Last > 0:
		return t.at(r, max(s.first, s.end-int64(t.query.Last)), s, false)
	}
	switch from.Kind {
	case probes.PosEarliest:
		return t.at(r, s.first, s, false)
	case probes.PosOffset:
		return t.at(r, from.Offset, s, false)
	case probes.PosTime:
		r.at = from.Time
		return nil
	}
	return t.at(r, s.end, s, false)
}

// at starts at an offset, and says what is wrong with it.
func (t *tail) at(r *reading, offset int64, s span, resuming bool) error {
	switch {
	case offset > s.end && resuming:
		t.emit(gap(t.source, unknown, fmt.Sprintf("the stream ends at offset %d, before %d where we were: it was truncated or made anew", s.end, offset)))
		offset = s.end
	case offset > s.end:
		return &fault{kind: probes.ErrUsage, err: fmt.Errorf("offset %d is beyond the stream's end", offset),
			hint: fmt.Sprintf("it holds offsets %d to %d", s.first, s.end-1)}
	case offset < s.first:
		t.emit(gap(t.source, s.first-offset, fmt.Sprintf("the stream holds nothing before offset %d any more", s.first)))
		offset = s.first
	}
	r.at, r.from = offset, offset
	t.resume = strconv.FormatInt(offset, 10)
	return nil
}

func (t *tail) readStream(ctx context.Context, r *reading) error {
	ch, err := t.link.channel(ctx)
	if err != nil {
		return err
	}
	done := false
	p := &pump{tail: t, ch: ch, queue: t.subject.name, last: func() bool { return done }}
	next := int64(-1)
	p.again = func() amqp.Table { return amqp.Table{headerOffset: next} }
	p.show = func(d *amqp.Delivery) (probes.Record, bool) {
		off, ok := d.Headers[headerOffset].(int64)
		if !ok {
			return probes.Record{}, false
		}
		next = off + 1
		done = r.until >= 0 && off >= r.until-1
		if off < r.from || r.until >= 0 && off >= r.until {
			return probes.Record{}, false
		}
		t.resume = strconv.FormatInt(off+1, 10)
		m := messageOf(d)
		return m.record(t.source, strconv.FormatInt(off, 10), t.query.MaxBody), true
	}
	if err := p.start(ctx, amqp.Table{headerOffset: r.at}); err != nil {
		return err
	}
	ctx, stop := t.horizon(ctx)
	defer stop()
	return p.run(ctx)
}
