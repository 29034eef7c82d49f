package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// operation is one operation of a document. What a list does not show is made
// when it is asked for: documents have thousands of them.
type operation struct {
	doc    *parsed
	method string
	path   string // template, relative to the target's base
	spec   part
	item   part // the path item it stands in
	// pointer is where the operation is in the document: "/paths/~1orders/get".
	pointer string
	route   route

	once sync.Once
	par  []*parameter
	desc probes.Method
}

func (o *operation) name() string { return o.method + " " + o.path }

// id is the operationId, "" if it has none.
func (o *operation) id() string { return textOf(o.spec, "operationId") }

// operationsOf lists a document's operations by name. base is the target's base
// path.
func operationsOf(d *parsed, base string) []*operation {
	var out []*operation
	seen := map[string]bool{}
	paths := objectIn(d.tree, "paths")
	for _, p := range sortedKeys(paths) {
		item := d.deref(paths[p])
		if !strings.HasPrefix(p, "/") || item == nil {
			continue
		}
		for _, found := range methodsIn(item) {
			o := &operation{doc: d, method: found.method, spec: found.spec, item: item,
				pointer: "/paths/" + escapePointer(p) + "/" + found.key}
			o.path = relativePath(serverPath(d.tree, item, o.spec), base, p)
			if seen[o.name()] {
				continue // two server entries can make two paths one
			}
			seen[o.name()] = true
			o.route = parseRoute(o.path)
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *operation) int { return strings.Compare(a.name(), b.name()) })
	return out
}

// found is an operation in its path item.
type found struct {
	method, key string
	spec        part
}

func methodsIn(item part) []found {
	var out []found
	for _, key := range sortedKeys(item) {
		if op, ok := item[key].(part); ok && isMethod(key) && key == strings.ToLower(key) {
			out = append(out, found{strings.ToUpper(key), key, op})
		}
	}
	more := objectIn(item, "additionalOperations") // OpenAPI 3.2
	for _, method := range sortedKeys(more) {
		if op, ok := more[method].(part); ok && httplink.ValidHeaderName(method) {
			out = append(out, found{method, "additionalOperations/" + escapePointer(method), op})
		}
	}
	return out
}

// serverPath is the path of the server entry that applies. Its host does not
// matter: the target is where requests go. An entry of this very server would
// be better than the first, but documents behind gateways name neither.
func serverPath(tree, item, op part) string {
	u, err := url.Parse(serverURL(tree, item, op))
	if err != nil {
		return ""
	}
	return strings.TrimRight("/"+strings.TrimLeft(u.Path, "/"), "/")
}

// serverURL is the first server entry with its variables filled in.
func serverURL(from ...part) string {
	var first part
	for _, p := range from {
		if list := listOf(p, "servers"); len(list) > 0 {
			first, _ = list[0].(part)
		}
	}
	raw := textOf(first, "url")
	for name, v := range objectIn(first, "variables") {
		if v, ok := v.(part); ok {
			raw = strings.ReplaceAll(raw, "{"+name+"}", plain(v["default"]))
		}
	}
	return raw
}

// relativePath puts a document's path below the server entry's, and takes the
// base off again where both say it. A base that the entry does not say replaces
// it: whoever configured it knows better.
func relativePath(server, base, p string) string {
	if base == "" {
		return server + p
	}
	if rest, ok := strings.CutPrefix(server, base); ok && (rest == "" || rest[0] == '/') {
		return rest + p
	}
	return p
}

// params are the path's parameters and the operation's own.
func (o *operation) params() []*parameter {
	o.once.Do(o.fill)
	return o.par
}

// listed is the operation as people see it.
func (o *operation) listed() probes.Method {
	o.once.Do(o.fill)
	return o.desc
}

func (o *operation) fill() {
	for _, p := range parametersIn(o.doc, listOf(o.spec, "parameters"), listOf(o.item, "parameters")) {
		if n := newParameter(o.doc, p); n != nil {
			o.par = append(o.par, n)
		}
	}
	order := []string{"path", "query", "querystring", "header", "cookie"}
	slices.SortStableFunc(o.par, func(a, b *parameter) int { return slices.Index(order, a.in) - slices.Index(order, b.in) })
	o.addMissingPathParams()
	o.desc = o.describe()
}

// parametersIn merges the operation's parameters with the path's, which lose.
func parametersIn(d *parsed, own, shared []any) []part {
	var out []part
	for _, list := range [][]any{own, shared} {
		for _, v := range list {
			p := d.deref(v)
			name, in := textOf(p, "name"), textOf(p, "in")
			if name == "" {
				continue
			}
			same := func(q part) bool { return textOf(q, "name") == name && textOf(q, "in") == in }
			if !slices.ContainsFunc(out, same) {
				out = append(out, p)
			}
		}
	}
	return out
}

// addMissingPathParams declares what the path has in braces and the document
// forgot.
func (o *operation) addMissingPathParams() {
	for _, name := range o.route.names() {
		if !slices.ContainsFunc(o.par, func(p *parameter) bool { return p.in == "path" && p.name == name }) {
			o.par = append(o.par, &parameter{name: name, in: "path", required: true, style: "simple", schema: part{"type": "string"}})
		}
	}
}

// describe makes the listed form.
func (o *operation) describe() probes.Method {
	m := probes.Method{
		Name: o.name(), Doc: firstLine(textOf(o.spec, "summary"), textOf(o.spec, "description")), Effect: effectOf(o.method),
		Deprecated: flagOf(o.spec, "deprecated"), Params: o.listParams(), Output: o.outputRef(),
	}
	if tags := textsOf(o.spec, "tags"); len(tags) > 0 {
		m.Group = tags[0]
	}
	if b := o.requestBody(""); b != nil {
		m.Input = b.ref
		m.Template = b.template()
	}
	m.ServerStream = o.streams()
	if o.isWebSocket() {
		// What its messages do, the document does not say.
		m.Effect, m.ClientStream, m.ServerStream = probes.EffectUnknown, true, true
	}
	return m
}

// streams tells whether the operation answers with server-sent events.
func (o *operation) streams() bool {
	for code, v := range objectIn(o.spec, "responses") {
		if strings.HasPrefix(code, "2") && objectIn(o.doc.deref(v), "content")["text/event-stream"] != nil {
			return true
		}
	}
	return false
}

// isWebSocket recognises what documents write for want of a word of OpenAPI's
// own: an answer 101 (Switching Protocols), or a server entry of scheme ws.
func (o *operation) isWebSocket() bool {
	if o.method != "GET" {
		return false
	}
	if _, ok := objectIn(o.spec, "responses")[strconv.Itoa(switchingProtocols)]; ok {
		return true
	}
	u := serverURL(o.doc.tree, o.item, o.spec)
	return strings.HasPrefix(u, "ws://") || strings.HasPrefix(u, "wss://")
}

// firstLine is the first line of the first text that has one.
func firstLine(texts ...string) string {
	for _, t := range texts {
		line, _, _ := strings.Cut(strings.TrimSpace(t), "\n")
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
