package graphql

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// mend leaves out of a definition what does not fit the rest of the schema.
func (p *parts) mend(s *ast.Schema, def *ast.Definition) {
	seen := map[string]bool{}
	input := def.Kind == ast.InputObject
	def.Fields = slices.DeleteFunc(def.Fields, func(f *ast.FieldDefinition) bool {
		at := def.Name + "." + f.Name
		switch {
		case !isName(f.Name):
			p.warn(f.Position, "%q is no name of a field of %s", f.Name, def.Name)
			return true
		case seen[f.Name]:
			p.warn(f.Position, "%s is defined twice", at)
			return true
		case !p.fits(s, f.Position, at, f.Type, input):
			return true
		}
		seen[f.Name] = true
		f.Arguments = p.mendArgs(s, at, f.Arguments)
		return false
	})
	def.EnumValues = slices.DeleteFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool {
		bad := !isName(v.Name) || seen[v.Name] || v.Name == "true" || v.Name == "false" || v.Name == "null"
		if bad {
			p.warn(v.Position, "%q is no value of %s, or is defined twice", v.Name, def.Name)
		}
		seen[v.Name] = true
		return bad
	})
	def.Types, def.TypePositions = p.members(s, def, def.Types, ast.Object), nil
	def.Interfaces = p.members(s, def, def.Interfaces, ast.Interface)
}

// members leaves out the names that are no types of that kind.
func (p *parts) members(s *ast.Schema, def *ast.Definition, names []string, kind ast.DefinitionKind) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(names, func(name string) bool {
		of := s.Types[name]
		if of == nil || of.Kind != kind {
			p.warn(def.Position, "%s names %q, which is no such type", def.Name, name)
			return true
		}
		again := seen[name]
		seen[name] = true
		return again
	})
}

func (p *parts) mendArgs(s *ast.Schema, of string, args ast.ArgumentDefinitionList) ast.ArgumentDefinitionList {
	seen := map[string]bool{}
	return slices.DeleteFunc(args, func(a *ast.ArgumentDefinition) bool {
		switch {
		case !isName(a.Name):
			p.warn(a.Position, "%q is no name of an argument of %s", a.Name, of)
			return true
		case seen[a.Name]:
			p.warn(a.Position, "the argument %s of %s is defined twice", a.Name, of)
			return true
		}
		seen[a.Name] = true
		return !p.fits(s, a.Position, of+"("+a.Name+":)", a.Type, true)
	})
}

// fits reports whether a type is known and may stand where values go in, or
// where they come out.
func (p *parts) fits(s *ast.Schema, at *ast.Position, what string, t *ast.Type, input bool) bool {
	name := nameOf(t)
	def := s.Types[name]
	switch {
	case def == nil:
		p.warn(at, "%s has the type %q, which is not defined", what, name)
	case input && !def.IsInputType(), !input && def.Kind == ast.InputObject:
		p.warn(at, "%s has the type %s, which cannot stand there", what, name)
	default:
		return true
	}
	return false
}

// nameOf is the name at the core of a type, "" if there is none.
func nameOf(t *ast.Type) string {
	for t != nil && t.NamedType == "" {
		t = t.Elem
	}
	if t == nil {
		return ""
	}
	return t.NamedType
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
