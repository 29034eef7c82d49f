package httpapi

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

const uploads = head + `"paths":{
	"/form":{"post":{"requestBody":{"content":{"multipart/form-data":{"schema":{"type":"object","required":["file"],"properties":{
		"file":{"type":"string","format":"binary"},"more":{"type":"array","items":{"type":"string","format":"binary"}},"note":{"type":"string"},
		"meta":{"type":"object"},"n":{"type":"integer"}}},"encoding":{"meta":{"contentType":"application/vnd.meta+json"}}}}},"responses":{}}},
	"/raw":{"put":{"requestBody":{"content":{"application/octet-stream":{"schema":{"type":"string","format":"binary"}}}},"responses":{}}},
	"/text":{"put":{"requestBody":{"content":{"text/plain":{"schema":{"type":"string"}}}},"responses":{}}},
	"/deep":{"post":{"requestBody":{"content":{"application/x-www-form-urlencoded":{"schema":{"type":"object"},
		"encoding":{"filter":{"style":"deepObject"},"ids":{"explode":false}}}}},"responses":{}}},
	"/choice":{"post":{"requestBody":{"content":{"application/json":{"schema":{"type":"object"}},"application/x-www-form-urlencoded":{"schema":{"type":"object"}}}},"responses":{}}}}}`

// inFolder writes files and returns their folder.
func inFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestMultipart(t *testing.T) {
	var s seen
	p := openTarget(t, target(serve(t, uploads, s.handle).URL))
	dir := inFolder(t, map[string]string{"a.txt": "text\x00", "b.unknownkind": "bb"})
	doc := fmt.Sprintf(`{"note":"@home","file":"@%s/a.txt","more":["@%[1]s/b.unknownkind","@%[1]s/a.txt"],"meta":{"k":[1]},"n":5,"none":null,"loose":"@%[1]s/a.txt"}`, filepath.ToSlash(dir))
	mustInvoke(t, p, "POST /form", doc)
	got, body := s.request()
	_, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for r := multipart.NewReader(strings.NewReader(body), params["boundary"]); ; {
		part, err := r.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, _ := io.ReadAll(part)
		parts = append(parts, fmt.Sprintf("%s|%s|%s|%s", part.FormName(), part.FileName(), part.Header.Get("Content-Type"), content))
	}
	want := []string{"note|||@home", "file|a.txt|text/plain; charset=utf-8|text\x00", "more|b.unknownkind|application/octet-stream|bb",
		"more|a.txt|text/plain; charset=utf-8|text\x00", `meta||application/vnd.meta+json|{"k":[1]}`, "n|||5", "loose|a.txt|text/plain; charset=utf-8|text\x00"}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
	_, err = invoke(t, p, "POST /form", `{"file":"@/nowhere/x","n":1}`)
	wantError(t, err, probes.ErrUsage, "/nowhere/x", "nothing was sent")
	_, err = invoke(t, p, "POST /form", `{"n":"many"}`)
	wantError(t, err, probes.ErrUsage, `body: property "file" is missing`, "body/n: it is of type string, not integer")
	m := listed(t, load(t, uploads), "POST /form")
	if string(m.Template) != `{"file":"@path/to/file","meta":{},"more":["@path/to/file"],"n":0,"note":""}` {
		t.Errorf("template %s", m.Template)
	}
}

func TestOtherBodies(t *testing.T) {
	var s seen
	p := openTarget(t, target(serve(t, uploads, s.handle).URL))
	name := filepath.ToSlash(filepath.Join(inFolder(t, map[string]string{"x.bin": "\x01\x02"}), "x.bin"))
	for _, c := range []struct {
		method, doc string
		edit        func(*probes.Invocation)
		contentType string
		want        string
	}{
		{"PUT /raw", "@" + name, param(), "application/octet-stream", "\x01\x02"},
		{"PUT /raw", `"@` + name + `"`, param(), "application/octet-stream", "\x01\x02"},
		{"PUT /raw", "\x00bytes \xff", param(), "application/octet-stream", "bytes \xff"},
		{"PUT /text", `"two\nlines"`, param(), "text/plain", "two\nlines"},
		{"PUT /text", `plain words`, param(), "text/plain", "plain words"},
		{"PUT /text", "@home and\nmore", param(), "text/plain", "@home and\nmore"},
		{"POST /anything", "@john", header("Content-Type", "text/plain"), "text/plain", "@john"},
		{"POST /deep", `{"filter":{"a":1,"b":"x y"},"ids":[1,2],"other":{"c":true}}`, param(), formType,
			"filter%5Ba%5D=1&filter%5Bb%5D=x+y&ids=1,2&other=%7B%22c%22%3Atrue%7D"},
		{"POST /choice", `{"a":1}`, param(), "application/json", `{"a":1}`},
		{"POST /choice", `a=1`, header("Content-Type", formType), formType, `a=1`},
	} {
		t.Run(c.method+" "+c.doc, func(t *testing.T) {
			mustInvoke(t, p, c.method, c.doc, c.edit)
			got, body := s.request()
			if got.Header.Get("Content-Type") != c.contentType || body != c.want {
				t.Errorf("sent %q as %q, want %q", body, got.Header.Get("Content-Type"), c.want)
			}
		})
	}
	big := `{"a":"` + strings.Repeat("x", maxChecked) + `"}`
	req, _, _ := mustInvoke(t, p, "POST /choice", big)
	if got := attr(req, attrUnchecked); !strings.Contains(got, "larger than 1024 KiB") {
		t.Errorf("a large body: %q", got)
	}
}
