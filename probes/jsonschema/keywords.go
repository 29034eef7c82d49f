package jsonschema

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// references are "$ref" and its dynamic relatives.
func (p *part) references() {
	res := p.node.res
	if ref, ok := p.schema["$ref"].(string); ok {
		if to := p.refer(res, ref, "$ref"); to != nil {
			p.add(func(r *run, v any, at *path, s *seen) { r.check(to, v, at, s) })
		}
	} else if p.schema["$ref"] != nil {
		p.wrong("$ref", "is no text")
	}
	if ref, ok := p.schema["$recursiveRef"].(string); ok && res.draft == Draft2019 {
		to := p.refer(res, ref, "$recursiveRef")
		p.add(func(r *run, v any, at *path, s *seen) {
			n := to
			if to.res.recursive {
				n = r.scope.outermost(func(res *resource) *node { return res.self })
			}
			r.check(n, v, at, s)
		})
	}
	if ref, ok := p.schema["$dynamicRef"].(string); ok && res.draft >= Draft2020 {
		to := p.refer(res, ref, "$dynamicRef")
		_, name, _ := strings.Cut(ref, "#")
		p.add(func(r *run, v any, at *path, s *seen) {
			n := to
			if to.res.dynamic[name] != nil { // else it is an ordinary reference
				n = r.scope.outermost(func(res *resource) *node { return res.bound[name] })
			}
			r.check(n, v, at, s)
		})
	}
}

func (p *part) refer(res *resource, ref, keyword string) *node {
	n, err := p.compiler.refer(res, ref, p.where+"/"+keyword)
	if err != nil && p.err == nil {
		p.err = err
	}
	return n
}

// value holds the value's type, and the value itself.
func (p *part) value() {
	if v, ok := p.schema["type"]; ok {
		p.types(v)
	}
	if v, ok := p.schema["enum"]; ok {
		values, isList := v.([]any)
		if !isList {
			p.wrong("enum", "is no list")
		}
		known := make(map[string]bool, len(values))
		for _, v := range values {
			known[canonical(v)] = true
		}
		p.add(func(r *run, v any, at *path, _ *seen) {
			if !known[canonical(v)] {
				r.fail(at, kindChoice, noneOf(values))
			}
		})
	}
	if want, ok := p.schema["const"]; ok && p.node.res.draft >= Draft6 {
		only := canonical(want)
		p.add(func(r *run, v any, at *path, _ *seen) {
			if canonical(v) != only {
				r.fail(at, kindChoice, "it is not "+plain(want))
			}
		})
	}
}

func (p *part) types(v any) {
	var want []string
	if name, ok := v.(string); ok {
		want = []string{name}
	} else {
		want = p.texts("type", v)
	}
	for _, name := range want {
		switch name {
		case "null", "boolean", "object", "array", "number", "string", "integer":
		default:
			p.wrong("type", fmt.Sprintf("is %q, which is no type", name))
		}
	}
	p.add(func(r *run, v any, at *path, _ *seen) {
		got := typeOf(v)
		if !slices.Contains(want, got) && (got != "integer" || !slices.Contains(want, "number")) {
			if got == "integer" {
				got = "number"
			}
			r.fail(at, kindType, "it is of type "+got+", not "+strings.Join(want, " or "))
		}
	})
}

// number holds numbers against bounds.
func (p *part) number() {
	p.bound("multipleOf", "it is no multiple of ", func(v, of *big.Rat) bool {
		return of.Sign() == 0 || new(big.Rat).Quo(v, of).IsInt()
	})
	above := func(v, limit *big.Rat) bool { return v.Cmp(limit) > 0 }
	below := func(v, limit *big.Rat) bool { return v.Cmp(limit) < 0 }
	// In draft 4 "exclusiveMinimum" is a flag.
	if p.schema["exclusiveMinimum"] == true && p.node.res.draft == Draft4 {
		p.bound("minimum", "it is not more than ", above)
	} else {
		p.bound("minimum", "it is less than ", func(v, limit *big.Rat) bool { return v.Cmp(limit) >= 0 })
	}
	if p.schema["exclusiveMaximum"] == true && p.node.res.draft == Draft4 {
		p.bound("maximum", "it is not less than ", below)
	} else {
		p.bound("maximum", "it is more than ", func(v, limit *big.Rat) bool { return v.Cmp(limit) <= 0 })
	}
	if p.node.res.draft != Draft4 {
		p.bound("exclusiveMinimum", "it is not more than ", above)
		p.bound("exclusiveMaximum", "it is not less than ", below)
	}
}

func (p *part) bound(keyword, text string, fits func(v, limit *big.Rat) bool) {
	have, ok := p.schema[keyword]
	if !ok {
		return
	}
	limit, ok := numberOf(have)
	if !ok || limit == nil {
		p.wrong(keyword, "is no number that can be computed with")
		return
	}
	p.add(func(r *run, v any, at *path, _ *seen) {
		n, ok := numberOf(v)
		switch {
		case !ok:
		case n == nil:
			r.fail(at, kindOther, "its exponent is too large to compute with")
		case !fits(n, limit):
			r.fail(at, kindOther, text+plain(have))
		}
	})
}

// text holds strings.
func (p *part) text() {
	low, high := p.count("minLength"), p.count("maxLength")
	if low > 0 || high >= 0 {
		p.add(func(r *run, v any, at *path, _ *seen) {
			s, ok := v.(string)
			if n := utf8.RuneCountInString(s); ok {
				r.within(at, n, low, high, "it is shorter than %d characters", "it is longer than %d characters")
			}
		})
	}
	if v, ok := p.schema["pattern"]; ok {
		text, isText := v.(string)
		if !isText {
			p.wrong("pattern", "is no text")
		}
		re := p.pattern("pattern", text)
		p.add(func(r *run, v any, at *path, _ *seen) {
			if s, ok := v.(string); ok && !re.MatchString(s) {
				r.fail(at, kindOther, "it does not match "+text)
			}
		})
	}
	if name, ok := p.schema["format"].(string); ok && p.opts.Formats {
		p.add(func(r *run, v any, at *path, _ *seen) {
			if s, ok := v.(string); ok && !fitsFormat(name, s) {
				r.fail(at, kindOther, "it is no "+name)
			}
		})
	}
}

// within holds a size between bounds, which are -1 if there are none.
func (r *run) within(at *path, n, low, high int, few, many string) {
	if n < low {
		r.fail(at, kindOther, fmt.Sprintf(few, low))
	}
	if high >= 0 && n > high {
		r.fail(at, kindOther, fmt.Sprintf(many, high))
	}
}
