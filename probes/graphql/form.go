package graphql

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"iscope/probes"
)

// Names of the objects in a Form that are no types of the schema. No type has a
// space in its name.
const (
	formRequest   = "GraphQL request"
	formVariables = "GraphQL variables"
)

// Form describes the request document in its first form: the variables of the
// query made from the schema, the query itself, and how deep it is made.
func (p *probe) Form(ctx context.Context, method string) (probes.Form, error) {
	op := "describing " + method
	m, err := p.find(ctx, op, method)
	if err != nil {
		return probes.Form{}, err
	}
	w := &former{contract: m.contract, form: probes.Form{Types: map[string][]probes.Shape{}}}
	vars := probes.Shape{Name: "variables", Kind: probes.ShapeObject, Doc: "values for the variables of the query"}
	query := probes.Shape{Name: "query", Kind: probes.ShapeString, Type: "GraphQL", Doc: "the GraphQL document", Required: true}
	fields := []probes.Shape{vars, query}
	if m.field != nil {
		fields[0].Of = formVariables
		fields[1].Required = false
		fields[1].Doc = "the GraphQL document; left out, it is made from the schema"
		for _, a := range asked(m.field) {
			s := w.input(a.Type, a.DefaultValue, a.Directives, a.Description)
			s.Name = a.Name
			fields[0].Required = fields[0].Required || s.Required
			w.form.Types[formVariables] = append(w.form.Types[formVariables], s)
		}
		if len(w.form.Types[formVariables]) == 0 {
			fields[0].Of = "" // the query made takes none; one that is written may
		}
		w.types()
	}
	fields = append(fields, probes.Shape{Name: "operationName", Kind: probes.ShapeString, Doc: "which operation of the document is meant, where it has several"})
	if m.field != nil {
		fields = append(fields, probes.Shape{Name: "depth", Kind: probes.ShapeInteger, Doc: "how deep the query goes that is made where none is given",
			Rule: fmt.Sprintf("from 1 to %d", maxDepth), Default: itoa(p.depth)})
	}
	w.form.Types[formRequest] = fields
	w.form.Root = probes.Shape{Kind: probes.ShapeObject, Of: formRequest, Type: "GraphQL request"}
	if m.field != nil {
		w.form.Root.Doc = m.field.Description
	}
	return w.form, nil
}

// maxFormTypes bounds the input objects that one form describes.
const maxFormTypes = 500

type former struct {
	contract *contract
	form     probes.Form
	todo     []*ast.Definition // named, their fields not yet written
}

// types writes the fields of all input objects that were named, and of those
// that they name.
func (w *former) types() {
	for ; len(w.todo) > 0; w.todo = w.todo[1:] {
		def := w.todo[0]
		var fields []probes.Shape
		one := def.Directives.ForName("oneOf") != nil
		for _, f := range def.Fields {
			s := w.input(f.Type, f.DefaultValue, f.Directives, f.Description)
			s.Name = f.Name
			if one {
				s.Group = "one of " + def.Name
			}
			fields = append(fields, s)
		}
		w.form.Types[def.Name] = fields
	}
}

// input is the shape of an argument or of an input object's field.
func (w *former) input(t *ast.Type, fallback *ast.Value, directives ast.DirectiveList, doc string) probes.Shape {
	s := w.shape(t)
	s.Doc, s.Deprecated = strings.TrimSpace(doc), isDeprecated(directives)
	s.Required, s.Nullable = t.NonNull && fallback == nil, !t.NonNull
	if fallback != nil {
		s.Default = string(literal(fallback))
	}
	return s
}

func (w *former) shape(t *ast.Type) probes.Shape {
	s := probes.Shape{Type: t.String()}
	if t.NamedType == "" {
		elem := w.shape(t.Elem)
		elem.Nullable = !t.Elem.NonNull
		s.Kind, s.Elem = probes.ShapeList, &elem
		return s
	}
	def := w.contract.schema.Types[t.NamedType]
	switch {
	case def == nil:
		s.Kind = probes.ShapeAny
	case def.Kind == ast.Enum:
		s.Kind = probes.ShapeEnum
		for _, v := range def.EnumValues {
			c := probes.Choice{Value: string(quoted(v.Name)), Doc: strings.TrimSpace(v.Description)}
			if isDeprecated(v.Directives) {
				c.Doc = strings.TrimSpace("deprecated. " + c.Doc)
			}
			s.Choices = append(s.Choices, c)
		}
	case def.Kind == ast.InputObject:
		s.Kind, s.Of = probes.ShapeObject, w.named(def)
	default:
		s.Kind, s.Rule = scalarShape(def)
		if s.Kind == probes.ShapeAny {
			s.Example = string(scalarExample(def.Name))
			if s.Example == `""` {
				s.Example = ""
			}
		}
	}
	return s
}

// named sees to it that an input object's fields are written. Beyond
// maxFormTypes an object is one of which nothing more is known.
func (w *former) named(def *ast.Definition) string {
	if _, ok := w.form.Types[def.Name]; ok {
		return def.Name
	}
	if len(w.form.Types) >= maxFormTypes {
		return ""
	}
	w.form.Types[def.Name] = nil // types() writes it
	w.todo = append(w.todo, def)
	return def.Name
}

// scalarShape is how a scalar is edited (GraphQL October 2021 §3.5). Of a
// schema's own scalars the JSON form is not known.
func scalarShape(def *ast.Definition) (kind probes.ShapeKind, rule string) {
	switch def.Name {
	case "Int":
		return probes.ShapeInteger, "from -2147483648 to 2147483647"
	case "Float":
		return probes.ShapeNumber, ""
	case "String", "ID":
		return probes.ShapeString, ""
	case "Boolean":
		return probes.ShapeBool, ""
	}
	if d := def.Directives.ForName("specifiedBy"); d != nil && d.Arguments.ForName("url") != nil {
		rule = "as specified by " + d.Arguments.ForName("url").Value.Raw
	} else {
		rule = firstLine(def.Description)
	}
	return probes.ShapeAny, rule
}

var errNoSchema = errors.New("the schema is not known")
