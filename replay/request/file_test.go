package request

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"iscope/probes"
)

func testScope(f *File) *scope {
	return &scope{file: f, getenv: func(string) string { return "" }, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		resolve: func(s string) (string, error) { return strings.ReplaceAll(s, "$${", "${"), nil }}
}

// TestWhatIsWrittenIsReadAgain writes calls with any text in them and fills them
// in again.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	text := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("ab:#-'\"{}${{}}[]\\|>&*!%@ \t\n\r0.~é\u2028\x01")), rapid.Rune()), 1, 25, -1)
	name := rapid.StringMatching(`[A-Za-z][A-Za-z0-9-]{0,8}`)
	attrs := rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) probes.Attr {
		return probes.Attr{Name: name.Draw(rt, "name"), Value: text.Draw(rt, "value")}
	}), 0, 3, func(a probes.Attr) string { return a.Name })
	document := rapid.Custom(func(rt *rapid.T) string {
		s := text.Draw(rt, "text")
		if rapid.Bool().Draw(rt, "json") {
			return `{"a":` + quoteJSON(s) + `,"b":[1,{}],"c":{"d":null}}`
		}
		return s
	})
	rapid.Check(t, func(rt *rapid.T) {
		want := Request{Target: text.Draw(rt, "target"), Method: text.Draw(rt, "method"), Params: attrs.Draw(rt, "params"), Header: attrs.Draw(rt, "header"),
			Documents: rapid.SliceOfN(document, 0, 3).Draw(rt, "documents")}
		steps := rapid.SliceOfN(text, 1, 2).Draw(rt, "steps")
		checkReadAgain(rt, steps, want)
	})
}

// TestBracesAreReadAgain writes texts in which two escapes meet.
func TestBracesAreReadAgain(t *testing.T) {
	for _, s := range []string{"{${{", "{$${{", "{$$${{x}}", "${{", `{\${{a}}`, `{"a":"${{b}}"}`, "[{{{", "{{${"} {
		checkReadAgain(t, []string{"x"}, Request{Target: s, Method: s, Documents: []string{s}})
	}
}

// checkReadAgain saves a request under some names, reads the file and fills the
// last step in.
func checkReadAgain(t rapid.TB, names []string, want Request) {
	var all []Saved
	for _, name := range names {
		all = append(all, Saved{Name: name, Request: want})
	}
	src, _ := Emit("", all)
	f, err := Parse("x.yaml", src)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	if len(f.Steps) != len(names) {
		t.Fatalf("%d steps\n%s", len(f.Steps), src)
	}
	got, err := testScope(f).request(&f.Steps[len(names)-1])
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	got.Documents, want.Documents = compact(got.Documents), compact(want.Documents)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("%s\n%s", diff, src)
	}
}

// compact takes the layout from documents that are JSON.
func compact(docs []string) (out []string) {
	for _, d := range docs {
		var v any
		if looksLikeJSON(d) && json.Unmarshal([]byte(d), &v) == nil {
			b, _ := json.Marshal(v)
			d = string(b)
		}
		out = append(out, d)
	}
	return out
}

