package httpapi

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func load(t testing.TB, text string) *document {
	t.Helper()
	p := openTarget(t, target("127.0.0.1:1"))
	d, err := p.newDocument([]byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func loadFile(t testing.TB, name string) *document {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(b))
}

func names(d *document) []string {
	var out []string
	for _, o := range d.ops {
		out = append(out, o.name())
	}
	return out
}

func listed(t testing.TB, d *document, name string) probes.Method {
	t.Helper()
	for _, o := range d.ops {
		if o.name() == name {
			return o.listed()
		}
	}
	t.Fatalf("no operation %s among %q", name, names(d))
	return probes.Method{}
}

func TestDocument30(t *testing.T) {
	d := loadFile(t, "shop30.yaml")
	if len(d.warnings) > 0 {
		t.Errorf("warnings %q", d.warnings)
	}
	want := []string{"DELETE /orders/{id}", "GET /orders", "GET /orders/latest", "GET /orders/{id}",
		"GET /orders/{id}/lines/{line}.{format}", "POST /login", "POST /orders", "PUT /upload"}
	if diff := cmp.Diff(want, names(d)); diff != "" {
		t.Error(diff)
	}
	got := listed(t, d, "GET /orders")
	wantMethod := probes.Method{Name: "GET /orders", Group: "orders", Doc: "lists orders", Effect: probes.EffectRead,
		Output: "#/paths/~1orders/get/responses/200/content/application~1json/schema",
		Params: []probes.Param{
			{Name: "state", In: "query", Type: "array of string: open | paid"},
			{Name: "tag", In: "query", Type: "array of string"},
			{Name: "filter", In: "query", Type: "object"},
			{Name: "limit", In: "query", Type: "integer (int32)", Example: "20"},
			{Name: "X-Tenant", In: "header", Type: "string", Example: "acme"},
			{Name: "session", In: "cookie", Type: "string"},
		}}
	if diff := cmp.Diff(wantMethod, got); diff != "" {
		t.Error(diff)
	}
	post := listed(t, d, "POST /orders")
	if post.Doc != "places an order" || post.Effect != probes.EffectWrite || post.Input != "#/components/schemas/NewOrder" ||
		post.Output != "#/components/schemas/Order" {
		t.Errorf("POST is %+v", post)
	}
	del := listed(t, d, "DELETE /orders/{id}")
	if !del.Deprecated || del.Template != nil || len(del.Params) != 1 || !del.Params[0].Required {
		t.Errorf("DELETE is %+v", del)
	}
}

func TestDocument31(t *testing.T) {
	d := loadFile(t, "shop31.json")
	if len(d.warnings) > 0 {
		t.Errorf("warnings %q", d.warnings)
	}
	// The server entry's path is part of the operation's.
	m := listed(t, d, "PUT /v2/nodes/{key}")
	want := `{"kind":"node","name":"root","$ref":"","any":"0000","example":"","pair":[0,false],"weight":2.5}`
	if string(m.Template) != want {
		t.Errorf("template %s, want %s", m.Template, want)
	}
	if m.Input != "#/components/schemas/Node" || m.Output != m.Input {
		t.Errorf("input %s, output %s", m.Input, m.Output)
	}
}

func TestDocument20IsConverted(t *testing.T) {
	d := loadFile(t, "shop20.json")
	if diff := cmp.Diff([]string{"GET /old/orders/{id}", "PUT /old/orders/{id}"}, names(d)); diff != "" {
		t.Error(diff)
	}
	m := listed(t, d, "PUT /old/orders/{id}")
	if string(m.Template) != `{"id":3}` || m.Input != "#/components/schemas/Order" || d.version != "2.0" {
		t.Errorf("template %s, input %s, version %s", m.Template, m.Input, d.version)
	}
	if len(d.warnings) != 1 || !strings.Contains(d.warnings[0], `"#/definitions/Gone" leads nowhere`) || !strings.HasPrefix(d.warnings[0], "line 11:") {
		t.Errorf("warnings %q", d.warnings)
	}
}

func TestTemplateOf30(t *testing.T) {
	d := loadFile(t, "shop30.yaml")
	line := `{"count":1,"sku":"xxx","parts":[],"price":0.5}`
	want := `{"customer":"user@example.com","lines":[` + line + `,` + line + `],"note":"","placed":"2026-01-31T12:00:00Z","priority":"normal"}`
	got := string(listed(t, d, "POST /orders").Template)
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(listed(t, d, "POST /login").Template); got != `{"roles":[""],"user":"ann"}` {
		t.Errorf("form template %s", got)
	}
	if got := string(listed(t, d, "PUT /upload").Template); got != `{}` {
		t.Errorf("multipart template %s", got)
	}
}

func TestServerPathAndBase(t *testing.T) {
	for _, c := range []struct{ server, base, want string }{
		{"", "", "/orders"},
		{"/", "", "/orders"},
		{"/api/v1/", "", "/api/v1/orders"},
		{"https://elsewhere.example/api/v1", "", "/api/v1/orders"},
		{"/api/v1", "/api/v1", "/orders"},
		{"/api/v1", "/api", "/v1/orders"},
		{"/apiary", "/api", "/orders"},
		{"/", "/api", "/orders"},
	} {
		text := `{"openapi":"3.0.0","info":{"title":"t","version":"1"},"servers":[{"url":"` + c.server + `"}],
			"paths":{"/orders":{"get":{"responses":{"200":{"description":"ok"}}}}}}`
		p := openTarget(t, target("127.0.0.1:1"+c.base))
		d, err := p.newDocument([]byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(d); !slices.Equal(got, []string{"GET " + c.want}) {
			t.Errorf("server %q base %q: %q, want %s", c.server, c.base, got, c.want)
		}
	}
}

const head = `{"openapi":"3.0.0","info":{"title":"t","version":"1"},`

func TestBrokenDocumentKeepsItsValidPart(t *testing.T) {
	const good = `"/good":{"get":{"responses":{"200":{"description":"ok"}}}}`
	for _, c := range []struct{ name, text, want, warning string }{
		{"cut in the middle of an operation", head + "\n" + `"paths":{` + good + `,` + "\n" + `"/cut":{"get":{"responses":{"20`,
			"GET /good", "line 3:"},
		{"bad syntax", head + "\n" + `"paths":{` + good + `,"/x":{"get":{"responses":{}},` + "\n" + ` oops}}}`,
			"GET /good GET /x", "line 3:2: invalid character 'o'"},
		{"wrong type in an operation", head + "\n" + `"paths":{` + good + `,` + "\n" + ` "/bad":{"get":{"summary":[1],"responses":{}}, "put":{"responses":{}}}}}`,
			"GET /bad GET /good PUT /bad", "line 3:17: #/paths/~1bad/get/summary: summary is a list, not a text"},
		{"an operation that is none", head + "\n" + `"paths":{` + good + `,` + "\n" + ` "/bad":{"get":[], "put":{"responses":{}}}}}`,
			"GET /good PUT /bad", "line 3:10: #/paths/~1bad/get: "},
		{"wrong type in a schema", head + "\n" + `"paths":{` + good + `},"components":{"schemas":{` + "\n" + `"A":{"type":"object"}, "B":{"required":7}}}}`,
			"GET /good", "line 3:29: #/components/schemas/B/required: required is a number, not true or false or a list"},
		{"reference to nothing", head + "\n" + `"paths":{"/good":{"get":{"responses":{"200":` + "\n" + `{"$ref":"#/components/responses/None"}}}}}}`,
			"GET /good", `leads nowhere`},
		{"reference in a circle", head + `"paths":{` + good + `},"components":{"schemas":{"A":{"$ref":"#/components/schemas/B"},"B":{"$ref":"#/components/schemas/A"}}}}`,
			"GET /good", "leads in a circle"},
		{"reference to another host", head + `"paths":{` + good + `},"components":{"schemas":{"A":{"$ref":"http://127.0.0.1:1/x.json#/A"}}}}`,
			"GET /good", "which is not followed"},
		{"reference to a file", head + `"paths":{` + good + `},"components":{"schemas":{"A":{"$ref":"/etc/passwd"}}}}`,
			"GET /good", "which is not followed"},
		{"path that is none", head + `"paths":{` + good + `,"nope":{"get":{}},"/list":[]}}`, "GET /good", "it is no path"},
		{"info of the wrong type", `{"openapi":3.0,"info":"shop","paths":{` + good + `}}`, "GET /good", "info is not an object"},
		{"unnamed parameter", head + `"paths":{"/good":{"get":{"parameters":[{"in":"query"},{"$ref":"#/x"}],"responses":{}}}}}`, "GET /good", "leads nowhere"},
		{"YAML broken further down", "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths:\n  /good:\n    get:\n      responses:\n        200: {description: ok}\n  /bad:\n\tget: x\n",
			"GET /good", "line 9:1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := load(t, c.text)
			if got := strings.Join(names(d), " "); got != c.want {
				t.Errorf("operations %q, want %q", got, c.want)
			}
			if !strings.Contains(strings.Join(d.warnings, "\n"), c.warning) {
				t.Errorf("warnings %q, want %q", d.warnings, c.warning)
			}
		})
	}
}

func TestNoDocumentAtAll(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for _, l := range "bcdefghi" {
		prev := string(l - 1)
		bomb += string(l) + ": &" + string(l) + " [" + strings.TrimSuffix(strings.Repeat("*"+prev+",", 10), ",") + "]\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "it is empty"},
		{"a page", "<!doctype html><html></html>", "it is HTML"},
		{"other JSON", `{"hello":1}`, "it is no OpenAPI document"},
		{"a list", `- 1`, "neither"},
		{"a word", `hello`, "neither"},
		{"a later version", `{"openapi":"4.0.0"}`, "not supported"},
		{"an older version", `{"swagger":"1.2"}`, "not supported"},
		{"broken at once", `{"openapi`, "line 1:"},
		{"deep", `{"openapi":"3.0.0","x-a":` + strings.Repeat("[", 100_000), "it is no"},
		{"a bomb of aliases", "openapi: 3.0.0\n" + bomb, "nested"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseDocument([]byte(c.text), "")
			if c.name == "deep" { // what stands before is a document without paths
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestManyWarningsAreCounted(t *testing.T) {
	text := head + `"paths":{}, "components":{"schemas":{"A":{"properties":{`
	for i := range 50 {
		text += `"p` + string(rune('a'+i%26)) + string(rune('a'+i/26)) + `":{"$ref":"#/nope"},`
	}
	d := load(t, strings.TrimSuffix(text, ",")+"}}}}}")
	if len(d.warnings) != maxWarnings+1 || d.warnings[maxWarnings] != "and 30 more" {
		t.Errorf("%d warnings, last %q", len(d.warnings), d.warnings[len(d.warnings)-1])
	}
}

func TestRealDocument(t *testing.T) {
	d := loadFile(t, "loopback-todo.json")
	if len(d.ops) != 8 || len(d.warnings) > 0 {
		t.Errorf("%d operations, warnings %q", len(d.ops), d.warnings)
	}
	if got := string(listed(t, d, "POST /todos").Template); !strings.Contains(got, `"title":""`) || !strings.HasPrefix(got, `{"title"`) {
		t.Errorf("template %s", got)
	}
}

func FuzzDocument(f *testing.F) {
	for _, name := range []string{"shop30.yaml", "shop31.json", "shop20.json"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	p, err := newProbe(target("127.0.0.1:1"))
	if err != nil {
		f.Fatal(err)
	}
	defer p.Close()
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := p.newDocument(b, nil)
		if err != nil {
			if strings.Contains(err.Error(), "broke its parser") {
				t.Errorf("%v", err)
			}
			return
		}
		for _, o := range d.ops {
			if !strings.HasPrefix(o.path, "/") || o.name() != o.listed().Name {
				t.Errorf("operation %q", o.name())
			}
			if b := o.requestBody(""); b != nil {
				f := &former{doc: d.parsed, form: probes.Form{Types: map[string][]probes.Shape{}}, open: map[string]bool{}}
				f.body(b)
				f.types()
				for _, v := range []any{nil, "a", part{"a": "b"}, []any{"x"}} {
					if _, err := d.check(b.ref, b.media["schema"], v, asRequest); err != nil && strings.Contains(err.Error(), "broke its compiler") {
						t.Error(err)
					}
				}
			}
		}
	})
}

func BenchmarkDocument(b *testing.B) {
	text, err := os.ReadFile("testdata/loopback-todo.json")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := parseDocument(text, ""); err != nil {
			b.Fatal(err)
		}
	}
}
