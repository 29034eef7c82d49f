package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"iscope/probes"
)

// repeated is a document of at least size bytes: LoopBack's own operations and
// schemas, over and over under other names.
func repeated(t testing.TB, size int) []byte {
	t.Helper()
	var one struct {
		Paths      map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal([]byte(read(t, "loopback-todo.json")), &one); err != nil {
		t.Fatal(err)
	}
	var paths, schemas bytes.Buffer
	for i := 0; paths.Len()+schemas.Len() < size; i++ {
		rename := func(b json.RawMessage) string {
			return strings.ReplaceAll(string(b), "#/components/schemas/", fmt.Sprintf("#/components/schemas/G%d_", i))
		}
		for name, v := range one.Paths {
			fmt.Fprintf(&paths, "\"/g%d%s\":%s,\n", i, name, rename(v))
		}
		for name, v := range one.Components.Schemas {
			fmt.Fprintf(&schemas, "\"G%d_%s\":%s,\n", i, name, rename(v))
		}
	}
	trim := func(b bytes.Buffer) string { return strings.TrimSuffix(b.String(), ",\n") }
	return []byte(head + `"paths":{` + trim(paths) + `},"components":{"schemas":{` + trim(schemas) + `}}}`)
}

// githubSize is that of GitHub's own document.
const githubSize = 10 << 20

func TestDocumentOfGitHubsSize(t *testing.T) {
	text := repeated(t, githubSize)
	d := load(t, string(text))
	if len(d.ops)%8 != 0 || len(d.ops) < 4000 || len(d.warnings) > 0 {
		t.Fatalf("%d operations of %d bytes, warnings %q", len(d.ops), len(text), d.warnings)
	}
	m := listed(t, d, "POST /g499/todos")
	if m.Input != "#/components/schemas/G499_NewTodo" || !strings.Contains(string(m.Template), `"title"`) {
		t.Errorf("method %+v", m)
	}
	schema, ok := follow(d.tree, strings.TrimPrefix(m.Input, "#"))
	if !ok {
		t.Fatal("no schema")
	}
	if found, err := d.check("x", schema, part{"desc": true}, asRequest); err != nil || len(found) != 2 {
		t.Errorf("found %v, error %v", found, err)
	}
	// The position of what is wrong at its end.
	text = append(bytes.TrimSuffix(text, []byte("}}}")), []byte(",\n\"Z\":{\"items\":7}}}}")...)
	if d := load(t, string(text)); len(d.warnings) != 1 || !strings.Contains(d.warnings[0], ":6: #/components/schemas/Z/items: ") {
		t.Errorf("warnings %q", d.warnings)
	}
}

// BenchmarkGitHubSized is what a listing costs: reading, and all that it shows.
func BenchmarkGitHubSized(b *testing.B) {
	text := repeated(b, githubSize)
	p := openTarget(b, target("127.0.0.1:1"))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		d, err := p.newDocument(text, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range d.ops {
			o.listed()
		}
	}
}

// TestCircles has schemas that contain themselves in every way there is; nothing
// may take them for endless.
func TestCircles(t *testing.T) {
	more := `"A":{"allOf":[{"$ref":"#/components/schemas/A"},{"type":"object","properties":{"a":{"$ref":"#/components/schemas/A"}}}]},
		"B":{"oneOf":[{"$ref":"#/components/schemas/B"},{"$ref":"#/components/schemas/C"}]},"C":{"anyOf":[{"$ref":"#/components/schemas/B"}]},
		"D":{"type":"array","items":{"$ref":"#/components/schemas/D"},"minItems":1},"E":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/E"}},
		"F":{"type":"object","required":["f"],"properties":{"f":{"$ref":"#/components/schemas/F"}}},"G":{"not":{"$ref":"#/components/schemas/G"}}`
	for name := range strings.SplitSeq("A B C D E F G", " ") {
		t.Run(name, func(t *testing.T) {
			doc := bodyDoc(`{"$ref":"#/components/schemas/`+name+`"}`, more)
			m := listed(t, load(t, doc), "POST /a")
			if !json.Valid(m.Template) {
				t.Errorf("template %s", m.Template)
			}
			if f := formOf(t, doc, "POST /a"); f.Root.Kind == probes.ShapeNone {
				t.Errorf("form %+v", f)
			}
			var s seen
			p := openTarget(t, target(serve(t, doc, s.handle).URL))
			for _, body := range []string{`{}`, `[]`, `[[[]]]`, `{"f":{"f":{}}}`, `1`} {
				invoke(t, p, "POST /a", body, forced) // whether it fits is of no interest here
			}
			if s.count() != 5 {
				t.Errorf("%d of 5 were sent", s.count())
			}
		})
	}
}

// TestEscapesOfServers has control characters wherever a document can: they stay
// in what screens make safe, and never get into an error's own words or a header.
func TestEscapesOfServers(t *testing.T) {
	const evil = `\u001b]0;pwned\u0007\u001b[2J\r\n`
	doc := `{"openapi":"3.0.0","info":{"title":"` + evil + `","version":"` + evil + `"},"servers":[{"url":"` + evil + `"}],
		"paths":{"/a":{"post":{"summary":"` + evil + `","tags":["` + evil + `"],"parameters":[{"name":"` + evil + `","in":"header","schema":{"enum":["` + evil + `"]}},
		{"name":"` + evil + `","in":"cookie"},{"name":"` + evil + `","in":"query","required":true,"style":"` + evil + `"}],
		"requestBody":{"content":{"` + evil + `":{"schema":{"type":"string","pattern":"` + evil + `"}}}},
		"security":[{"` + evil + `":[]}],
		"responses":{"200":{"description":"","content":{"` + evil + `":{}}}}}}},"components":{"securitySchemes":{"` + evil + `":{"type":"apiKey","in":"header","name":"` + evil + `"}}}}`
	var s seen
	tg := target(serve(t, doc, s.handle).URL)
	tg.Auth.Token = probes.NewSecret("hunter2")
	p := openTarget(t, tg)
	methods, err := p.Methods(patience(t))
	if err != nil || len(methods) != 1 {
		t.Fatalf("methods %+v, error %v", methods, err)
	}
	_, err = invoke(t, p, methods[0].Name, "x", forced)
	if err != nil {
		wantError(t, err, probes.ErrUsage)
	}
	if r, _ := s.request(); r != nil {
		for name, values := range r.Header {
			if strings.ContainsAny(name+strings.Join(values, ""), "\x1b\x07") {
				t.Errorf("header %q: %q", name, values)
			}
		}
	}
	f, err := p.Form(patience(t), methods[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	if f.Root.Kind == probes.ShapeNone {
		t.Errorf("form %+v", f)
	}
}
