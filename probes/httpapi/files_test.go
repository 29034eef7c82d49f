package httpapi

import (
	"path/filepath"
	"strings"
	"testing"

	"iscope/probes"
)

// split is a document over several files, in both formats, with a circle.
func split(t testing.TB) string {
	return filepath.Join(inFolder(t, map[string]string{
		"api/openapi.yaml": `openapi: 3.0.3
info: {title: Split, version: "1"}
paths:
  /orders: {$ref: 'paths/orders.yaml'}
  /bad:
    get:
      responses:
        "200": {$ref: 'nowhere.yaml#/Ok'}
        "201": {$ref: '../../etc/passwd'}
        "202": {$ref: 'http://127.0.0.1:1/x.yaml'}
        "203": {$ref: 'schemas.json#/Nope'}
        "204": {$ref: 'broken.yaml'}
components:
  schemas:
    Shared: {type: string, example: shared}
`,
		"api/paths/orders.yaml": `post:
  summary: places an order
  requestBody:
    content:
      application/json:
        schema: {$ref: '../schemas.json#/Order'}
  responses:
    "200":
      description: ok
      content:
        application/json:
          schema: {$ref: '../schemas.json#/Order'}
`,
		"api/schemas.json": `{"Order":{"type":"object","required":["line"],"properties":{"line":{"$ref":"#/Line"},"shared":{"$ref":"openapi.yaml#/components/schemas/Shared"},
			"title":{"type":"string"}}},"Line":{"type":"object","properties":{"n":{"type":"integer"},"of":{"$ref":"schemas.json#/Order"}}}}`,
		"api/broken.yaml": "a: [\n",
	}), "api", "openapi.yaml")
}

func TestDocumentOfSeveralFiles(t *testing.T) {
	var s seen
	name := split(t)
	p := openTarget(t, target(serve(t, "", s.handle).URL, optOpenAPI, "file:"+name))
	m, err := p.Method(patience(t), "POST /orders")
	if err != nil || m.Doc != "places an order" || string(m.Template) != `{"line":{"n":0},"shared":"shared","title":""}` {
		t.Errorf("method %+v with template %s, error %v", m, m.Template, err)
	}
	if schema, err := p.Schema(patience(t), m.Input); err != nil || !strings.Contains(schema.Text, `"line"`) {
		t.Errorf("%s is %+v, error %v", m.Input, schema, err)
	}
	_, err = invoke(t, p, "POST /orders", `{"line":{"n":"x"}}`)
	wantError(t, err, probes.ErrUsage, "body/line/n: it is of type string, not integer")
	mustInvoke(t, p, "POST /orders", `{"line":{"n":1,"of":{"line":{}}}}`, forced)
	doc, err := p.docs.Get(patience(t), fresh)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(doc.warnings, "\n")
	for _, want := range []string{`line 8:`, `"nowhere.yaml#/Ok" cannot be read`, `"../../etc/passwd" cannot be read: it is named neither`,
		`"http://127.0.0.1:1/x.yaml" leads to another document`, `"schemas.json#/Nope" leads nowhere`, `"broken.yaml" cannot be read: line`} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in\n%s", want, all)
		}
	}
	c, err := p.Contract(patience(t))
	if err != nil || !strings.Contains(string(c.Data), `"Line"`) {
		t.Errorf("contract %s, error %v", c.Data, err)
	}
	// A server's document reads no files of ours.
	p = openTarget(t, target(serve(t, head+`"paths":{"/a":{"$ref":"`+filepath.ToSlash(name)+`#/paths/~1orders"}}}`, nil).URL))
	if methods, err := p.Methods(patience(t)); err != nil || len(methods) != 0 {
		t.Errorf("methods %+v, error %v", methods, err)
	}
}

func TestContractIsTheDocument(t *testing.T) {
	for _, name := range []string{"shop30.yaml", "shop31.json", "shop20.json"} {
		p := openTarget(t, target("127.0.0.1:1", optOpenAPI, "testdata/"+name))
		c, err := p.Contract(patience(t))
		if err != nil || c.Type != "openapi" || c.Text != read(t, name) {
			t.Fatalf("%s: %v", name, err)
		}
		// Wrong references and all, and what was 2.0 still is.
		want, _, _, err := parseTree([]byte(c.Text))
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := parseJSON(c.Data)
		if err != nil || jsonText(got) != jsonText(want) {
			t.Errorf("%s became %s, error %v", name, c.Data, err)
		}
	}
	_, err := openTarget(t, target(serve(t, "", nil).URL)).Contract(patience(t))
	wantError(t, err, probes.ErrNotFound, "no OpenAPI document")
}
