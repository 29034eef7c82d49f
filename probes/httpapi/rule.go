package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ruleOf words the limits of a schema: "1 to 64 characters, matches ^A-".
func ruleOf(s part) string {
	var out []string
	add := func(text string) {
		if text != "" {
			out = append(out, text)
		}
	}
	add(span(s, "minLength", "maxLength", "character"))
	if p := textOf(s, "pattern"); p != "" {
		add("matches " + p)
	}
	add(limits(s))
	if m, ok := s["multipleOf"].(json.Number); ok {
		add("a multiple of " + m.String())
	}
	add(span(s, "minItems", "maxItems", "item"))
	if flagOf(s, "uniqueItems") {
		add("no item twice")
	}
	add(span(s, "minProperties", "maxProperties", "entry"))
	return strings.Join(out, ", ")
}

// span words a range of counts: "1 to 64 characters".
func span(s part, least, most, unit string) string {
	lo, hasLo := numberOf(s, least)
	hi, hasHi := numberOf(s, most)
	units := func(n float64) string {
		switch {
		case n == 1:
			return unit
		case strings.HasSuffix(unit, "y"):
			return strings.TrimSuffix(unit, "y") + "ies"
		}
		return unit + "s"
	}
	switch {
	case hasLo && lo > 0 && hasHi && lo == hi:
		return fmt.Sprintf("%v %s", lo, units(lo))
	case hasLo && lo > 0 && hasHi:
		return fmt.Sprintf("%v to %v %s", lo, hi, units(hi))
	case hasLo && lo > 0:
		return fmt.Sprintf("at least %v %s", lo, units(lo))
	case hasHi:
		return fmt.Sprintf("at most %v %s", hi, units(hi))
	}
	return ""
}

// limits words a range of numbers, as they are written: "1 to 10", "more than 0".
func limits(s part) string {
	edge := func(limit, exclusive string) (text string, open bool) {
		if n, ok := s[exclusive].(json.Number); ok {
			return n.String(), true
		}
		n, _ := s[limit].(json.Number)
		return n.String(), flagOf(s, exclusive)
	}
	lo, loOpen := edge("minimum", "exclusiveMinimum")
	hi, hiOpen := edge("maximum", "exclusiveMaximum")
	if lo != "" && hi != "" && !loOpen && !hiOpen {
		return lo + " to " + hi
	}
	var out []string
	switch {
	case lo != "" && loOpen:
		out = append(out, "more than "+lo)
	case lo != "":
		out = append(out, "at least "+lo)
	}
	switch {
	case hi != "" && hiOpen:
		out = append(out, "less than "+hi)
	case hi != "":
		out = append(out, "at most "+hi)
	}
	return strings.Join(out, ", ")
}
