package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// draft is a request being put together from an Invocation.
type draft struct {
	call   call
	op     *operation // nil if the document has none for it
	params map[*parameter]any
	query  []string // "name=value", escaped
	header http.Header
	host   string
	cookie []string

	body     []byte // nil without one; as it is sent but for its compression
	wire     []byte // body, compressed
	coded    bool   // body came compressed already
	declared *body  // what the document says of it, nil if nothing
	value    any    // body decoded, nil where it is no JSON
	files    int64  // bytes read from local files

	secured    secured
	violations []string
	unchecked  string // why the body was not held against the document
}

// usage is a mistake of the caller, with a hint.
type usage struct{ text, hint string }

func (u *usage) Error() string { return u.text }

func usagef(hint, format string, args ...any) error {
	return &usage{text: fmt.Sprintf(format, args...), hint: hint}
}

// setHeaders takes over the caller's headers.
func (d *draft) setHeaders(fields []probes.Field) error {
	h, host, err := httplink.HeaderOf(fields)
	if err != nil {
		return usagef("", "%v", err)
	}
	if host != "" {
		d.host = host
	}
	for name, values := range h {
		d.header[name] = append(d.header[name], values...)
	}
	return nil
}

// setParams puts parameters where the operation, or the path, wants them.
func (d *draft) setParams(params []probes.Attr) error {
	if d.op == nil {
		return d.setLooseParams(params)
	}
	given := map[*parameter][]string{}
	for _, a := range params {
		p, piece := d.op.findParam(a.Name, d.call.template)
		if p == nil {
			if p, _ := d.op.findParam(a.Name, true); p != nil {
				return usagef("use "+d.op.name()+" to give it", "parameter %q is part of the path already", a.Name)
			}
			return usagef(probes.NearestHint(a.Name, d.op.paramNames()), "%s has no parameter %q", d.op.name(), a.Name)
		}
		if !piece {
			given[p] = append(given[p], a.Value)
		}
	}
	for _, a := range params {
		p, piece := d.op.findParam(a.Name, d.call.template)
		if piece { // of an object, of which there may be more
			d.params[p] = nil
			d.query = append(d.query, url.QueryEscape(a.Name)+"="+url.QueryEscape(a.Value))
			continue
		}
		if _, done := d.params[p]; done {
			continue
		}
		v := d.op.doc.value(p, given[p])
		d.params[p] = v
		if err := d.place(p, v); err != nil {
			return err
		}
	}
	return d.fillPath(func(name string) string {
		p, _ := d.op.findParam("path:"+name, true)
		if p == nil || len(given[p]) == 0 || given[p][0] == "" && len(given[p]) == 1 {
			return ""
		}
		return p.segment(d.params[p], p.pathEscaper())
	})
}

// setLooseParams is for calls that no document describes: what the path does
// not name goes into the query.
func (d *draft) setLooseParams(params []probes.Attr) error {
	inPath := parseRoute(d.call.path).names()
	given := map[string]string{}
	for _, a := range params {
		if slices.Contains(inPath, a.Name) {
			given[a.Name] = url.PathEscape(a.Value)
			continue
		}
		d.query = append(d.query, url.QueryEscape(a.Name)+"="+url.QueryEscape(a.Value))
	}
	return d.fillPath(func(name string) string { return given[name] })
}

// place puts the value of a parameter that is not in the path.
func (d *draft) place(p *parameter, v any) error {
	switch p.in {
	case "query":
		for _, kv := range p.pairs(v, p.queryEscaper()) {
			d.query = append(d.query, kv.name+"="+kv.value)
		}
	case "querystring": // OpenAPI 3.2: the whole of it
		d.query = append(d.query, escapeQuery(plain(v)))
	case "header":
		return d.setHeaders([]probes.Field{{Name: p.name, Value: []byte(p.segment(v, asIs))}})
	case "cookie":
		for _, kv := range p.pairs(v, asIs) {
			c := http.Cookie{Name: kv.name, Value: kv.value}
			if err := c.Valid(); err != nil {
				return usagef("", "cookie parameter %q: %v", p.name, err)
			}
			d.cookie = append(d.cookie, kv.name+"="+kv.value)
		}
	}
	return nil
}

