package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// Invoke calls an operation of the document, or any method and path. It blocks
// while the server does. Nothing is retried, but net/http repeats a request that
// an idle connection lost before any answer; the End counts that
// (probes.AttrAttempt).
func (p *probe) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		x := &exchange{p: p, in: in, emit: func(r probes.Record) bool { return yield(r, nil) }}
		if err := x.run(ctx); err != nil && !errors.Is(err, errLeft) {
			yield(probes.Record{}, err)
		}
	}
}

// errLeft ends a call whose caller has stopped listening.
var errLeft = errors.New("the caller left")

// exchange is one call: a request and what comes back, and the same for each
// redirect that is followed.
type exchange struct {
	p       *probe
	in      probes.Invocation
	emit    func(probes.Record) bool
	draft   *draft
	subject string // of the records
	req     *http.Request
	resp    *http.Response
	watch   *httplink.Stopwatch
	id      string
	frame   int
	hop     hop
}

func (x *exchange) run(ctx context.Context) error {
	d := x.in.Deadline
	if d <= 0 {
		d = x.p.Target.RequestTimeout()
	}
	if err := x.prepare(ctx, d); err != nil {
		return err
	}
	limited := x.p.Bound(ctx, d)
	defer limited.Release()
	defer x.hop.release()
	x.req = x.req.WithContext(limited)
	if x.draft.call.socket {
		return x.converse(limited)
	}
	for {
		if err := x.send(); err != nil {
			return err
		}
		to := x.follows()
		if to == nil {
			break
		}
		err := x.answer()
		x.resp.Body.Close()
		if err != nil {
			return err
		}
		if err := x.redirect(limited, to); err != nil {
			return err
		}
	}
	defer x.resp.Body.Close()
	if x.in.Deadline <= 0 && x.isStream() {
		limited.Lift() // the target's timeout bounds requests, not streams
	}
	if err := x.answer(); err != nil {
		return err
	}
	return x.end()
}

func (x *exchange) op() string { return "calling " + x.in.Method }

// prepare makes the request. Nothing has been sent when it fails.
func (x *exchange) prepare(ctx context.Context, patience time.Duration) error {
	doc, err := x.p.contract(ctx, x.in.Method, patience)
	if err != nil {
		if ctx.Err() != nil || x.p.Life.Err() != nil {
			return x.p.NotHad(x.op(), theDocument, err)
		}
		doc = nil
	}
	d, err := x.p.draft(ctx, doc, x.in)
	if err == nil {
		x.draft, x.subject = d, d.line()
		x.req, err = x.p.request(ctx, d)
	}
	var known *probes.Error
	var mistake *usage
	switch {
	case err == nil:
		x.id = rand.Text()
		return nil
	case errors.As(err, &known):
		return err
	case errors.As(err, &mistake):
		return x.p.Fail(x.op(), probes.ErrUsage, err, mistake.hint)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return x.p.Fail(x.op(), probes.KindOfCause(err), err, "")
	}
	return x.p.Fail(x.op(), probes.ErrUsage, err, "")
}

