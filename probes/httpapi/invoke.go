package httpapi

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

const (
	// attrViolation says what of a response the document does not allow. It may
	// repeat.
	attrViolation = "iscope.contract.violation"
	// attrWireSize is the size of a body as sent, before decoding.
	attrWireSize = "http.response.body.size"
	attrLocation = "http.response.header.location"
	// Name and id of a server-sent event.
	attrEventName = "iscope.sse.event"
	attrEventID   = "iscope.sse.id"
)

// Invoke calls an operation of the document, or any method and path. It blocks
// while the server does. Redirects are shown, not followed.
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

// exchange is one call: a request and what comes back.
type exchange struct {
	p     *probe
	in    probes.Invocation
	emit  func(probes.Record) bool
	draft *draft
	doc   *document
	req   *http.Request
	resp  *http.Response
	watch *stopwatch
	id    string
	frame int
}

func (x *exchange) run(ctx context.Context) error {
	d := x.in.Deadline
	if d <= 0 {
		d = x.p.target.RequestTimeout()
	}
	if err := x.prepare(ctx, d); err != nil {
		return err
	}
	limited := x.p.bound(ctx, d)
	defer limited.release()
	x.req = x.req.WithContext(limited)
	if err := x.send(); err != nil {
		return err
	}
	defer x.resp.Body.Close()
	if x.in.Deadline <= 0 && x.isStream() {
		limited.lift() // the target's timeout bounds requests, not streams
	}
	return x.receive()
}

func (x *exchange) op() string { return "calling " + x.in.Method }

// prepare makes the request. Nothing has been sent when it fails.
func (x *exchange) prepare(ctx context.Context, patience time.Duration) error {
	if doc, err := x.p.contract(ctx, x.in.Method, patience); err == nil {
		x.doc = doc
	} else if ctx.Err() != nil || x.p.life.Err() != nil {
		return x.p.dressed(x.op(), err)
	}
	d, err := x.p.draft(ctx, x.doc, x.in)
	if err == nil {
		x.draft = d
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
		return x.p.fail(x.op(), probes.ErrUsage, err, mistake.hint)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return x.p.fail(x.op(), probes.KindOfCause(err), err, "")
	}
	return x.p.fail(x.op(), probes.ErrUsage, err, "")
}

// contract is the document a call is made by. An operation that it does not
// have may be new, so the document is read again before that is said. A path
// that is written out can do without, so it waits no longer than patience.
func (p *probe) contract(ctx context.Context, method string, patience time.Duration) (*document, error) {
	c, bad := parseCall(method)
	if bad != nil {
		return nil, bad
	}
	if !c.template {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	doc, err := p.docs.get(ctx, 5*time.Minute)
	if err != nil || !c.template || doc.find(c) != nil {
		return doc, err
	}
	if again, err := p.docs.get(ctx, 5*time.Second); err == nil {
		return again, nil
	}
	return doc, nil
}

// send records the request and makes it.
func (x *exchange) send() error {
	header, masked := x.p.recordedHeader(x.req, asHeader(x.in.Header))
	rec := x.record(probes.Request)
	rec.Header, rec.Body = header, x.draft.body
	if masked != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrRedacted, Value: masked})
	}
	if o := x.draft.op; o != nil && x.draft.body != nil {
		rec.Schema = o.listed.Input
	}
	if !x.emit(rec) {
		return errLeft
	}
	x.watch = newStopwatch()
	resp, err := x.p.http.RoundTrip(x.watch.attach(x.req))
	if err != nil {
		return x.p.explain(x.req.Context(), x.op(), x.watch, err)
	}
	x.resp = resp
	return nil
}

// asHeader indexes the caller's own headers.
func asHeader(fields []probes.Field) http.Header {
	h := http.Header{}
	for _, f := range fields {
		h.Add(f.Name, string(f.Value))
	}
	return h
}

func (x *exchange) isStream() bool {
	return mediaType(x.resp.Header.Get("Content-Type")) == "text/event-stream" && hasBody(x.req.Method, x.resp.StatusCode)
}

// receive records the response, frame by frame if it is a stream, and the end.
func (x *exchange) receive() error {
	in := newDecoder(x.resp)
	var err error
	switch {
	case !hasBody(x.req.Method, x.resp.StatusCode):
		err = x.respond(in, nil, 0, nil)
	case x.isStream():
		err = x.events(in)
	default:
		body, cut, readErr := readBody(in, x.in.MaxBody)
		if x.req.URL.Scheme == "http" && isTLSMixUp(x.resp, body) && len(body) > 0 {
			return x.p.fail(x.op(), probes.ErrTLS, errSpeaksTLS, hintUseHTTPS)
		}
		err = x.respond(in, body, cut, readErr)
	}
	if err != nil {
		return err
	}
	end := x.record(probes.End)
	end.Header = headerFields(x.resp.Trailer)
	end.Attrs = append(end.Attrs, x.outcome()...)
	end.Attrs = append(end.Attrs, x.watch.attrs()...)
	if x.resp.StatusCode >= http.StatusBadRequest {
		end.Err = statusText(x.resp.StatusCode)
	}
	if !x.emit(end) {
		return errLeft
	}
	return nil
}

