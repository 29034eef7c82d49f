package config

import (
	"reflect"
	"regexp"
	"strings"

	"iscope/config/yamltree"
	"iscope/probes"
)

// Schema returns a JSON Schema (draft 2020-12) of the file for editors, made of
// the same structs the decoder fills and of the options the drivers declare.
func Schema(drivers []probes.Driver) []byte {
	root := object("$schema", textNode("https://json-schema.org/draft/2020-12/schema"),
		"title", textNode("iscope configuration"))
	s := schemaWriter{drivers}
	root.Entries = append(root.Entries, s.structure(reflect.TypeFor[document]()).Entries...)
	var b strings.Builder
	writeJSON(&b, root, "")
	b.WriteString("\n")
	return []byte(b.String())
}

type schemaWriter struct{ drivers []probes.Driver }

func textNode(s string) *yamltree.Node { return rawNode(yamltree.Text, s) }

func rawNode(k yamltree.Kind, s string) *yamltree.Node { return &yamltree.Node{Kind: k, Raw: s} }

// object makes a map of alternating keys and values.
func object(kv ...any) *yamltree.Node {
	m := &yamltree.Node{Kind: yamltree.Map}
	for i := 0; i+1 < len(kv); i += 2 {
		m.Set(kv[i].(string), kv[i+1].(*yamltree.Node))
	}
	return m
}

func list(texts ...string) *yamltree.Node {
	l := &yamltree.Node{Kind: yamltree.List}
	for _, t := range texts {
		l.Items = append(l.Items, textNode(t))
	}
	return l
}

func (s schemaWriter) structure(t reflect.Type) *yamltree.Node {
	props := &yamltree.Node{Kind: yamltree.Map}
	var required []string
	for _, f := range fieldsOf(t) {
		v := s.value(f.typ, f)
		if t == reflect.TypeFor[target]() && f.name == "url" {
			v.Set("pattern", textNode("^("+s.schemes(s.drivers...)+`)://|^\$\{`))
		}
		props.Set(f.name, v)
		if f.required {
			required = append(required, f.name)
		}
	}
	out := object("type", textNode("object"), "properties", props, "additionalProperties", rawNode(yamltree.Bool, "false"))
	if required != nil {
		out.Set("required", list(required...))
	}
	if t == reflect.TypeFor[target]() {
		out.Set("allOf", s.optionsByScheme())
	}
	return out
}

func (s schemaWriter) value(t reflect.Type, f field) *yamltree.Node {
	n := s.shape(t, f)
	doc := f.doc
	if f.def != "" {
		doc += " Default: " + f.def + "."
	}
	n.Set("description", textNode(doc))
	if f.example != "" {
		n.Set("examples", list(f.example))
	}
	return n
}

func (s schemaWriter) shape(t reflect.Type, f field) *yamltree.Node {
	switch {
	case t == reflect.TypeFor[text]() && f.enum != nil:
		return object("type", textNode("string"), "enum", list(f.enum...))
	case t == reflect.TypeFor[text]():
		return object("type", textNode("string"), "minLength", rawNode(yamltree.Int, "1"))
	case t == reflect.TypeFor[toggle]():
		return object("type", textNode("boolean"))
	case t == reflect.TypeFor[number]():
		return object("type", textNode("integer"), "minimum", rawNode(yamltree.Int, "1"))
	case t == reflect.TypeFor[[]text]():
		return object("type", textNode("array"), "items", object("type", textNode("string"), "pattern", textNode(namePattern)),
			"uniqueItems", rawNode(yamltree.Bool, "true"))
	case t == reflect.TypeFor[entries[scalar]]():
		return object("type", textNode("object"), "additionalProperties", object("type", list("string", "integer", "boolean")))
	case t.Kind() == reflect.Pointer:
		return s.structure(t.Elem())
	case t.Kind() == reflect.Slice:
		inner, _ := t.Elem().FieldByName("Value")
		return object("type", list("object", "null"), "propertyNames", object("pattern", textNode(namePattern)),
			"additionalProperties", s.structure(inner.Type))
	}
	return s.structure(t)
}

// namePattern is what checker.name accepts.
const namePattern = `^[^-/\s][^/\s]*$`

// optionsByScheme says which options a target has by the scheme of its url.
func (s schemaWriter) optionsByScheme() *yamltree.Node {
	out := &yamltree.Node{Kind: yamltree.List}
	for _, d := range s.drivers {
		props := &yamltree.Node{Kind: yamltree.Map}
		for _, o := range d.Options {
			props.Set(o.Name, optionSchema(o))
		}
		pattern := "^(" + s.schemes(d) + ")://"
		out.Items = append(out.Items, object(
			"if", object("properties", object("url", object("pattern", textNode(pattern))), "required", list("url")),
			"then", object("properties", object("options",
				object("properties", props, "additionalProperties", rawNode(yamltree.Bool, "false"))))))
	}
	return out
}

// schemes is a regular expression for the schemes of some drivers.
func (s schemaWriter) schemes(drivers ...probes.Driver) string {
	var out []string
	for _, d := range drivers {
		for _, sc := range d.Schemes {
			out = append(out, regexp.QuoteMeta(sc.Name))
		}
	}
	return strings.Join(out, "|")
}

func optionSchema(o probes.Option) *yamltree.Node {
	reference := object("type", textNode("string"), "pattern", textNode(`\$\{`))
	var n *yamltree.Node
	switch o.Type {
	case "bool":
		n = object("anyOf", &yamltree.Node{Kind: yamltree.List, Items: []*yamltree.Node{object("type", textNode("boolean")), reference}})
	case "int":
		n = object("anyOf", &yamltree.Node{Kind: yamltree.List, Items: []*yamltree.Node{object("type", textNode("integer")), reference}})
	default:
		n = object("type", textNode("string"))
	}
	doc := o.Doc
	if o.Default != "" {
		doc += " Default: " + o.Default + "."
	}
	n.Set("description", textNode(doc))
	return n
}