// contract is the document a call is made by. An operation that it does not
// have may be new, so the document is read again before that is said. A path
// that is written out can do without, so it waits no longer than patience.
func (p *probe) contract(ctx context.Context, method string, patience time.Duration) (*document, error) {
	c, bad := p.parseCall(method)
	if bad != nil {
		return nil, bad
	}
	if !c.template {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	doc, err := p.docs.Get(ctx, 5*time.Minute)
	if err != nil || !c.template || doc.find(c) != nil {
		return doc, err
	}
	if again, err := p.docs.Get(ctx, 5*time.Second); err == nil {
		return again, nil
	}
	return doc, nil
}

// send records the request and makes it.
func (x *exchange) send() error {
	if !x.emit(x.request()) {
		return errLeft
	}
	x.watch = httplink.NewStopwatch()
	resp, err := x.hop.transport(x.p).RoundTrip(x.watch.Attach(x.req))
	if err != nil {
		return x.p.Explain(x.req.Context(), x.op(), x.watch, err)
	}
	x.resp = resp
	return nil
}

// isStream recognises events. In a coding that is not undone there are none to
// be told apart.
func (x *exchange) isStream() bool {
	return httplink.MediaType(x.resp.Header.Get("Content-Type")) == "text/event-stream" && hasBody(x.req.Method, x.resp.StatusCode) &&
		httplink.NewDecoder(x.resp).Opaque() == ""
}

// answer records the response, frame by frame if it is a stream.
func (x *exchange) answer() error {
	in := httplink.NewDecoder(x.resp)
	defer in.Close()
	defer x.watch.Ended()
	switch {
	case !hasBody(x.req.Method, x.resp.StatusCode):
		return x.respond(in, nil, 0, nil)
	case x.isStream():
		return x.events(in)
	}
	expected := x.resp.ContentLength
	if in.Coded() {
		expected = -1
	}
	body, cut, err := httplink.ReadBody(in, expected, x.in.MaxBody)
	if x.req.URL.Scheme == "http" && httplink.IsTLSMixUp(x.resp, body) {
		return x.p.SpeaksTLS(x.op())
	}
	x.watch.Ended()
	return x.respond(in, body, cut, err)
}

// respond records a whole response. One that was cut off is shown as far as it
// came, before the error.
func (x *exchange) respond(in *httplink.Decoder, body []byte, cut int64, readErr error) error {
	rec := x.response()
	rec.Header = httplink.Fields(x.resp.Header)
	rec.Body, rec.Cut = body, cut
	rec.Attrs = append(rec.Attrs, wireSize(in.Wire))
	rec.Attrs = addAttr(rec.Attrs, probes.AttrReason, in.Note())
	if readErr != nil {
		return x.cutOff(rec, readErr)
	}
	if o := x.draft.op; o != nil && x.hop.n == 0 {
		found, unchecked := o.violations(x.resp, body, cut, in.Opaque())
		for _, v := range found {
			rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrViolation, Value: v})
		}
		rec.Attrs = addAttr(rec.Attrs, attrUnchecked, unchecked)
	}
	if !x.emit(rec) {
		return errLeft
	}
	return nil
}

func (x *exchange) cutOff(rec probes.Record, err error) error {
	rec.Err = fmt.Sprintf("cut off after %d bytes", int64(len(rec.Body))+rec.Cut)
	if !x.emit(rec) {
		return errLeft
	}
	return x.p.Explain(x.req.Context(), x.op(), x.watch, fmt.Errorf("reading the body: %w", err))
}

// events records server-sent events as they arrive. The first one carries the
// headers of the response.
func (x *exchange) events(in *httplink.Decoder) error {
	r := httplink.NewEventReader(in, x.in.MaxBody)
	var wire int64
	for first := true; ; first = false {
		ev, err := r.Next()
		ended := errors.Is(err, io.EOF)
		if ended && !first {
			return nil
		}
		rec := x.response()
		if first {
			rec.Header = httplink.Fields(x.resp.Header)
		}
		rec.Body, rec.Cut = ev.Data, ev.Cut
		rec.Attrs = addAttr(addAttr(rec.Attrs, attrEventName, ev.Name), attrEventID, ev.ID)
		if !in.Coded() { // a coding's blocks do not end with the events
			rec.Attrs = append(rec.Attrs, wireSize(r.Taken-wire))
			wire = r.Taken
		}
		if ev.Unsent {
			rec.Err = "the stream ended in the middle of this event"
		}
		switch {
		case err != nil && !ended && (first || ev.Unsent):
			return x.cutOff(rec, err)
		case err != nil && !ended:
			return x.p.Explain(x.req.Context(), x.op(), x.watch, fmt.Errorf("reading events: %w", err))
		case !x.emit(rec):
			return errLeft
		case ended:
			return nil
		}
	}
}
