package httpapi

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// Bounds of a form: generated documents have schemas that lead to thousands.
const (
	maxTypes   = 2000
	maxChoices = 1000
)

// Form describes the body of an operation, from its JSON Schema.
func (p *probe) Form(ctx context.Context, method string) (probes.Form, error) {
	op := "describing " + method
	doc, err := p.docs.Get(ctx, fresh)
	if err != nil {
		return probes.Form{}, p.NotHad(op, theDocument, err)
	}
	c, err := p.parseCall(method)
	if err != nil {
		return probes.Form{}, p.Fail(op, probes.ErrUsage, err, "write it as METHOD /path")
	}
	o := doc.find(c)
	switch {
	case c.socket || o != nil && o.isWebSocket():
		return probes.Form{Root: probes.Shape{Kind: probes.ShapeAny, Type: "message"}}, nil
	case o == nil:
		return probes.Form{}, p.Fail(op, probes.ErrNotFound, errNoOperation(method), doc.nearest(method))
	}
	b := o.requestBody("")
	if b == nil {
		return probes.Form{}, nil
	}
	f := &former{doc: doc.parsed, form: probes.Form{Types: map[string][]probes.Shape{}}, open: map[string]bool{},
		files: !isJSON(httplink.MediaType(b.sendable()))}
	f.form.Root = f.body(b)
	spec := doc.deref(o.spec["requestBody"])
	f.form.Root.Required = flagOf(spec, "required")
	if f.form.Root.Doc == "" {
		f.form.Root.Doc = textOf(spec, "description")
	}
	f.types()
	if len(f.form.Types) == 0 {
		f.form.Types = nil
	}
	return f.form, nil
}

// former writes a form.
type former struct {
	doc   *parsed
	form  probes.Form
	todo  []named
	open  map[string]bool // references being described
	files bool            // bytes are files
}

// named is an object whose fields are to be described: those of all its schemas.
type named struct {
	key     string
	schemas []any
}

// body is the shape of the document that a body is made from.
func (f *former) body(b *body) probes.Shape {
	if b.written() {
		s := f.shape(b.media["schema"], b.ref)
		if ex := b.template(); b.media["example"] != nil || b.media["examples"] != nil {
			s.Example = string(ex)
		}
		return s
	}
	s := f.shape(b.media["schema"], b.ref)
	s.Type = b.contentType
	if s.Kind = probes.ShapeFile; strings.HasPrefix(httplink.MediaType(b.contentType), "text/") || strings.HasSuffix(httplink.MediaType(b.contentType), "xml") {
		s.Kind = probes.ShapeString
	}
	return s
}

// types describes the fields of all objects that were named, and of those that
// they name.
func (f *former) types() {
	for len(f.todo) > 0 {
		n := f.todo[0]
		f.todo = f.todo[1:]
		f.form.Types[n.key] = f.fields(n.schemas, n.key)
	}
}

func (f *former) fields(schemas []any, key string) []probes.Shape {
	all, required := part{}, map[string]bool{}
	f.gather(schemas, all, required, 0)
	names := sortedKeys(all)
	slices.SortStableFunc(names, func(a, b string) int { return boolRank(required[b]) - boolRank(required[a]) })
	out := []probes.Shape{}
	for _, name := range names {
		if flagOf(f.doc.deref(all[name]), "readOnly") {
			continue
		}
		s := f.shape(all[name], key+"/properties/"+escapePointer(name))
		s.Name, s.Required = name, required[name]
		out = append(out, s)
	}
	return out
}

// gather merges the properties of schemas and of their allOf.
func (f *former) gather(schemas []any, all part, required map[string]bool, depth int) {
	if depth > maxHops {
		return
	}
	for _, v := range schemas {
		s := f.doc.deref(v)
		f.gather(listOf(s, "allOf"), all, required, depth+1)
		for name, p := range objectIn(s, "properties") {
			all[name] = p
		}
		for _, name := range textsOf(s, "required") {
			required[name] = true
		}
	}
}

