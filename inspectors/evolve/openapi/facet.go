package openapi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

// typesOf are the types of a schema without null, and whether null is allowed.
func typesOf(n *tree.Node) (types []string, null bool) {
	for _, t := range n.Get("type").Strings() {
		if t == "null" {
			null = true
		} else if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	slices.Sort(types)
	return types, null || n.True("nullable") || n.True("x-nullable")
}

func (d *differ) types(p at) {
	a, _ := typesOf(p.a)
	b, _ := typesOf(p.b)
	x, y := p.a.Str("format"), p.b.Str("format")
	if slices.Equal(a, b) && x == y {
		return
	}
	was, is := name(a, x), name(b, y)
	wider, narrower := contains(b, a, y, x), contains(a, b, x, y)
	// A parameter is text: a string takes what any other simple type took.
	wider = wider || p.kind == parameter && is == "string" && p.b.Get("enum") == nil && p.b.Get("pattern") == nil && !slices.Contains(a, "array") && !slices.Contains(a, "object")
	switch {
	case wider:
		d.tell(p, "type-generalized", false, true, "type", "%s became %s", was, is)
	case p.kind == inParam && !narrower:
		d.add(p.rule("type-changed"), change.Dangerous, p.path, p.a.Get("type"), p.b.Get("type"), "%s became %s", was, is)
	case narrower && (!p.request || p.kind == inParam):
		d.tell(p, "type-specialized", true, false, "type", "%s became %s", was, is)
	default:
		d.tell(p, "type-changed", true, true, "type", "%s became %s", was, is)
	}
}

func name(types []string, format string) string {
	text := strings.Join(types, " or ")
	if text == "" {
		text = "any type"
	}
	if format != "" {
		text += " (" + format + ")"
	}
	return text
}

// contains reports whether one list of types allows all of another, with what
// formats say of it.
func contains(wide, narrow []string, format, inner string) bool {
	if len(wide) == 0 {
		return format == "" || format == inner
	}
	if len(narrow) == 0 {
		return false
	}
	for _, t := range narrow {
		if !slices.Contains(wide, t) && (t != "integer" || !slices.Contains(wide, "number")) {
			return false
		}
	}
	switch {
	case format == inner, format == "":
		return true
	case format == "int64":
		return inner == "int32"
	case format == "double":
		return inner == "float"
	}
	return false
}

func (d *differ) nullable(p at) {
	_, was := typesOf(p.a)
	_, is := typesOf(p.b)
	key := "nullable"
	if p.a.Get(key) == nil && p.b.Get(key) == nil {
		key = "type"
	}
	switch {
	case is && !was:
		d.tell(p, "became-nullable", false, true, key, "it may be null now")
	case was && !is:
		d.tell(p, "became-not-nullable", true, false, key, "it may not be null any more")
	}
}

func (d *differ) enums(p at) {
	a, b := p.a.Get("enum"), p.b.Get("enum")
	x, y := values(a), values(b)
	switch {
	case a == nil && b == nil:
	case a == nil:
		d.tell(p, "became-enum", true, false, "enum", "only listed values are allowed now: %s", some(y))
	case b == nil:
		d.tell(p, "became-not-enum", false, true, "enum", "the list of values is gone")
	default:
		if gone := without(x, y); len(gone) > 0 && !a.IsCut() && !b.IsCut() {
			d.tell(p, "enum-value-removed", true, false, "enum", "no longer among the values: %s", some(gone))
		}
		if more := without(y, x); len(more) > 0 {
			d.tell(p, "enum-value-added", false, true, "enum", "also among the values: %s", some(more))
		}
	}
	a, b = p.a.Get("const"), p.b.Get("const")
	switch {
	case tree.Equal(a, b):
	case a == nil:
		d.tell(p, "const-added", true, false, "const", "only %s is allowed now", value(b))
	case b == nil:
		d.tell(p, "const-removed", false, true, "const", "more than %s is allowed now", value(a))
	default:
		d.tell(p, "const-changed", true, true, "const", "the only value was %s and is %s", value(a), value(b))
	}
}

func values(n *tree.Node) (out []string) {
	for _, v := range n.List() {
		if v.Kind != tree.Null { // null is told as nullable
			out = append(out, v.JSON(1<<10))
		}
	}
	return out
}

// bound is a keyword that limits from above or below.
type bound struct {
	key, what string
	upper     bool
}

func allBounds() []bound {
	return []bound{{"maximum", "max", true}, {"minimum", "min", false}, {"exclusiveMaximum", "exclusive-max", true}, {"exclusiveMinimum", "exclusive-min", false},
		{"maxLength", "max-length", true}, {"minLength", "min-length", false}, {"maxItems", "max-items", true}, {"minItems", "min-items", false},
		{"maxProperties", "max-properties", true}, {"minProperties", "min-properties", false},
		{"maxContains", "max-contains", true}, {"minContains", "min-contains", false}}
}

func (d *differ) bounds(p at) {
	for _, k := range allBounds() {
		a, okA := number(p.a.Get(k.key), k.key)
		b, okB := number(p.b.Get(k.key), k.key)
		was, is := value(p.a.Get(k.key)), value(p.b.Get(k.key))
		switch {
		case !okA && !okB, okA && okB && a == b:
		case !okA:
			d.tell(p, k.what+"-set", true, false, k.key, "%s is %s now and was open", k.key, is)
		case !okB:
			d.tell(p, k.what+"-unset", false, true, k.key, "%s was %s and is open now", k.key, was)
		case b > a:
			d.tell(p, k.what+"-increased", !k.upper, k.upper, k.key, "%s was %s and is %s", k.key, was, is)
		default:
			d.tell(p, k.what+"-decreased", k.upper, !k.upper, k.key, "%s was %s and is %s", k.key, was, is)
		}
	}
	d.multiple(p)
}

// number reads a limit. Zero as the least length, and such, limits nothing.
func number(n *tree.Node, key string) (float64, bool) {
	if n == nil || n.Kind != tree.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.Text, 64)
	if f == 0 && (key == "minLength" || key == "minItems" || key == "minProperties" || key == "minContains") {
		return 0, false
	}
	return f, err == nil
}

