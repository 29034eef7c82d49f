// Package avro compares Avro schemas by the rules of schema resolution
// (https://avro.apache.org/docs/1.12.0/specification/#schema-resolution), under
// the names of Avro's SchemaCompatibility.
package avro

import (
	"fmt"
	"slices"
	"strings"

	"iscope/inspectors/evolve/tree"
)

// schema is one type. Names are resolved, so that schemas form a graph in which
// recursive types are cycles.
type schema struct {
	kind    string
	name    string   // full name of a record, enum or fixed
	aliases []string // full names
	logical string   // with its parameters: "decimal(10,2)"
	fields  []*field
	symbols []string
	dflt    string // of an enum
	items   *schema
	of      []*schema // of unions
	size    string
	at      *tree.Node
}

type field struct {
	name    string
	aliases []string
	typ     *schema
	dflt    *tree.Node
	at      *tree.Node
}

func (s *schema) named() bool { return s.kind == "record" || s.kind == "enum" || s.kind == "fixed" }

// String is how a schema is spoken of.
func (s *schema) String() string {
	switch s.kind {
	case "record", "enum", "fixed":
		return s.kind + " " + s.name
	case "array", "map":
		return s.kind + " of " + s.items.String()
	case "union":
		var parts []string
		for _, b := range s.of[:min(len(s.of), 8)] {
			if b.kind == "union" {
				continue
			}
			parts = append(parts, b.String())
		}
		return "union of " + strings.Join(parts, ", ")
	}
	if s.logical != "" {
		return s.kind + " (" + s.logical + ")"
	}
	return s.kind
}

// reader resolves names. What it cannot read becomes a note and a type that
// compares with nothing.
type reader struct {
	named map[string]*schema
	notes []string
}

const maxNotes = 20

func (r *reader) note(n *tree.Node, format string, args ...any) *schema {
	if len(r.notes) < maxNotes {
		r.notes = append(r.notes, fmt.Sprintf("line %d: ", n.At())+fmt.Sprintf(format, args...))
	}
	return &schema{kind: "unknown", at: n}
}

func primitive(name string) bool {
	return slices.Contains([]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string"}, name)
}

// read makes a schema of a value that stands inside a namespace.
func (r *reader) read(n *tree.Node, space string) *schema {
	switch {
	case n == nil:
		return r.note(n, "a type is missing")
	case n.Kind == tree.String:
		return r.byName(n, n.Text, space)
	case n.Kind == tree.List:
		s := &schema{kind: "union", at: n}
		for _, b := range n.Items {
			s.of = append(s.of, r.read(b, space))
		}
		return s
	case n.Kind != tree.Map:
		return r.note(n, "a %s is no type", n.Kind)
	}
	t := n.Get("type")
	if t == nil || t.Kind != tree.String { // {"type": {"type": ...}} is written by some tools
		if t == nil {
			return r.note(n, "a type is missing")
		}
		return r.read(t, space)
	}
	s := &schema{kind: t.Text, at: n, logical: logical(n)}
	switch t.Text {
	case "array":
		s.items = r.read(n.Get("items"), space)
	case "map":
		s.items = r.read(n.Get("values"), space)
	case "record", "error", "enum", "fixed":
		r.readNamed(s, n, space)
	default:
		if !primitive(t.Text) {
			return r.byName(t, t.Text, space)
		}
	}
	return s
}

func logical(n *tree.Node) string {
	l := n.Str("logicalType")
	if l == "decimal" {
		scale := "0"
		if s := n.Get("scale"); s != nil {
			scale = s.Text
		}
		if p := n.Get("precision"); p != nil {
			l += "(" + p.Text + "," + scale + ")"
		}
	}
	return l
}

func (r *reader) byName(n *tree.Node, name, space string) *schema {
	if primitive(name) {
		return &schema{kind: name, at: n}
	}
	for _, full := range []string{qualified(name, space), name} {
		if s := r.named[full]; s != nil {
			return s
		}
	}
	return r.note(n, "the type %.60q is not defined", name)
}

func qualified(name, space string) string {
	if space == "" || strings.Contains(name, ".") {
		return name
	}
	return space + "." + name
}

func (r *reader) readNamed(s *schema, n *tree.Node, space string) {
	if s.kind == "error" {
		s.kind = "record"
	}
	if ns := n.Get("namespace"); ns != nil && ns.Kind == tree.String {
		space = ns.Text
	}
	s.name = qualified(n.Str("name"), space)
	if dot := strings.LastIndexByte(s.name, '.'); dot >= 0 {
		space = s.name[:dot]
	}
	for _, a := range n.Get("aliases").Strings() {
		s.aliases = append(s.aliases, qualified(a, space))
	}
	if r.named[s.name] != nil {
		r.note(n, "%s is defined twice; the first counts", s.name)
	} else {
		r.named[s.name] = s // before its fields, which may refer to it
	}
	switch s.kind {
	case "enum":
		s.symbols, s.dflt = n.Get("symbols").Strings(), n.Str("default")
	case "fixed":
		if size := n.Get("size"); size != nil {
			s.size = size.Text
		}
	}
	for _, f := range n.Get("fields").List() {
		if !f.IsMap() || f.Str("name") == "" {
			r.note(f, "a field without a name")
			continue
		}
		s.fields = append(s.fields, &field{name: f.Str("name"), aliases: f.Get("aliases").Strings(), dflt: f.Get("default"), typ: r.read(f.Get("type"), space), at: f})
	}
}
