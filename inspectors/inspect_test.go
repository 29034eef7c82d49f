package inspectors

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func record(contentType, body string) *probes.Record {
	r := &probes.Record{Kind: probes.Message, Body: []byte(body)}
	if contentType != "" {
		r.Header = []probes.Field{{Name: "Content-Type", Value: []byte(contentType)}}
	}
	return r
}

// shown writes a view as text: inspector, lines, problems.
func shown(v View) string {
	var b strings.Builder
	b.WriteString(v.Inspector + "\n")
	for _, l := range v.Lines {
		b.WriteString(l.String() + "\n")
	}
	for _, p := range v.Problems {
		fmt.Fprintf(&b, "! %s @%d\n", p.Message, p.Offset)
	}
	if v.Truncated {
		b.WriteString("…\n")
	}
	return b.String()
}

func packedBody(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestChain(t *testing.T) {
	zipped := packedBody(t, `{"a":1}`)
	for _, tc := range []struct{ name, contentType, body, want string }{
		{"json", "", `{"n":1.10e+05,"big":12345678901234567890.0,"u":"\u00e9é","e":{},"l":[ ],"a":[1,{"b":null}],"t":true}`, `json
{
  "n": 1.10e+05,
  "big": 12345678901234567890.0,
  "u": "\u00e9é",
  "e": {},
  "l": [],
  "a": [
    1,
    {
      "b": null
    }
  ],
  "t": true
}
`},
		{"keys given twice stay", "", `{"a":1,"a":2}`, "json\n{\n  \"a\": 1,\n  \"a\": 2\n}\n! key \"a\" occurs more than once @7\n"},
		{"json lines", "application/x-ndjson", "{\"a\":1}\n[2]\n", "json\n{\n  \"a\": 1\n}\n[\n  2\n]\n"},
		{"a number alone", "", "-0.5e1", "json\n-0.5e1\n"},
		{"a number with a zero in front is text", "", "007", "text\n007\n"},
		{"escape sequences are shown", "", "{\"a\":\"\u009b2J\u202e\"}", "json\n{\n  \"a\": \"\\x9b2J\\u{202e}\"\n}\n"},
		{"malformed json shows why beside the text", "", "{\"a\":1,\n \"b\" 2}", "text\n{\"a\":1,\n \"b\" 2}\n! not JSON: expected \":\", line 2, column 6 @13\n"},
		{"json by its header only", "application/json", "oops", "text\noops\n! not JSON: expected a value, line 1, column 1 @0\n"},
		{"cut short without a reason", "", `{"a":[1,2`, "text\n{\"a\":[1,2\n! not JSON: it ends too early: expected \",\" or \"]\", line 1, column 10 @9\n"},
		{"control character in a string", "", "{\"a\":\"x\x1b\"}", "text\n{\"a\":\"x\\e\"}\n! not JSON: a control character in a string, line 1, column 8 @7\n"},
		{"something behind it", "", `{"a":1} x`, "text\n{\"a\":1} x\n! not JSON: something follows the document, line 1, column 9 @8\n"},
		{"schema id before json", "", "\x00\x00\x00\x00\x1f{\"a\":1}", "json\n{\n  \"a\": 1\n}\n! schema id 31, no registry configured @0\n"},
		{"schema id before something else", "", "\x00\x00\x00\x00\x1f\x06abc", "hex\n00000000  00 00 00 00 1f 06 61 62  63                       ......abc\n! schema id 31, no registry configured @0\n"},
		{"form", "application/x-www-form-urlencoded", "a=1+2&b=%C3%A9&c&d=%zz", "form\na = 1 2\nb = é\nc\nd = %zz\n! invalid URL escape \"%zz\" @19\n"},
		{"xml on one line", "", `<?xml version="1.0"?><a x="1"><b>t</b><c/></a>`, "xml\n<?xml version=\"1.0\"?>\n<a x=\"1\">\n  <b>t</b>\n  <c/>\n</a>\n"},
		{"xml with lines keeps them", "text/xml", "<a>\n\n <b/>\n</a>\n", "xml\n<a>\n\n <b/>\n</a>\n"},
		{"text", "", "two\tlines\nof text\n", "text\ntwo    lines\nof text\n"},
		{"text with colours", "", "\x1b[31mred\x1b[0m alert", "text\n\\e[31mred\\e[0m alert\n"},
		{"binary", "", "ab\x00\xffcdefghijklmnop", "hex\n00000000  61 62 00 ff 63 64 65 66  67 68 69 6a 6b 6c 6d 6e  ab..cdefghijklmn\n00000010  6f 70                                             op\n"},
		{"text that is not UTF-8", "text/plain", "caf\xe9 au lait", "hex\n00000000  63 61 66 e9 20 61 75 20  6c 61 69 74              caf. au lait\n! not UTF-8 text: byte 0xe9 @3\n"},
		{"gzip", "", zipped, "gzip+json\n{\n  \"a\": 1\n}\n"},
		{"damaged gzip", "", zipped[:len(zipped)-9], "gzip+json\n{\n  \"a\": 1\n}\n! unpacking stopped: unexpected EOF @-1\n…\n"},
		{"empty", "", "", "empty\n(empty)\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := shown(Default().Inspect(context.Background(), record(tc.contentType, tc.body), Env{}))
			if tc.name == "damaged gzip" { // how much comes out is up to the library
				if !strings.HasPrefix(got, "gzip+") || !strings.Contains(got, "unpacking stopped") {
					t.Errorf("got %s", got)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsNeverAnEmptyCell(t *testing.T) {
	attr := func(name, v string) []probes.Attr { return []probes.Attr{{Name: name, Value: v}} }
	for _, tc := range []struct {
		r    probes.Record
		want string
	}{
		{probes.Record{Kind: probes.Message}, "(null)"},
		{probes.Record{Kind: probes.Message, Attrs: attr(probes.AttrTombstone, "true")}, "(tombstone: null)"},
		{probes.Record{Kind: probes.Message, Body: []byte{}}, "(empty)"},
		{probes.Record{Kind: probes.Message, Cut: 12}, "(12 bytes left out)"},
		{probes.Record{Kind: probes.Request}, "(no body)"},
		{probes.Record{Kind: probes.End, Err: "NOT_FOUND: no such order"}, "NOT_FOUND: no such order"},
		{probes.Record{Kind: probes.End, Attrs: attr(probes.AttrStatus, "OK")}, "OK"},
		{probes.Record{Kind: probes.Gap, Attrs: attr(probes.AttrReason, "retention")}, "retention"},
	} {
		v := Default().Inspect(context.Background(), &tc.r, Env{})
		if len(v.Lines) != 1 || v.Lines[0].String() != tc.want || Default().Summary(&tc.r, 40) != tc.want {
			t.Errorf("got %q and %q, want %q", v.Lines, Default().Summary(&tc.r, 40), tc.want)
		}
	}
}

func TestACutBodyIsShownAsFarAsItGoes(t *testing.T) {
	for _, body := range []string{`{"a":1,"b":"some te`, `{"a":1,"b":12.`, `{"a":1,"b":tr`, `{"a":1,"b"`, `{"a":1,"b":"x\u00`} {
		r := record("", body)
		r.Cut = 100
		got := shown(Default().Inspect(context.Background(), r, Env{}))
		if !strings.HasPrefix(got, "json\n{\n  \"a\": 1,\n") || !strings.Contains(got, "! 100 bytes left out when it was read @") {
			t.Errorf("%s: got %s", body, got)
		}
		if last := strings.Split(got, "\n")[3]; len(strings.TrimSpace(last)) < 2 {
			t.Errorf("%s: the last piece is missing: %s", body, got)
		}
	}
}

func TestLargeBodiesAreWindowed(t *testing.T) {
	for _, body := range []string{
		`[` + strings.Repeat(`{"a":1,"text":"some text"},`, 50_000) + `1]`,
		strings.Repeat("text\n", 1<<20), string(make([]byte, 12<<20)), packedBody(t, strings.Repeat("a", 12<<20)),
	} {
		v := Default().Inspect(context.Background(), record("", body), Env{Limit: 4096})
		size := 0
		for _, l := range v.Lines {
			size += len(l.String())
		}
		if !v.Truncated || size == 0 || size > 4*4096 {
			t.Errorf("%.10q: %s, truncated=%v, %d bytes laid out", body, v.Inspector, v.Truncated, size)
		}
	}
	if rows := Hex(make([]byte, 12<<20), HexRows(12<<20)-1, 5); len(rows) != 1 || !strings.HasPrefix(rows[0].String(), "00bffff0") {
		t.Errorf("got %v", rows)
	}
	if rows := Hex([]byte("x"), 7, 5); len(rows) != 0 {
		t.Errorf("got %v", rows)
	}
}

func TestKindsColourTokens(t *testing.T) {
	v := Default().Inspect(context.Background(), record("", `{"a":["x",1,null]}`), Env{})
	var got []string
	for _, l := range v.Lines {
		for _, s := range l {
			if t := strings.TrimSpace(s.Text.String()); t != "" {
				got = append(got, fmt.Sprint(s.Kind, t))
			}
		}
	}
	want := []string{"5{", `1"a"`, "5:", "5[", `2"x"`, "5,", "31", "5,", "4null", "5]", "5}"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

type failing struct{}

func (failing) Name() string { return "failing" }
func (failing) Inspect(context.Context, *probes.Record, Env) (View, error) {
	return View{}, fmt.Errorf("registry answered 404")
}

func TestADecoderThatFailsLeavesItsReason(t *testing.T) {
	c := append(Chain{failing{}}, Default()...)
	if got := shown(c.Inspect(context.Background(), record("", "x"), Env{})); got != "text\nx\n! registry answered 404 @-1\n" {
		t.Errorf("got %s", got)
	}
	if got := shown((Chain{failing{}}).Inspect(context.Background(), record("", "x"), Env{})); !strings.HasPrefix(got, "hex\n") {
		t.Errorf("got %s", got)
	}
}

func TestSummary(t *testing.T) {
	for _, tc := range []struct {
		body string
		max  int
		want string
	}{
		{`{"a": 1, "b": "x  y"}`, 80, `{"a": 1, "b": "x  y"}`},
		{"{\n  \"a\": 1,\n  \"b\": \"x  \\\" y\",\n\t\"c\": [\n    1,\n    2\n  ]\n}\n", 80, `{"a": 1,"b": "x  \" y","c": [1,2]}`},
		{"two\r\n  lines", 80, "two lines"},
		{strings.Repeat("x", 100), 10, strings.Repeat("x", 10)},
		{"\x00\x00\x00\x00\x1f{\"a\":1}", 80, `{"a":1}`},
		{"\x00\x00\x00\x00\x1f\x06abc", 40, "schema 31: 00 00 00 00 1f 06 61 62 … 9 bytes"},
		{"\xff\xfe", 40, "ff fe 2 bytes"},
		{"caf\xc3", 40, "caf\xc3"}, // may be cut there; the sanitizer shows it
	} {
		if got := Default().Summary(record("", tc.body), tc.max); got != tc.want {
			t.Errorf("Summary(%q, %d) = %q, want %q", tc.body, tc.max, got, tc.want)
		}
	}
}

// FuzzInspect: there is always a view, bounded and clean; JSON is recognised
// exactly when it is JSON, and only blanks are changed.
func FuzzInspect(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\u00e9"],"b":null}`, "[[[[", "<a><b/></a>", "a=b&c", "\x00\x00\x00\x00\x01{}", "\x1b[2J", "\xff", "1e", "-", "{\"a\"",
		"<!-- x", "<![CDATA[", "\"\\", "{\"a\":1}{\"b\":2}", "\x1f\x8b\x08"} {
		f.Add(s, "", 100)
		f.Add(s, "application/json", 5)
		f.Add(s, "text/xml", 0)
	}
	f.Fuzz(func(t *testing.T, body, contentType string, limit int) {
		r := record(contentType, body)
		v := Default().Inspect(context.Background(), r, Env{Limit: limit})
		if v.Inspector == "" || len(v.Lines) == 0 && strings.TrimSpace(body) != "" && limit > 8 {
			t.Fatalf("no view of %q", body)
		}
		for _, p := range v.Problems {
			if p.Message == "" || p.Offset > len(body) && !strings.Contains(v.Inspector, "+") {
				t.Fatalf("%q: %+v", body, p)
			}
		}
		Default().Summary(r, limit%500)
		whole := Default().Inspect(context.Background(), r, Env{})
		if contentType != "" || !json.Valid([]byte(body)) {
			return
		}
		if whole.Inspector != "json" {
			t.Fatalf("%q is JSON, got %s", body, whole.Inspector)
		}
		var text strings.Builder
		escaped := false
		for _, l := range whole.Lines {
			for _, s := range l {
				escaped = escaped || s.Text.Escaped()
			}
			text.WriteString(l.String() + "\n")
		}
		var want, got bytes.Buffer
		if escaped || json.Compact(&want, []byte(body)) != nil {
			return
		}
		if err := json.Compact(&got, []byte(text.String())); err != nil || got.String() != want.String() {
			t.Fatalf("%q became %q (%v)", body, text.String(), err)
		}
	})
}

var sink string

func BenchmarkSummary(b *testing.B) {
	compact := `{"orderId":"A-771","status":"REJECTED","amount":120.50,"customer":{"id":5531,"tier":"gold"},"reason":"limit"}`
	var indented bytes.Buffer
	if err := json.Indent(&indented, []byte(compact), "", "  "); err != nil {
		b.Fatal(err)
	}
	for name, body := range map[string]string{"compact": compact, "indented": indented.String(), "binary": "\x00\x01\x02" + compact,
		"12MB": strings.Repeat(compact, 100_000)} {
		r := record("", body)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = Default().Summary(r, 120)
			}
		})
	}
}

func BenchmarkInspectJSON(b *testing.B) {
	r := record("", `[`+strings.Repeat(`{"orderId":"A-771","amount":120.50},`, 28)+`1]`)
	b.SetBytes(int64(len(r.Body)))
	b.ReportAllocs()
	for b.Loop() {
		Default().Inspect(context.Background(), r, Env{})
	}
}