func (d *differ) multiple(p at) {
	a, okA := number(p.a.Get("multipleOf"), "")
	b, okB := number(p.b.Get("multipleOf"), "")
	was, is := value(p.a.Get("multipleOf")), value(p.b.Get("multipleOf"))
	switch {
	case !okA && !okB, okA && okB && a == b:
	case !okA:
		d.tell(p, "multiple-of-set", true, false, "multipleOf", "only multiples of %s are allowed now", is)
	case !okB:
		d.tell(p, "multiple-of-unset", false, true, "multipleOf", "only multiples of %s were allowed", was)
	case p.request && divides(b, a):
		d.tell(p, "multiple-of-generalized", false, true, "multipleOf", "multiples of %s became multiples of %s", was, is)
	case !p.request && divides(a, b):
		d.tell(p, "multiple-of-specialized", true, false, "multipleOf", "multiples of %s became multiples of %s", was, is)
	default:
		d.tell(p, "multiple-of-changed", true, true, "multipleOf", "multiples of %s became multiples of %s", was, is)
	}
}

func divides(a, b float64) bool {
	q := b / a
	return q == float64(int64(q))
}

// texts compares pattern, default, uniqueness, discriminators and deprecation.
func (d *differ) texts(p at) {
	a, b := p.a.Get("pattern"), p.b.Get("pattern")
	switch {
	case tree.Equal(a, b):
	case a == nil:
		d.tell(p, "pattern-added", true, false, "pattern", "it has to match %s now", value(b))
	case b == nil:
		d.tell(p, "pattern-removed", false, true, "pattern", "it no longer has to match %s", value(a))
	case p.request && (b.Text == ".*" || b.Text == "^.*$"):
		d.tell(p, "pattern-generalized", false, true, "pattern", "it had to match %s and may be anything now", value(a))
	default:
		d.add(p.rule("pattern-changed"), change.Dangerous, p.path, a, b, "it had to match %s and has to match %s now", value(a), value(b))
	}
	a, b = p.a.Get("default"), p.b.Get("default")
	switch {
	case tree.Equal(a, b):
	case a == nil:
		d.tell(p, "default-value-added", false, false, "default", "left out, it is %s now", value(b))
	case b == nil:
		d.tell(p, "default-value-removed", false, false, "default", "left out, it was %s", value(a))
	default:
		d.tell(p, "default-value-changed", false, false, "default", "left out, it was %s and is %s", value(a), value(b))
	}
	switch was, is := p.a.True("uniqueItems"), p.b.True("uniqueItems"); {
	case is && !was && p.request:
		d.tell(p, "unique-items-set", true, false, "uniqueItems", "items must differ from one another now")
	case was && !is:
		d.tell(p, "unique-items-unset", false, true, "uniqueItems", "items may be the same now")
	}
	if p.kind == property && !p.a.True("deprecated") && p.b.True("deprecated") {
		d.tell(p, "deprecated", false, false, "deprecated", "deprecated")
	}
	d.discriminator(p)
}

func (d *differ) discriminator(p at) {
	a, b := p.a.Get("discriminator"), p.b.Get("discriminator")
	switch {
	case a == nil && b == nil:
	case a == nil:
		d.tell(p, "discriminator-added", false, false, "discriminator", "a discriminator says which alternative it is")
	case b == nil:
		d.tell(p, "discriminator-removed", false, false, "discriminator", "no discriminator says any more which alternative it is")
	case a.IsMap() && b.IsMap() && a.Str("propertyName") != b.Str("propertyName"):
		d.tell(p, "discriminator-property-name-changed", false, false, "discriminator", "the discriminator was %s and is %s", a.Str("propertyName"), b.Str("propertyName"))
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
