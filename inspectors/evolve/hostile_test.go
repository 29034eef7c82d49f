package evolve_test

import (
	"fmt"
	"strings"
	"testing"

	"iscope/inspectors/evolve"
	"iscope/probes"
)

// between compares two texts of a kind.
func between(t testing.TB, kind evolve.Kind, a, b string) (evolve.Report, error) {
	t.Helper()
	old, err := evolve.FromSchema("old", probes.Schema{Type: string(kind), Data: []byte(a)})
	if err != nil {
		return evolve.Report{}, err
	}
	now, err := evolve.FromSchema("new", probes.Schema{Type: string(kind), Data: []byte(b)})
	if err != nil {
		return evolve.Report{}, err
	}
	return evolve.Compare(t.Context(), old, now, evolve.Options{})
}

// TestBrokenDocuments: what stands before the break is compared, what stands
// behind it is not called removed, and the place is told.
func TestBrokenDocuments(t *testing.T) {
	const openAPI = `{"openapi": "3.0.3", "paths": {
 "/a": {"get": {"parameters": [{"name": "q", "in": "query", "schema": {"type": "integer"}}], "responses": {"200": {"description": "x"}}}},
 "/b": {"get": {"responses": {"200": {"description": "x"}}}},
 "/c": {"get": {"responses": {"200": {"description": "x"}}}}}}`
	const asYAML = `openapi: 3.0.3
paths:
  /a:
    get:
      parameters:
        - {name: q, in: query, schema: {type: integer}}
  /b:
    get: {responses: {"200": {description: x}}}
`
	for _, test := range []struct {
		name       string
		kind       evolve.Kind
		a, b       string
		rule, note string
	}{
		{"JSON", evolve.OpenAPI, openAPI, strings.Replace(strings.Replace(openAPI, `"integer"`, `"array"`, 1), `"/b": {"get": {`, `"/b": {"get": [{ ! `, 1),
			"request-parameter-type-changed", "line 3:19"},
		{"JSON that ends", evolve.OpenAPI, openAPI, strings.Replace(openAPI, `"integer"`, `"array"`, 1)[:200], "request-parameter-type-changed", "line 3:"},
		{"YAML", evolve.OpenAPI, asYAML, strings.Replace(strings.Replace(asYAML, "integer", "array", 1), "  /b:", "  /b: [", 1), "request-parameter-type-changed", "line 7:1"},
		{"GraphQL", evolve.GraphQL, "type Query { a: Int }\ntype B { b: Int }\ntype C { c: Int }\n", "type Query { a: String }\ntype B { b( }\ntype C { c: Int }\n", "FIELD_CHANGED_KIND", "line 2:13"},
		{"a reference to nowhere", evolve.OpenAPI, openAPI, strings.Replace(openAPI, `{"type": "integer"}`, `{"$ref": "#/components/schemas/X"}`, 1), "", "leads nowhere"},
		{"a circle of references", evolve.OpenAPI, openAPI, strings.Replace(openAPI, `{"type": "integer"}`, `{"$ref": "#/paths/~1a/get/parameters/0/schema"}`, 1), "", "circle"},
		{"an operation that is none", evolve.OpenAPI, openAPI, strings.Replace(openAPI, `"/b": {"get": {`, `"/b": {"get": 3, "post": {`, 1), "", "is no object"},
		{"an unknown Avro type", evolve.Avro, `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}`, `{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":"Nope"}]}`, "TYPE_MISMATCH", `"Nope" is not defined`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := between(t, test.kind, test.a, test.b)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(rules(r, evolve.Breaking), " "); got != test.rule {
				t.Errorf("breaking: got %q, want %q", got, test.rule)
			}
			if notes := strings.Join(r.Notes, "\n"); !strings.Contains(notes, test.note) {
				t.Errorf("%q is not among the notes:\n%s", test.note, notes)
			}
		})
	}
}

