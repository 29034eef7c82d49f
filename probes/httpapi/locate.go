package httpapi

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// Bounds of looking for a document.
const (
	maxDocument   = 64 << 20 // bytes
	oneTry        = 3 * time.Second
	wholeSearch   = 10 * time.Second
	wholeDownload = 30 * time.Second
)

// wellKnown are the paths that frameworks serve documents at, in the order
// tried: the plain names, then springdoc, ASP.NET, the older Swagger tools,
// FastAPI and others below /api, Quarkus, Kubernetes-style servers.
var wellKnown = []string{
	"/openapi.json", "/openapi.yaml", "/v3/api-docs", "/swagger.json", "/swagger/v1/swagger.json", "/api/openapi.json",
	"/api/v1/openapi.json", "/api/v3/openapi.json", "/openapi", "/q/openapi", "/api-docs", "/openapi/v2",
}

// document is the target's contract.
type document struct {
	*parsed
	text  []byte // as it came
	place string // "http://127.0.0.1:8080/openapi.json", "file ./orders.yaml"
	call  string // how we know: "GET /openapi.json"
	etag  string
	url   *url.URL // nil for a file
	sum   [sha256.Size]byte
	ops   []*operation
}

// noDocument is the error of a target without a usable document.
type noDocument struct{ tried []string }

func (e *noDocument) Error() string { return "no OpenAPI document: " + strings.Join(e.tried, "; ") }

// Unwrap makes it an ErrNotFound.
func (e *noDocument) Unwrap() error { return probes.ErrNotFound }

// loadDocument finds and reads the document. last is the one known so far: its
// place is tried first, and it is kept if it has not changed.
func (p *probe) loadDocument(ctx context.Context, last *document) (*document, error) {
	if place := p.Target.Options[optOpenAPI]; place != "" {
		return p.loadConfigured(ctx, place, last)
	}
	var places []*url.URL
	if last != nil {
		places = append(places, last.url)
	}
	for _, prefix := range []string{p.Base.Path, ""} {
		for _, path := range wellKnown {
			places = append(places, p.onHost(prefix+path))
		}
		if p.Base.Path == "" {
			break
		}
	}
	return p.search(ctx, places, oneTry, wholeSearch, last)
}

// loadConfigured reads the document from where the option says.
func (p *probe) loadConfigured(ctx context.Context, place string, last *document) (*document, error) {
	switch {
	case strings.HasPrefix(place, "http://"), strings.HasPrefix(place, "https://"):
		u, err := url.Parse(place)
		if err != nil || u.Host == "" {
			return nil, p.Fail("reading the OpenAPI document", probes.ErrUsage, fmt.Errorf("option openapi is no URL: %q", place), "")
		}
		return p.search(ctx, []*url.URL{u}, wholeDownload, wholeDownload, last)
	case strings.HasPrefix(place, "/"):
		places := []*url.URL{p.onHost(place)}
		if p.Base.Path != "" && !strings.HasPrefix(place, p.Base.Path+"/") {
			places = append(places, p.onHost(p.Base.Path+place))
		}
		return p.search(ctx, places, wholeDownload, wholeDownload, last)
	}
	return p.loadFile(strings.TrimPrefix(place, "file:"), last)
}

// onHost is a path on the target's host, outside its base.
func (p *probe) onHost(path string) *url.URL {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		u = &url.URL{Path: path}
	}
	return &url.URL{Scheme: p.Base.Scheme, Host: p.Base.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery}
}

func (p *probe) loadFile(name string, last *document) (*document, error) {
	op := "reading " + name
	info, err := os.Stat(name)
	if err != nil {
		return nil, p.Fail(op, probes.ErrUsage, err, "a path on the target starts with a slash, a local file with ./ or file:")
	}
	if !info.Mode().IsRegular() || info.Size() > maxDocument {
		return nil, p.Fail(op, probes.ErrUsage, fmt.Errorf("it is no regular file of at most %d MiB", maxDocument>>20), "")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, p.Fail(op, probes.ErrUsage, err, "")
	}
	doc, err := p.readDocument(text, name, last)
	if err != nil {
		return nil, p.Fail(op, probes.ErrUsage, err, "")
	}
	doc.place, doc.call = "file "+name, "read "+name
	return doc, nil
}

// search tries places one after the other until one holds a document. It stops
// at the first that does not answer at all: the others would not either.
func (p *probe) search(ctx context.Context, places []*url.URL, each, whole time.Duration, last *document) (*document, error) {
	ctx, cancel := context.WithTimeout(ctx, whole)
	defer cancel()
	none := &noDocument{}
	tried := map[string]bool{}
	for _, u := range places {
		if u == nil || tried[u.String()] {
			continue
		}
		tried[u.String()] = true
		doc, err := p.try(ctx, u, each, last)
		if err == nil {
			return doc, nil
		}
		var unusable *unusable
		if !errors.As(err, &unusable) {
			return nil, err
		}
		none.tried = append(none.tried, p.callText(u)+": "+unusable.Error())
	}
	return nil, p.Fail("looking for the OpenAPI document", probes.ErrNotFound, none, "set the option openapi to its path, URL or file")
}

