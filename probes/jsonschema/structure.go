package jsonschema

import (
	"fmt"
	"regexp"
)

const (
	notInSchema = "it is not in the schema, which allows no others"
	oneTooMany  = "it is one more item than the schema allows"
)

// object holds objects.
func (p *part) object() {
	low, high := p.count("minProperties"), p.count("maxProperties")
	if low > 0 || high >= 0 {
		p.add(onObjects(func(r *run, m map[string]any, at *path, _ *seen) {
			r.within(at, len(m), low, high, "it has fewer than %d properties", "it has more than %d properties")
		}))
	}
	if v, ok := p.schema["required"]; ok {
		names := p.texts("required", v)
		p.add(onObjects(func(r *run, m map[string]any, at *path, _ *seen) {
			for _, name := range names {
				if _, ok := m[name]; !ok {
					r.fail(at, kindOther, fmt.Sprintf("property %q is missing", name))
				}
			}
		}))
	}
	p.properties()
	p.dependent()
	if n := p.schemaAt("propertyNames"); n != nil && p.node.res.draft >= Draft6 {
		p.add(onObjects(func(r *run, m map[string]any, at *path, _ *seen) {
			for name := range m {
				for _, bad := range r.attempt(n, name, nil, nil) {
					r.fail(at.to(name), kindOther, "of its name: "+bad.Text)
				}
			}
		}))
	}
}

func onObjects(f func(r *run, m map[string]any, at *path, s *seen)) rule {
	return func(r *run, v any, at *path, s *seen) {
		if m, ok := v.(map[string]any); ok {
			f(r, m, at, s)
		}
	}
}

// matching is what the properties have to fit whose names match.
type matching struct {
	name *regexp.Regexp
	node *node
}

func (p *part) properties() {
	known, rest := p.named("properties"), p.schemaAt("additionalProperties")
	var patterns []matching
	byPattern := p.named("patternProperties")
	if m, ok := p.schema["patternProperties"].(map[string]any); ok {
		for _, text := range sortedNames(m) {
			patterns = append(patterns, matching{p.pattern("patternProperties", text), byPattern[text]})
		}
	}
	if known == nil && patterns == nil && rest == nil {
		return
	}
	p.add(onObjects(func(r *run, m map[string]any, at *path, s *seen) {
		for name, v := range m {
			found := false
			if n := known[name]; n != nil {
				found = true
				r.check(n, v, at.to(name), s.fresh())
			}
			for _, p := range patterns {
				if p.name.MatchString(name) {
					found = true
					r.check(p.node, v, at.to(name), s.fresh())
				}
			}
			if !found && rest != nil {
				found = true
				r.remaining(rest, v, at.to(name), notInSchema, s)
			}
			if found {
				s.name(name)
			}
		}
	}))
}

// remaining checks what no other keyword has named.
func (r *run) remaining(n *node, v any, at *path, none string, s *seen) {
	if n.never {
		r.fail(at, kindOther, none)
		return
	}
	r.check(n, v, at, s.fresh())
}

// dependent is what an object has to have or be if it has a property.
// "dependencies", of the drafts before 2019-09, is still written.
func (p *part) dependent() {
	names := map[string][]string{}
	schemas := map[string]*node{}
	for _, keyword := range []string{"dependentRequired", "dependentSchemas", "dependencies"} {
		m, ok := p.schema[keyword].(map[string]any)
		if !ok && p.schema[keyword] != nil {
			p.wrong(keyword, "is no object")
		}
		for _, name := range sortedNames(m) {
			if _, isList := m[name].([]any); isList && keyword != "dependentSchemas" || keyword == "dependentRequired" {
				names[name] = append(names[name], p.texts(keyword, m[name])...)
				continue
			}
			schemas[name] = p.sub(m[name], p.where+"/"+keyword+"/"+escape(name))
		}
	}
	if len(names) > 0 {
		p.add(onObjects(func(r *run, m map[string]any, at *path, _ *seen) {
			for name, needed := range names {
				for _, other := range needed {
					if has(m, name) && !has(m, other) {
						r.fail(at, kindOther, fmt.Sprintf("property %q is missing, which %q needs", other, name))
					}
				}
			}
		}))
	}
	if len(schemas) > 0 {
		p.add(onObjects(func(r *run, m map[string]any, at *path, s *seen) {
			for name, n := range schemas {
				if has(m, name) {
					r.check(n, m, at, s)
				}
			}
		}))
	}
}

func has(m map[string]any, name string) bool { _, ok := m[name]; return ok }

// array holds lists.
func (p *part) array() {
	low, high := p.count("minItems"), p.count("maxItems")
	if low > 0 || high >= 0 {
		p.add(onArrays(func(r *run, list []any, at *path, _ *seen) {
			r.within(at, len(list), low, high, "it has fewer than %d items", "it has more than %d items")
		}))
	}
	if p.schema["uniqueItems"] == true {
		p.add(onArrays(func(r *run, list []any, at *path, _ *seen) {
			first := make(map[string]int, len(list))
			for i, v := range list {
				key := canonical(v)
				if j, ok := first[key]; ok {
					r.fail(at, kindOther, fmt.Sprintf("items %d and %d are equal", j, i))
					return
				}
				first[key] = i
			}
		}))
	}
	p.items()
	p.contains()
}

func onArrays(f func(r *run, list []any, at *path, s *seen)) rule {
	return func(r *run, v any, at *path, s *seen) {
		if list, ok := v.([]any); ok {
			f(r, list, at, s)
		}
	}
}

func (p *part) items() {
	// Before 2020-12 a tuple is "items" with a list, and "additionalItems" the rest.
	first, rest := "prefixItems", "items"
	if _, tuple := p.schema["items"].([]any); p.node.res.draft <= Draft2019 {
		if first = ""; tuple {
			first, rest = "items", "additionalItems"
		}
	}
	tuple, others := p.listAt(first), p.schemaAt(rest)
	if tuple == nil && others == nil {
		return
	}
	p.add(onArrays(func(r *run, list []any, at *path, s *seen) {
		for i, v := range list {
			switch {
			case i < len(tuple):
				r.check(tuple[i], v, at.item(i), s.fresh())
			case others != nil:
				r.remaining(others, v, at.item(i), oneTooMany, s)
			}
		}
		if s.first(len(tuple)); others != nil {
			s.first(len(list))
		}
	}))
}

func (p *part) contains() {
	n := p.schemaAt("contains")
	if n == nil || p.node.res.draft < Draft6 {
		return
	}
	low, high := 1, -1
	if p.node.res.draft >= Draft2019 {
		if high = p.count("maxContains"); p.schema["minContains"] != nil {
			low = p.count("minContains")
		}
	}
	counts := p.node.res.draft >= Draft2020 // as looked at
	p.add(onArrays(func(r *run, list []any, at *path, s *seen) {
		fit := 0
		for i, v := range list {
			if len(r.attempt(n, v, at.item(i), s.fresh())) > 0 {
				continue
			}
			if fit++; counts {
				s.item(i)
			}
		}
		if fit == 0 && low == 1 {
			r.fail(at, kindOther, "none of its items is of the kind that it must contain")
			return
		}
		r.within(at, fit, low, high, "fewer than %d of its items are of the kind that it must contain", "more than %d of its items are of the kind that it may contain")
	}))
}