// respond records a whole response. One that was cut off is shown as far as it
// came, before the error.
func (x *exchange) respond(in *decoder, body []byte, cut int64, readErr error) error {
	rec := x.response()
	rec.Header = headerFields(x.resp.Header)
	rec.Body, rec.Cut = body, cut
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: attrWireSize, Value: strconv.FormatInt(in.wire, 10)})
	if readErr != nil {
		return x.cutOff(rec, readErr)
	}
	if x.draft.op != nil {
		for _, v := range x.draft.op.violations(x.doc, x.resp, body, cut) {
			rec.Attrs = append(rec.Attrs, probes.Attr{Name: attrViolation, Value: v})
		}
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
	if strings.HasPrefix(err.Error(), "gzip: ") || strings.HasPrefix(err.Error(), "flate: ") {
		return x.p.fail(x.op(), probes.ErrProtocol, fmt.Errorf("decoding the body: %w", err), "")
	}
	return x.p.explain(x.req.Context(), x.op(), x.watch, fmt.Errorf("reading the body: %w", err))
}

// events records server-sent events as they arrive. The first one carries the
// headers of the response.
func (x *exchange) events(in *decoder) error {
	r := newEventReader(in, x.in.MaxBody)
	for first := true; ; first = false {
		ev, err := r.next()
		ended := errors.Is(err, io.EOF)
		if ended && !first {
			return nil
		}
		rec := x.response()
		if first {
			rec.Header = headerFields(x.resp.Header)
		}
		rec.Body, rec.Cut = ev.data, ev.cut
		for _, a := range []probes.Attr{{Name: attrEventName, Value: ev.name}, {Name: attrEventID, Value: ev.id}} {
			if a.Value != "" {
				rec.Attrs = append(rec.Attrs, a)
			}
		}
		if ev.unsent {
			rec.Err = "the stream ended in the middle of this event"
		}
		switch {
		case err != nil && !ended && (first || ev.unsent):
			return x.cutOff(rec, err)
		case err != nil && !ended:
			return x.p.explain(x.req.Context(), x.op(), x.watch, fmt.Errorf("reading events: %w", err))
		case !x.emit(rec):
			return errLeft
		case ended:
			return nil
		}
	}
}

// record starts a record of this call.
func (x *exchange) record(kind probes.Kind) probes.Record {
	x.frame++
	rec := probes.Record{ID: x.id + "/" + strconv.Itoa(x.frame), Call: x.id, Kind: kind, Seen: time.Now(),
		Source: probes.Ref{Target: x.p.target.Name, Subject: x.draft.line()}}
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrHTTPMethod, Value: x.req.Method})
	if x.draft.op != nil {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrHTTPRoute, Value: x.draft.op.path})
	}
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrURL, Value: x.req.URL.String()})
	return rec
}

// response starts a Response record.
func (x *exchange) response() probes.Record {
	rec := x.record(probes.Response)
	rec.Attrs = append(rec.Attrs, x.outcome()...)
	if o := x.draft.op; o != nil {
		if b := o.answer(o.answerFor(x.resp.StatusCode)); b != nil {
			rec.Schema = b.ref
		}
	}
	return rec
}

// outcome says how the server answered and who it was.
func (x *exchange) outcome() []probes.Attr {
	code := x.resp.StatusCode
	out := []probes.Attr{
		{Name: probes.AttrHTTPStatus, Value: strconv.Itoa(code)},
		{Name: probes.AttrStatus, Value: statusText(code)},
	}
	add := func(name, value string) {
		if value != "" {
			out = append(out, probes.Attr{Name: name, Value: value})
		}
	}
	add(attrLocation, x.resp.Header.Get("Location"))
	add(probes.AttrPeer, x.watch.remote())
	add(probes.AttrProtocol, "http")
	version := fmt.Sprintf("%d.%d", x.resp.ProtoMajor, x.resp.ProtoMinor)
	add(probes.AttrProtoVersion, strings.TrimSuffix(version, ".0"))
	if s := x.resp.TLS; s != nil {
		add(probes.AttrTLSVersion, strings.TrimPrefix(tls.VersionName(s.Version), "TLS "))
	}
	if code >= http.StatusBadRequest {
		add(probes.AttrErrorType, strconv.Itoa(code))
	}
	return out
}
