package graphql

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// Invoke makes one call. It blocks while the server does. A redirect is shown,
// and followed as often as the invocation says.
func (p *probe) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		x := &exchange{p: p, in: in, id: rand.Text(), emit: func(r probes.Record) bool { return yield(r, nil) }}
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
	plan  *plan
	url   *url.URL
	watch *httplink.Stopwatch
	resp  *http.Response // of the last request
	id    string
	frame int

	protocol string        // of a subscription
	fallback string        // what was tried before
	answers  int           // of a subscription
	errors   []answerError // of all answers
	hasData  bool
}

func (x *exchange) op() string { return opOf(x.in.Method) }

func (x *exchange) run(ctx context.Context) (err error) {
	d := x.in.Deadline
	if d <= 0 {
		d = x.p.link.Target.RequestTimeout()
	}
	if x.plan, err = x.prepare(ctx, d); err != nil {
		return err
	}
	limited := x.p.link.Bound(ctx, d)
	defer limited.Release()
	if x.url, _, err = x.p.endpoint(limited, x.op()); err != nil {
		return err
	}
	if x.plan.kind == ast.Subscription {
		return x.subscribe(limited)
	}
	return x.post(limited)
}

// prepare plans the call. The schema may take its time to be read, but the
// caller's documents may take longer: they are waited for without a limit.
func (x *exchange) prepare(ctx context.Context, patience time.Duration) (*plan, error) {
	soon, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := x.p.find(soon, x.op(), x.in.Method); err != nil {
		return nil, err
	}
	return x.p.plan(ctx, x.in)
}

// post sends an operation over HTTP and records what comes back.
func (x *exchange) post(limited *httplink.Bounded) error {
	for hop := 0; ; hop++ {
		if err := x.send(limited, accept); err != nil {
			return err
		}
		if err := x.whole(limited); err != nil {
			return err
		}
		next := x.redirected(hop)
		if next == nil {
			return x.end()
		}
		x.url = next
	}
}

// redirected is where a redirect leads, if it is to be followed: with the same
// body, whatever the status, because an operation without its body is none.
// Another host is not followed: it would get the credentials.
func (x *exchange) redirected(hop int) *url.URL {
	to := x.resp.Header.Get("Location")
	if x.resp.StatusCode/100 != 3 || to == "" || hop >= x.in.Redirects {
		return nil
	}
	u, err := x.url.Parse(to)
	if err != nil || u.Host != x.url.Host || u.Scheme != x.url.Scheme {
		return nil
	}
	return u
}

// send records the request and makes it.
func (x *exchange) send(ctx context.Context, accept string) error {
	req, err := x.request(ctx, accept)
	if err != nil {
		return err
	}
	if err := x.requested(req.Header, req); err != nil {
		return err
	}
	x.watch = httplink.NewStopwatch()
	x.resp, err = x.p.link.HTTP.RoundTrip(x.watch.Attach(req.WithContext(ctx)))
	if err != nil {
		return x.p.link.Explain(ctx, x.op(), x.watch, err)
	}
	return nil
}

// request makes the HTTP request. Credentials are added last.
func (x *exchange) request(ctx context.Context, accept string) (*http.Request, error) {
	header, host, err := httplink.HeaderOf(x.in.Header)
	if err != nil {
		return nil, x.p.link.Fail(x.op(), probes.ErrUsage, err, "nothing was sent")
	}
	body, err := httplink.Compress(x.in.Compression, x.plan.body)
	if err != nil {
		return nil, x.p.link.Fail(x.op(), probes.ErrUsage, err, "nothing was sent")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.url.String(), bytes.NewReader(body))
	if err != nil {
		return nil, x.p.link.Fail(x.op(), probes.ErrUsage, err, "")
	}
	req.Header, req.Host = header, host
	defaults := [][2]string{{"Content-Type", "application/json"}, {"Accept", accept}, {"Accept-Encoding", httplink.Codings}}
	if x.in.Compression != "" {
		defaults = append(defaults, [2]string{"Content-Encoding", x.in.Compression})
	}
	for _, h := range defaults {
		if header.Get(h[0]) == "" {
			header.Set(h[0], h[1])
		}
	}
	x.p.link.Dress(req, x.p.link.Auth)
	return req, nil
}

// requested records what is sent.
func (x *exchange) requested(header http.Header, req *http.Request) error {
	rec := x.record(probes.Request)
	var masked []string
	rec.Header, masked = httplink.Recorded(req, x.hidden)
	rec.Body, rec.Schema = x.plan.body, x.plan.input
	wire := int64(len(x.plan.body))
	if req.ContentLength > 0 {
		wire = req.ContentLength
	}
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrWireSize, Value: strconv.FormatInt(wire, 10)})
	if len(masked) > 0 {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrRedacted, Value: strings.Join(masked, ",")})
	}
	for _, v := range x.plan.violations {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrViolation, Value: v})
	}
	if id := probes.TraceID(header.Get(probes.HeaderTraceparent)); id != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrTraceID, Value: id})
	}
	if !x.emit(rec) {
		return errLeft
	}
	return nil
}

// hidden leaves the target's own credential out of a header that is recorded.
func (x *exchange) hidden(name, value string) (shown string, masked []string) {
	if auth := x.p.link.Auth; auth != nil && strings.EqualFold(name, auth.Name) && headerOf(x.in.Header, name) == "" {
		return auth.Value.String(), []string{strings.ToLower(name)}
	}
	return value, nil
}

// whole records a response that is one document. One that was cut off is shown as
// far as it came, before the error.
func (x *exchange) whole(ctx context.Context) error {
	defer x.resp.Body.Close()
	dec := httplink.NewDecoder(x.resp)
	defer dec.Close()
	body, cut, err := httplink.ReadBody(dec, 0, x.in.MaxBody)
	x.watch.Ended()
	if httplink.IsTLSMixUp(x.resp, body) {
		return x.p.link.SpeaksTLS(x.op())
	}
	rec := x.response()
	rec.Header, rec.Body, rec.Cut = httplink.Fields(x.resp.Header), body, cut
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrWireSize, Value: strconv.FormatInt(dec.Wire, 10)})
	if err != nil {
		rec.Err = fmt.Sprintf("cut off after %d bytes", int64(len(body))+cut)
		if !x.emit(rec) {
			return errLeft
		}
		return x.p.link.Explain(ctx, x.op(), x.watch, fmt.Errorf("reading the answer: %w", err))
	}
	if cut == 0 && x.resp.StatusCode/100 != 3 {
		x.read(&rec, answerIn(x.resp, dec, body))
	}
	if !x.emit(rec) {
		return errLeft
	}
	return nil
}

// read takes note of what an answer says.
func (x *exchange) read(rec *probes.Record, a answer) {
	x.answers++
	x.errors = append(x.errors, a.errors...)
	x.hasData = x.hasData || a.hasData
	if a.problem != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrViolation, Value: "answer: " + a.problem})
		if x.resp.StatusCode < http.StatusBadRequest {
			x.errors = append(x.errors, answerError{path: "request", message: a.problem})
		}
	}
	if a.stale() {
		x.p.schemas.Expire()
	}
}
