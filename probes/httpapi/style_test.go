package httpapi

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// TestStyles is the table of OpenAPI 3.1 §4.8.12.5, with its values, and those
// that RFC 6570 has for characters that need escaping.
func TestStyles(t *testing.T) {
	const list, obj = `["blue","black","brown"]`, `{"R":100,"G":200,"B":150}`
	for _, c := range []struct {
		in, style string
		explode   bool
		typed     string
		want      string
	}{
		{"path", "simple", false, "blue", "/blue"},
		{"path", "simple", false, list, "/blue,black,brown"},
		{"path", "simple", true, list, "/blue,black,brown"},
		{"path", "simple", false, obj, "/B,150,G,200,R,100"},
		{"path", "simple", true, obj, "/B=150,G=200,R=100"},
		{"path", "label", false, "blue", "/.blue"},
		{"path", "label", false, list, "/.blue,black,brown"},
		{"path", "label", true, list, "/.blue.black.brown"},
		{"path", "label", false, obj, "/.B,150,G,200,R,100"},
		{"path", "label", true, obj, "/.B=150.G=200.R=100"},
		{"path", "matrix", false, "blue", "/;color=blue"},
		{"path", "matrix", false, list, "/;color=blue,black,brown"},
		{"path", "matrix", true, list, "/;color=blue;color=black;color=brown"},
		{"path", "matrix", false, obj, "/;color=B,150,G,200,R,100"},
		{"path", "matrix", true, obj, "/;B=150;G=200;R=100"},
		{"path", "simple", false, "a/b c,d", "/a%2Fb%20c%2Cd"},
		{"query", "form", true, "blue", "/?color=blue"},
		{"query", "form", true, list, "/?color=blue&color=black&color=brown"},
		{"query", "form", false, list, "/?color=blue,black,brown"},
		{"query", "form", true, obj, "/?B=150&G=200&R=100"},
		{"query", "form", false, obj, "/?color=B,150,G,200,R,100"},
		{"query", "spaceDelimited", false, list, "/?color=blue%20black%20brown"},
		{"query", "pipeDelimited", false, list, "/?color=blue%7Cblack%7Cbrown"},
		{"query", "deepObject", true, obj, "/?color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100"},
		{"query", "deepObject", true, `{"where":{"id":1,"in":[1,2],"or":[{"a":1}]}}`,
			"/?color%5Bwhere%5D%5Bid%5D=1&color%5Bwhere%5D%5Bin%5D=1&color%5Bwhere%5D%5Bin%5D=2&color%5Bwhere%5D%5Bor%5D%5B0%5D%5Ba%5D=1"},
		{"query", "form", false, `["a,b","c&d"]`, "/?color=a%2Cb,c%26d"},
		{"query", "form", true, "a/b?c", "/?color=a%2Fb%3Fc"},
		{"query", "reserved", true, "a/b?c&d#e", "/?color=a/b?c%26d%23e"},
		{"header", "simple", false, list, "color: blue,black,brown"},
		{"header", "simple", true, obj, "color: B=150,G=200,R=100"},
		{"header", "simple", false, "a b", "color: a b"},
		{"cookie", "form", true, "blue", "cookie: color=blue"},
		{"cookie", "form", false, list, "cookie: color=blue,black,brown"},
		{"cookie", "form", true, list, "cookie: color=blue; color=black; color=brown"},
	} {
		t.Run(fmt.Sprintf("%s %s %v %s", c.in, c.style, c.explode, c.typed), func(t *testing.T) {
			s := &seen{}
			style := fmt.Sprintf(`"style":%q`, c.style)
			if c.style == "reserved" {
				style = `"allowReserved":true`
			}
			path := "/"
			if c.in == "path" {
				path = "/{color}"
			}
			doc := head + fmt.Sprintf(`"paths":{%q:{"get":{"parameters":[{"name":"color","in":%q,"required":true,%s,"explode":%v,
				"schema":{"anyOf":[{"type":"string"},{"type":"array"},{"type":"object"}]}}],"responses":{}}}}}`, path, c.in, style, c.explode)
			p := openTarget(t, target(serve(t, doc, s.handle).URL))
			mustInvoke(t, p, "GET "+path, "", param("color", c.typed))
			got, _ := s.request()
			var have string
			switch c.in {
			case "header":
				have = "color: " + got.Header.Get("Color")
			case "cookie":
				have = "cookie: " + got.Header.Get("Cookie")
			default:
				have = got.RequestURI
			}
			if have != c.want {
				t.Errorf("sent %s, want %s", have, c.want)
			}
		})
	}
}

