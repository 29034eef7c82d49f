// Package form is a request document as a list of rows to fill in: the fields
// that its contract describes, whether they are set or not, and everything else
// that the document holds.
//
// The document is the truth. A row is made from it each time, so that the same
// document edited as text shows here at once.
package form

import (
	"strings"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Form is a document being filled in.
type Form struct {
	Shapes probes.Form
	Doc    *jsondoc.Value // nil: nothing is set
	Rows   []Row          // made by Lay

	open     map[string]bool           // what a person opened or closed, by path
	picked   map[string]int            // variant of a union, by path
	parked   map[string]*jsondoc.Value // what was taken out for another choice
	problems map[string]string         // by path
	first    string                    // of them, with its path
}

// New makes a form of a contract's shapes.
func New(shapes probes.Form) *Form {
	return &Form{Shapes: shapes, open: map[string]bool{}, picked: map[string]int{}, parked: map[string]*jsondoc.Value{}}
}

// Kind is what a row stands for.
type Kind uint8

const (
	Field   Kind = iota // a place with a value or without
	Element             // of a list
	Entry               // of a map
	Add                 // where an element or entry is added
	Group               // the choice between the fields of a oneof
	Extra               // what the contract does not know
)

// Row is one line of the form.
type Row struct {
	Kind  Kind
	Depth int
	Path  jsondoc.Path // of Group and Add: that of the object, list or map
	Shape *probes.Shape
	Value *jsondoc.Value // nil: not set
	Label string
	// Members are the fields a Group chooses from, Chosen the one that is set; -1
	// for none.
	Members []*probes.Shape
	Chosen  int
	Branch  bool
	Open    bool
	// Problem is what is wrong here; Inside counts what is wrong below a closed
	// branch.
	Problem string
	Inside  int
}

// Type is what the row's place takes, in the contract's words or in ours.
func (r *Row) Type() string {
	switch {
	case r.Kind == Group:
		return "one of"
	case r.Shape == nil:
		return ""
	}
	return TypeOf(r.Shape)
}

// TypeOf names a shape.
func TypeOf(s *probes.Shape) string {
	switch s.Kind {
	case probes.ShapeList:
		if s.Elem != nil {
			return "list of " + TypeOf(s.Elem)
		}
		return "list"
	case probes.ShapeMap:
		keys := "string"
		if s.Keys != "" {
			keys = string(s.Keys)
		}
		if s.Elem != nil {
			return "map " + keys + " to " + TypeOf(s.Elem)
		}
		return "map"
	}
	name := s.Type
	if i := strings.LastIndexByte(name, '.'); i >= 0 && s.Kind != probes.ShapeUnion {
		name = name[i+1:]
	}
	if s.Kind == probes.ShapeEnum && name != "" && !strings.Contains(name, "enum") {
		return "enum " + name
	}
	if name == "" {
		return string(s.Kind)
	}
	return name
}

// member finds a field's value in an object: by its name, or by the same name as
// the other of the two ways of writing protobuf's names has it.
func member(v *jsondoc.Value, name string) (key string, of *jsondoc.Value) {
	if v == nil || v.Kind != jsondoc.Object {
		return name, nil
	}
	if found := v.Get(name); found != nil {
		return name, found
	}
	for i, k := range v.Keys {
		if len(k) != len(name) && strings.EqualFold(strings.ReplaceAll(k, "_", ""), strings.ReplaceAll(name, "_", "")) {
			return k, v.Kids[i]
		}
	}
	return name, nil
}

// resolve goes through a union to the shape that is meant at a path.
func (f *Form) resolve(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) *probes.Shape {
	for range maxUnions {
		if s == nil || s.Kind != probes.ShapeUnion || len(s.Variants) == 0 {
			return s
		}
		s = &s.Variants[f.Variant(s, p, v)]
	}
	return s
}

// maxUnions bounds unions directly within unions.
const maxUnions = 8

// Variant is which of a union's variants is meant: the one picked, or the first
// that the value fits.
func (f *Form) Variant(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) int {
	if i, ok := f.picked[p.String()]; ok && i < len(s.Variants) {
		return i
	}
	if v == nil {
		return 0
	}
	best, least := 0, 1<<30
	for i := range s.Variants {
		c := checker{form: f, trying: true}
		c.value(&s.Variants[i], p, v)
		if n := len(c.problems); n < least {
			best, least = i, n
		}
	}
	return best
}
