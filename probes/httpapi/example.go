package httpapi

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Bounds of a template: circular schemas have no end, and generated documents
// have schemas that expand to megabytes.
const (
	exampleDepth = 8
	exampleNodes = 400
)

// exampleOf makes a value that fits a schema, for a person to edit: what the
// document gives as example, default or first allowed value, else the smallest
// value within the constraints.
func exampleOf(ref *openapi3.SchemaRef, response bool) any {
	w := exampleWriter{response: response, open: map[*openapi3.Schema]bool{}}
	return w.value(ref, 0)
}

type exampleWriter struct {
	response bool
	open     map[*openapi3.Schema]bool // being written: a second visit is a circle
	nodes    int
}

func (w *exampleWriter) value(ref *openapi3.SchemaRef, depth int) any {
	if ref == nil || ref.Value == nil {
		return nil
	}
	s := ref.Value
	if v, ok := given(s); ok {
		return v
	}
	if w.nodes++; depth > exampleDepth || w.nodes > exampleNodes || w.open[s] {
		return nil
	}
	w.open[s] = true
	defer delete(w.open, s)
	if len(s.AllOf) > 0 {
		return w.allOf(s, depth)
	}
	for _, list := range []openapi3.SchemaRefs{s.OneOf, s.AnyOf} {
		if ref := firstUseful(list); ref != nil && len(s.Properties) == 0 {
			return w.value(ref, depth)
		}
	}
	return w.byType(s, depth)
}

// given is a value that the document itself offers.
func given(s *openapi3.Schema) (any, bool) {
	switch {
	case s.Example != nil:
		return s.Example, true
	case len(s.Examples) > 0:
		return s.Examples[0], true
	case s.Default != nil:
		return s.Default, true
	case s.Const != nil:
		return s.Const, true
	case len(s.Enum) > 0:
		return s.Enum[0], true
	}
	return nil, false
}

// firstUseful is the first alternative that is more than null.
func firstUseful(list openapi3.SchemaRefs) *openapi3.SchemaRef {
	for _, ref := range list {
		if ref != nil && ref.Value != nil && !ref.Value.Type.Is("null") {
			return ref
		}
	}
	return nil
}

// allOf merges the parts' objects; a part that is no object stands for itself.
func (w *exampleWriter) allOf(s *openapi3.Schema, depth int) any {
	merged := object{}
	var other any
	for _, ref := range s.AllOf {
		switch v := w.value(ref, depth+1).(type) {
		case object:
			merged = merged.with(v)
		case map[string]any:
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

func (w *exampleWriter) byType(s *openapi3.Schema, depth int) any {
	switch typeOf(s) {
	case "object":
		return w.object(s, depth)
	case "array":
		return w.array(s, depth)
	case "string":
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

// typeOf is the schema's type; where it has several the first but null, where
// it has none what its keywords imply.
func typeOf(s *openapi3.Schema) string {
	for _, t := range s.Type.Slice() {
		if t != "null" {
			return t
		}
	}
	switch {
	case len(s.Type.Slice()) > 0:
		return "null"
	case len(s.Properties) > 0 || s.AdditionalProperties.Schema != nil:
		return "object"
	case s.Items != nil || len(s.PrefixItems) > 0:
		return "array"
	case s.Format != "" || s.Pattern != "" || s.MaxLength != nil:
		return "string"
	case s.Min != nil || s.Max != nil:
		return "number"
	}
	return ""
}

// object writes the properties, required ones first, leaving out what the
// direction forbids and what would be a circle or too deep unless required.
func (w *exampleWriter) object(s *openapi3.Schema, depth int) object {
	out := object{}
	names := slices.Sorted(maps.Keys(s.Properties))
	slices.SortStableFunc(names, func(a, b string) int {
		return boolRank(slices.Contains(s.Required, b)) - boolRank(slices.Contains(s.Required, a))
	})
	for _, name := range names {
		ref := s.Properties[name]
		if ref == nil || ref.Value == nil || !w.response && ref.Value.ReadOnly || w.response && ref.Value.WriteOnly {
			continue
		}
		required := slices.Contains(s.Required, name)
		if !required && (w.open[ref.Value] || depth >= exampleDepth || w.nodes >= exampleNodes) {
			continue
		}
		v := w.value(ref, depth+1)
		if v == nil && !required && !nullable(ref.Value) {
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

func nullable(s *openapi3.Schema) bool { return s.Nullable || s.Type.IncludesNull() }

func (w *exampleWriter) array(s *openapi3.Schema, depth int) any {
	out := []any{}
	for _, ref := range s.PrefixItems {
		out = append(out, w.value(ref, depth+1))
	}
	if s.Items == nil || s.Items.Value == nil || w.open[s.Items.Value] {
		return out
	}
	want := max(1, min(int(min(s.MinItems, 4)), 4))
	if s.MaxItems != nil && *s.MaxItems < uint64(want) {
		want = int(*s.MaxItems)
	}
	for len(out) < want {
		v := w.value(s.Items, depth+1)
		if v == nil && !nullable(s.Items.Value) {
			break
		}
		out = append(out, v)
	}
	return out
}

// formats are examples of the string formats in use.
var formats = map[string]string{
	"date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00:00Z", "duration": "PT15M",
	"uuid": "00000000-0000-4000-8000-000000000000", "email": "user@example.com", "hostname": "example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/", "url": "https://example.com/",
	"uri-reference": "/", "byte": "AA==", "binary": "", "json-pointer": "/a",
}

func stringExample(s *openapi3.Schema) string {
	v := formats[s.Format]
	if v == "" && s.MinLength > 0 {
		v = strings.Repeat("x", int(min(s.MinLength, 64)))
	}
	if s.MaxLength != nil && uint64(len(v)) > *s.MaxLength {
		v = v[:*s.MaxLength]
	}
	return v
}

// numberExample is 0, or the number nearest to it that the bounds allow.
func numberExample(s *openapi3.Schema) float64 {
	step := 1.0
	if s.MultipleOf != nil && *s.MultipleOf > 0 {
		step = *s.MultipleOf
	}
	v := 0.0
	if lo, open, ok := bound(s.Min, s.ExclusiveMin); ok && (lo > v || open && lo == v) {
		v = lo
		if open {
			v += step
		}
	}
	if hi, open, ok := bound(s.Max, s.ExclusiveMax); ok && (hi < v || open && hi == v) {
		v = hi
		if open {
			v -= step
		}
	}
	return v
}

// bound reads a limit as 3.0 (a flag beside it) and 3.1 (a number of its own)
// write it.
func bound(limit *float64, exclusive openapi3.ExclusiveBound) (v float64, open, ok bool) {
	switch {
	case exclusive.Value != nil:
		return *exclusive.Value, true, true
	case limit != nil:
		return *limit, exclusive.Bool != nil && *exclusive.Bool, true
	}
	return 0, false, false
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
