package httpapi

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"iscope/probes"
)

// draft is a request being put together from an Invocation.
type draft struct {
	call   call
	op     *operation // nil if the document has none for it
	query  []string   // "name=value", escaped
	header http.Header
	host   string
	cookie []string
	body   []byte // nil without one
}

// usage is a mistake of the caller, with a hint.
type usage struct{ text, hint string }

func (u *usage) Error() string { return u.text }

func usagef(hint, format string, args ...any) error {
	return &usage{text: fmt.Sprintf(format, args...), hint: hint}
}

// perConnection are the headers that the transport writes itself; a captured
// request has them, and its values belong to the connection it was captured on.
var perConnection = map[string]bool{
	"Connection": true, "Content-Length": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true,
	"Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// setHeaders takes over the caller's headers.
func (d *draft) setHeaders(fields []probes.Field) error {
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		switch {
		case !validHeaderName(f.Name):
			return usagef("header names have no spaces or colons", "%q is no header name", f.Name)
		case !validHeaderValue(f.Value):
			return usagef("header values have no line breaks or control characters", "the value of header %s cannot be sent", name)
		case name == "Host":
			d.host = string(f.Value)
		case perConnection[name]:
		default:
			d.header.Add(name, string(f.Value))
		}
	}
	return nil
}

// setParams puts parameters where the operation, or the path, wants them.
func (d *draft) setParams(params []probes.Attr) error {
	if d.op == nil {
		return d.setLooseParams(params)
	}
	given := map[string][]string{} // by in + name
	var order []string
	for _, a := range params {
		p := d.op.findParam(a.Name, d.call.template)
		switch {
		case p == nil && d.op.findParam(a.Name, true) != nil:
			return usagef("use "+d.op.name()+" to give it", "parameter %q is part of the path already", a.Name)
		case p == nil:
			return usagef(probes.NearestHint(a.Name, d.op.paramNames()), "%s has no parameter %q", d.op.name(), a.Name)
		}
		key := p.In + ":" + p.Name
		if given[key] == nil {
			order = append(order, a.Name)
		}
		given[key] = append(given[key], a.Value)
	}
	for _, name := range order {
		p := d.op.findParam(name, d.call.template)
		values := given[p.In+":"+p.Name]
		if sep := separator(p); sep != "" {
			values = []string{strings.Join(values, sep)}
		}
		if err := d.place(p.In, p.Name, values); err != nil {
			return err
		}
	}
	return d.fillPath(func(name string) string { return strings.Join(given["path:"+name], ",") })
}

// setLooseParams is for calls that no document describes: what the path does
// not name goes into the query.
func (d *draft) setLooseParams(params []probes.Attr) error {
	inPath := parseRoute(d.call.path).names()
	given := map[string]string{}
	for _, a := range params {
		if slices.Contains(inPath, a.Name) {
			given[a.Name] = a.Value
		} else if err := d.place("query", a.Name, []string{a.Value}); err != nil {
			return err
		}
	}
	return d.fillPath(func(name string) string { return given[name] })
}

func (d *draft) place(in, name string, values []string) error {
	for _, v := range values {
		switch in {
		case "query":
			d.query = append(d.query, url.QueryEscape(name)+"="+url.QueryEscape(v))
		case "header":
			if err := d.setHeaders([]probes.Field{{Name: name, Value: []byte(v)}}); err != nil {
				return err
			}
		case "cookie":
			c := http.Cookie{Name: name, Value: v}
			if err := c.Valid(); err != nil {
				return usagef("", "cookie parameter %q: %v", name, err)
			}
			d.cookie = append(d.cookie, c.String())
		}
	}
	return nil
}

// fillPath replaces the parameters of a template. An empty value would make
// another path of it.
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

// line is the request line relative to the base: what a record's subject is.
func (d *draft) line() string {
	return withQuery(d.call.name(), d.fullQuery())
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
	c, err := parseCall(in.Method)
	if err != nil {
		return nil, usagef("write it as METHOD /path, for example GET /orders/5", "%v", err)
	}
	d := &draft{call: c, op: doc.find(c), header: http.Header{}}
	if d.op == nil && c.template && doc != nil {
		return nil, p.fail("calling "+in.Method, probes.ErrNotFound, fmt.Errorf("the document has no operation %q", c.name()), doc.nearest(c.name()))
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
	if err := d.setBody(ctx, in.Next); err != nil {
		return nil, err
	}
	d.setDefaults()
	return d, nil
}

// setDefaults asks for what the document says the operation answers with.
func (d *draft) setDefaults() {
	if d.header.Get("Accept") == "" {
		d.header.Set("Accept", d.accept())
	}
	if d.header.Get("Accept-Encoding") == "" {
		d.header.Set("Accept-Encoding", "gzip")
	}
}

func (d *draft) accept() string {
	if d.op == nil {
		return "*/*"
	}
	var types []string
	codes := d.op.spec.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		if !strings.HasPrefix(code, "2") || codes[code] == nil || codes[code].Value == nil {
			continue
		}
		for _, t := range slices.Sorted(maps.Keys(codes[code].Value.Content)) {
			if !slices.Contains(types, t) && validHeaderValue([]byte(t)) {
				types = append(types, t)
			}
		}
	}
	return strings.Join(append(types, "*/*;q=0.1"), ", ")
}

// request makes the HTTP request. Credentials are added last, by dress.
func (p *probe) request(ctx context.Context, d *draft) (*http.Request, error) {
	u := p.resolve(d.call.path)
	u.RawQuery = d.fullQuery()
	req, err := http.NewRequestWithContext(ctx, d.call.method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.URL = u
	req.Header = d.header
	req.Host = d.host
	if d.body != nil {
		setBody(req, d.body)
	}
	p.dress(req)
	return req, nil
}

// recordedHeader lists a request's headers as the transport writes them, names
// sorted. The value of the target's own credential is left out and counted as
// redacted.
func (p *probe) recordedHeader(req *http.Request, given http.Header) (fields []probes.Field, masked string) {
	if req.Host != "" && req.Host != req.URL.Host {
		fields = append(fields, probes.Field{Name: "Host", Value: []byte(req.Host)})
	}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, v := range req.Header[name] {
			if p.auth != nil && strings.EqualFold(name, p.auth.name) && given.Get(name) == "" {
				masked, v = strings.ToLower(name), p.auth.value.String()
			}
			fields = append(fields, probes.Field{Name: name, Value: []byte(v)})
		}
	}
	return fields, masked
}
