package jsonschema

import (
	"math"
	"strconv"

	"iscope/inspectors/evolve/tree"
)

// bound is a keyword that limits from above or from below.
type bound struct {
	key, rule string
	upper     bool
}

func bounds() []bound {
	return []bound{
		{"maxLength", "MAX_LENGTH", true}, {"minLength", "MIN_LENGTH", false},
		{"maximum", "MAXIMUM", true}, {"minimum", "MINIMUM", false},
		{"exclusiveMaximum", "EXCLUSIVE_MAXIMUM", true}, {"exclusiveMinimum", "EXCLUSIVE_MINIMUM", false},
		{"maxItems", "MAX_ITEMS", true}, {"minItems", "MIN_ITEMS", false},
		{"maxContains", "MAX_CONTAINS", true}, {"minContains", "MIN_CONTAINS", false},
		{"maxProperties", "MAX_PROPERTIES", true}, {"minProperties", "MIN_PROPERTIES", false},
	}
}

func (d *differ) bounds(at place) {
	for _, k := range bounds() {
		a, okA := number(at.a.Get(k.key))
		b, okB := number(at.b.Get(k.key))
		p := place{at.path + "/" + k.key, at.a.Get(k.key), at.b.Get(k.key)}
		switch {
		case !okA && !okB, okA && okB && a == b:
		case !okA:
			d.emit(k.rule+"_ADDED", false, true, p, "%s is limited now: %s", k.key, short(p.b))
		case !okB:
			d.emit(k.rule+"_REMOVED", true, false, p, "%s was limited to %s and is not any more", k.key, short(p.a))
		case b > a:
			d.emit(k.rule+"_INCREASED", k.upper, !k.upper, p, "%s was %s and is %s", k.key, short(p.a), short(p.b))
		default:
			d.emit(k.rule+"_DECREASED", !k.upper, k.upper, p, "%s was %s and is %s", k.key, short(p.a), short(p.b))
		}
	}
}

// number reads a keyword's number. Draft 4 has booleans as exclusive bounds,
// which are no numbers.
func number(n *tree.Node) (float64, bool) {
	if n == nil || n.Kind != tree.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.Text, 64)
	return f, err == nil
}

func (d *differ) pattern(at place) {
	a, b := at.a.Get("pattern"), at.b.Get("pattern")
	p := place{at.path + "/pattern", a, b}
	switch {
	case tree.Equal(a, b):
	case a == nil:
		d.emit("PATTERN_ADDED", false, true, p, "a pattern is required now: %s", short(b))
	case b == nil:
		d.emit("PATTERN_REMOVED", true, false, p, "the pattern %s is no longer required", short(a))
	default:
		d.emit("PATTERN_CHANGED", false, false, p, "the pattern was %s and is %s", short(a), short(b))
	}
}

// format says what format changes mean: Confluent's registry does not look at
// it, readers that check formats do.
func (d *differ) format(at place) {
	a, b := at.a.Get("format"), at.b.Get("format")
	if !tree.Equal(a, b) {
		d.emit("FORMAT_CHANGED", true, true, place{at.path + "/format", a, b}, "the format, which few check, was %s and is %s", orNone(a), orNone(b))
	}
}

func orNone(n *tree.Node) string {
	if n == nil {
		return "none"
	}
	return short(n)
}

func (d *differ) multiple(at place) {
	a, okA := number(at.a.Get("multipleOf"))
	b, okB := number(at.b.Get("multipleOf"))
	p := place{at.path + "/multipleOf", at.a.Get("multipleOf"), at.b.Get("multipleOf")}
	switch {
	case !okA && !okB, okA && okB && a == b:
	case !okA:
		d.emit("MULTIPLE_OF_ADDED", false, true, p, "only multiples of %s are allowed now", short(p.b))
	case !okB:
		d.emit("MULTIPLE_OF_REMOVED", true, false, p, "only multiples of %s were allowed", short(p.a))
	case math.Mod(b, a) == 0:
		d.emit("MULTIPLE_OF_EXPANDED", false, true, p, "multiples of %s became multiples of %s", short(p.a), short(p.b))
	case math.Mod(a, b) == 0:
		d.emit("MULTIPLE_OF_REDUCED", true, false, p, "multiples of %s became multiples of %s", short(p.a), short(p.b))
	default:
		d.emit("MULTIPLE_OF_CHANGED", false, false, p, "multiples of %s became multiples of %s", short(p.a), short(p.b))
	}
}

func (d *differ) unique(at place) {
	a, b := at.a.True("uniqueItems"), at.b.True("uniqueItems")
	p := place{at.path + "/uniqueItems", at.a.Get("uniqueItems"), at.b.Get("uniqueItems")}
	switch {
	case b && !a:
		d.emit("UNIQUE_ITEMS_ADDED", false, true, p, "items must be different from one another now")
	case a && !b:
		d.emit("UNIQUE_ITEMS_REMOVED", true, false, p, "items may be the same now")
	}
}

func (d *differ) not(at place) {
	a, b := at.a.Get("not"), at.b.Get("not")
	p := place{at.path + "/not", a, b}
	switch {
	case tree.Equal(a, b):
	case a == nil:
		d.emit("NOT_TYPE_EXTENDED", false, true, p, "something is excluded now")
	case b == nil:
		d.emit("NOT_TYPE_NARROWED", true, false, p, "nothing is excluded any more")
	default:
		// What is excluded grows when what is allowed shrinks.
		wide, narrow := d.allows(d.b, d.a, b, a), d.allows(d.a, d.b, a, b)
		switch {
		case wide && narrow:
		case wide:
			d.emit("NOT_TYPE_NARROWED", true, false, p, "less is excluded")
		case narrow:
			d.emit("NOT_TYPE_EXTENDED", false, true, p, "more is excluded")
		default:
			d.emit("NOT_TYPE_EXTENDED", false, false, p, "something else is excluded")
		}
	}
}

// allows reports whether all that one schema allows is allowed by another, each
// within its document.
func (d *differ) allows(from, to *document, a, b *tree.Node) bool {
	s := &differ{a: from, b: to, mode: Backward, seen: map[[2]*tree.Node]bool{}, budget: d.budget, depth: d.depth}
	s.compare(a, b, "")
	return s.fits()
}
