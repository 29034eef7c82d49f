package httpapi

import (
	"strings"
)

// typeOf is the schema's type; where it has several the first but null, where
// it has none what its keywords imply.
func typeOf(s part) string {
	all := typesOf(s)
	for _, t := range all {
		if t != "null" {
			return t
		}
	}
	has := func(keys ...string) bool {
		for _, k := range keys {
			if s[k] != nil {
				return true
			}
		}
		return false
	}
	switch {
	case len(all) > 0:
		return "null"
	case has("properties") || objectIn(s, "additionalProperties") != nil:
		return "object"
	case has("items", "prefixItems"):
		return "array"
	case has("format", "pattern", "maxLength", "minLength"):
		return "string"
	case has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
		return "number"
	}
	return ""
}

// typesOf lists the types a schema names.
func typesOf(s part) []string {
	if t, ok := s["type"].(string); ok {
		return []string{t}
	}
	var out []string
	for _, v := range listOf(s, "type") {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case nil:
			out = append(out, "null") // unquoted in YAML
		}
	}
	return out
}

// nullable tells whether null is allowed beside the type.
func nullable(s part) bool {
	if flagOf(s, "nullable") {
		return true
	}
	for _, t := range typesOf(s) {
		if t == "null" {
			return true
		}
	}
	return false
}

// given is a value that the document itself offers.
func given(s part) (any, bool) {
	if v, ok := s["example"]; ok && v != nil {
		return v, true
	}
	if l := listOf(s, "examples"); len(l) > 0 {
		return l[0], true
	}
	for _, key := range []string{"default", "const"} {
		if v, ok := s[key]; ok && v != nil {
			return v, true
		}
	}
	if l := listOf(s, "enum"); len(l) > 0 {
		return l[0], true
	}
	return nil, false
}

// bound reads a limit as 3.0 (a flag beside it) and 3.1 (a number of its own)
// write it.
func bound(s part, limit, exclusive string) (v float64, open, ok bool) {
	if v, ok := numberOf(s, exclusive); ok {
		return v, true, true
	}
	v, ok = numberOf(s, limit)
	return v, flagOf(s, exclusive), ok
}

// typeText words a type: "integer", "string (date-time)", "array of string",
// "string: asc | desc".
func (d *parsed) typeText(v any, depth int) string {
	s := d.deref(v)
	if s == nil || depth > 3 {
		return ""
	}
	t := typeOf(s)
	switch {
	case t == "array" && s["items"] != nil:
		if of := d.typeText(s["items"], depth+1); of != "" {
			t += " of " + of
		}
	case textOf(s, "format") != "":
		t += " (" + textOf(s, "format") + ")"
	}
	if t == "" {
		for _, key := range []string{"oneOf", "anyOf", "allOf"} {
			var words []string
			for _, v := range listOf(s, key) {
				if w := d.typeText(v, depth+1); w != "" && len(words) < 4 {
					words = append(words, w)
				}
			}
			if len(words) > 0 {
				return strings.Join(words, " or ")
			}
		}
	}
	if n := len(listOf(s, "enum")); n > 0 && n <= 8 {
		var allowed []string
		for _, v := range listOf(s, "enum") {
			allowed = append(allowed, plain(v))
		}
		t += ": " + strings.Join(allowed, " | ")
	}
	return strings.TrimSpace(t)
}
