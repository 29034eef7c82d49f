package jsonschema

import "fmt"

// combined are the keywords that combine schemas.
func (p *part) combined() {
	for _, n := range p.listAt("allOf") {
		p.add(func(r *run, v any, at *path, s *seen) { r.check(n, v, at, s) })
	}
	if all := p.listAt("anyOf"); all != nil {
		p.add(func(r *run, v any, at *path, s *seen) { r.alternatives(all, v, at, s, false) })
	}
	if all := p.listAt("oneOf"); all != nil {
		p.add(func(r *run, v any, at *path, s *seen) { r.alternatives(all, v, at, s, true) })
	}
	if n := p.schemaAt("not"); n != nil {
		p.add(func(r *run, v any, at *path, s *seen) {
			if len(r.attempt(n, v, at, s.fresh())) == 0 {
				r.fail(at, kindOther, "it is what it must not be")
			}
		})
	}
	cond := p.schemaAt("if")
	if cond == nil || p.node.res.draft < Draft7 {
		return
	}
	then, otherwise := p.schemaAt("then"), p.schemaAt("else")
	p.add(func(r *run, v any, at *path, s *seen) {
		branch := then
		if len(r.attempt(cond, v, at, s)) > 0 {
			branch = otherwise
		}
		if branch != nil {
			r.check(branch, v, at, s)
		}
	})
}

// alternatives holds a value against several schemas, of which one must fit, and
// with only no other.
func (r *run) alternatives(all []*node, v any, at *path, s *seen, only bool) {
	var tried [][]Violation
	fit := 0
	for _, n := range all {
		bad := r.attempt(n, v, at, s)
		if len(bad) == 0 {
			if fit++; !only && s == nil {
				return
			}
		}
		tried = append(tried, bad)
	}
	switch {
	case fit == 0:
		if meant := nearest(tried, at.depth()); meant != nil {
			r.found = append(r.found, meant...)
			return
		}
		r.fail(at, kindOther, "it fits none of the alternatives")
	case only && fit > 1:
		r.fail(at, kindOther, fmt.Sprintf("it fits %d alternatives, and must fit one", fit))
	}
}

// unevaluated are what no other keyword has looked at, in this schema and those
// it applies to the same value.
func (p *part) unevaluated() {
	if p.node.res.draft < Draft2019 {
		return
	}
	names, items := p.schemaAt("unevaluatedProperties"), p.schemaAt("unevaluatedItems")
	if names == nil && items == nil {
		return
	}
	p.tracks = true
	// What counts is what this schema has looked at, not its surroundings.
	inner := p.node.rules
	p.node.rules = []rule{func(r *run, v any, at *path, s *seen) {
		own := &seen{}
		for _, rule := range inner {
			rule(r, v, at, own)
		}
		if m, ok := v.(map[string]any); ok && names != nil && !own.all {
			for name, v := range m {
				if !own.names[name] {
					r.remaining(names, v, at.to(name), notInSchema, own)
				}
			}
			own.everyName()
		}
		if list, ok := v.([]any); ok && items != nil {
			for i := own.until; i < len(list); i++ {
				if !own.items[i] {
					r.remaining(items, list[i], at.item(i), oneTooMany, own)
				}
			}
			own.first(len(list))
		}
		s.merge(own)
	}}
}
