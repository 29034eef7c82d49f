package graphql

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// parseSDL reads a schema's text. Where it is broken, the definitions before the
// one that breaks are used.
func parseSDL(text string) (s *schema, err error) {
	defer func() {
		if r := recover(); r != nil {
			s, err = nil, fmt.Errorf("the GraphQL parser panicked: %v", r)
		}
	}()
	doc, err := parser.ParseSchema(&ast.Source{Name: "schema", Input: text})
	if err == nil {
		return fromDocument(doc), nil
	}
	first := err
	for range 4 {
		line, _ := where(err)
		text = upTo(text, line)
		if strings.TrimSpace(text) == "" {
			break
		}
		if doc, err = parser.ParseSchema(&ast.Source{Name: "schema", Input: text}); err == nil {
			s = fromDocument(doc)
			s.cut = true
			s.notes = append(s.notes, said(first)+"; what follows is not compared")
			return s, nil
		}
	}
	return nil, errors.New(said(first))
}

func where(err error) (line, col int) {
	var g *gqlerror.Error
	if errors.As(err, &g) && len(g.Locations) > 0 {
		return g.Locations[0].Line, g.Locations[0].Column
	}
	return 1, 1
}

func said(err error) string {
	line, col := where(err)
	text := err.Error()
	var g *gqlerror.Error
	if errors.As(err, &g) {
		text = g.Message
	}
	return fmt.Sprintf("line %d:%d: %s", line, col, text)
}

// upTo returns the text before the definition that a line belongs to: before the
// nearest line above that begins with a letter or a quote.
func upTo(text string, line int) string {
	lines := strings.SplitAfter(text, "\n")
	at := min(line, len(lines)) - 1
	for ; at > 0; at-- {
		if l := lines[at]; l != "" && (l[0] >= 'a' && l[0] <= 'z') {
			break
		}
	}
	for at > 0 && strings.HasPrefix(lines[at-1], `"`) {
		at--
	}
	return strings.Join(lines[:max(at, 0)], "")
}

func fromDocument(doc *ast.SchemaDocument) *schema {
	s := newSchema()
	for _, list := range []ast.DefinitionList{doc.Definitions, doc.Extensions} {
		for _, d := range list {
			s.define(d)
		}
	}
	for _, d := range doc.Directives {
		dir := &directive{name: d.Name, repeatable: d.IsRepeatable, line: line(d.Position)}
		for _, l := range d.Locations {
			dir.locations = append(dir.locations, string(l))
		}
		dir.args = arguments(d.Arguments)
		s.directives[d.Name] = dir
	}
	for _, list := range []ast.SchemaDefinitionList{doc.Schema, doc.SchemaExtension} {
		for _, d := range list {
			for _, op := range d.OperationTypes {
				s.roots[string(op.Operation)] = op.Type
			}
		}
	}
	if len(s.roots) == 0 {
		for _, name := range []string{"Query", "Mutation", "Subscription"} {
			if s.types[name] != nil {
				s.roots[strings.ToLower(name)] = name
			}
		}
	}
	return s
}

func line(p *ast.Position) int {
	if p == nil {
		return 0
	}
	return p.Line
}

func (s *schema) define(d *ast.Definition) {
	t := s.types[d.Name]
	if t == nil {
		t = &typ{name: d.Name, line: line(d.Position), kind: strings.ToLower(string(d.Kind))}
		if t.kind == "input_object" {
			t.kind = "input"
		}
		s.types[d.Name] = t
	}
	t.interfaces = append(t.interfaces, d.Interfaces...)
	t.members = append(t.members, d.Types...)
	for _, f := range d.Fields {
		t.fields = append(t.fields, &field{name: f.Name, of: use(f.Type), args: arguments(f.Arguments), dflt: written(f.DefaultValue),
			hasDefault: f.DefaultValue != nil, deprecated: f.Directives.ForName("deprecated") != nil, line: line(f.Position)})
	}
	for _, v := range d.EnumValues {
		t.values = append(t.values, &field{name: v.Name, of: &ref{}, deprecated: v.Directives.ForName("deprecated") != nil, line: line(v.Position)})
	}
}

func arguments(list ast.ArgumentDefinitionList) (out []*field) {
	for _, a := range list {
		out = append(out, &field{name: a.Name, of: use(a.Type), dflt: written(a.DefaultValue), hasDefault: a.DefaultValue != nil,
			deprecated: a.Directives.ForName("deprecated") != nil, line: line(a.Position)})
	}
	return out
}

func written(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return v.String()
}

func use(t *ast.Type) *ref {
	if t == nil {
		return &ref{}
	}
	r := &ref{name: t.NamedType, nonNull: t.NonNull}
	if t.Elem != nil {
		r.elem = use(t.Elem)
	}
	return r
}
