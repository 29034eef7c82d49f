package graphql

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"iscope/probes"
)

// maxRelated bounds the types that are written beside the one asked for.
const maxRelated = 60

// Schema resolves the reference of a method's Input, which is a field's
// coordinate ("Query.order") and gives the field with the types of its
// arguments, and of its Output, which is a type ("Order") and gives it with the
// types of its fields.
func (p *probe) Schema(ctx context.Context, ref string) (probes.Schema, error) {
	op := "reading the schema of " + ref
	c, err := p.contract(ctx, op, freshCall)
	if err != nil {
		return probes.Schema{}, err
	}
	if c.schema == nil {
		return probes.Schema{}, p.link.Fail(op, probes.ErrNotFound, fmt.Errorf("%w: %s", errNoSchema, c.closed), "set the option schema to a file with the schema")
	}
	name, field, _ := strings.Cut(ref, ".")
	def := c.schema.Types[name]
	var of *ast.FieldDefinition
	if def != nil && field != "" {
		of = def.Fields.ForName(field)
	}
	if def == nil || field != "" && of == nil {
		return probes.Schema{}, p.link.Fail(op, probes.ErrNotFound, fmt.Errorf("the schema has no %q", ref),
			probes.NearestHint(name, sortedKeys(c.schema.Types)))
	}
	var defs []*ast.Definition
	if of != nil {
		only := *def
		only.Fields, only.Interfaces, only.Directives, only.Description = ast.FieldList{of}, nil, nil, ""
		defs = append(defs, &only)
		for _, a := range of.Arguments {
			defs = c.related(defs, a.Type, 3)
		}
	} else {
		defs = c.related(defs, ast.NamedType(name, nil), 1)
	}
	text := printDefs(defs)
	return probes.Schema{Ref: ref, Type: "graphql", Text: text, Data: []byte(text)}, nil
}

// related adds a type, and those that it uses, level by level, that a person
// cannot know: not the scalars of the specification.
func (c *contract) related(defs []*ast.Definition, t *ast.Type, depth int) []*ast.Definition {
	add := func(name string) bool {
		def := c.schema.Types[name]
		if def == nil || def.BuiltIn || len(defs) > maxRelated || slices.Contains(defs, def) {
			return false
		}
		defs = append(defs, def)
		return true
	}
	from := len(defs)
	if !add(nameOf(t)) {
		return defs
	}
	for range depth {
		until := len(defs)
		for _, def := range defs[from:until] {
			for _, f := range def.Fields {
				add(nameOf(f.Type))
			}
			for _, member := range def.Types {
				add(member)
			}
		}
		from = until
	}
	return defs
}

func printDefs(defs []*ast.Definition) string {
	var b bytes.Buffer
	f := formatter.NewFormatter(&b, formatter.WithIndent("  "))
	for i, def := range defs {
		if i > 0 {
			b.WriteByte('\n')
		}
		f.FormatSchemaDocument(&ast.SchemaDocument{Definitions: ast.DefinitionList{def}})
	}
	return b.String()
}
