package httpapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Bounds of a template: circular schemas have no end, and generated documents
// have schemas that expand to megabytes.
const (
	exampleDepth = 8
	exampleNodes = 400
)

// exampleOf makes a value that fits a schema, for a person to edit: what the
// document gives as example, default or first allowed value, else the smallest
// value within the constraints. files makes places for files of what is binary.
func (d *parsed) exampleOf(schema any, response, files bool) any {
	w := exampleWriter{doc: d, response: response, files: files, open: map[string]bool{}}
	return w.value(schema, 0)
}

type exampleWriter struct {
	doc      *parsed
	response bool
	files    bool
	open     map[string]bool // references being written: a second visit is a circle
	nodes    int
}

func (w *exampleWriter) value(v any, depth int) any {
	ref := refOf(v)
	s := w.doc.deref(v)
	if s == nil {
		return nil
	}
	if v, ok := given(s); ok {
		return v
	}
	if w.nodes++; depth > exampleDepth || w.nodes > exampleNodes || w.open[ref] {
		return nil
	}
	if ref != "" {
		w.open[ref] = true
		defer delete(w.open, ref)
	}
	if len(listOf(s, "allOf")) > 0 {
		return w.allOf(s, depth)
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if one := w.firstUseful(listOf(s, key)); one != nil && s["properties"] == nil {
			return w.value(one, depth)
		}
	}
	return w.byType(s, depth)
}

// firstUseful is the first alternative that is more than null.
func (w *exampleWriter) firstUseful(list []any) any {
	for _, v := range list {
		if s := w.doc.deref(v); s != nil && s["type"] != "null" {
			return v
		}
	}
	return nil
}

// allOf merges the parts' objects; a part that is no object stands for itself.
func (w *exampleWriter) allOf(s part, depth int) any {
	merged := object{}
	var other any
	for _, v := range listOf(s, "allOf") {
		switch v := w.value(v, depth+1).(type) {
		case object:
			merged = merged.with(v)
		case part:
			merged = merged.with(objectOf(v))
		case nil:
		default:
			other = v
		}
	}
	merged = merged.with(w.object(s, depth))
	if len(merged) == 0 && other != nil {
		return other
	}
	return merged
}

func (w *exampleWriter) byType(s part, depth int) any {
	switch typeOf(s) {
	case "object":
		return w.object(s, depth)
	case "array":
		return w.array(s, depth)
	case "string":
		if w.files && isBinary(s) {
			return "@path/to/file"
		}
		return stringExample(s)
	case "integer", "number":
		return numberExample(s)
	case "boolean":
		return false
	case "null":
		return nil
	}
	return object{}
}

// object writes the properties, required ones first, leaving out what the
// direction forbids and what would be a circle or too deep unless required.
func (w *exampleWriter) object(s part, depth int) object {
	out := object{}
	properties := objectIn(s, "properties")
	names := sortedKeys(properties)
	needed := textsOf(s, "required")
	slices.SortStableFunc(names, func(a, b string) int {
		return boolRank(slices.Contains(needed, b)) - boolRank(slices.Contains(needed, a))
	})
	for _, name := range names {
		p := w.doc.deref(properties[name])
		if p == nil || !w.response && flagOf(p, "readOnly") || w.response && flagOf(p, "writeOnly") {
			continue
		}
		required := slices.Contains(needed, name)
		if !required && (w.open[refOf(properties[name])] || depth >= exampleDepth || w.nodes >= exampleNodes) {
			continue
		}
		v := w.value(properties[name], depth+1)
		if v == nil && !required && !nullable(p) {
			continue
		}
		out = append(out, member{name, v})
	}
	return out
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *exampleWriter) array(s part, depth int) any {
	out := []any{}
	for _, v := range listOf(s, "prefixItems") {
		out = append(out, w.value(v, depth+1))
	}
	items := w.doc.deref(s["items"])
	if items == nil || w.open[refOf(s["items"])] {
		return out
	}
	least, _ := numberOf(s, "minItems")
	want := max(1, int(min(least, 4)))
	if most, ok := numberOf(s, "maxItems"); ok && most < float64(want) {
		want = int(max(most, 0))
	}
	for len(out) < want {
		v := w.value(s["items"], depth+1)
		if v == nil && !nullable(items) {
			break
		}
		out = append(out, v)
	}
	return out
}

// formatExample is an example of the string formats in use.
func formatExample(format string) string {
	switch format {
	case "date":
		return "2026-01-31"
	case "date-time":
		return "2026-01-31T12:00:00Z"
	case "time":
		return "12:00:00Z"
	case "duration":
		return "PT15M"
	case "uuid":
		return "00000000-0000-4000-8000-000000000000"
	case "email":
		return "user@example.com"
	case "hostname":
		return "example.com"
	case "ipv4":
		return "192.0.2.1"
	case "ipv6":
		return "2001:db8::1"
	case "uri", "url":
		return "https://example.com/"
	case "uri-reference":
		return "/"
	case "byte":
		return "AA=="
	case "json-pointer":
		return "/a"
	}
	return ""
}

func stringExample(s part) string {
	v := formatExample(textOf(s, "format"))
	if least, ok := numberOf(s, "minLength"); ok && v == "" && least > 0 {
		v = strings.Repeat("x", int(min(least, 64)))
	}
	if most, ok := numberOf(s, "maxLength"); ok && float64(len(v)) > most {
		v = v[:int(max(most, 0))]
	}
	return v
}

// numberExample is 0, or the number nearest to it that the bounds allow.
func numberExample(s part) float64 {
	step := 1.0
	if m, ok := numberOf(s, "multipleOf"); ok && m > 0 {
		step = m
	}
	v := 0.0
	if lo, open, ok := bound(s, "minimum", "exclusiveMinimum"); ok && (lo > v || open && lo == v) {
		v = lo
		if open {
			v += step
		}
	}
	if hi, open, ok := bound(s, "maximum", "exclusiveMaximum"); ok && (hi < v || open && hi == v) {
		v = hi
		if open {
			v -= step
		}
	}
	return v
}

// object is a JSON object that keeps its order.
type object []member

type member struct {
	name  string
	value any
}

func objectOf(m map[string]any) object {
	out := make(object, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, member{k, m[k]})
	}
	return out
}

// with adds members, replacing those of the same name.
func (o object) with(more object) object {
	for _, m := range more {
		i := slices.IndexFunc(o, func(have member) bool { return have.name == m.name })
		if i < 0 {
			o = append(o, m)
			continue
		}
		o[i] = m
	}
	return o
}

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
