package graphql

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// parts are the definitions of a schema as they were read, not yet held against
// each other.
type parts struct {
	defs       []*ast.Definition
	extensions []*ast.Definition
	directives []*ast.DirectiveDefinition
	roots      map[ast.Operation]string
	text       string // the schema's own description
	warnings   []string
	// exhaustive: the source lists every directive, also those of the
	// specification. SDL does not.
	exhaustive bool
}

// maxWarnings bounds what is said about one schema.
const maxWarnings = 100

// warn notes what was left out, with its place where there is one.
func (p *parts) warn(at *ast.Position, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if at != nil && at.Line > 0 {
		text = fmt.Sprintf("line %d:%d: %s", at.Line, at.Column, text)
	}
	switch {
	case len(p.warnings) < maxWarnings:
		p.warnings = append(p.warnings, text)
	case len(p.warnings) == maxWarnings:
		p.warnings = append(p.warnings, "there is more of this kind")
	}
}

// assemble makes a schema of the parts. What does not fit is left out with a
// warning: a field of a type that does not exist, a name given twice. Schemas
// that are published are not always valid (GitHub's is not), and the rest of
// them is of use.
func (p *parts) assemble() *ast.Schema {
	s := &ast.Schema{Types: map[string]*ast.Definition{}, Directives: map[string]*ast.DirectiveDefinition{},
		PossibleTypes: map[string][]*ast.Definition{}, Implements: map[string][]*ast.Definition{}, Description: p.text}
	builtin := validator.PreludeDocument()
	for _, def := range p.defs {
		p.define(s, def)
	}
	for _, def := range builtin.Definitions {
		if s.Types[def.Name] == nil {
			s.Types[def.Name] = def
		} else {
			s.Types[def.Name].BuiltIn = true
		}
	}
	for _, ext := range p.extensions {
		p.extend(s, ext)
	}
	for _, def := range s.Types {
		if !def.BuiltIn {
			p.mend(s, def)
		}
	}
	p.setDirectives(s, builtin.Directives)
	relate(s)
	p.setRoots(s)
	if s.Query != nil {
		s.Query.Fields = append(s.Query.Fields, validator.QueryIntrospectionFields()...)
	}
	return s
}

func (p *parts) define(s *ast.Schema, def *ast.Definition) {
	switch {
	case !isName(def.Name):
		p.warn(def.Position, "%q is no name of a type", def.Name)
	case s.Types[def.Name] != nil:
		p.warn(def.Position, "type %s is defined twice", def.Name)
	default:
		s.Types[def.Name] = def
	}
}

func (p *parts) extend(s *ast.Schema, ext *ast.Definition) {
	def := s.Types[ext.Name]
	switch {
	case !isName(ext.Name):
		p.warn(ext.Position, "%q is no name of a type", ext.Name)
		return
	case def == nil: // federated schemas extend what others define
		s.Types[ext.Name] = ext
		return
	case def.Kind != ext.Kind:
		p.warn(ext.Position, "%s is extended as something else than it is", ext.Name)
		return
	}
	def.Directives = append(def.Directives, ext.Directives...)
	def.Interfaces = append(def.Interfaces, ext.Interfaces...)
	def.Fields = append(def.Fields, ext.Fields...)
	def.Types = append(def.Types, ext.Types...)
	def.EnumValues = append(def.EnumValues, ext.EnumValues...)
}

// setDirectives keeps those of the specification where the source has them, or
// where it does not list any (SDL).
func (p *parts) setDirectives(s *ast.Schema, builtin ast.DirectiveDefinitionList) {
	listed := map[string]bool{}
	for _, d := range p.directives {
		listed[d.Name] = true
	}
	for _, d := range builtin {
		if !p.exhaustive || listed[d.Name] {
			s.Directives[d.Name] = d
		}
	}
	for _, d := range p.directives {
		switch {
		case !isName(d.Name):
			p.warn(d.Position, "%q is no name of a directive", d.Name)
		case s.Directives[d.Name] == nil:
			d.Arguments = p.mendArgs(s, "@"+d.Name, d.Arguments)
			s.Directives[d.Name] = d
		}
	}
}

// relate fills in which types are possible where an interface or union is.
func relate(s *ast.Schema) {
	for _, name := range sortedKeys(s.Types) {
		def := s.Types[name]
		switch def.Kind {
		case ast.Union:
			for _, member := range def.Types {
				s.AddPossibleType(name, s.Types[member])
				s.AddImplements(member, def)
			}
		case ast.Object, ast.Interface, ast.InputObject:
			for _, face := range def.Interfaces {
				s.AddPossibleType(face, def)
				s.AddImplements(name, s.Types[face])
			}
			if def.Kind != ast.Interface {
				s.AddPossibleType(name, def)
			}
		}
	}
}

// setRoots finds the root types: those that are named, or where none is, the
// types with the usual names (GraphQL October 2021 §3.3.1).
func (p *parts) setRoots(s *ast.Schema) {
	usual := map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}
	for _, kind := range kinds() {
		name, named := p.roots[kind], len(p.roots) > 0
		if !named {
			name = usual[kind]
		}
		if name == "" {
			continue
		}
		def := s.Types[name]
		if def == nil || def.Kind != ast.Object {
			if named {
				p.warn(nil, "the root type for %s, %q, is no object type", kind, name)
			}
			continue
		}
		switch kind {
		case ast.Query:
			s.Query = def
		case ast.Mutation:
			s.Mutation = def
		case ast.Subscription:
			s.Subscription = def
		}
	}
}

func kinds() []ast.Operation {
	return []ast.Operation{ast.Query, ast.Mutation, ast.Subscription}
}

func isKind(s string) bool {
	switch ast.Operation(s) {
	case ast.Query, ast.Mutation, ast.Subscription:
		return true
	}
	return false
}

// rootOf is the type of an operation's root fields, nil if there is none.
func rootOf(s *ast.Schema, kind ast.Operation) *ast.Definition {
	switch kind {
	case ast.Query:
		return s.Query
	case ast.Mutation:
		return s.Mutation
	}
	return s.Subscription
}

// isName follows the Name production of the specification (§2.1.9).
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || i > 0 && '0' <= c && c <= '9') {
			return false
		}
	}
	return s != ""
}
