package jsonschema

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// violationKind is what the choice between alternatives looks at.
type violationKind int

const (
	kindOther  violationKind = iota
	kindType                 // another type
	kindChoice               // another value, of enum or const
)

func compareViolations(a, b Violation) int {
	return cmp.Or(strings.Compare(a.At, b.At), strings.Compare(a.Text, b.Text))
}

// nearest returns what is wrong with the alternative that was meant, if that can
// be told: the only one that is of the value's type, or of those the only one
// whose constants (a discriminator, mostly) are the value's.
func nearest(tried [][]Violation, depth int) []Violation {
	typed := without(tried, func(v Violation) bool { return v.kind == kindType && v.depth == depth })
	if len(typed) == 1 {
		return typed[0]
	}
	named := without(typed, func(v Violation) bool { return v.kind == kindChoice && v.depth <= depth+1 })
	if len(named) == 1 {
		return named[0]
	}
	return nil
}

func without(tried [][]Violation, bad func(Violation) bool) (left [][]Violation) {
	for _, t := range tried {
		if !slices.ContainsFunc(t, bad) {
			left = append(left, t)
		}
	}
	return left
}

// maxNamed bounds how many values of an enum are named.
const maxNamed = 20

func noneOf(values []any) string {
	named := make([]string, 0, min(len(values), maxNamed+1))
	for _, v := range values[:min(len(values), maxNamed)] {
		named = append(named, plain(v))
	}
	if more := len(values) - maxNamed; more > 0 {
		named = append(named, fmt.Sprintf("%d more", more))
	}
	return "it is none of " + strings.Join(named, ", ")
}

// plain writes a value of a schema for a sentence.
func plain(v any) string {
	text := fmt.Sprint(v)
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if v == "" {
			return `""`
		}
	case map[string]any, []any:
		text = canonical(v)
	}
	if len(text) > 100 {
		text = strings.ToValidUTF8(text[:100], "") + "…"
	}
	return text
}