// fillPath replaces the parameters of a template by escaped values. An empty
// value would make another path of it.
func (d *draft) fillPath(value func(string) string) error {
	if !d.call.template {
		return nil
	}
	for _, name := range parseRoute(d.call.path).names() {
		if value(name) == "" {
			return usagef("give it as a parameter, or write the path out", "path parameter %q of %s is missing", name, d.call.name())
		}
	}
	d.call.path = expand(d.call.path, value)
	u, err := url.ParseRequestURI(d.call.path)
	if err != nil {
		return usagef("", "%s is no path", d.call.path)
	}
	d.call.path = u.EscapedPath()
	return nil
}

// line is the request line relative to the base, without keys: what a record's
// subject is.
func (d *draft) line() string {
	query, _ := hideQuery(d.fullQuery(), d.secured.keys, true)
	return withQuery(d.call.name(), query)
}

func (d *draft) fullQuery() string {
	all := d.query
	if d.call.query != "" {
		all = append([]string{d.call.query}, d.query...)
	}
	return strings.Join(all, "&")
}

// draft puts a request together, reading the document to send.
func (p *probe) draft(ctx context.Context, doc *document, in probes.Invocation) (*draft, error) {
	c, err := p.parseCall(in.Method)
	if err != nil {
		return nil, usagef("write it as METHOD /path, for example GET /orders/5", "%v", err)
	}
	d := &draft{call: c, op: doc.find(c), header: http.Header{}, params: map[*parameter]any{}}
	if d.op == nil && c.template && doc != nil {
		return nil, p.Fail("calling "+in.Method, probes.ErrNotFound, fmt.Errorf("the document has no operation %q", c.name()), doc.nearest(c.name()))
	}
	if d.op != nil && d.op.isWebSocket() {
		d.call.socket = true
	}
	if err := d.setHeaders(in.Header); err != nil {
		return nil, err
	}
	if err := d.setParams(in.Params); err != nil {
		return nil, err
	}
	if len(d.cookie) > 0 {
		d.header.Add("Cookie", strings.Join(d.cookie, "; "))
	}
	if !d.call.socket {
		if err := d.setBody(ctx, in.Next); err != nil {
			return nil, err
		}
		if err := d.compress(in.Compression); err != nil {
			return nil, err
		}
		d.setDefaults()
	}
	d.secured = p.credentialFor(d)
	return d, d.judge(in.Force)
}

// setDefaults asks for what the document says the operation answers with.
func (d *draft) setDefaults() {
	if d.header.Get("Accept") == "" {
		d.header.Set("Accept", d.accept())
	}
	if d.header.Get("Accept-Encoding") == "" {
		d.header.Set("Accept-Encoding", httplink.Codings)
	}
}

func (d *draft) accept() string {
	if d.op == nil {
		return "*/*"
	}
	var types []string
	responses := objectIn(d.op.spec, "responses")
	for _, code := range sortedKeys(responses) {
		if !strings.HasPrefix(code, "2") {
			continue
		}
		for _, t := range sortedKeys(objectIn(d.op.doc.deref(responses[code]), "content")) {
			if !slices.Contains(types, t) && httplink.ValidHeaderValue([]byte(t)) {
				types = append(types, t)
			}
		}
	}
	return strings.Join(append(types, "*/*;q=0.1"), ", ")
}

// request makes the HTTP request. Credentials are added last, by Dress.
func (p *probe) request(ctx context.Context, d *draft) (*http.Request, error) {
	u := p.resolve(d.call.path)
	u.RawQuery = d.fullQuery()
	req, err := http.NewRequestWithContext(ctx, d.call.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.URL = u
	req.Header = d.header.Clone()
	req.Host = d.host
	if d.wire != nil {
		setBody(req, d.wire)
	}
	p.Dress(req, d.secured.credentials...)
	return req, nil
}
