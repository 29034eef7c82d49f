package httpapi

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"iscope/probes"
)

// operation is one operation of a document, ready to be listed and called.
type operation struct {
	method string
	path   string // template, relative to the target's base
	spec   *openapi3.Operation
	params []*openapi3.Parameter // the path's and its own
	// pointer is where the operation is in the document: "/paths/~1orders/get".
	pointer string
	route   route
	listed  probes.Method
}

func (o *operation) name() string { return o.method + " " + o.path }

// operationsOf lists a document's operations by name. base is the target's base
// path.
func operationsOf(d parsed, base string) []*operation {
	var out []*operation
	seen := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(d.spec.Paths.Map())) {
		item := d.spec.Paths.Value(p)
		if item == nil {
			continue
		}
		ops := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(ops)) {
			op := ops[method]
			o := &operation{method: method, spec: op, params: parametersOf(item, op)}
			key := strings.ToLower(method)
			if !isMethod(method) {
				key = "additionalOperations/" + escapePointer(method) // OpenAPI 3.2
			}
			o.pointer = "/paths/" + escapePointer(p) + "/" + key
			o.path = relativePath(serverPath(d.spec, item, op), base, p)
			if seen[o.name()] {
				continue // two server entries can make two paths one
			}
			seen[o.name()] = true
			o.route = parseRoute(o.path)
			o.addMissingPathParams()
			o.listed = o.describe()
			out = append(out, o)
		}
	}
	slices.SortFunc(out, func(a, b *operation) int { return strings.Compare(a.name(), b.name()) })
	return out
}

// parametersOf merges the path's parameters with the operation's, which win.
func parametersOf(item *openapi3.PathItem, op *openapi3.Operation) []*openapi3.Parameter {
	var out []*openapi3.Parameter
	for _, list := range []openapi3.Parameters{op.Parameters, item.Parameters} {
		for _, ref := range list {
			if ref == nil || ref.Value == nil || ref.Value.Name == "" {
				continue
			}
			p := ref.Value
			same := func(q *openapi3.Parameter) bool { return q.Name == p.Name && q.In == p.In }
			if !slices.ContainsFunc(out, same) && !ignoredHeader(p) {
				out = append(out, p)
			}
		}
	}
	order := []string{"path", "query", "header", "cookie"}
	slices.SortStableFunc(out, func(a, b *openapi3.Parameter) int {
		return slices.Index(order, a.In) - slices.Index(order, b.In)
	})
	return out
}

// ignoredHeader recognises the header parameters that OpenAPI (3.1 §4.8.12.2)
// says shall be ignored, since other parts of the document define them.
func ignoredHeader(p *openapi3.Parameter) bool {
	return p.In == "header" && slices.ContainsFunc([]string{"Accept", "Content-Type", "Authorization"},
		func(h string) bool { return strings.EqualFold(h, p.Name) })
}

// addMissingPathParams declares what the path has in braces and the document
// forgot.
func (o *operation) addMissingPathParams() {
	for _, name := range o.route.names() {
		if !slices.ContainsFunc(o.params, func(p *openapi3.Parameter) bool { return p.In == "path" && p.Name == name }) {
			o.params = append(o.params, openapi3.NewPathParameter(name).WithSchema(openapi3.NewStringSchema()))
		}
	}
}

// serverPath is the path of the server entry that applies. Its host does not
// matter: the target is where requests go. An entry of this very server would
// be better than the first, but documents behind gateways name neither.
func serverPath(doc *openapi3.T, item *openapi3.PathItem, op *openapi3.Operation) string {
	servers := doc.Servers
	if len(item.Servers) > 0 {
		servers = item.Servers
	}
	if op.Servers != nil && len(*op.Servers) > 0 {
		servers = *op.Servers
	}
	if len(servers) == 0 || servers[0] == nil {
		return ""
	}
	raw := servers[0].URL
	for name, v := range servers[0].Variables {
		if v != nil {
			raw = strings.ReplaceAll(raw, "{"+name+"}", v.Default)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.TrimRight("/"+strings.TrimLeft(u.Path, "/"), "/")
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

// describe makes the listed form.
func (o *operation) describe() probes.Method {
	m := probes.Method{
		Name: o.name(), Doc: firstLine(o.spec.Summary, o.spec.Description), Effect: effectOf(o.method),
		Deprecated: o.spec.Deprecated, Params: o.listParams(), Output: o.outputRef(),
	}
	if len(o.spec.Tags) > 0 {
		m.Group = o.spec.Tags[0]
	}
	if b := o.requestBody(); b != nil {
		m.Input = b.ref
		m.Template = b.template()
	}
	return m
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
