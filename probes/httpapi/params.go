package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"iscope/probes"
)

// listParams describes the parameters for people.
func (o *operation) listParams() []probes.Param {
	var out []probes.Param
	for _, p := range o.params {
		s := paramSchema(p)
		out = append(out, probes.Param{Name: p.Name, In: p.In, Type: typeText(s, 0), Required: p.Required || p.In == "path",
			Doc: firstLine(p.Description), Example: paramExample(p, s)})
	}
	return out
}

// paramSchema is the schema of a parameter, wherever it is written.
func paramSchema(p *openapi3.Parameter) *openapi3.Schema {
	if p.Schema != nil && p.Schema.Value != nil {
		return p.Schema.Value
	}
	if b := bodyOf(p.Content, "", false); b != nil && b.media.Schema != nil {
		return b.media.Schema.Value
	}
	return nil
}

// typeText words a type: "integer", "string (date-time)", "array of string",
// "string: asc | desc".
func typeText(s *openapi3.Schema, depth int) string {
	if s == nil || depth > 3 {
		return ""
	}
	t := typeOf(s)
	switch {
	case t == "array" && s.Items != nil && s.Items.Value != nil:
		if of := typeText(s.Items.Value, depth+1); of != "" {
			t += " of " + of
		}
	case s.Format != "":
		t += " (" + s.Format + ")"
	}
	if n := len(s.Enum); n > 0 && n <= 8 {
		var allowed []string
		for _, v := range s.Enum {
			allowed = append(allowed, plain(v))
		}
		t += ": " + strings.Join(allowed, " | ")
	}
	return strings.TrimSpace(t)
}

// paramExample is what the document offers as a value.
func paramExample(p *openapi3.Parameter, s *openapi3.Schema) string {
	if p.Example != nil {
		return plain(p.Example)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Examples)) {
		if ref := p.Examples[name]; ref != nil && ref.Value != nil && ref.Value.Value != nil {
			return plain(ref.Value.Value)
		}
	}
	if s != nil {
		if v, ok := given(s); ok {
			return plain(v)
		}
	}
	return ""
}

// plain writes a value as it would be typed for a parameter.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// findParam finds the parameter that a name given by the caller means: "id",
// or "query:id" where a name occurs in several places, or "filter[state]" for
// a part of an object. Those of the path count only where it is a template.
func (o *operation) findParam(name string, template bool) *openapi3.Parameter {
	in, bare, qualified := strings.Cut(name, ":")
	for _, p := range o.params {
		switch {
		case p.In == "path" && !template:
		case p.Name == name, qualified && p.In == in && p.Name == bare:
			return p
		case p.In == "query" && strings.HasPrefix(name, p.Name+"["):
			part := *p
			part.Name = name
			return &part
		}
	}
	return nil
}

// paramNames lists what can be given.
func (o *operation) paramNames() []string {
	var out []string
	for _, p := range o.params {
		out = append(out, p.Name)
	}
	return out
}

// separator joins repeated values of a parameter into one, or is "" where the
// parameter itself is repeated (OpenAPI 3.1 §4.8.12.3: the default of form).
func separator(p *openapi3.Parameter) string {
	explode := p.Explode == nil && (p.Style == "" || p.Style == "form") || p.Explode != nil && *p.Explode
	switch {
	case p.In == "query" && explode:
		return ""
	case p.Style == "spaceDelimited":
		return " "
	case p.Style == "pipeDelimited":
		return "|"
	}
	return ","
}
