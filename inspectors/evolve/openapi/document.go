// Package openapi compares OpenAPI documents (2.0, 3.0, 3.1) by the rules of
// oasdiff and under their names.
//
// It works on plain trees, not on a typed model: a document with one broken
// operation has hundreds of sound ones, and differences know their line. A schema
// that many operations share is compared once for requests and once for
// responses; its changes are told once and name the operations they reach.
package openapi

import (
	"fmt"
	"slices"
	"strings"

	"iscope/inspectors/evolve/tree"
)

// document is one contract.
type document struct {
	root    *tree.Node
	swagger bool // 2.0
	notes   []string
	// unread are operations, as key and method, that are there but cannot be
	// read; a method "" stands for all of a path.
	unread map[[2]string]bool
}

func newDocument(root *tree.Node) *document {
	return &document{root: root, swagger: root.Get("swagger") != nil, unread: map[[2]string]bool{}}
}

const (
	maxNotes = 20
	maxHops  = 32
)

func (d *document) note(n *tree.Node, format string, args ...any) {
	text := fmt.Sprintf("line %d: ", n.At()) + fmt.Sprintf(format, args...)
	if len(d.notes) < maxNotes && !slices.Contains(d.notes, text) {
		d.notes = append(d.notes, text)
	}
}

// deref follows references within the document, and returns the last one that
// led to a result. What leads nowhere is nil.
func (d *document) deref(n *tree.Node) (to *tree.Node, ref string) {
	for range maxHops {
		next := n.Str("$ref")
		if !n.IsMap() || next == "" {
			return n, ref
		}
		pointer, ok := strings.CutPrefix(next, "#")
		target := d.root.Follow(pointer)
		if !ok || target == nil {
			d.note(n, "the reference %.80q leads nowhere in this document; what it stands for is not compared", next)
			return nil, next
		}
		n, ref = target, next
	}
	d.note(n, "references go in a circle: %.80q", ref)
	return nil, ref
}

// operation is one method of one path, in one form for all versions.
type operation struct {
	method, path string
	node         *tree.Node
	params       map[string]*param // by "in:name"; path parameters by position
	order        []string
	body         *body
	replies      *tree.Node
	security     *tree.Node
	consumes     []string // 2.0
	produces     []string
}

func (o *operation) String() string { return o.method + " " + o.path }

type param struct {
	name, in string
	required bool
	schema   *tree.Node
	node     *tree.Node
}

type body struct {
	required bool
	content  map[string]*tree.Node // schema by media type
	order    []string
	node     *tree.Node
}

func methods() []string {
	return []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}
}

// mayHave reports whether an operation may be there though it was not read.
func (d *document) mayHave(key, method string) bool {
	return d.unread[[2]string{key, ""}] || d.unread[[2]string{key, method}]
}

// operations lists what a document has, by path with its parameters blanked out
// and method.
func (d *document) operations() (map[string]map[string]*operation, []string) {
	all := map[string]map[string]*operation{}
	var order []string
	paths := d.root.Get("paths")
	if paths != nil && !paths.IsMap() {
		d.note(paths, "paths is a %s", paths.Kind)
		return all, nil
	}
	if paths == nil {
		return all, nil
	}
	for i, path := range paths.Keys {
		if strings.HasPrefix(path, "x-") {
			continue
		}
		key := blank(path)
		item, _ := d.deref(paths.Items[i])
		d.unread[[2]string{key, ""}] = !item.IsMap() || item.IsCut()
		if !item.IsMap() {
			d.note(paths.Items[i], "the path %.80q is no object", path)
			continue
		}
		if all[key] == nil {
			all[key] = map[string]*operation{}
			order = append(order, key)
		}
		for _, m := range methods() {
			if op := item.Get(m); op.IsMap() {
				all[key][m] = d.operation(strings.ToUpper(m), path, item, op)
			} else if op != nil {
				d.unread[[2]string{key, m}] = true
				d.note(op, "%s %.80s is no object", strings.ToUpper(m), path)
			}
		}
	}
	return all, order
}

