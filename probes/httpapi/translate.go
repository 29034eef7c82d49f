package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// translator writes schemas of OpenAPI down as those of JSON Schema 2020-12.
type translator struct {
	doc   *parsed
	as    direction
	defs  part
	names map[string]string // of the definitions, by pointer
	todo  []string
	size  int
}

func (t *translator) schema(v any) any {
	s, ok := v.(part)
	if t.size++; !ok || t.size > maxSchema {
		if b, isBool := v.(bool); isBool {
			return b
		}
		return true
	}
	out := part{}
	if ref, ok := s["$ref"].(string); ok {
		out["$ref"] = t.refer(unescapeFragment(strings.TrimPrefix(ref, "#")))
		if !t.doc.since31() {
			return out // what stands beside a reference counts since 3.1
		}
	}
	for key, v := range s {
		t.keyword(out, key, v)
	}
	t.direct(out, s)
	if !t.doc.since31() {
		t.old(out, s)
	}
	limitInteger(out, s)
	return out
}

func (t *translator) refer(pointer string) string {
	name, ok := t.names[pointer]
	if !ok {
		name = fmt.Sprint("d", len(t.names))
		t.names[pointer] = name
		t.todo = append(t.todo, pointer)
	}
	return "#/$defs/" + name
}

func (t *translator) keyword(out part, key string, v any) {
	switch key {
	case "properties", "patternProperties", "dependentSchemas":
		m := part{}
		for name, v := range objectOrNone(v) {
			if key == "patternProperties" && !compiles(name) {
				continue
			}
			m[name] = t.schema(v)
		}
		out[key] = m
	case "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems":
		out[key] = t.schema(v)
	case "items":
		if _, isList := v.([]any); !isList {
			out[key] = t.schema(v)
		}
	case "allOf", "anyOf", "oneOf", "prefixItems":
		var list []any
		for _, v := range listOrNone(v) {
			list = append(list, t.schema(v))
		}
		if len(list) > 0 {
			out[key] = list
		}
	case "type":
		if types := typesOf(part{"type": v}); len(types) > 0 && !slices.ContainsFunc(types, unknownType) {
			list := make([]any, len(types))
			for i, name := range types {
				list[i] = name
			}
			out[key] = list
		}
	case "required":
		if _, isList := v.([]any); isList {
			out[key] = uniqueTexts(v)
		}
	case "enum":
		if l := listOrNone(v); len(l) > 0 {
			out[key] = l
		}
	case "pattern":
		if s, ok := v.(string); ok && compiles(s) {
			out[key] = s
		}
	case "format":
		switch v { // the others are used in too many senses
		case "date", "date-time", "uuid", "email", "ipv4", "ipv6", "uri":
			out[key] = v
		}
	case "const", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
		"minProperties", "maxProperties", "minContains", "maxContains", "exclusiveMinimum", "exclusiveMaximum", "dependentRequired":
		out[key] = v
	}
}

// direct drops the requirement of what is not sent in this direction.
func (t *translator) direct(out, s part) {
	absent := "readOnly"
	if t.as == asResponse {
		absent = "writeOnly"
	}
	required, _ := out["required"].([]any)
	properties := objectIn(s, "properties")
	kept := slices.DeleteFunc(slices.Clone(required), func(v any) bool {
		name, _ := v.(string)
		return flagOf(t.doc.deref(properties[name]), absent)
	})
	if len(kept) < len(required) {
		out["required"] = kept
	}
}

// old translates what 3.0 (and 2.0) write differently.
func (t *translator) old(out, s part) {
	for _, b := range [][2]string{{"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}} {
		if exclusive, ok := s[b[1]].(bool); ok {
			delete(out, b[1])
			if exclusive && out[b[0]] != nil {
				out[b[1]] = out[b[0]]
				delete(out, b[0])
			}
		}
	}
	if !flagOf(s, "nullable") {
		return
	}
	if types, ok := out["type"].([]any); ok {
		out["type"] = append(types, "null")
	}
	if enum, ok := out["enum"].([]any); ok && !slices.Contains(enum, nil) {
		out["enum"] = append(slices.Clone(enum), nil)
	}
	if out["allOf"] != nil || out["anyOf"] != nil || out["oneOf"] != nil {
		inner := maps.Clone(out)
		clear(out)
		out["anyOf"] = []any{part{"type": []any{"null"}}, inner}
	}
}

// limitInteger gives the formats int32 and int64 their meaning.
func limitInteger(out, s part) {
	var low, high json.Number
	switch textOf(s, "format") {
	case "int32":
		low, high = "-2147483648", "2147483647"
	case "int64":
		low, high = "-9223372036854775808", "9223372036854775807"
	default:
		return
	}
	if out["minimum"] == nil && out["exclusiveMinimum"] == nil {
		out["minimum"] = low
	}
	if out["maximum"] == nil && out["exclusiveMaximum"] == nil {
		out["maximum"] = high
	}
}

func objectOrNone(v any) part { p, _ := v.(part); return p }

func listOrNone(v any) []any { l, _ := v.([]any); return l }

func unknownType(t string) bool {
	switch t {
	case "null", "boolean", "object", "array", "number", "string", "integer":
		return false
	}
	return true
}

func uniqueTexts(v any) []any {
	var out []any
	for _, v := range listOrNone(v) {
		if s, ok := v.(string); ok && !slices.Contains(out, v) {
			out = append(out, s)
		}
	}
	return out
}

// compiles tells whether Go can read a pattern, which is written in JavaScript's
// dialect.
func compiles(pattern string) bool {
	_, err := regexp.Compile(pattern)
	return err == nil
}