// TestIncomplete: what a source could not give does not count as removed.
func TestIncomplete(t *testing.T) {
	for kind, texts := range map[evolve.Kind][2]string{
		evolve.OpenAPI: {`{"openapi":"3.0.3","paths":{"/a":{"get":{}}}}`, `{"openapi":"3.0.3","paths":{}}`},
		evolve.GraphQL: {"type Query { a: Int } type B { b: Int }", "type Query { a: Int }"},
	} {
		old, err := evolve.FromSchema("old", probes.Schema{Type: string(kind), Text: texts[0]})
		if err != nil {
			t.Fatal(err)
		}
		now, err := evolve.FromSchema("new", probes.Schema{Type: string(kind), Text: texts[1]})
		if err != nil {
			t.Fatal(err)
		}
		whole, err := evolve.Compare(t.Context(), old, now, evolve.Options{})
		if err != nil || whole.Worst() != evolve.Breaking {
			t.Errorf("%s: %v %v", kind, whole, err)
		}
		now.Incomplete("half of it was refused")
		part, err := evolve.Compare(t.Context(), old, now, evolve.Options{})
		if err != nil || part.Worst() == evolve.Breaking || len(part.Notes) != 1 {
			t.Errorf("%s: %v %v", kind, part, err)
		}
	}
}

