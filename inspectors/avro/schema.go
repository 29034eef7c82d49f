// Package avro decodes Avro's binary encoding into JSON by the writer's schema
// (https://avro.apache.org/docs/1.12.0/specification/#binary-encoding).
//
// The schema is parsed by twmb/avro; the bytes are walked here, because a
// debugger has to say at which byte a body stops being what its schema says,
// keeps every digit, and notes what a value means beside the value itself.
package avro

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/avro"

	"iscope/inspectors/emit"
)

// Schema is a compiled schema. It is immutable.
type Schema struct {
	root *node
	name string
}

// Name is the full name of the outermost type, or its kind where it has none.
func (s *Schema) Name() string { return s.name }

// node is one type of a schema. Names are resolved, so that nodes form a graph
// in which recursive types are cycles.
type node struct {
	kind     string
	logical  string
	name     string // full name of a record, enum or fixed; else the kind
	fields   []field
	items    *node   // of arrays; of maps the values
	branches []*node // of unions
	symbols  []string
	size     int
	scale    int
	nullable bool // a union of null and one other: its branch is obvious
}

type field struct {
	key  []byte // the name as JSON
	node *node
}

// Compile parses a schema and those it refers to, which come in an order where
// each follows what it needs. Names that Avro's rules do not allow and defaults
// that do not fit are tolerated: producers that wrote with such a schema exist,
// and neither matters for reading what they wrote.
func Compile(text string, refs []string) (*Schema, error) {
	c := compiler{named: map[string]*node{}}
	for _, r := range refs {
		if _, err := c.parse(r); err != nil {
			return nil, fmt.Errorf("in a referenced schema: %w", err)
		}
	}
	root, err := c.parse(text)
	if err != nil {
		return nil, err
	}
	return &Schema{root: root, name: root.name}, nil
}

type compiler struct {
	cache avro.SchemaCache
	named map[string]*node
}

func (c *compiler) parse(text string) (*node, error) {
	s, err := c.cache.Parse(text)
	if err != nil {
		lax, laxErr := c.cache.Parse(withoutDefaults(text), avro.WithLaxNames(func(string) error { return nil }))
		if laxErr != nil {
			return nil, err
		}
		s = lax
	}
	root := s.Root()
	return c.build(root, "", 0)
}

// withoutDefaults removes the defaults of fields and enums, which only readers
// with another schema need.
func withoutDefaults(text string) string {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return text
	}
	strip(v)
	b, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return string(b)
}

func strip(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			strip(e)
		}
	case map[string]any:
		delete(v, "default")
		for _, e := range v {
			strip(e)
		}
	}
}

var errDeep = errors.New("the schema nests too deeply")

// build makes a node of a type that stands inside a namespace.
func (c *compiler) build(from *avro.SchemaNode, space string, depth int) (*node, error) {
	if depth > emit.MaxDepth {
		return nil, errDeep
	}
	n := &node{kind: from.Type, logical: from.LogicalType, name: from.Type, size: from.Size, scale: from.Scale}
	switch from.Type {
	case "null", "boolean", "int", "long", "float", "double", "string", "bytes":
		return n, nil
	case "record", "error", "enum", "fixed":
		n.name = fullName(from)
		c.named[n.name] = n // before its fields, which may refer to it
		return n, c.buildNamed(n, from, depth)
	case "array", "map":
		inner := from.Items
		if from.Type == "map" {
			inner = from.Values
		}
		if inner == nil {
			return nil, fmt.Errorf("%s without the type of its items", from.Type)
		}
		var err error
		n.items, err = c.build(inner, space, depth+1)
		return n, err
	case "union":
		return n, c.buildUnion(n, from, space, depth)
	}
	known := c.named[from.Type]
	if short := !strings.Contains(from.Type, "."); short && c.named[space+"."+from.Type] != nil {
		known = c.named[space+"."+from.Type]
	}
	if known == nil {
		return nil, fmt.Errorf("type %s is not defined", from.Type)
	}
	return known, nil
}

func (c *compiler) buildNamed(n *node, from *avro.SchemaNode, depth int) error {
	n.symbols = from.Symbols
	if n.kind == "error" {
		n.kind = "record"
	}
	space := ""
	if dot := strings.LastIndexByte(n.name, '.'); dot >= 0 {
		space = n.name[:dot]
	}
	for i := range from.Fields {
		f := &from.Fields[i]
		inner, err := c.build(&f.Type, space, depth+1)
		if err != nil {
			return err
		}
		n.fields = append(n.fields, field{key: emit.Quote(f.Name), node: inner})
	}
	return nil
}

func (c *compiler) buildUnion(n *node, from *avro.SchemaNode, space string, depth int) error {
	others := 0
	for i := range from.Branches {
		b, err := c.build(&from.Branches[i], space, depth+1)
		if err != nil {
			return err
		}
		if b.kind != "null" {
			others++
		}
		n.branches = append(n.branches, b)
	}
	n.nullable = others <= 1
	return nil
}

func fullName(n *avro.SchemaNode) string {
	if n.Namespace == "" || strings.Contains(n.Name, ".") {
		return n.Name
	}
	return n.Namespace + "." + n.Name
}
