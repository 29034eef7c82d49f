package httpapi

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func formOf(t *testing.T, doc, method string) probes.Form {
	t.Helper()
	f, err := openTarget(t, target(serve(t, doc, nil).URL)).Form(patience(t), method)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// bodyDoc is a document with one operation that takes a schema.
func bodyDoc(schema, more string) string {
	return head + `"paths":{"/a":{"post":{"requestBody":{"required":true,"description":"the body","content":{"application/json":{"schema":` + schema +
		`}}},"responses":{}},"get":{"responses":{}}}},"components":{"schemas":{` + more + `}}}`
}

func TestFormOfScalars(t *testing.T) {
	for _, c := range []struct {
		schema string
		want   probes.Shape
	}{
		{`{"type":"string","minLength":1,"maxLength":64,"pattern":"^A-"}`, probes.Shape{Kind: probes.ShapeString, Type: "string", Rule: "1 to 64 characters, matches ^A-"}},
		{`{"type":"string","format":"date-time","description":"when\nexactly"}`, probes.Shape{Kind: probes.ShapeTime, Type: "date-time", Doc: "when\nexactly"}},
		{`{"type":"string","format":"byte"}`, probes.Shape{Kind: probes.ShapeBytes, Type: "byte"}},
		{`{"type":"string","format":"uuid","example":"x"}`, probes.Shape{Kind: probes.ShapeString, Type: "uuid", Example: `"x"`}},
		{`{"type":"integer","format":"int64","minimum":1,"maximum":9007199254740993,"default":5,"deprecated":true}`,
			probes.Shape{Kind: probes.ShapeInteger, Type: "int64", Rule: "1 to 9007199254740993", Default: "5", Deprecated: true}},
		{`{"type":"number","minimum":0,"exclusiveMinimum":true,"multipleOf":0.5,"nullable":true}`, probes.Shape{Kind: probes.ShapeNumber, Type: "number", Rule: "more than 0, a multiple of 0.5", Nullable: true}},
		{`{"type":["boolean","null"]}`, probes.Shape{Kind: probes.ShapeBool, Type: "boolean", Nullable: true}},
		{`{"type":"string","enum":["a","b"]}`, probes.Shape{Kind: probes.ShapeEnum, Type: "string", Choices: []probes.Choice{{Value: `"a"`}, {Value: `"b"`}}}},
		{`{"const":3}`, probes.Shape{Kind: probes.ShapeEnum, Choices: []probes.Choice{{Value: "3"}}}},
		{`{"oneOf":[{"const":"a","title":"first"},{"const":"b","description":"second"}]}`,
			probes.Shape{Kind: probes.ShapeEnum, Choices: []probes.Choice{{Value: `"a"`, Doc: "first"}, {Value: `"b"`, Doc: "second"}}}},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, probes.Shape{Kind: probes.ShapeString, Type: "string", Nullable: true}},
		{`{"oneOf":[{"type":"string"},{"type":"integer"}]}`, probes.Shape{Kind: probes.ShapeUnion, Variants: []probes.Shape{
			{Kind: probes.ShapeString, Type: "string"}, {Kind: probes.ShapeInteger, Type: "integer"}}}},
		{`{"type":["string","integer"]}`, probes.Shape{Kind: probes.ShapeUnion, Type: "string", Variants: []probes.Shape{
			{Kind: probes.ShapeString, Type: "string"}, {Kind: probes.ShapeInteger, Type: "integer"}}}},
		{`{"type":"array","items":{"type":"integer"},"minItems":1,"uniqueItems":true}`, probes.Shape{Kind: probes.ShapeList, Type: "array",
			Elem: &probes.Shape{Kind: probes.ShapeInteger, Type: "integer"}, Rule: "at least 1 item, no item twice"}},
		{`{"type":"object","additionalProperties":{"type":"number"},"maxProperties":3}`, probes.Shape{Kind: probes.ShapeMap, Type: "object",
			Elem: &probes.Shape{Kind: probes.ShapeNumber, Type: "number"}, Rule: "at most 3 entries"}},
		{`{"type":"object"}`, probes.Shape{Kind: probes.ShapeObject, Type: "object"}},
		{`{}`, probes.Shape{Kind: probes.ShapeAny}},
		{`true`, probes.Shape{Kind: probes.ShapeAny}},
		{`{"allOf":[{"$ref":"#/components/schemas/S"}],"description":"mine","default":"d"}`, probes.Shape{Kind: probes.ShapeString, Type: "S", Doc: "mine", Rule: "at most 5 characters", Default: `"d"`}},
		{`{"$ref":"#/components/schemas/Nest"}`, probes.Shape{Kind: probes.ShapeList, Type: "Nest", Elem: &probes.Shape{Kind: probes.ShapeAny, Type: "Nest"}}},
	} {
		t.Run(c.schema, func(t *testing.T) {
			f := formOf(t, bodyDoc(c.schema, `"S":{"type":"string","maxLength":5},"Nest":{"type":"array","items":{"$ref":"#/components/schemas/Nest"}}`), "POST /a")
			c.want.Required = true
			if c.want.Doc == "" {
				c.want.Doc = "the body"
			}
			if diff := cmp.Diff(probes.Form{Root: c.want}, f); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormOfObjects(t *testing.T) {
	f := formOf(t, bodyDoc(`{"$ref":"#/components/schemas/Order"}`, `
		"Base":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"made":{"type":"string","readOnly":true}}},
		"Order":{"allOf":[{"$ref":"#/components/schemas/Base"},{"type":"object","required":["lines"],"properties":{
			"lines":{"type":"array","items":{"$ref":"#/components/schemas/Line"}},"pay":{"oneOf":[{"$ref":"#/components/schemas/Card"},{"$ref":"#/components/schemas/Cash"}]},
			"meta":{"type":"object","properties":{"a":{"type":"string"}}}}}]},
		"Line":{"type":"object","properties":{"of":{"$ref":"#/components/schemas/Order"}}},
		"Card":{"type":"object","properties":{"number":{"type":"string"}}},"Cash":{"type":"object","properties":{"till":{"type":"integer"}}}`), "POST /a")
	metaKey := "Order/properties/meta"
	want := probes.Form{Root: probes.Shape{Kind: probes.ShapeObject, Type: "Order", Of: "Order", Required: true, Doc: "the body"},
		Types: map[string][]probes.Shape{
			"Order": {{Name: "id", Kind: probes.ShapeInteger, Type: "integer", Required: true},
				{Name: "lines", Kind: probes.ShapeList, Type: "array", Required: true, Elem: &probes.Shape{Kind: probes.ShapeObject, Type: "Line", Of: "Line"}},
				{Name: "meta", Kind: probes.ShapeObject, Type: "object", Of: metaKey},
				{Name: "pay", Kind: probes.ShapeUnion, Variants: []probes.Shape{{Kind: probes.ShapeObject, Type: "Card", Of: "Card"}, {Kind: probes.ShapeObject, Type: "Cash", Of: "Cash"}}}},
			"Line":  {{Name: "of", Kind: probes.ShapeObject, Type: "Order", Of: "Order"}},
			"Card":  {{Name: "number", Kind: probes.ShapeString, Type: "string"}},
			"Cash":  {{Name: "till", Kind: probes.ShapeInteger, Type: "integer"}},
			metaKey: {{Name: "a", Kind: probes.ShapeString, Type: "string"}},
		}}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
	// A base that all alternatives share.
	f = formOf(t, bodyDoc(`{"type":"object","properties":{"kind":{"type":"string"}},"oneOf":[{"$ref":"#/components/schemas/Card"},{"$ref":"#/components/schemas/Cash"}]}`,
		`"Card":{"type":"object","properties":{"number":{"type":"string"}}},"Cash":{"type":"object","properties":{"till":{"type":"integer"}}}`), "POST /a")
	if f.Root.Kind != probes.ShapeUnion || len(f.Root.Variants) != 2 || len(f.Fields(&f.Root.Variants[1])) != 2 {
		t.Errorf("form %+v", f)
	}
	// Alternatives that say only what is required are no choice of a form.
	f = formOf(t, bodyDoc(`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`, ""), "POST /a")
	if f.Root.Kind != probes.ShapeObject || len(f.Fields(&f.Root)) != 2 {
		t.Errorf("form %+v", f)
	}
}

func TestFormsOfOtherBodies(t *testing.T) {
	f := formOf(t, uploads, "POST /form")
	var kinds []string
	for _, s := range f.Fields(&f.Root) {
		kinds = append(kinds, s.Name+" "+string(s.Kind))
	}
	if diff := cmp.Diff([]string{"file file", "meta object", "more list", "n integer", "note string"}, kinds); diff != "" {
		t.Error(diff)
	}
	if f := formOf(t, uploads, "PUT /raw"); f.Root.Kind != probes.ShapeFile || f.Root.Type != "application/octet-stream" {
		t.Errorf("raw %+v", f)
	}
	if f := formOf(t, uploads, "PUT /text"); f.Root.Kind != probes.ShapeString {
		t.Errorf("text %+v", f)
	}
	if f := formOf(t, bodyDoc("{}", ""), "GET /a"); f.Root.Kind != probes.ShapeNone || f.Types != nil {
		t.Errorf("no body %+v", f)
	}
	if f := formOf(t, uploads, "WS /chat"); f.Root.Kind != probes.ShapeAny {
		t.Errorf("socket %+v", f)
	}
	_, err := openTarget(t, target(serve(t, uploads, nil).URL)).Form(patience(t), "POST /fom")
	wantError(t, err, probes.ErrNotFound, "did you mean POST /form")
	enum := `"` + strings.Repeat(`x","`, 5000) + `y"`
	if f := formOf(t, bodyDoc(`{"enum":[`+enum+`]}`, ""), "POST /a"); len(f.Root.Choices) != maxChoices || f.Root.Rule != "and 4001 more values" {
		t.Errorf("%d choices, rule %q", len(f.Root.Choices), f.Root.Rule)
	}
}
