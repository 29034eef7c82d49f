package httpapi

import (
	"context"
	"net/url"
	"path"
	"strings"

	"iscope/probes"
)

// Names of options.
const (
	optOpenAPI = "openapi"
	optHTTP2   = "http2"
	optBalance = "balance"
)

// Driver describes the driver for HTTP APIs.
func Driver() probes.Driver {
	return probes.Driver{
		Name: "http",
		Doc: "HTTP APIs described by OpenAPI 3.0, 3.1 or Swagger 2.0: operations with their parameters and body " +
			"templates, calls with DNS, connect, TLS and first-byte timing, server-sent events as they arrive. " +
			"A call is held against the document before it is sent, its answer when it came. WebSockets are methods " +
			"WS /path. " +
			"Auth: basic (username, password), bearer (token) or a header of your choice (token, header); an API key " +
			"(token) goes where the document says. " +
			"A path in the target's URL is the base of all its operations.",
		Impact:  "Reads the OpenAPI document, trying a dozen well-known paths where none is configured; calls only what you ask for.",
		Schemes: []probes.Scheme{{Name: "http"}, {Name: "https", TLS: true}, {Name: "ws"}, {Name: "wss", TLS: true}},
		Columns: []probes.Column{
			{Title: "STATUS", Attr: probes.AttrStatus, Width: 14},
			{Title: "METHOD", Attr: probes.AttrHTTPMethod, Width: 7},
			{Title: "ROUTE", Attr: probes.AttrHTTPRoute, Width: 28},
			{Title: "MS", Attr: probes.TimingTotal, Width: 9, Right: true},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 40},
		},
		Options: []probes.Option{
			{Name: optOpenAPI, Type: "string", Doc: "where the OpenAPI document is: a path on the target (/openapi.json), a URL, " +
				"or a local file (./orders.yaml, file:/etc/orders.yaml); looked for at well-known paths if not given"},
			{Name: optHTTP2, Type: "string", Default: "auto", Doc: "auto: HTTP/2 where TLS negotiates it; h2c: HTTP/2 without TLS, " +
				"with prior knowledge; off: HTTP/1.1 only"},
			{Name: optBalance, Type: "string", Doc: "round_robin: one request after the other to all addresses that the host's name " +
				"has; the target may name several hosts, with commas between"},
		},
		Open:       open,
		URLSubject: urlSubject,
	}
}

func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	p, err := newProbe(t)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// urlSubject turns the path of a URL given on the spot into the request line it
// stands for. "" and "/" are the target itself.
func urlSubject(t *probes.Target, u *url.URL) string {
	if looksLikeDocument(u.Path) && t.Options[optOpenAPI] == "" {
		t.Options[optOpenAPI] = u.EscapedPath()
	}
	socket := u.Scheme == "ws" || u.Scheme == "wss"
	if !socket && u.RawQuery == "" && (u.Path == "" || u.Path == "/") {
		return ""
	}
	// Escaped, except that a template keeps its braces and a method its space.
	p := u.EscapedPath()
	if strings.ContainsAny(u.Path, "{ ") {
		p = u.Path
	}
	if socket {
		return withQuery(socketWord+" /"+strings.TrimPrefix(p, "/"), u.RawQuery)
	}
	if m, rest, ok := strings.Cut(strings.TrimPrefix(p, "/"), " "); ok && (isMethod(m) || m == socketWord) {
		p, m = rest, strings.ToUpper(m)
		return withQuery(m+" "+p, u.RawQuery)
	}
	if p == "" {
		p = "/"
	}
	return withQuery("GET "+p, u.RawQuery)
}

func withQuery(s, query string) string {
	if query == "" {
		return s
	}
	return s + "?" + query
}

// looksLikeDocument recognises the usual names of OpenAPI documents.
func looksLikeDocument(p string) bool {
	base := strings.ToLower(path.Base(p))
	switch path.Ext(base) {
	case ".json", ".yaml", ".yml":
		return strings.Contains(base, "openapi") || strings.Contains(base, "swagger")
	}
	return base == "api-docs"
}

// isMethod recognises the standard methods, in any case.
func isMethod(s string) bool {
	switch strings.ToUpper(s) {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY":
		return true
	}
	return false
}

// effectOf says what a method may do, by the definition of safe methods in
// RFC 9110 §9.2.1.
func effectOf(method string) probes.Effect {
	switch method {
	case "GET", "HEAD", "OPTIONS":
		return probes.EffectRead
	}
	return probes.EffectWrite
}
