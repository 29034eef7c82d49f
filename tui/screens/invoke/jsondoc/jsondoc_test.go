package jsondoc

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWhatIsReadIsWrittenAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(t, 0)
		for _, text := range []string{v.Indent(), v.Compact()} {
			if !json.Valid([]byte(text)) {
				t.Fatalf("not JSON: %s", text)
			}
			got, strict, err := Parse(text)
			if err != nil || !strict {
				t.Fatalf("%s: %v %v", text, strict, err)
			}
			if got.Compact() != v.Compact() {
				t.Fatalf("%s became %s", v.Compact(), got.Compact())
			}
		}
	})
}

func anyValue(t *rapid.T, depth int) *Value {
	kinds := []Kind{Null, Bool, Number, String}
	if depth < 4 {
		kinds = append(kinds, Object, List)
	}
	switch k := rapid.SampledFrom(kinds).Draw(t, "kind"); k {
	case Bool:
		return NewBool(rapid.Bool().Draw(t, "bool"))
	case Number:
		return NewNumber(rapid.SampledFrom([]string{"0", "-1", "1.50", "12345678901234567890", "1e3"}).Draw(t, "number"))
	case String:
		return NewText(rapid.String().Draw(t, "text"))
	case Object:
		v := NewObject()
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			v.Set(rapid.StringN(0, 6, -1).Draw(t, "name"), anyValue(t, depth+1))
		}
		return v
	case List:
		v := NewList()
		for range rapid.IntRange(0, 4).Draw(t, "elements") {
			v.Kids = append(v.Kids, anyValue(t, depth+1))
		}
		return v
	}
	return NewNull()
}

func TestCommentsAreBlanks(t *testing.T) {
	v, strict, err := Parse("// head\n{\n  \"a\": 1, // one\n  /* two */ \"b\": [true,],\n}\n// end")
	if err != nil || strict || v.Compact() != `{"a":1,"b":[true]}` {
		t.Error(v, strict, err)
	}
	if v, _, err := Parse(`{"u": "http://x"}`); err != nil || v.Get("u").Text != "http://x" {
		t.Error(v, err)
	}
}

func TestFaultsHaveTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"a\": x}":         `line 2, column 8: expected a value`,
		"{\"a\" 1}":              `line 1, column 6: expected ":"`,
		"[1 2]":                  `line 1, column 4: expected "," or "]"`,
		"{a: 1}":                 `line 1, column 2: expected a name in quotes`,
		"[1":                     `line 1, column 3: it ends too early: expected "," or "]"`,
		"01":                     `line 1, column 1: malformed number`,
		"{} x":                   `line 1, column 4: something follows the document`,
		"\"日本\x01\"":             `line 1, column 4: control character '\x01' in a text; write it as an escape`,
		"[\"a\n\"]":              `line 1, column 4: a text has no end on its line`,
		`"\q"`:                   `line 1, column 1: a text with a malformed escape`,
		"/* x":                   `line 1, column 1: a comment has no end`,
		strings.Repeat("[", 600): `line 1, column 502: it is nested too deeply`,
	} {
		if _, _, err := Parse(text); err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

func TestPaths(t *testing.T) {
	text := "{\n  \"items\": [\n    {\"sku\": \"K-1\"}\n  ],\n  \"a.b\": 2\n}"
	v, _, _ := Parse(text)
	for part, want := range map[string]string{"K-1": "items[0].sku", "sku": "items[0].sku", "2\n": `["a.b"]`, "items": "items"} {
		p := v.Find(strings.Index(text, part))
		if p.String() != want || v.At(p) == nil {
			t.Errorf("%s is at %s, want %s", part, p, want)
		}
	}
	var root *Value
	root = Put(root, Path{}.Member("m").Element(1).Member("k"), NewBool(true))
	if root.Compact() != `{"m":[null,{"k":true}]}` {
		t.Error(root.Compact())
	}
	Remove(root, Path{}.Member("m").Element(0))
	if root.Compact() != `{"m":[{"k":true}]}` {
		t.Error(root.Compact())
	}
}

func TestDiff(t *testing.T) {
	diff := func(a, b string) (out []string) {
		changes, _ := Diff(Of([]byte(a)), Of([]byte(b)))
		text := func(v *Value) string {
			if v == nil {
				return "-"
			}
			return v.Compact()
		}
		for _, c := range changes {
			out = append(out, c.Path.String()+": "+text(c.Old)+" > "+text(c.New))
		}
		return out
	}
	for _, c := range []struct {
		a, b string
		want []string
	}{
		{`{"a":1,"b":[1,2]}`, `{"b":[1,2],"a":1}`, nil},
		{`{"a":1}`, `{"a":2,"c":null}`, []string{"a: 1 > 2", "c: - > null"}},
		{`[1,2,3]`, `[0,1,2,3]`, []string{"[0]: - > 0"}},
		{`[{"a":1},{"a":2}]`, `[{"a":1},{"a":3},{"b":1}]`, []string{"[1].a: 2 > 3", `[2]: - > {"b":1}`}},
		{`{"a":{}}`, `{"a":[]}`, []string{"a: {} > []"}},
		{`{"a":1}`, `{}`, []string{"a: 1 > -"}},
	} {
		if d := cmp.Diff(c.want, diff(c.a, c.b)); d != "" {
			t.Errorf("%s to %s: %s", c.a, c.b, d)
		}
	}
}
