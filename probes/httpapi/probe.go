package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"iscope/probes"
)

// probe is one HTTP target. It connects lazily.
type probe struct {
	target probes.Target
	base   *url.URL
	auth   *credential
	http   *http.Transport
	pool   *pool // nil unless requests are spread over several instances
	docs   *library
	// sockets makes the connections of WebSockets, which are HTTP/1.1 only.
	sockets func() (*http.Transport, error)

	// life ends with Close: it cuts off calls and stops the loading of
	// documents.
	life context.Context
	end  context.CancelFunc
	// poll is the time between two looks at the document while watching.
	poll time.Duration
}

var (
	_ probes.Probe      = (*probe)(nil)
	_ probes.Discoverer = (*probe)(nil)
	_ probes.Invoker    = (*probe)(nil)
	_ probes.Schemer    = (*probe)(nil)
	_ probes.Former     = (*probe)(nil)
	_ probes.Contracter = (*probe)(nil)

	_ probes.MethodFinder = (*probe)(nil)
)

func newProbe(t probes.Target) (*probe, error) {
	usage := func(err error, hint string) error {
		return &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err, Hint: hint}
	}
	if err := checkOptions(t.Options); err != nil {
		return nil, usage(err, "")
	}
	base, hosts, err := endpointOf(&t)
	if err != nil {
		return nil, usage(err, "write it as http://host:port or http://host:port/base")
	}
	auth, err := credentialOf(t.Auth)
	if err != nil {
		return nil, usage(err, "")
	}
	rt, err := newTransport(t.TLS, t.Options[optHTTP2])
	if err != nil {
		return nil, usage(err, "")
	}
	p := &probe{target: t, base: base, auth: auth, http: rt, poll: 30 * time.Second}
	p.sockets = sync.OnceValues(func() (*http.Transport, error) { return newTransport(t.TLS, "off") })
	if t.Options[optBalance] != "" {
		p.pool = newPool(hosts, rt)
	}
	p.life, p.end = context.WithCancel(context.Background())
	p.docs = newLibrary(p.life, p.loadDocument)
	return p, nil
}

func checkOptions(opts map[string]string) error {
	known := []string{optOpenAPI, optHTTP2, optBalance}
	for name := range opts {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown option %q; %s", name, probes.NearestHint(name, known))
		}
	}
	if v := opts[optBalance]; v != "" && v != roundRobin {
		return fmt.Errorf("option balance is %q; use %s, or leave it out for one connection", v, roundRobin)
	}
	switch v := opts[optHTTP2]; v {
	case "", "auto", "h2c", "off":
		return nil
	default:
		return fmt.Errorf("option http2 is %q; use auto, h2c or off", v)
	}
}

// Check asks for the headers of the document, if its place is known, or of the
// base path. Any answer proves that an HTTP server is there; only where
// credentials are configured does it matter that they are accepted.
func (p *probe) Check(ctx context.Context) error {
	limited := p.bound(ctx, p.target.RequestTimeout())
	defer limited.release()
	ctx = limited
	u := p.resolve("/")
	if place := p.target.Options[optOpenAPI]; strings.HasPrefix(place, "/") {
		u = &url.URL{Scheme: p.base.Scheme, Host: p.base.Host, Path: place}
	}
	op := "checking " + u.Path
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return p.fail(op, probes.ErrUsage, err, "")
	}
	p.dress(req, p.auth)
	watch := newStopwatch()
	resp, err := p.RoundTrip(watch.attach(req))
	if err != nil {
		return p.explain(ctx, op, watch, err)
	}
	defer resp.Body.Close()
	switch {
	case isTLSMixUp(resp, nil) && p.base.Scheme == "http" && p.speaksTLS(ctx):
		return p.fail(op, probes.ErrTLS, errSpeaksTLS, hintUseHTTPS)
	case p.auth == nil:
		return nil
	case resp.StatusCode == http.StatusUnauthorized:
		return p.fail(op, probes.ErrAuth, fmt.Errorf("the server answered %s", statusText(resp.StatusCode)), "check the target's auth")
	case resp.StatusCode == http.StatusForbidden:
		return p.fail(op, probes.ErrDenied, fmt.Errorf("the server answered %s", statusText(resp.StatusCode)), "")
	}
	return nil
}

// Close cuts off calls, waits for a document being loaded and drops idle
// connections.
func (p *probe) Close() error {
	p.end()
	p.docs.wait()
	p.http.CloseIdleConnections()
	if p.pool != nil {
		p.pool.close()
	}
	return nil
}

// timeLimit is the cause of a context that bound ended.
type timeLimit struct{ after time.Duration }

func (t *timeLimit) Error() string { return fmt.Sprintf("timed out after %v", t.after) }

// Is makes it a context.DeadlineExceeded.
func (t *timeLimit) Is(target error) bool { return target == context.DeadlineExceeded }

// bounded is a context that ends with the probe and after a time limit, which
// can be lifted once it is known that an answer has no end.
type bounded struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stop   func() bool
}

func (p *probe) bound(ctx context.Context, d time.Duration) *bounded {
	b := &bounded{}
	b.Context, b.cancel = context.WithCancelCause(ctx)
	b.timer = time.AfterFunc(d, func() { b.cancel(&timeLimit{d}) })
	b.stop = context.AfterFunc(p.life, func() { b.cancel(context.Canceled) })
	return b
}

// lift removes the time limit.
func (b *bounded) lift() { b.timer.Stop() }

func (b *bounded) release() {
	b.stop()
	b.timer.Stop()
	b.cancel(context.Canceled)
}

// dress adds what every request of ours carries.
func (p *probe) dress(req *http.Request, with ...*credential) {
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "iscope")
	}
	for _, c := range with {
		if c != nil {
			c.apply(req)
		}
	}
}

// RoundTrip makes one request to the target, to the instance whose turn it is.
func (p *probe) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.pool == nil {
		return p.http.RoundTrip(req)
	}
	rt, err := p.pool.pick(req.Context())
	if err != nil {
		return nil, err
	}
	return rt.RoundTrip(req)
}

// resolve puts an escaped path, which starts with a slash, below the base.
func (p *probe) resolve(escaped string) *url.URL {
	u := *p.base
	joined := p.base.EscapedPath() + escaped
	u.Path, u.RawPath = joined, ""
	if plain, err := url.PathUnescape(joined); err == nil {
		u.Path, u.RawPath = plain, joined
	}
	return &u
}

func (p *probe) fail(op string, kind, err error, hint string) error {
	return &probes.Error{Target: p.target.Name, Op: op, Kind: kind, Err: err, Hint: hint}
}

func statusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}
