package graphql

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// definition makes a type's definition of what an introspection says of it.
func (p *parts) definition(t *introType) *ast.Definition {
	def := &ast.Definition{Kind: ast.DefinitionKind(t.Kind), Name: t.Name, Description: t.Description}
	for i := range t.Fields {
		f := &t.Fields[i]
		def.Fields = append(def.Fields, &ast.FieldDefinition{Name: f.Name, Description: f.Description, Type: typeOf(f.Type),
			Arguments: p.arguments(f.Args), Directives: f.deprecated()})
	}
	for i := range t.InputFields {
		f := &t.InputFields[i]
		def.Fields = append(def.Fields, &ast.FieldDefinition{Name: f.Name, Description: f.Description, Type: typeOf(f.Type),
			DefaultValue: p.value(f), Directives: f.deprecated()})
	}
	for i := range t.EnumValues {
		v := &t.EnumValues[i]
		def.EnumValues = append(def.EnumValues, &ast.EnumValueDefinition{Name: v.Name, Description: v.Description, Directives: v.deprecated()})
	}
	for _, face := range t.Interfaces {
		def.Interfaces = append(def.Interfaces, face.Name)
	}
	if def.Kind == ast.Union {
		for _, member := range t.PossibleTypes {
			def.Types = append(def.Types, member.Name)
		}
	}
	if t.SpecifiedByURL != "" {
		def.Directives = append(def.Directives, directive("specifiedBy", "url", t.SpecifiedByURL))
	}
	if t.IsOneOf {
		def.Directives = append(def.Directives, &ast.Directive{Name: "oneOf"})
	}
	return def
}

func (p *parts) arguments(in []introField) (out ast.ArgumentDefinitionList) {
	for i := range in {
		a := &in[i]
		out = append(out, &ast.ArgumentDefinition{Name: a.Name, Description: a.Description, Type: typeOf(a.Type),
			DefaultValue: p.value(a), Directives: a.deprecated()})
	}
	return out
}

func (f *introField) deprecated() ast.DirectiveList {
	if !f.IsDeprecated {
		return nil
	}
	reason := "No longer supported"
	if f.DeprecationReason != nil && *f.DeprecationReason != "" {
		reason = *f.DeprecationReason
	}
	return ast.DirectiveList{directive("deprecated", "reason", reason)}
}

func directive(name, arg, text string) *ast.Directive {
	return &ast.Directive{Name: name, Arguments: ast.ArgumentList{
		{Name: arg, Value: &ast.Value{Kind: ast.StringValue, Raw: text}}}}
}

// maxWraps bounds the lists of lists of a type.
const maxWraps = 32

// typeOf makes a type of a reference; one that is cut short, as servers with a
// limit of depth do, has the name "" and fits nowhere.
func typeOf(r *introRef) *ast.Type {
	nonNull := false
	for range maxWraps {
		switch {
		case r == nil:
			return &ast.Type{NonNull: nonNull, Elem: &ast.Type{}}
		case r.Kind == "NON_NULL":
			nonNull = true
			r = r.OfType
		case r.Kind == "LIST":
			return &ast.Type{Elem: typeOf(r.OfType), NonNull: nonNull}
		default:
			return &ast.Type{NamedType: r.Name, NonNull: nonNull}
		}
	}
	return &ast.Type{Elem: &ast.Type{}}
}

// value reads a default, which an introspection gives as GraphQL text. One that
// cannot be read is taken for null: that there is a default still counts.
func (p *parts) value(f *introField) *ast.Value {
	if f.DefaultValue == nil {
		return nil
	}
	text := *f.DefaultValue
	doc, err := parser.ParseQuery(&ast.Source{Input: "{f(a:" + text + ")}"})
	if err == nil && len(doc.Operations) == 1 && len(doc.Operations[0].SelectionSet) == 1 {
		if field, ok := doc.Operations[0].SelectionSet[0].(*ast.Field); ok && len(field.Arguments) == 1 && len(field.SelectionSet) == 0 {
			return field.Arguments[0].Value
		}
	}
	p.warn(nil, "the default of %q cannot be read: %.60q", f.Name, text)
	return &ast.Value{Kind: ast.NullValue, Raw: "null"}
}
