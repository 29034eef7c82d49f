package httpapi

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// part is an object of a document. The readers below take what does not have
// the type they want as absent: whoever wrote the document is warned by mend,
// whoever uses it goes on with the rest.
type part = map[string]any

// maxHops bounds a chain of references.
const maxHops = 64

// deref is the object that a value is or refers to, nil if it is none. A schema
// that is true or false is none.
func (d *parsed) deref(v any) part {
	for range maxHops {
		p, _ := v.(part)
		ref, ok := p["$ref"].(string)
		if !ok {
			return p
		}
		v, _ = lookup(d.tree, unescapeFragment(strings.TrimPrefix(ref, "#")))
	}
	return nil
}

// refOf is the reference that stands in a value's place, "" if none does.
func refOf(v any) string {
	p, _ := v.(part)
	ref, _ := p["$ref"].(string)
	return ref
}

func textOf(p part, key string) string {
	s, _ := p[key].(string)
	return s
}

func listOf(p part, key string) []any {
	l, _ := p[key].([]any)
	return l
}

func objectIn(p part, key string) part {
	m, _ := p[key].(part)
	return m
}

func flagOf(p part, key string) bool {
	b, _ := p[key].(bool)
	return b
}

func numberOf(p part, key string) (float64, bool) {
	n, ok := p[key].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// textsOf are the texts of a list.
func textsOf(p part, key string) []string {
	var out []string
	for _, v := range listOf(p, key) {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// sortedKeys gives the keys of a document's object an order: that of the text is
// not kept.
func sortedKeys(p part) []string { return slices.Sorted(maps.Keys(p)) }
