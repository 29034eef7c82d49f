package jsonschema

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// defaultBase is the address of a schema that has none.
const defaultBase = "schema:///"

// Compile reads a schema, as Parse or encoding/json returns it, and all that it
// refers to. Errors name the place in the schema. The schema must not be changed
// afterwards.
func Compile(schema any, o Options) (*Schema, error) {
	c := &compiler{opts: o, nodes: map[nodeKey]*node{}, resources: map[string]*resource{}}
	if c.opts.Draft == 0 {
		c.opts.Draft = Draft2020
	}
	if c.opts.Base == "" {
		c.opts.Base = defaultBase
	}
	base, err := url.Parse(c.opts.Base)
	if err != nil {
		return nil, fmt.Errorf("the schema's address: %w", err)
	}
	res, err := c.add(base, schema, c.opts.Draft)
	if err != nil {
		return nil, err
	}
	root, err := c.node(res, schema, "#")
	if err != nil {
		return nil, err
	}
	if err := c.bindDynamic(); err != nil {
		return nil, err
	}
	return &Schema{root: root, tracks: c.tracks}, nil
}

type compiler struct {
	opts      Options
	nodes     map[nodeKey]*node
	resources map[string]*resource // by absolute address
	order     []*resource
	tracks    bool
}

// nodeKey is a schema in a resource; objects are told apart by where they lie in
// memory.
type nodeKey struct {
	res  *resource
	at   uintptr
	bool string // "true" or "false" instead
}

// resource is a schema with an address of its own, to which others are relative.
type resource struct {
	base  *url.URL
	draft Draft
	root  any
	// anchors are named places, dynamic those that a "$dynamicAnchor" names.
	anchors map[string]any
	dynamic map[string]any
	bound   map[string]*node // the same, compiled
	// recursive is set by "$recursiveAnchor" (2019-09).
	recursive bool
	self      *node // its root, if it is recursive
}

// node compiles a part of a resource, once.
func (c *compiler) node(res *resource, v any, where string) (*node, error) {
	key := nodeKey{res: res}
	switch v := v.(type) {
	case bool:
		key.bool = strconv.FormatBool(v)
	case map[string]any:
		if sub, err := c.resourceOf(res, v); err != nil {
			return nil, err
		} else if sub != nil {
			key.res, res = sub, sub
		}
		key.at = reflect.ValueOf(v).Pointer()
	default:
		return nil, fmt.Errorf("%s is no schema: it is neither an object nor a boolean", where)
	}
	if n, ok := c.nodes[key]; ok {
		return n, nil
	}
	n := &node{res: res, never: v == false}
	c.nodes[key] = n // before its parts, which may refer to it
	if m, ok := v.(map[string]any); ok {
		p := &part{compiler: c, node: n, schema: m, where: where}
		p.compile()
		if p.err != nil {
			return nil, p.err
		}
	}
	return n, nil
}

// resourceOf returns the resource that an object with an address of its own is.
func (c *compiler) resourceOf(in *resource, m map[string]any) (*resource, error) {
	id := idOf(m, in.draft)
	if id == "" {
		return nil, nil
	}
	u, err := in.base.Parse(id)
	if err != nil {
		return nil, fmt.Errorf("%q is no address: %w", id, err)
	}
	if r := c.resources[withoutFragment(u)]; r != nil && sameObject(r.root, m) {
		return r, nil
	}
	return nil, nil
}

func sameObject(a any, b map[string]any) bool {
	m, ok := a.(map[string]any)
	return ok && reflect.ValueOf(m).Pointer() == reflect.ValueOf(b).Pointer()
}

// idOf is the address that a schema in another of a draft gives itself, "" for one
// that is only an anchor, and where it does not count.
func idOf(m map[string]any, around Draft) string {
	name := "$id"
	d, err := draftOf(m, around)
	if err != nil {
		return "" // add and survey say so
	}
	if d == Draft4 {
		name = "id"
	}
	if _, refers := m["$ref"]; refers && d <= Draft7 {
		return ""
	}
	id, _ := m[name].(string)
	if strings.HasPrefix(id, "#") {
		return ""
	}
	return id
}

