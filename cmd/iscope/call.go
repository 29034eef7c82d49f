package main

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay/request"
)

// oneCall is a call on its way: what is asked, and where.
type oneCall struct {
	a      *app
	conn   *probes.Conn
	target string // as it was named, without user information
	method probes.Method
	in     probes.Invocation
	opt    invokeOpts

	sent  [][]byte            // documents taken from in.Next
	large bool                // sent does not hold all: they were too many
	hide  func(string) string // takes known secrets out of a text; may be nil
}

// keepSent is how many bytes of documents are kept for the history.
const keepSent = 128 << 10

func newCall(a *app, conn *probes.Conn, target string, m probes.Method, in probes.Invocation, o invokeOpts) *oneCall {
	if probes.IsURL(target) {
		target = spotURL(&conn.Target)
	}
	c := &oneCall{a: a, conn: conn, target: target, method: m, in: in, opt: o}
	if in.Next != nil {
		c.in.Next = c.watch(in.Next)
	}
	return c
}

// spotURL is the URL of a target given on the spot, without user information and
// subject; with the path, where that is a part of the address.
func spotURL(t *probes.Target) string {
	scheme, host, _ := strings.Cut(t.Name, "://")
	if path, ok := strings.CutPrefix(t.Address, host); ok && strings.HasPrefix(path, "/") {
		return scheme + "://" + host + path
	}
	return t.Name
}

// watch notes the documents that go by.
func (c *oneCall) watch(next func(context.Context) ([]byte, error)) func(context.Context) ([]byte, error) {
	room := keepSent
	return func(ctx context.Context) ([]byte, error) {
		doc, err := next(ctx)
		if err == nil {
			if room -= len(doc); room >= 0 {
				c.sent = append(c.sent, doc)
			} else {
				c.large = true
			}
		}
		return doc, err
	}
}

// run makes the call, prints its records and keeps it in the history.
func (c *oneCall) run(ctx context.Context) error {
	trace := ""
	if !c.opt.noTrace {
		trace = c.in.WithTrace()
	}
	began := time.Now()
	sink, done := c.a.callSink(c.opt)
	end, answers, err := c.records(ctx, trace, sink.Write)
	if derr := done(err); err == nil {
		err = derr
	}
	c.remember(began, &end, answers, trace, err)
	if err == nil && end.Err != "" {
		return errDifferent
	}
	return err
}

// quietly makes the call, collects what came and keeps it in the history.
func (c *oneCall) quietly(ctx context.Context, answer *request.Answer) error {
	trace := ""
	if !c.opt.noTrace {
		trace = c.in.WithTrace()
	}
	began := time.Now()
	end, answers, err := c.records(ctx, trace, func(_ context.Context, r probes.Record) error {
		answer.Add(r)
		return nil
	})
	c.remember(began, &end, answers, trace, err)
	return err
}

// records makes the call and hands each record each record on. It returns the end, which has
// no kind if the call was cut off.
func (c *oneCall) records(ctx context.Context, trace string, write func(context.Context, probes.Record) error) (end probes.Record, answers int, err error) {
	for rec, err := range c.conn.Invoke(ctx, c.method, c.in) {
		if err != nil {
			return end, answers, err
		}
		if rec.Seen.IsZero() {
			rec.Seen = time.Now()
		}
		switch rec.Kind {
		case probes.Response:
			answers++
		case probes.End:
			rec.Attrs = withTrace(rec.Attrs, trace)
			end = rec
		}
		// The answers that came are printed, whatever ends the call.
		if err := write(context.WithoutCancel(ctx), c.a.echo(rec)); err != nil {
			return end, answers, err
		}
	}
	return end, answers, nil
}

// withTrace adds the trace's id unless the driver has.
func withTrace(attrs []probes.Attr, trace string) []probes.Attr {
	if _, ok := probes.FindAttr(attrs, probes.AttrTraceID); ok || trace == "" {
		return attrs
	}
	return append(attrs[:len(attrs):len(attrs)], probes.Attr{Name: probes.AttrTraceID, Value: trace})
}

// echo keeps credentials given with -H out of what is printed of a request:
// output ends up in logs. They are told by name, as in messages; that most
// headers of a call are masked is for files, which are passed on.
func (a *app) echo(r probes.Record) probes.Record {
	if r.Kind != probes.Request || len(r.Header) == 0 {
		return r
	}
	clean := a.policy.Record(probes.Record{Kind: probes.Message, Header: r.Header, Attrs: r.Attrs})
	r.Header, r.Attrs = clean.Header, clean.Attrs
	return r
}

// remember keeps the call in the history. That this fails must not hide what
// the call itself has brought.
func (c *oneCall) remember(began time.Time, end *probes.Record, answers int, trace string, err error) {
	if c.opt.noHistory || c.a.forgetful || errors.Is(err, probes.ErrUsage) || errors.Is(err, probes.ErrRefused) {
		return // nothing was sent
	}
	e := request.Entry{Time: began.UTC().Truncate(time.Millisecond), Request: c.written(), Trace: trace, Answers: answers, Cut: c.large,
		Took: time.Since(began).Microseconds()}
	e.Request = c.a.maskCall(e.Request, &c.method, strict)
	if c.hide != nil {
		hideIn(&e.Request, c.hide)
	}
	e.Status, _ = end.Attr(probes.AttrStatus)
	if ms, ok := end.Attr(probes.TimingTotal); ok {
		if f, perr := strconv.ParseFloat(ms, 64); perr == nil {
			e.Took = int64(f * 1000)
		}
	}
	switch {
	case err != nil:
		e.Err = c.a.policy.Text(err.Error())
	case end.Err != "":
		e.Err = c.a.policy.Text(end.Err)
	}
	if c.hide != nil {
		e.Err = c.hide(e.Err)
	}
	const longest = 500
	e.Err = safe.Line(e.Err, longest).String()
	if err := c.a.history().Add(e); err != nil {
		c.a.warn("%v", err)
	}
}

// written is the call as it is kept, with its secrets.
func (c *oneCall) written() request.Request {
	r := request.Of(c.target, "", &c.in, c.sent)
	if !probes.IsURL(c.target) {
		r.Environment = c.conn.Target.Environment.Name
	}
	r.Options, r.TLS = c.a.spot.options(), c.a.spot.tls()
	return r
}

// all takes every document, for what is written down instead of sent.
func (c *oneCall) all(ctx context.Context) error {
	if c.in.Next == nil {
		return nil
	}
	for {
		switch _, err := c.in.Next(ctx); {
		case err == nil && c.large:
			return &probes.Error{Target: c.target, Op: "writing the call down", Kind: probes.ErrUsage,
				Err: errors.New("its documents are larger than 128 KiB")}
		case err == nil:
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}
