package graphql

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// intro is the answer to an introspection (GraphQL October 2021 §4.2).
type intro struct {
	Description                               string
	QueryType, MutationType, SubscriptionType *introName
	Types                                     []introType
	Directives                                []introDirective
	HasDirectives                             bool
	warnings                                  []string
}

type introName struct{ Name string }

type introType struct {
	Kind, Name, Description string
	SpecifiedByURL          string
	IsOneOf                 bool
	Fields                  []introField
	InputFields             []introField
	EnumValues              []introField
	Interfaces              []introName
	PossibleTypes           []introName
}

// introField is a field, an argument, an input field or a value of an enum.
type introField struct {
	Name, Description string
	Args              []introField
	Type              *introRef
	DefaultValue      *string
	IsDeprecated      bool
	DeprecationReason *string
}

type introRef struct {
	Kind, Name string
	OfType     *introRef
}

type introDirective struct {
	Name, Description string
	Locations         []string
	Args              []introField
	IsRepeatable      bool
}

var errNoIntrospection = errors.New("there is no __schema in it")

// readIntro reads {"data": {"__schema": ...}} or {"__schema": ...}. Type by type,
// so that what is malformed or cut off takes nothing with it that came before;
// it is then in warnings.
func readIntro(text []byte) (*intro, error) {
	r := &introReader{dec: json.NewDecoder(bytes.NewReader(text)), text: text}
	err := r.object(func(key string) error {
		switch key {
		case "data":
			return r.object(r.schemaOr)
		default:
			return r.schemaOr(key)
		}
	})
	if err != nil {
		if r.out == nil || len(r.out.Types) == 0 {
			return nil, r.at(err)
		}
		r.out.warnings = append(r.out.warnings, r.at(err).Error()+"; what comes after it is missing")
	}
	if r.out == nil {
		return nil, errNoIntrospection
	}
	return r.out, nil
}

type introReader struct {
	dec  *json.Decoder
	text []byte
	out  *intro
}

// schemaOr reads a __schema and skips anything else.
func (r *introReader) schemaOr(key string) error {
	if key != "__schema" {
		var skipped json.RawMessage
		return r.dec.Decode(&skipped)
	}
	r.out = &intro{}
	return r.object(func(key string) error {
		switch key {
		case "types":
			return each(r, func(t introType) { r.out.Types = append(r.out.Types, t) })
		case "directives":
			r.out.HasDirectives = true
			return each(r, func(d introDirective) { r.out.Directives = append(r.out.Directives, d) })
		case "queryType":
			return r.dec.Decode(&r.out.QueryType)
		case "mutationType":
			return r.dec.Decode(&r.out.MutationType)
		case "subscriptionType":
			return r.dec.Decode(&r.out.SubscriptionType)
		case "description":
			var text *string
			err := r.dec.Decode(&text)
			if text != nil {
				r.out.Description = *text
			}
			return err
		}
		var skipped json.RawMessage
		return r.dec.Decode(&skipped)
	})
}

// object reads an object and calls member for every key, which has to read the
// value. null is an object without members.
func (r *introReader) object(member func(key string) error) error {
	token, err := r.dec.Token()
	switch {
	case err != nil:
		return err
	case token == nil:
		return nil
	case token != json.Delim('{'):
		return errors.New("expected an object")
	}
	for r.dec.More() {
		key, err := r.dec.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if err := member(name); err != nil {
			return err
		}
	}
	_, err = r.dec.Token()
	return err
}

// each reads a list. An element of the wrong type is left out.
func each[T any](r *introReader, take func(T)) error {
	token, err := r.dec.Token()
	switch {
	case err != nil:
		return err
	case token == nil:
		return nil
	case token != json.Delim('['):
		return errors.New("expected a list")
	}
	for r.dec.More() {
		var v T
		err := r.dec.Decode(&v)
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			r.out.warnings = append(r.out.warnings, r.at(fmt.Errorf("%s is no %s", wrong.Field, wrong.Type)).Error())
		} else if err != nil {
			return err
		}
		take(v)
	}
	_, err = r.dec.Token()
	return err
}

// at adds line and column to an error. A decoder's offsets mean different things
// at different errors, so malformed text is read once more as a whole.
func (r *introReader) at(err error) error {
	offset := r.dec.InputOffset()
	var syntax *json.SyntaxError
	var whole json.RawMessage
	if errors.As(json.Unmarshal(r.text, &whole), &syntax) {
		offset, err = syntax.Offset-1, syntax
		if offset >= int64(len(r.text))-1 && strings.Contains(syntax.Error(), "unexpected end") {
			offset, err = int64(len(r.text)), errors.New("it ends in the middle")
		}
	}
	line, column := lineColumn(r.text, offset)
	return fmt.Errorf("line %d:%d: %w", line, column, err)
}

// lineColumn counts from 1, columns in bytes.
func lineColumn(text []byte, offset int64) (line, column int) {
	before := text[:max(0, min(int(offset), len(text)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

// parts makes definitions of an introspection.
func (in *intro) parts() *parts {
	p := &parts{roots: map[ast.Operation]string{}, text: in.Description, warnings: in.warnings, exhaustive: in.HasDirectives}
	for kind, root := range map[ast.Operation]*introName{
		ast.Query: in.QueryType, ast.Mutation: in.MutationType, ast.Subscription: in.SubscriptionType} {
		if root != nil {
			p.roots[kind] = root.Name
		}
	}
	for i := range in.Types {
		if t := &in.Types[i]; !strings.HasPrefix(t.Name, "__") {
			p.defs = append(p.defs, p.definition(t))
		}
	}
	for i := range in.Directives {
		d := &in.Directives[i]
		out := &ast.DirectiveDefinition{Name: d.Name, Description: d.Description, IsRepeatable: d.IsRepeatable, Arguments: p.arguments(d.Args)}
		for _, l := range d.Locations {
			out.Locations = append(out.Locations, ast.DirectiveLocation(l))
		}
		p.directives = append(p.directives, out)
	}
	return p
}