// unusable is an answer that is no document.
type unusable struct{ why string }

func (e *unusable) Error() string { return e.why }

func (p *probe) try(ctx context.Context, u *url.URL, d time.Duration, last *document) (*document, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	text, etag, err := p.download(ctx, u, last)
	if errors.Is(err, errNotModified) {
		return last, nil
	}
	if err != nil {
		return nil, err
	}
	doc, err := p.newDocument(text, last)
	if err != nil {
		return nil, &unusable{err.Error()}
	}
	doc.place, doc.call, doc.url, doc.etag = u.Redacted(), p.callText(u), u, etag
	return doc, nil
}

// callText words a request for people: with its host only if that is another.
func (p *probe) callText(u *url.URL) string {
	if u.Host == p.Base.Host {
		return "GET " + u.RequestURI()
	}
	return "GET " + u.Redacted()
}

// newDocument reads a text that a server gave.
func (p *probe) newDocument(text []byte, last *document) (*document, error) {
	return p.readDocument(text, "", last)
}

// readDocument reads a text, unless it is the one already read. file is the
// local file it is from, "" for none.
func (p *probe) readDocument(text []byte, file string, last *document) (*document, error) {
	sum := sha256.Sum256(text)
	if last != nil && last.sum == sum && !last.split {
		same := *last
		return &same, nil
	}
	d, err := parseDocument(text, file)
	if err != nil {
		return nil, err
	}
	doc := &document{parsed: d, text: text, sum: sum}
	doc.ops = operationsOf(d, p.Base.Path)
	return doc, nil
}

var errNotModified = errors.New("not modified")

// download gets a text from the target or, where the option says so, from
// another host, which gets no credentials. Redirects are followed on the same
// host only.
func (p *probe) download(ctx context.Context, u *url.URL, last *document) (text []byte, etag string, err error) {
	rt, own := http.RoundTripper(p), u.Host == p.Base.Host && u.Scheme == p.Base.Scheme
	if !own {
		conf := probes.TLS{Enabled: true, CAFile: p.Target.TLS.CAFile}
		other, err := httplink.NewTransport(conf, "")
		if err != nil {
			return nil, "", p.Fail("reading "+u.Redacted(), probes.ErrUsage, err, "")
		}
		defer other.CloseIdleConnections()
		rt = other
	}
	for range 4 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return nil, "", p.Fail("reading "+u.Redacted(), probes.ErrUsage, err, "")
		}
		req.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.5")
		req.Header.Set("Accept-Encoding", "gzip")
		if last != nil && last.etag != "" && last.url != nil && last.url.String() == u.String() {
			req.Header.Set("If-None-Match", last.etag)
		}
		if own {
			p.Dress(req, p.Auth)
		}
		next, text, etag, err := p.fetch(rt, req)
		if next == nil {
			return text, etag, err
		}
		u = next
	}
	return nil, "", &unusable{"it redirects in a circle"}
}

// fetch makes one request and returns its text, or where to go instead.
func (p *probe) fetch(rt http.RoundTripper, req *http.Request) (next *url.URL, text []byte, etag string, err error) {
	watch := httplink.NewStopwatch()
	op := "reading " + req.URL.Redacted()
	resp, err := rt.RoundTrip(watch.Attach(req))
	if err != nil {
		return nil, nil, "", p.Explain(req.Context(), op, watch, err)
	}
	defer resp.Body.Close()
	if to, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		if to.Host == req.URL.Host && to.Scheme == req.URL.Scheme {
			return to, nil, "", nil
		}
		return nil, nil, "", &unusable{"it redirects to " + to.Redacted() + ", which is not followed"}
	}
	if resp.StatusCode == http.StatusNotModified {
		return nil, nil, "", errNotModified
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, "", &unusable{httplink.StatusText(resp.StatusCode)}
	}
	in := httplink.NewDecoder(resp)
	defer in.Close()
	text, err = io.ReadAll(io.LimitReader(in, maxDocument+1))
	var bad *httplink.DecodeError
	switch {
	case in.Opaque() != "":
		return nil, nil, "", &unusable{in.Opaque()}
	case errors.As(err, &bad):
		return nil, nil, "", &unusable{bad.Error()}
	case err != nil:
		return nil, nil, "", p.Explain(req.Context(), op, watch, err)
	case len(text) > maxDocument:
		return nil, nil, "", &unusable{fmt.Sprintf("it is larger than %d MiB", maxDocument>>20)}
	}
	return nil, text, resp.Header.Get("Etag"), nil
}
