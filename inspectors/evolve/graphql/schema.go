// Package graphql compares GraphQL schemas by the rules of graphql-js
// (findBreakingChanges, findDangerousChanges) and under their names.
package graphql

import (
	"sort"
	"strings"
)

// schema is one contract, from SDL or from an introspection result.
type schema struct {
	types      map[string]*typ
	directives map[string]*directive
	roots      map[string]string // "query" to the name of a type
	// cut says that the text broke off: what is missing may be in the rest.
	cut   bool
	notes []string
}

func newSchema() *schema {
	return &schema{types: map[string]*typ{}, directives: map[string]*directive{}, roots: map[string]string{}}
}

// typ is a type of any kind.
type typ struct {
	name, kind string // kind: "object", "interface", "union", "enum", "input", "scalar"
	fields     []*field
	interfaces []string
	members    []string // of unions
	values     []*field // of enums
	line       int
}

// field is a field, an input field, an argument or an enum's value.
type field struct {
	name       string
	of         *ref
	args       []*field
	dflt       string // as written, "" if there is none
	hasDefault bool
	deprecated bool
	line       int
}

// required reports whether an argument or input field has to be given.
func (f *field) required() bool { return f.of.nonNull && !f.hasDefault }

type directive struct {
	name       string
	args       []*field
	locations  []string
	repeatable bool
	line       int
}

// ref is a type as it is used: "[Order!]!".
type ref struct {
	name    string
	elem    *ref // of lists
	nonNull bool
}

func (r *ref) String() string {
	if r == nil {
		return ""
	}
	s := r.name
	if r.elem != nil {
		s = "[" + r.elem.String() + "]"
	}
	if r.nonNull {
		s += "!"
	}
	return s
}

// find returns a field by name, nil if there is none.
func find(fields []*field, name string) *field {
	for _, f := range fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

// index finds fields of large types.
type index map[string]*field

func indexed(fields []*field) index {
	x := make(index, len(fields))
	for _, f := range fields {
		if x[f.name] == nil {
			x[f.name] = f
		}
	}
	return x
}

func (x index) get(name string) *field { return x[name] }

// builtin names need not be defined.
func builtin(name string) bool {
	switch name {
	case "Int", "Float", "String", "Boolean", "ID":
		return true
	}
	return strings.HasPrefix(name, "__")
}

func builtinDirective(name string) bool {
	switch name {
	case "skip", "include", "deprecated", "specifiedBy", "oneOf", "defer", "stream":
		return true
	}
	return false
}

func sortedNames[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// kindName is how a kind is spoken of, as in graphql-js.
func kindName(kind string) string {
	switch kind {
	case "object", "interface", "enum", "input":
		return "an " + kind + " type"
	}
	return "a " + kind + " type"
}