func TestExpand(t *testing.T) {
	f, err := Parse("x.yaml", []byte(`
target: t
method: GET /
variables:
  s: "it's \"x\""
  n: 12345678901234567890
  o: {a: ["{{n}}"]}
  sum: "{{s}} and {{n}}"
environments:
  staging: {n: 2}
`))
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{{s}}`: `it's "x"`, `a {{ n }} b`: `a 12345678901234567890 b`, `{{sum}}`: `it's "x" and 12345678901234567890`,
		`\{{s}}`: `{{s}}`, `{{now}}`: `2026-01-02T03:04:05Z`, `{{now-1h}}`: `2026-01-02T02:04:05Z`, `{{now + 90s}}`: `2026-01-02T03:05:35Z`,
		`{{now.unix}}`: `1767323045`, `{{o}}`: `{"a":[12345678901234567890]}`,
	} {
		if got, err := testScope(f).plain(in); err != nil || got != want {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		`{"a":"{{n}}","b":"{{s}}","c":"<{{s}}>","d":{{o}},"e":{"f":{}}}`: `{"a":12345678901234567890,"b":"it's \"x\"","c":"<it's \"x\">","d":{"a":[12345678901234567890]},"e":{"f":{}}}`,
		`body.x == {{s}} && body.n == {{n}}`:                             `body.x == "it's \"x\"" && body.n == 12345678901234567890`,
		`{"a":"\\{{n}}"}`:                                                `{"a":"{{n}}"}`,
		`{$$\{{n`:                                                        `{${{n`,
	} {
		if got, err := testScope(f).json(in); err != nil || got != want {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	s := testScope(f)
	s.env = "staging"
	s.given = []probes.Attr{{Name: "s", Value: "given"}}
	s.captured = []Variable{{"c", json.RawMessage(`"1"`)}, {"c", json.RawMessage(`2`)}}
	if got, err := s.plain("{{s}} {{n}} {{c}}"); err != nil || got != "given 2 2" {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"{{nosuch}}", "{{s", "{{now-x}}", "{{nowhere}}", "{{env.NO_SUCH}}"} {
		if got, err := testScope(f).plain(bad); err == nil {
			t.Errorf("%s becomes %q", bad, got)
		}
	}
}

func TestLookup(t *testing.T) {
	var a Answer
	a.Add(probes.Record{Kind: probes.Response, Body: []byte(`{"id":"first"}`)})
	a.Add(probes.Record{Kind: probes.Response, Body: []byte(`{"id":9007199254740993,"odd-name":{"x":[1,{"y":true}]},"t":null}`),
		Header: []probes.Field{{Name: "Location", Value: []byte("/x")}}, Attrs: []probes.Attr{{Name: probes.AttrHTTPStatus, Value: "201"}}})
	a.Add(probes.Record{Kind: probes.End, Attrs: []probes.Attr{{Name: probes.TimingTotal, Value: "12.5"}, {Name: probes.AttrTraceID, Value: "abc"}},
		Header: []probes.Field{{Name: "X-Trailer", Value: []byte("t")}}})
	for path, want := range map[string]string{
		"body.id": "9007199254740993", `body["odd-name"].x[1].y`: "true", "body['odd-name'].x[-1]": `{"y":true}`, "body.t": "null",
		"bodies[0].id": `"first"`, "bodies[-1].id": "9007199254740993", `header("location")`: `"/x"`, `headers["x-trailer"]`: `"t"`,
		"status": `"201"`, "took": "12.5", "timing.total_ms": "12.5", "trace_id": `"abc"`, `attrs["trace_id"]`: `"abc"`,
	} {
		if got, err := a.Lookup(path); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	for path, want := range map[string]string{
		"body.no": "it has id, odd-name, t", "body.id.x": "no object or list", `body["odd-name"].x[5]`: "a list of 2", "bodies[2]": "2 answers",
		`header("none")`: "no header", "other.x": "begins with", "body.": "too much", "body[x]": "neither an index", "": "a name", "timing.tls_ms": "has none",
	} {
		if got, err := a.Lookup(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
	got := Mentioned(`body.id == "body.no" && any(body.items, .body.x > 1) or header("a b") contains 'status' && status in [1] && !(took < duration("1s")) && lower(body["x y"][0]) == text(body.id)`)
	if diff := cmp.Diff([]string{"body.id", "body.items", `header("a b")`, "status", "took", `body["x y"][0]`}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse looks for panics in what reads a file, a condition and a document.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"target: t\nmethod: GET /\n", "steps:\n- {target: a, method: b, document: {a: [1, {b: c}]}, expect: [x], capture: {a: body.x}}",
		"a: &x [*x]", "document: {{a}}", "a: |\n  b\n c", "? {}", "header: {a: [b, c]}", "x: !!binary a", "{a: {b: &c d}, e: *c}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		file, err := Parse("x.yaml", []byte(s))
		if err != nil {
			return
		}
		for i := range file.Steps {
			st := &file.Steps[i]
			sc := testScope(file)
			sc.request(st)
			for _, e := range st.Expect {
				sc.condition(e)
				Mentioned(e.Raw)
			}
		}
	})
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "h.jsonl")
	h := HistoryAt(path)
	if all, err := h.List(); err != nil || len(all) != 0 {
		t.Fatal(all, err)
	}
	done := make(chan error)
	const writers, each = 4, 160 // more than are kept, at once
	for range writers {
		go func() {
			var err error
			for range each {
				if e := HistoryAt(path).Add(Entry{Request: Request{Target: "t", Method: "m"}}); e != nil {
					err = e
				}
			}
			done <- err
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	all, err := h.List()
	if err != nil || len(all) != maxEntries {
		t.Fatal(len(all), err)
	}
	for i, e := range all {
		if want := writers*each - maxEntries + i + 1; e.N != want {
			t.Fatalf("entry %d has number %d, want %d", i, e.N, want)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := h.Add(Entry{Request: Request{Target: "t", Method: "m", Documents: []string{strings.Repeat("x", maxDocuments+1)}}}); err != nil {
		t.Fatal(err)
	}
	if e, err := h.Get(-1); err != nil || !e.Cut || e.Documents != nil || e.N != writers*each+1 {
		t.Error(e, err)
	}
	if n, err := h.Clear(); n != maxEntries || err != nil {
		t.Error(n, err)
	}
	if _, err := h.Get(-1); err == nil {
		t.Error("an empty history has a newest call")
	}
	off := OpenHistory(func(name string) string { return map[string]string{EnvHistory: "off"}[name] })
	if err := off.Add(Entry{}); err != nil || off.Path() != "" {
		t.Error(err)
	}
}
