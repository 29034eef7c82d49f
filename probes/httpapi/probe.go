package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// probe is one HTTP target. It connects lazily.
type probe struct {
	*httplink.Link
	pool *pool // nil unless requests are spread over several instances
	docs *httplink.Shelf[*document]
	// sockets makes the connections of WebSockets, which are HTTP/1.1 only.
	sockets func() (*http.Transport, error)

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
	link, err := httplink.New(t, base, t.Options[optHTTP2])
	if err != nil {
		return nil, usage(err, "")
	}
	link.HTTP2 = "set the option http2: h2c, or use grpc:// if it is a gRPC server"
	p := &probe{Link: link, poll: 30 * time.Second}
	p.sockets = sync.OnceValues(func() (*http.Transport, error) { return httplink.NewTransport(t.TLS, "off") })
	if t.Options[optBalance] != "" {
		p.pool, link.Spread = newPool(hosts, link.HTTP), true
	}
	p.docs = httplink.NewShelf(link.Life, p.loadDocument, func(err error) bool {
		var none *noDocument
		return errors.As(err, &none)
	})
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
	limited := p.Bound(ctx, p.Target.RequestTimeout())
	defer limited.Release()
	ctx = limited
	u := p.resolve("/")
	if place := p.Target.Options[optOpenAPI]; strings.HasPrefix(place, "/") {
		u = &url.URL{Scheme: p.Base.Scheme, Host: p.Base.Host, Path: place}
	}
	op := "checking " + u.Path
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return p.Fail(op, probes.ErrUsage, err, "")
	}
	p.Dress(req, p.Auth)
	watch := httplink.NewStopwatch()
	resp, err := p.RoundTrip(watch.Attach(req))
	if err != nil {
		return p.Explain(ctx, op, watch, err)
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusBadRequest && resp.TLS == nil && p.Base.Scheme == "http" && p.SeemsTLS(ctx):
		return p.SpeaksTLS(op)
	case p.Auth == nil:
		return nil
	case resp.StatusCode == http.StatusUnauthorized:
		return p.Fail(op, probes.ErrAuth, fmt.Errorf("the server answered %s", httplink.StatusText(resp.StatusCode)), "check the target's auth")
	case resp.StatusCode == http.StatusForbidden:
		return p.Fail(op, probes.ErrDenied, fmt.Errorf("the server answered %s", httplink.StatusText(resp.StatusCode)), "")
	}
	return nil
}

// Close cuts off calls, waits for a document being loaded and drops idle
// connections.
func (p *probe) Close() error {
	p.End()
	p.docs.Wait()
	p.Link.Close()
	if p.pool != nil {
		p.pool.close()
	}
	return nil
}

// RoundTrip makes one request to the target, to the instance whose turn it is.
func (p *probe) RoundTrip(req *http.Request) (*http.Response, error) {
	if p.pool == nil {
		return p.HTTP.RoundTrip(req)
	}
	rt, err := p.pool.pick(req.Context())
	if err != nil {
		return nil, err
	}
	return rt.RoundTrip(req)
}

// resolve puts an escaped path, which starts with a slash, below the base.
func (p *probe) resolve(escaped string) *url.URL {
	u := *p.Base
	joined := p.Base.EscapedPath() + escaped
	u.Path, u.RawPath = joined, ""
	if plain, err := url.PathUnescape(joined); err == nil {
		u.Path, u.RawPath = plain, joined
	}
	return &u
}

// Addresses are those of all instances.
func (p *probe) Addresses(context.Context) ([]string, error) {
	if p.pool != nil {
		return p.pool.hosts, nil
	}
	return []string{httplink.HostPort(p.Base)}, nil
}
