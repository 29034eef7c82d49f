package graphql

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// intro is the result of the introspection query, as far as it is compared.
type intro struct {
	QueryType, MutationType, SubscriptionType *struct{ Name string }
	Types                                     []introType
	Directives                                []introDirective
}

type introType struct {
	Kind, Name    string
	Fields        []introField
	InputFields   []introField
	EnumValues    []introField
	Interfaces    []introRef
	PossibleTypes []introRef
}

type introField struct {
	Name         string
	Args         []introField
	Type         *introRef
	DefaultValue *string
	IsDeprecated bool
}

type introRef struct {
	Kind, Name string
	OfType     *introRef
}

type introDirective struct {
	Name         string
	Locations    []string
	Args         []introField
	IsRepeatable bool
}

// parseIntrospection reads {"data": {"__schema": ...}}, {"__schema": ...} or the
// schema itself.
func parseIntrospection(text []byte) (*schema, error) {
	var file struct {
		Data *struct {
			Schema *intro `json:"__schema"`
		} `json:"data"`
		Schema *intro `json:"__schema"`
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(text, &file); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			before := string(text[:min(int(syntax.Offset), len(text))])
			return nil, fmt.Errorf("line %d:%d: %w", strings.Count(before, "\n")+1, len(before)-strings.LastIndexByte(before, '\n'), err)
		}
		return nil, err
	}
	from := file.Schema
	if from == nil && file.Data != nil {
		from = file.Data.Schema
	}
	if from == nil {
		if len(file.Errors) > 0 {
			return nil, fmt.Errorf("the introspection failed: %.200s", file.Errors[0].Message)
		}
		return nil, errors.New("there is no __schema in it")
	}
	return fromIntrospection(from), nil
}

func fromIntrospection(in *intro) *schema {
	s := newSchema()
	for _, root := range []struct {
		name string
		of   *struct{ Name string }
	}{{"query", in.QueryType}, {"mutation", in.MutationType}, {"subscription", in.SubscriptionType}} {
		if root.of != nil {
			s.roots[root.name] = root.of.Name
		}
	}
	for _, t := range in.Types {
		out := &typ{name: t.Name, kind: strings.ToLower(strings.TrimSuffix(t.Kind, "_OBJECT"))}
		out.fields = append(introFields(t.Fields), introFields(t.InputFields)...)
		out.values = introFields(t.EnumValues)
		for _, i := range t.Interfaces {
			out.interfaces = append(out.interfaces, i.Name)
		}
		if out.kind == "union" {
			for _, m := range t.PossibleTypes {
				out.members = append(out.members, m.Name)
			}
		}
		s.types[t.Name] = out
	}
	for _, d := range in.Directives {
		s.directives[d.Name] = &directive{name: d.Name, locations: d.Locations, repeatable: d.IsRepeatable, args: introFields(d.Args)}
	}
	return s
}

func introFields(list []introField) (out []*field) {
	for _, f := range list {
		n := &field{name: f.Name, of: useOf(f.Type, 0), args: introFields(f.Args), deprecated: f.IsDeprecated}
		if f.DefaultValue != nil {
			n.dflt, n.hasDefault = *f.DefaultValue, true
		}
		out = append(out, n)
	}
	return out
}

func useOf(t *introRef, depth int) *ref {
	if t == nil || depth > 32 {
		return &ref{}
	}
	switch t.Kind {
	case "NON_NULL":
		r := useOf(t.OfType, depth+1)
		r.nonNull = true
		return r
	case "LIST":
		return &ref{elem: useOf(t.OfType, depth+1)}
	}
	return &ref{name: t.Name}
}
