// Package jsonschema compares JSON Schemas under the names that Confluent's
// registry gives to the differences between them.
//
// The question is Confluent's too: does everything that was valid stay valid
// (backward: the new schema reads old data), and the reverse (forward).
package jsonschema

import (
	"slices"
	"strconv"
	"strings"

	"iscope/inspectors/evolve/tree"
)

// document resolves references within one schema. Others are not fetched.
type document struct {
	root    *tree.Node
	anchors map[string]*tree.Node
	missing []string
}

func newDocument(root *tree.Node) *document {
	d := &document{root: root, anchors: map[string]*tree.Node{}}
	d.index(root, 0)
	return d
}

// index finds what schemas call themselves.
func (d *document) index(n *tree.Node, depth int) {
	if n == nil || depth > maxDepth {
		return
	}
	for _, key := range []string{"$id", "id", "$anchor"} {
		if id := n.Str(key); id != "" {
			if key == "$anchor" {
				id = "#" + id
			}
			if d.anchors[id] == nil {
				d.anchors[id] = n
			}
		}
	}
	for _, v := range n.Items {
		d.index(v, depth+1)
	}
}

// maxDepth bounds how deep schemas are followed, maxHops how many references in
// a row.
const (
	maxDepth = 256
	maxHops  = 32
)

// deref follows references. One that leads nowhere is noted and counts as a
// schema that allows everything.
func (d *document) deref(n *tree.Node) *tree.Node {
	for hops := 0; n.IsMap(); hops++ {
		ref := n.Str("$ref")
		if ref == "" {
			return n
		}
		to := d.find(ref)
		if to == nil || hops > maxHops {
			d.note(ref, n)
			return nil
		}
		n = to
	}
	return n
}

func (d *document) find(ref string) *tree.Node {
	if ref == "#" {
		return d.root
	}
	if pointer, ok := strings.CutPrefix(ref, "#/"); ok {
		return d.root.Follow("/" + pointer)
	}
	if n := d.anchors[ref]; n != nil {
		return n
	}
	base, pointer, ok := strings.Cut(ref, "#")
	n := d.anchors[base]
	if n == nil || !ok || pointer == "" {
		return n
	}
	return n.Follow(pointer)
}

func (d *document) note(ref string, n *tree.Node) {
	text := "line " + strconv.Itoa(n.At()) + ": the reference " + strconv.Quote(ref) + " leads nowhere in this document and counts as “anything”"
	if !slices.Contains(d.missing, text) && len(d.missing) < 20 {
		d.missing = append(d.missing, text)
	}
}

// types are the types a schema allows, none for any. Without "type" they follow
// from the keywords.
func types(n *tree.Node) []string {
	if t := n.Get("type"); t != nil {
		out := t.Strings()
		slices.Sort(out)
		return slices.Compact(out)
	}
	for _, guess := range []struct {
		is   string
		from []string
	}{
		{"object", []string{"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "dependencies", "propertyNames"}},
		{"array", []string{"items", "additionalItems", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"}},
		{"number", []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
		{"string", []string{"minLength", "maxLength", "pattern"}},
	} {
		for _, key := range guess.from {
			if n.Get(key) != nil {
				return []string{guess.is}
			}
		}
	}
	return nil
}

// anything reports whether a schema allows everything.
func anything(n *tree.Node) bool {
	if n == nil || n.Kind == tree.Bool && n.Text == "true" {
		return true
	}
	if !n.IsMap() {
		return n.Kind != tree.Bool
	}
	for _, k := range n.Keys {
		if !annotation(k) {
			return false
		}
	}
	return true
}

func nothing(n *tree.Node) bool { return n != nil && n.Kind == tree.Bool && n.Text == "false" }

// annotation keywords validate nothing.
func annotation(k string) bool {
	switch k {
	case "$schema", "$id", "id", "title", "description", "default", "examples", "example", "$comment", "definitions", "$defs", "deprecated", "readOnly", "writeOnly", "$anchor":
		return true
	}
	return strings.HasPrefix(k, "x-") || strings.HasPrefix(k, "confluent:") || strings.HasPrefix(k, "connect.")
}

// criteria are the ways to combine schemas.
func criterion(n *tree.Node) (string, []*tree.Node) {
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		if l := n.Get(key); l != nil && l.Kind == tree.List {
			return key, l.Items
		}
	}
	return "", nil
}
