package grpcapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"iscope/probes"
)

// Invoke calls a method of any of the four kinds. Sending and receiving run at
// the same time, so a person may answer what has just arrived.
//
// For a method that takes one message, Next is read to io.EOF before anything
// is sent. A negative Deadline means none. The first Response carries the
// response headers; the End carries headers and then trailers, and its Native
// says where the trailers start. Of Compression there is gzip.
func (p *probe) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		if err := p.invoke(ctx, in, yield); err != nil {
			yield(probes.Record{}, err)
		}
	}
}

// invoke prepares a call and makes it. It returns nil if the consumer has
// stopped.
func (p *probe) invoke(ctx context.Context, in probes.Invocation, yield func(probes.Record, error) bool) error {
	c := &call{
		set: p.set, in: in, op: "calling " + in.Method, id: rand.Text(), invoked: time.Now(),
		times: &times{}, pending: make(chan probes.Record, 1), written: make(chan struct{}, 1),
	}
	ctx, cancel := c.limited(ctx)
	defer cancel()
	if !knownCompression(in.Compression) {
		return c.usage(hinted(fmt.Errorf("compression %q is not supported", in.Compression),
			"use "+strings.Join(compressions, ", ")+", or none"))
	}
	out, err := p.set.outgoing(ctx, in.Header)
	if err != nil {
		return p.set.fail(c.op, probes.ErrUsage, err)
	}
	l, done, err := p.use(ctx, c.op)
	if err != nil {
		return err
	}
	defer done()
	c.link, c.invoked = l, l.start(c.invoked)
	if c.method, err = l.method(ctx, in.Method); err != nil {
		return err
	}
	c.types = types{ctx: ctx, link: l}
	c.next = c.stream
	if !c.method.IsStreamingClient() {
		if err := c.readOne(ctx); err != nil {
			return err
		}
	}
	return c.run(context.WithValue(out, timesKey{}, c.times), yield)
}

// limited applies the call's deadline, or the target's.
func (c *call) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	switch d := c.in.Deadline; {
	case d > 0:
		return context.WithTimeoutCause(ctx, d, &deadline{d, "the call's deadline"})
	case d < 0:
		return context.WithCancel(ctx)
	}
	return c.set.bounded(ctx)
}

// request is a message ready to be sent.
type request struct {
	body []byte // canonical JSON
	wire []byte
}

// readOne reads the single message of a call, and refuses none and several.
func (c *call) readOne(ctx context.Context) error {
	first, err := c.stream(ctx, 1)
	if err == io.EOF {
		return c.usage(hinted(errors.New("no message given"), "send {} to mean an empty message"))
	}
	if err != nil {
		return err
	}
	if c.in.Next != nil {
		switch _, err := c.in.Next(ctx); {
		case err == nil:
			return c.usage(errors.New("the method takes one message, got more"))
		case err != io.EOF:
			return c.readError(ctx, 2, err)
		}
	}
	c.next = func(_ context.Context, index int) (*request, error) {
		if index == 1 {
			return first, nil
		}
		return nil, io.EOF
	}
	return nil
}

// stream reads and parses message index (from 1) of the caller's. io.EOF ends
// the sequence; a caller without Next sends one empty message where one is
// needed and none in a stream.
func (c *call) stream(ctx context.Context, index int) (*request, error) {
	doc := []byte("{}")
	switch {
	case c.in.Next != nil:
		var err error
		if doc, err = c.in.Next(ctx); err == io.EOF {
			return nil, io.EOF
		} else if err != nil {
			return nil, c.readError(ctx, index, err)
		}
	case c.method.IsStreamingClient():
		return nil, io.EOF
	}
	r, err := c.encode(doc)
	if err != nil {
		return nil, c.usage(c.numbered(index, err))
	}
	return r, nil
}

func (c *call) encode(doc []byte) (*request, error) {
	m, err := parseMessage(doc, c.method.Input(), c.types)
	if err != nil {
		return nil, err
	}
	b, err := encodeMessage(m)
	if err != nil {
		return nil, err
	}
	return &request{body: render(m, c.types), wire: b}, nil
}

// numbered names the message that an error is about, where there are several.
func (c *call) numbered(index int, err error) error {
	if !c.method.IsStreamingClient() {
		return err
	}
	return fmt.Errorf("message %d: %w", index, err)
}

// readError is about the caller's own source of messages.
func (c *call) readError(ctx context.Context, index int, err error) error {
	if ended := c.set.ended(ctx, c.op, ""); ended != nil {
		return ended
	}
	var e *probes.Error
	if errors.As(err, &e) {
		return err
	}
	return c.usage(fmt.Errorf("reading message %d: %w", index, err))
}

func (c *call) usage(err error) error { return c.set.fail(c.op, probes.ErrUsage, err) }

// path is the method on the wire.
func path(md protoreflect.MethodDescriptor) string { return "/" + methodName(md) }