func withoutFragment(u *url.URL) string {
	plain := *u
	plain.Fragment, plain.RawFragment = "", ""
	return plain.String()
}

// draftOf is the draft that a schema names, or the one of those around it.
func draftOf(v any, around Draft) (Draft, error) {
	m, _ := v.(map[string]any)
	name, ok := m["$schema"].(string)
	if !ok {
		return around, nil
	}
	name = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://"), "#")
	switch name {
	case "json-schema.org/draft-04/schema":
		return Draft4, nil
	case "json-schema.org/draft-06/schema":
		return Draft6, nil
	case "json-schema.org/draft-07/schema":
		return Draft7, nil
	case "json-schema.org/draft/2019-09/schema":
		return Draft2019, nil
	}
	if strings.HasPrefix(name, "json-schema.org/draft-0") {
		return 0, fmt.Errorf("%s is not read, only the drafts 4, 6, 7, 2019-09 and 2020-12", name)
	}
	return Draft2020, nil // and metaschemas of others, which nearly always extend it
}

// add registers a document and the resources and anchors in it.
func (c *compiler) add(at *url.URL, doc any, around Draft) (*resource, error) {
	draft, err := draftOf(doc, around)
	if err != nil {
		return nil, err
	}
	m, _ := doc.(map[string]any)
	base := at
	if id := idOf(m, draft); id != "" {
		if base, err = at.Parse(id); err != nil {
			return nil, fmt.Errorf("%q is no address: %w", id, err)
		}
	}
	res := c.resource(base, doc, draft)
	c.resources[withoutFragment(at)] = res
	return res, c.survey(res, doc)
}

func (c *compiler) resource(base *url.URL, root any, draft Draft) *resource {
	plain := *base
	plain.Fragment, plain.RawFragment = "", ""
	res := &resource{base: &plain, root: root, draft: draft, anchors: map[string]any{}, dynamic: map[string]any{}}
	c.resources[plain.String()] = res
	c.order = append(c.order, res)
	return res
}

// survey notes the resources and anchors below a schema.
func (c *compiler) survey(res *resource, v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	if id := idOf(m, res.draft); id != "" && !sameObject(res.root, m) {
		base, err := res.base.Parse(id)
		if err != nil {
			return fmt.Errorf("%q is no address: %w", id, err)
		}
		draft, err := draftOf(m, res.draft)
		if err != nil {
			return err
		}
		res = c.resource(base, m, draft)
	}
	res.note(m)
	var errs []error
	subschemas(m, func(sub any) { errs = append(errs, c.survey(res, sub)) })
	return errors.Join(errs...)
}

// note takes down the names that a schema has within its resource.
func (r *resource) note(m map[string]any) {
	if r.draft <= Draft7 {
		id, _ := m["$id"].(string)
		if r.draft == Draft4 {
			id, _ = m["id"].(string)
		}
		if name, ok := strings.CutPrefix(id, "#"); ok && name != "" {
			r.anchors[name] = m
		}
		return
	}
	if name, ok := m["$anchor"].(string); ok {
		r.anchors[name] = m
	}
	if name, ok := m["$dynamicAnchor"].(string); ok && r.draft >= Draft2020 {
		r.anchors[name], r.dynamic[name] = m, m
	}
	if m["$recursiveAnchor"] == true && r.draft == Draft2019 && sameObject(r.root, m) {
		r.recursive = true
	}
}

// subschemas calls f for every schema directly in another.
func subschemas(m map[string]any, f func(any)) {
	for key, v := range m {
		switch key {
		case "additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then",
			"unevaluatedItems", "unevaluatedProperties", "allOf", "anyOf", "oneOf", "prefixItems":
			if list, ok := v.([]any); ok {
				for _, sub := range list {
					f(sub)
				}
				continue
			}
			f(v)
		case "$defs", "definitions", "dependentSchemas", "dependencies", "patternProperties", "properties":
			if named, ok := v.(map[string]any); ok {
				for _, name := range sortedNames(named) {
					f(named[name])
				}
			}
		}
	}
}

func sortedNames(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