// TestHugeAndCircular: the shapes that make naive comparisons hang or overflow.
func TestHugeAndCircular(t *testing.T) {
	const values = 100_000
	var enum, symbols strings.Builder
	for i := range values {
		fmt.Fprintf(&enum, "V%d ", i)
		fmt.Fprintf(&symbols, `"V%d",`, i)
	}
	list := strings.TrimSuffix(symbols.String(), ",")
	alternatives := func(n int) string {
		inner := `{"type":"string"}`
		for range n {
			inner = `{"anyOf":[{"type":"array","items":` + inner + `},{"type":"object","properties":{"a":{"$ref":"#"}}},{"type":"integer"}]}`
		}
		return inner
	}
	for _, test := range []struct {
		name string
		kind evolve.Kind
		a, b string
	}{
		{"GraphQL enum", evolve.GraphQL, "type Query { e: E } enum E { " + enum.String() + "}", "type Query { e: E } enum E { " + enum.String() + " X }"},
		{"Avro enum", evolve.Avro, `{"type":"enum","name":"E","symbols":[` + list + `]}`, `{"type":"enum","name":"E","symbols":[` + list + `,"X"]}`},
		{"JSON Schema enum", evolve.JSONSchema, `{"enum":[` + list + `]}`, `{"enum":[` + list + `,"X"]}`},
		{"deep JSON", evolve.JSONSchema, `{"type":"array","items":` + strings.Repeat(`{"type":"array","items":`, 400) + `{}` + strings.Repeat(`}`, 401), `{"type":"array","items":{}}`},
		{"too deep JSON", evolve.JSONSchema, `{"type":"array","x":` + strings.Repeat(`[`, 100_000), `{"type":"array"}`},
		{"a schema of itself", evolve.JSONSchema, `{"type":"array","items":{"$ref":"#"}}`, `{"type":"array","items":{"$ref":"#"},"minItems":1}`},
		{"only itself", evolve.JSONSchema, `{"$ref":"#"}`, `{"type":"string"}`},
		{"alternatives within alternatives", evolve.JSONSchema, alternatives(8), alternatives(9)},
		{"Avro recursion", evolve.Avro, `{"type":"record","name":"A","fields":[{"name":"b","type":["null",{"type":"record","name":"B","fields":[{"name":"a","type":["A","B","null"]}]}]}]}`,
			`{"type":"record","name":"A","fields":[{"name":"b","type":["null",{"type":"record","name":"B","fields":[{"name":"a","type":["null","B","A"]},{"name":"c","type":"int"}]}]}]}`},
		{"YAML aliases", evolve.OpenAPI, "openapi: 3.0.3\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n", "openapi: 3.0.3\npaths: {}\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := between(t, test.kind, test.a, test.b); err != nil {
				t.Fatal(err)
			}
			if _, err := between(t, test.kind, test.b, test.a); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func FuzzCompare(f *testing.F) {
	kinds := []evolve.Kind{evolve.OpenAPI, evolve.GraphQL, evolve.Avro, evolve.JSONSchema, evolve.Protobuf}
	f.Add(byte(0), `{"openapi":"3.0.3","paths":{"/a":{"get":{"parameters":[{"$ref":"#/x"}]}}}}`, "swagger: '2.0'\npaths: {/a: {post: {parameters: [{in: body, schema: {}}]}}}")
	f.Add(byte(0), large(false)[:3000], large(true)[:4000])
	f.Add(byte(1), "type Query { a(b: [Int!] = [1]): E } enum E { A }", `{"__schema":{"types":[{"kind":"OBJECT","name":"Query"}]}}`)
	f.Add(byte(2), `{"type":"record","name":"A","fields":[{"name":"a","type":["null","A"]}]}`, `["null",{"type":"enum","name":"E","symbols":["a"]}]`)
	f.Add(byte(3), `{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"not":{"$ref":"#"}}}}`, `{"properties":{"a":false},"patternProperties":{"(":{}},"additionalProperties":{}}`)
	f.Add(byte(4), "\n\x05\n\x01ar\x00", "\n\x0b\n\x01a\"\x04\n\x01Mx\x00")
	f.Fuzz(func(t *testing.T, which byte, a, b string) {
		kind := kinds[int(which)%len(kinds)]
		r, err := between(t, kind, a, b)
		if err != nil {
			if strings.Contains(err.Error(), "panicked") || strings.Contains(err.Error(), "failed:") {
				t.Skip() // of a library, caught
			}
			return
		}
		if _, err := between(t, kind, a, a); err != nil {
			t.Errorf("comparing with another works, with itself: %v", err)
		}
		for _, c := range r.Changes {
			if c.Rule == "" || c.Text == "" || c.Severity == 0 {
				t.Errorf("an incomplete change: %+v", c)
			}
		}
	})
}

// TestSame: a contract compared with itself has not changed.
func TestSame(t *testing.T) {
	for _, kind := range []string{"protobuf", "openapi", "graphql", "avro", "jsonschema"} {
		for _, p := range corpus(t, kind) {
			for _, file := range []string{p.old, p.now} {
				q := pair{old: file, now: file}
				if r := q.compare(t, evolve.Options{Compatibility: "full"}); len(r.Changes) > 0 {
					t.Errorf("%s %s: %+v", kind, p.name, r.Changes[0])
				}
			}
		}
	}
}

// large makes an OpenAPI document of about ten megabytes.
func large(changed bool) string {
	var b strings.Builder
	b.WriteString(`{"openapi":"3.0.3","info":{"title":"large","version":"1"},"paths":{`)
	for i := range 1500 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"/things/%d/{id}":{"get":{"operationId":"get%d","parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"ok","content":{"application/json":{"schema":{"$ref":"#/components/schemas/T%d"}}}}}},"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/T%d"}}}},"responses":{"201":{"description":"ok"}}}}`, i, i, i, i)
	}
	b.WriteString(`},"components":{"schemas":{`)
	for i := range 1500 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"T%d":{"type":"object","required":["f0"],"properties":{`, i)
		for f := range 60 {
			kind := "string"
			if changed && i%50 == 0 && f == 7 {
				kind = "integer"
			}
			fmt.Fprintf(&b, `"f%d":{"type":%q,"description":"one of the sixty fields of this large and generated type","maxLength":%d},`, f, kind, f+1)
		}
		fmt.Fprintf(&b, `"next":{"$ref":"#/components/schemas/T%d"}}}`, (i+1)%1500)
	}
	b.WriteString(`}}}`)
	return b.String()
}

func BenchmarkLargeOpenAPI(b *testing.B) {
	old, now := large(false), large(true)
	b.SetBytes(int64(len(old)))
	for b.Loop() {
		r, err := between(b, evolve.OpenAPI, old, now)
		if err != nil || r.Count(evolve.Breaking) != 60 {
			b.Fatal(r.Count(evolve.Breaking), err)
		}
	}
}