// shape describes a schema. at names the object it may be, where no reference
// does.
func (f *former) shape(v any, at string) probes.Shape {
	ref := refOf(v)
	s := f.doc.deref(v)
	if s == nil {
		return probes.Shape{Kind: probes.ShapeAny}
	}
	out := probes.Shape{Type: typeWord(s, ref)}
	if ref != "" {
		at = ref
		if f.open[ref] { // lists in lists, unions in unions: a circle without an object in it
			out.Kind = probes.ShapeAny
			return out
		}
		f.open[ref] = true
		defer delete(f.open, ref)
	}
	f.kind(&out, s, at)
	f.describe(&out, s)
	if own := objectOrNone(v); ref != "" && textOf(own, "description") != "" {
		out.Doc = textOf(own, "description")
	}
	return out
}

// typeWord is what the contract calls a type.
func typeWord(s part, ref string) string {
	switch {
	case ref != "":
		return unescapePointer(ref[strings.LastIndexByte(ref, '/')+1:])
	case textOf(s, "format") != "":
		return textOf(s, "format")
	case textOf(s, "title") != "" && typeOf(s) == "object":
		return textOf(s, "title")
	}
	return typeOf(s)
}

// describe adds what is said of a schema beside its kind.
func (f *former) describe(out *probes.Shape, s part) {
	if d := textOf(s, "description"); d != "" {
		out.Doc = strings.TrimSpace(d)
	}
	if out.Doc == "" {
		out.Doc = textOf(s, "title")
	}
	if r := ruleOf(s); r != "" {
		out.Rule = r
	}
	if v, ok := s["default"]; ok {
		out.Default = jsonText(v)
	}
	if v, ok := s["example"]; ok {
		out.Example = jsonText(v)
	} else if l := listOf(s, "examples"); len(l) > 0 {
		out.Example = jsonText(l[0])
	}
	out.Nullable = out.Nullable || nullable(s)
	out.Deprecated = out.Deprecated || flagOf(s, "deprecated")
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

func (f *former) kind(out *probes.Shape, s part, at string) {
	for _, key := range []string{"oneOf", "anyOf"} {
		if list := listOf(s, key); len(list) > 0 && f.union(out, s, list, at+"/"+key) {
			return
		}
	}
	if list := listOf(s, "allOf"); len(list) > 0 {
		f.allOf(out, s, list, at)
		return
	}
	if values, ok := enumOf(s); ok {
		out.Kind = probes.ShapeEnum
		for i, v := range values {
			if i == maxChoices {
				out.Rule = "and " + strconv.Itoa(len(values)-i) + " more values"
				break
			}
			out.Choices = append(out.Choices, probes.Choice{Value: jsonText(v)})
		}
		return
	}
	var types []string
	for _, t := range typesOf(s) {
		if t != "null" {
			types = append(types, t)
		}
	}
	if len(types) < 2 {
		f.single(out, s, typeOf(s), at)
		return
	}
	out.Kind = probes.ShapeUnion
	for _, t := range types {
		one := probes.Shape{Type: t}
		f.single(&one, s, t, at)
		out.Variants = append(out.Variants, one)
	}
}

func enumOf(s part) ([]any, bool) {
	if v, ok := s["const"]; ok {
		return []any{v}, true
	}
	l := listOf(s, "enum")
	return l, len(l) > 0
}

// single describes a schema of one type.
func (f *former) single(out *probes.Shape, s part, t, at string) {
	switch t {
	case "object":
		f.object(out, s, []any{s}, at)
	case "array":
		out.Kind = probes.ShapeList
		elem := f.shape(s["items"], at+"/items")
		out.Elem = &elem
	case "string":
		out.Kind = f.text(s)
	case "integer":
		out.Kind = probes.ShapeInteger
	case "number":
		out.Kind = probes.ShapeNumber
	case "boolean":
		out.Kind = probes.ShapeBool
	case "null":
		out.Kind, out.Choices = probes.ShapeEnum, []probes.Choice{{Value: "null"}}
	default:
		out.Kind = probes.ShapeAny
	}
}

func (f *former) text(s part) probes.ShapeKind {
	switch format := textOf(s, "format"); {
	case format == "date-time":
		return probes.ShapeTime
	case f.files && (isBinary(s) || format == "byte"):
		return probes.ShapeFile
	case format == "byte", textOf(s, "contentEncoding") == "base64":
		return probes.ShapeBytes
	}
	return probes.ShapeString
}

// object describes an object, which is a map if only its values are declared.
func (f *former) object(out *probes.Shape, s part, schemas []any, at string) {
	out.Kind = probes.ShapeObject
	all := part{}
	f.gather(schemas, all, map[string]bool{}, 0)
	if len(all) == 0 {
		if _, ok := s["additionalProperties"].(part); ok {
			out.Kind = probes.ShapeMap
			elem := f.shape(s["additionalProperties"], at+"/additionalProperties")
			out.Elem = &elem
		}
		return
	}
	key := strings.TrimPrefix(at, "#/components/schemas/")
	if _, ok := f.form.Types[key]; !ok {
		if len(f.form.Types) >= maxTypes {
			return // an object of which nothing more is said
		}
		f.form.Types[key] = nil // named; types() describes it
		f.todo = append(f.todo, named{key, schemas})
	}
	out.Of = key
}

// allOf merges: objects into one, anything else is its first part with the rest
// said about it.
func (f *former) allOf(out *probes.Shape, s part, list []any, at string) {
	all := part{}
	f.gather([]any{s}, all, map[string]bool{}, 0)
	if len(all) > 0 {
		f.object(out, s, []any{s}, at)
		return
	}
	inner := f.shape(list[0], at+"/allOf/0")
	for i, v := range list[1:] {
		if inner.Kind != probes.ShapeAny {
			break
		}
		inner = f.shape(v, at+"/allOf/"+strconv.Itoa(i+1))
	}
	*out = inner
}

// union describes alternatives; false where they say nothing of the form, such
// as which of two fields is required.
func (f *former) union(out *probes.Shape, s part, list []any, at string) bool {
	base := s["properties"] != nil
	for i, v := range list {
		alt := f.doc.deref(v)
		if alt["type"] == "null" {
			out.Nullable = true
			continue
		}
		place := at + "/" + strconv.Itoa(i)
		one := f.shape(v, place)
		if base {
			if one.Kind != probes.ShapeObject || one.Of == "" {
				continue // constraints on what the object has anyway
			}
			one = probes.Shape{Type: one.Type, Doc: one.Doc}
			rest := part{"properties": s["properties"], "required": s["required"], "allOf": s["allOf"]}
			f.object(&one, s, []any{rest, v}, place)
		}
		out.Variants = append(out.Variants, one)
	}
	if len(out.Variants) == 0 {
		return out.Nullable && !base && f.onlyNull(out)
	}
	f.settle(out)
	return true
}

func (f *former) onlyNull(out *probes.Shape) bool {
	out.Kind, out.Choices = probes.ShapeEnum, []probes.Choice{{Value: "null"}}
	return true
}

// settle makes the least of alternatives: one of them is no union, constants are
// an enum whose values have titles.
func (f *former) settle(out *probes.Shape) {
	if len(out.Variants) == 1 {
		one := out.Variants[0]
		one.Nullable = one.Nullable || out.Nullable
		*out = one
		return
	}
	constants := !slices.ContainsFunc(out.Variants, func(v probes.Shape) bool {
		return v.Kind != probes.ShapeEnum || len(v.Choices) != 1
	})
	if !constants {
		out.Kind = probes.ShapeUnion
		return
	}
	out.Kind = probes.ShapeEnum
	for _, v := range out.Variants {
		v.Choices[0].Doc = v.Doc
		out.Choices = append(out.Choices, v.Choices[0])
	}
	out.Variants = nil
}
