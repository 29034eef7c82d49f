package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// parameter is a declared value outside the body.
type parameter struct {
	name, in  string
	required  bool
	style     string // "form", "simple", …; never empty
	explode   bool
	reserved  bool   // reserved characters stay as they are
	schema    any    // nil if none is declared
	mediaType string // of its content, where it is declared by one instead of a style
	spec      part
}

// newParameter reads a declaration; nil for those that OpenAPI (3.1 §4.8.12.2)
// says shall be ignored, since other parts of the document define them.
func newParameter(d *parsed, spec part) *parameter {
	p := &parameter{name: textOf(spec, "name"), in: textOf(spec, "in"), required: flagOf(spec, "required"),
		style: textOf(spec, "style"), reserved: flagOf(spec, "allowReserved"), schema: spec["schema"], spec: spec}
	switch p.in {
	case "path":
		p.required = true
	case "header":
		for _, h := range []string{"Accept", "Content-Type", "Authorization"} {
			if strings.EqualFold(h, p.name) {
				return nil
			}
		}
	}
	if p.style == "" {
		p.style = "simple"
		if p.in == "query" || p.in == "cookie" {
			p.style = "form"
		}
	}
	p.explode = p.style == "form" || p.style == "deepObject"
	if v, ok := spec["explode"].(bool); ok {
		p.explode = v
	}
	if b := d.bodyOf(objectIn(spec, "content"), "", "", false); b != nil && p.schema == nil {
		p.mediaType, p.schema = b.contentType, b.media["schema"]
	}
	return p
}

// listParams describes the parameters for people.
func (o *operation) listParams() []probes.Param {
	var out []probes.Param
	for _, p := range o.par {
		out = append(out, probes.Param{Name: p.name, In: p.in, Type: o.doc.typeText(p.schema, 0), Required: p.required,
			Doc: firstLine(textOf(p.spec, "description")), Example: o.paramExample(p)})
	}
	return out
}

// paramExample is what the document offers as a value.
func (o *operation) paramExample(p *parameter) string {
	if v := p.spec["example"]; v != nil {
		return plain(v)
	}
	if v := o.doc.firstExample(p.spec); v != nil {
		return plain(v)
	}
	if s := o.doc.deref(p.schema); s != nil {
		if v, ok := given(s); ok {
			return plain(v)
		}
	}
	return ""
}

// firstExample is the first by name of a parameter's or body's examples.
func (d *parsed) firstExample(spec part) any {
	all := objectIn(spec, "examples")
	for _, name := range sortedKeys(all) {
		if v := d.deref(all[name])["value"]; v != nil {
			return v
		}
	}
	return nil
}

// plain writes a value as it would be typed for a parameter.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// findParam finds the parameter that a name given by the caller means: "id",
// or "query:id" where a name occurs in several places. "filter[state]" is a part
// of the object filter, which it returns with piece set. Those of the path count
// only where it is a template.
func (o *operation) findParam(name string, template bool) (p *parameter, piece bool) {
	in, bare, qualified := strings.Cut(name, ":")
	for _, p := range o.params() {
		switch {
		case p.in == "path" && !template:
		case p.name == name, qualified && p.in == in && p.name == bare, p.in == "header" && strings.EqualFold(p.name, name):
			return p, false
		case p.in == "query" && strings.HasPrefix(name, p.name+"["):
			return p, true
		}
	}
	return nil, false
}

// paramNames lists what can be given.
func (o *operation) paramNames() []string {
	var out []string
	for _, p := range o.params() {
		out = append(out, p.name)
	}
	return out
}

// value reads what a person typed as the JSON value that the schema wants: a
// repeated parameter is a list, "5" a number where one is expected.
func (d *parsed) value(p *parameter, typed []string) any {
	s := d.deref(p.schema)
	if p.mediaType != "" {
		if v, ok := decodeJSON(strings.Join(typed, ",")); ok && isJSON(httplink.MediaType(p.mediaType)) {
			return v
		}
		return strings.Join(typed, ",")
	}
	allowed := d.allowedTypes(p.schema, 0)
	if len(typed) == 1 {
		if v, ok := decodeJSON(typed[0]); ok {
			_, isList := v.([]any)
			_, isObject := v.(part)
			if isList && slices.Contains(allowed, "array") || isObject && slices.Contains(allowed, "object") {
				return v
			}
		}
	}
	if slices.Contains(allowed, "array") || len(typed) > 1 {
		list := make([]any, len(typed))
		for i, t := range typed {
			list[i] = scalar(t, d.allowedTypes(s["items"], 0))
		}
		return list
	}
	return scalar(strings.Join(typed, ""), allowed)
}

// allowedTypes are the types that a schema and its alternatives name.
func (d *parsed) allowedTypes(schema any, depth int) []string {
	s := d.deref(schema)
	if s == nil || depth > 4 {
		return nil
	}
	out := typesOf(s)
	if t := typeOf(s); len(out) == 0 && t != "" {
		out = []string{t}
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		for _, v := range listOf(s, key) {
			out = append(out, d.allowedTypes(v, depth+1)...)
		}
	}
	return out
}

// scalar reads one typed value; what fits no other type is a text.
func scalar(typed string, allowed []string) any {
	for _, t := range allowed {
		switch {
		case t == "boolean" && (typed == "true" || typed == "false"):
			return typed == "true"
		case (t == "integer" || t == "number") && isNumber(typed):
			return json.Number(typed)
		case t == "null" && typed == "null" && !slices.Contains(allowed, "string"):
			return nil
		}
	}
	return typed
}

func isNumber(s string) bool {
	v, ok := decodeJSON(s)
	_, number := v.(json.Number)
	return ok && number
}

// decodeJSON reads one JSON value, numbers as they are written.
func decodeJSON(text string) (any, bool) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.InputOffset() != int64(len(strings.TrimRight(text, " \t\r\n"))) {
		return nil, false
	}
	return v, true
}
