package graphql

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Bounds of a query made from a schema. A person reads it, and edits it.
const (
	maxSelections = 300
	maxFragments  = 8 // types of a union or interface that are asked for
)

// pick is a field or a fragment of a query being made.
type pick struct {
	alias string
	field *ast.FieldDefinition // nil: a fragment
	on    string               // the fragment's type
	args  string
	kids  []*pick
	of    *ast.Definition // what kids are fields of; nil for leaves
	level int
	up    *pick
}

// skeleton writes the query of an operation, as deep as depth. It goes through
// the schema level by level and stops at maxSelections, so that what is near is
// never left out for what is far, and a schema that goes in circles ends.
func (c *contract) skeleton(o *operation, depth int) string {
	root := &pick{field: o.field, args: rootArgs(o.field), of: c.composite(o.field.Type), level: 1}
	left := maxSelections
	for todo := []*pick{root}; len(todo) > 0; todo = todo[1:] {
		todo = append(todo, c.expand(todo[0], depth, &left)...)
	}
	prune(root)
	var b strings.Builder
	b.WriteString(string(o.kind) + " " + o.field.Name)
	if vars := variables(o.field); len(vars) > 0 {
		b.WriteString("(" + strings.Join(vars, ", ") + ")")
	}
	b.WriteString(" {\n")
	root.write(&b, 1)
	b.WriteString("}")
	return b.String()
}

// composite is the definition behind a type that has fields, nil for leaves.
func (c *contract) composite(t *ast.Type) *ast.Definition {
	if def := c.schema.Types[nameOf(t)]; def != nil && def.IsCompositeType() {
		return def
	}
	return nil
}

// expand chooses the fields of one selection and returns those that have fields
// themselves.
func (c *contract) expand(at *pick, depth int, left *int) (next []*pick) {
	if at.of == nil {
		return nil
	}
	add := func(k *pick) bool {
		if *left <= 0 {
			return false
		}
		*left--
		k.up, k.level = at, at.level
		at.kids = append(at.kids, k)
		return true
	}
	for _, f := range at.of.Fields {
		of := c.composite(f.Type)
		if strings.HasPrefix(f.Name, "__") || isDeprecated(f.Directives) || needsArgs(f) || at.hides(f) {
			continue
		}
		if of != nil && (at.level >= depth || at.within(of) || isTwin(at.of, f)) {
			continue
		}
		k := &pick{field: f, of: of, args: page(of, f), alias: at.aliasOf(f)}
		if !add(k) {
			break
		}
		if of != nil {
			k.level++
			next = append(next, k)
		}
	}
	if !at.of.IsAbstractType() {
		return next
	}
	possible := c.schema.GetPossibleTypes(at.of)
	for i, def := range possible {
		if i == maxFragments {
			break
		}
		if def == nil || def.Kind != ast.Object || def == at.of {
			continue
		}
		if k := (&pick{on: def.Name, of: def}); add(k) {
			next = append(next, k)
		}
	}
	return next
}

// within reports whether a type is being selected from already, further up.
func (k *pick) within(def *ast.Definition) bool {
	for at := k; at != nil; at = at.up {
		if at.of == def {
			return true
		}
	}
	return false
}

// hides reports whether a fragment's field is one of the interface around it.
func (k *pick) hides(f *ast.FieldDefinition) bool {
	return k.field == nil && k.up != nil && k.up.of.Kind == ast.Interface && k.up.of.Fields.ForName(f.Name) != nil
}

// aliasOf gives a fragment's field a name of its own where another fragment has
// one of that name with another type: both would be one field of the answer.
func (k *pick) aliasOf(f *ast.FieldDefinition) string {
	if k.field != nil || k.up == nil {
		return ""
	}
	for _, sibling := range k.up.kids {
		if sibling == k || sibling.field != nil {
			continue
		}
		if other := sibling.of.Fields.ForName(f.Name); other != nil && other.Type.String() != f.Type.String() {
			return k.on + "_" + f.Name
		}
	}
	return ""
}

// isTwin: of a connection's edges and nodes, which are the same things, the
// shorter way is enough.
func isTwin(of *ast.Definition, f *ast.FieldDefinition) bool {
	return f.Name == "edges" && of.Fields.ForName("nodes") != nil
}

// page asks for a first page of what is paged by Relay's habit
// (https://relay.dev/graphql/connections.htm): servers insist on a limit there.
func page(of *ast.Definition, f *ast.FieldDefinition) string {
	first := f.Arguments.ForName("first")
	if of == nil || of.Fields.ForName("pageInfo") == nil || first == nil || nameOf(first.Type) != "Int" || first.DefaultValue != nil {
		return ""
	}
	return "(first: 10)"
}

// needsArgs: a value would have to be made up for it.
func needsArgs(f *ast.FieldDefinition) bool {
	return slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
}

func isDeprecated(d ast.DirectiveList) bool { return d.ForName("deprecated") != nil }

// prune takes out what has no fields after all, and sees to it that the root
// keeps one.
func prune(k *pick) {
	for _, kid := range k.kids {
		prune(kid)
	}
	k.kids = slices.DeleteFunc(k.kids, func(kid *pick) bool { return kid.of != nil && len(kid.kids) == 0 })
	if k.of != nil && (k.of.IsAbstractType() && len(k.kids) > 0 || k.up == nil && len(k.kids) == 0) {
		k.kids = slices.Insert(k.kids, 0, &pick{alias: "", on: "", field: &ast.FieldDefinition{Name: "__typename"}})
	}
}

func (k *pick) write(b *strings.Builder, indent int) {
	b.WriteString(strings.Repeat("  ", indent))
	switch {
	case k.field == nil:
		b.WriteString("... on " + k.on)
	case k.alias != "":
		b.WriteString(k.alias + ": " + k.field.Name + k.args)
	default:
		b.WriteString(k.field.Name + k.args)
	}
	if len(k.kids) == 0 {
		b.WriteString("\n")
		return
	}
	b.WriteString(" {\n")
	for _, kid := range k.kids {
		kid.write(b, indent+1)
	}
	b.WriteString(strings.Repeat("  ", indent) + "}\n")
}

// asked are the arguments that a made query has as variables: all but those that
// are deprecated and not needed.
func asked(f *ast.FieldDefinition) (out []*ast.ArgumentDefinition) {
	for _, a := range f.Arguments {
		if !isDeprecated(a.Directives) || a.Type.NonNull && a.DefaultValue == nil {
			out = append(out, a)
		}
	}
	return out
}

func rootArgs(f *ast.FieldDefinition) string {
	var parts []string
	for _, a := range asked(f) {
		parts = append(parts, a.Name+": $"+a.Name)
	}
	if len(parts) == 0 {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// variables declares them. One with a default may be left out, whatever its type
// says (GraphQL October 2021 §5.8.5).
func variables(f *ast.FieldDefinition) (out []string) {
	for _, a := range asked(f) {
		t := *a.Type
		if a.DefaultValue != nil {
			t.NonNull = false
		}
		out = append(out, "$"+a.Name+": "+t.String())
	}
	return out
}