// blank makes paths the same whose parameters are only called differently.
func blank(path string) string {
	var b strings.Builder
	for {
		open := strings.IndexByte(path, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(path[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(path[:open] + "{}")
		path = path[open+end+1:]
	}
	return b.String() + path
}

// position is the place of a parameter among those of a path.
func position(path, name string) int {
	at := strings.Index(path, "{"+name+"}")
	if at < 0 {
		return -1
	}
	return strings.Count(path[:at], "{")
}

func (d *document) operation(method, path string, item, n *tree.Node) *operation {
	o := &operation{method: method, path: path, node: n, params: map[string]*param{}, replies: n.Get("responses"), security: n.Get("security")}
	if o.security == nil {
		o.security = d.root.Get("security")
	}
	o.consumes, o.produces = d.media(n, "consumes"), d.media(n, "produces")
	for _, list := range []*tree.Node{item.Get("parameters"), n.Get("parameters")} { // an operation's own override the path's
		for _, p := range list.List() {
			if q, _ := d.deref(p); q.IsMap() {
				d.param(o, q)
			}
		}
	}
	if rb, _ := d.deref(n.Get("requestBody")); rb.IsMap() {
		o.body = &body{required: rb.True("required"), node: rb, content: map[string]*tree.Node{}}
		o.body.order = d.content(rb.Get("content"), o.body.content)
	}
	return o
}

// media are the types of a 2.0 document, which an operation may override.
func (d *document) media(n *tree.Node, key string) []string {
	if list := n.Get(key); list != nil {
		return list.Strings()
	}
	if list := d.root.Get(key).Strings(); len(list) > 0 {
		return list
	}
	return []string{"application/json"}
}

func (d *document) content(n *tree.Node, into map[string]*tree.Node) (order []string) {
	if !n.IsMap() {
		return nil
	}
	for i, name := range n.Keys {
		name = strings.ToLower(strings.TrimSpace(name))
		if into[name] == nil {
			order = append(order, name)
		}
		into[name] = n.Items[i]
	}
	return order
}

func (d *document) param(o *operation, n *tree.Node) {
	p := &param{name: n.Str("name"), in: n.Str("in"), required: n.True("required"), schema: n.Get("schema"), node: n}
	switch p.in {
	case "body": // 2.0
		o.body = &body{required: p.required, node: n, content: map[string]*tree.Node{}, order: o.consumes}
		for _, media := range o.consumes {
			o.body.content[media] = wrap(p.schema, n)
		}
		return
	case "formData": // 2.0
		d.form(o, p)
		return
	case "":
		d.note(n, "a parameter that does not say where it goes (in)")
		return
	}
	if p.schema == nil {
		p.schema = n // 2.0 has the schema's keywords beside the name
		if c := n.Get("content"); c.IsMap() && len(c.Items) > 0 {
			p.schema = c.Items[0].Get("schema")
		}
	}
	key := p.in + ":" + p.name
	switch p.in {
	case "path":
		p.required = true
		if i := position(o.path, p.name); i >= 0 {
			key = fmt.Sprintf("path:%d", i)
		}
	case "header":
		key = "header:" + strings.ToLower(p.name)
	}
	if o.params[key] == nil {
		o.order = append(o.order, key)
	}
	o.params[key] = p
}

// wrap puts a schema where 3.x has it, so that 2.0 needs no code of its own.
func wrap(schema, at *tree.Node) *tree.Node {
	n := &tree.Node{Kind: tree.Map, Line: at.Line, Col: at.Col}
	if schema != nil {
		n.Keys, n.Items = []string{"schema"}, []*tree.Node{schema}
	}
	return n
}

// form makes an object of the form fields of a 2.0 operation.
func (d *document) form(o *operation, p *param) {
	if o.body == nil || o.body.content["multipart/form-data"] == nil {
		media := "application/x-www-form-urlencoded"
		if slices.Contains(o.consumes, "multipart/form-data") {
			media = "multipart/form-data"
		}
		props := &tree.Node{Kind: tree.Map, Line: p.node.Line}
		schema := &tree.Node{Kind: tree.Map, Line: p.node.Line, Keys: []string{"type", "properties", "required"},
			Items: []*tree.Node{{Kind: tree.String, Text: "object"}, props, {Kind: tree.List}}}
		if o.body == nil {
			o.body = &body{node: p.node, content: map[string]*tree.Node{media: wrap(schema, p.node)}, order: []string{media}}
		}
	}
	for _, media := range o.body.content {
		schema := media.Get("schema")
		props, required := schema.Get("properties"), schema.Get("required")
		if props == nil || required == nil {
			return
		}
		props.Keys, props.Items = append(props.Keys, p.name), append(props.Items, p.node)
		if p.required {
			o.body.required = true
			required.Items = append(required.Items, &tree.Node{Kind: tree.String, Text: p.name, Line: p.node.Line})
		}
	}
}