// TestTypedValues reads what a person types as the schema wants it, and refuses
// what it does not allow.
func TestTypedValues(t *testing.T) {
	doc := load(t, head+`"paths":{}}`)
	for _, c := range []struct {
		schema, content string
		typed           []string
		want            any
		found           []string
	}{
		{`{"type":"integer"}`, "", []string{"5"}, "5", nil},
		{`{"type":"integer"}`, "", []string{"five"}, "five", []string{": it is of type string, not integer"}},
		{`{"type":"string"}`, "", []string{"5"}, "5", nil},
		{`{"type":"boolean"}`, "", []string{"true"}, true, nil},
		{`{"type":"array","items":{"type":"integer"},"maxItems":2}`, "", []string{"1", "2"}, []any{"1", "2"}, nil},
		{`{"type":"array","items":{"type":"integer"}}`, "", []string{"1", "x"}, []any{"1", "x"}, []string{"/1: it is of type string, not integer"}},
		{`{"type":"array","items":{"type":"string"},"maxItems":1}`, "", []string{`["a","b"]`}, []any{"a", "b"}, []string{": it has more than 1 items"}},
		{`{"type":"object","required":["a"]}`, "", []string{`{"b":1}`}, part{"b": "1"}, []string{`: property "a" is missing`}},
		{`{"type":"object"}`, "application/json", []string{`{"b":1}`}, part{"b": "1"}, nil},
		{`{"type":"string","format":"date-time"}`, "", []string{"yesterday"}, "yesterday", []string{": it is no date-time"}},
		{`{"type":"integer","format":"int32"}`, "", []string{"3000000000"}, "3000000000", []string{": it is more than 2147483647"}},
		{`{"type":"integer","nullable":true}`, "", []string{"1"}, "1", nil},
		{`{"type":"string","pattern":"^[a-z]+$"}`, "", []string{"A1"}, "A1", []string{": it does not match ^[a-z]+$"}},
		{`{"type":"string","pattern":"(?=no lookahead in Go)"}`, "", []string{"A1"}, "A1", nil},
		{`true`, "", []string{"x"}, "x", nil},
	} {
		t.Run(c.schema, func(t *testing.T) {
			schema, _ := decodeJSON(c.schema)
			p := &parameter{name: "x", in: "query", style: "form", explode: true, schema: schema, mediaType: c.content}
			v := doc.value(p, c.typed)
			if diff := cmp.Diff(fmt.Sprint(c.want), fmt.Sprint(v)); diff != "" {
				t.Error(diff)
			}
			found, err := doc.check(c.schema, schema, v, asRequest)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				got = append(got, f.At+": "+f.Text)
			}
			if diff := cmp.Diff(c.found, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestViolationsAreListed has every kind of place break its contract at once.
func TestViolationsAreListed(t *testing.T) {
	doc := head + `"paths":{"/a/{id}":{"post":{"parameters":[{"name":"id","in":"path","schema":{"type":"integer"}},
		{"name":"limit","in":"query","schema":{"type":"integer","maximum":10}},{"name":"X-Tenant","in":"header","required":true,"schema":{"type":"string"}},
		{"name":"lang","in":"cookie","schema":{"enum":["de","en"]}}],
		"requestBody":{"content":{"application/json":{"schema":{"type":"object","additionalProperties":false,"properties":{"a":{"oneOf":[{"type":"string"},{"type":"object","required":["n"]}]}}}}}},
		"responses":{"200":{"description":"ok","headers":{"X-Count":{"required":true,"schema":{"type":"integer"}},"X-Left":{"schema":{"type":"integer"}}},
		"content":{"application/json":{"schema":{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"secret":{"type":"string","writeOnly":true}}}}}}}}}}}`
	var s seen
	p := openTarget(t, target(serve(t, doc, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Left", "many")
		s.handle(w, r)
	}).URL))
	want := []string{
		"path/id: it is of type string, not integer", "query/limit: it is more than 10", "header/X-Tenant: it is required, and was not given",
		"cookie/lang: it is none of de, en", `body/a: property "n" is missing`, "body/b: it is not in the schema, which allows no others"}
	edit := param("id", "x", "limit", "11", "lang", "fr")
	_, err := invoke(t, p, "POST /a/{id}", `{"a":{},"b":1}`, edit)
	wantError(t, err, probes.ErrUsage, want...)
	if s.count() != 0 {
		t.Error("it was sent all the same")
	}
	req, resp, _ := mustInvoke(t, p, "POST /a/{id}", `{"a":{},"b":1}`, edit, forced)
	sortedDiff(t, want, violationsOf(req))
	sortedDiff(t, []string{"header/X-Count: it is required, and did not come", "header/X-Left: it is of type string, not integer"}, violationsOf(resp))
	// Values written into the line are held against the contract too.
	_, err = invoke(t, p, "POST /a/5?limit=99", `{}`, header("X-Tenant", "t", "Cookie", "lang=fr"))
	wantError(t, err, probes.ErrUsage, "query/limit: it is more than 10", "cookie/lang: ")
	mustInvoke(t, p, "POST /a/5?limit=9", `{}`, header("x-tenant", "t"))
}

// TestWhatWeAddIsNotMissing has parameters that nobody has to give.
func TestWhatWeAddIsNotMissing(t *testing.T) {
	var s seen
	tg := target(serve(t, head+`"paths":{"/a":{"get":{"parameters":[{"name":"user-agent","in":"header","required":true},
		{"name":"X-Key","in":"header","required":true}],"responses":{}}}}}`, s.handle).URL)
	_, err := invoke(t, openTarget(t, tg), "GET /a", "")
	wantError(t, err, probes.ErrUsage, "header/X-Key: it is required")
	tg.Auth.Token, tg.Auth.Header = probes.NewSecret("hunter2"), "x-key"
	mustInvoke(t, openTarget(t, tg), "GET /a", "")
}

func violationsOf(r probes.Record) []string {
	var out []string
	for _, a := range r.Attrs {
		if a.Name == probes.AttrViolation {
			out = append(out, a.Value)
		}
	}
	return out
}
