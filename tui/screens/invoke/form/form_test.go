package form

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// order has one field of every kind, a type within itself, a oneof and a union.
func order() probes.Form {
	return probes.Form{Root: probes.Shape{Kind: probes.ShapeObject, Of: "Order"}, Types: map[string][]probes.Shape{"Order": {
		{Name: "id", Kind: probes.ShapeString, Type: "string", Required: true, Doc: "Order key, A-<n>\nand more", Rule: "1 to 64 characters"},
		{Name: "qty", Kind: probes.ShapeInteger, Type: "int32"},
		{Name: "total", Kind: probes.ShapeInteger, Type: "uint64"},
		{Name: "rate", Kind: probes.ShapeNumber, Type: "double"},
		{Name: "rush", Kind: probes.ShapeBool, Type: "bool"},
		{Name: "view", Kind: probes.ShapeEnum, Type: "shop.View", Choices: []probes.Choice{{Value: `"BASIC"`}, {Value: `"FULL"`, Doc: "all of it"}}},
		{Name: "card", Kind: probes.ShapeString, Type: "string", Group: "payment"},
		{Name: "invoice", Kind: probes.ShapeObject, Of: "Invoice", Type: "shop.Invoice", Group: "payment"},
		{Name: "tags", Kind: probes.ShapeList, Elem: &probes.Shape{Kind: probes.ShapeString, Type: "string"}},
		{Name: "labels", Kind: probes.ShapeMap, Keys: probes.ShapeInteger, Elem: &probes.Shape{Kind: probes.ShapeString}},
		{Name: "parent", Kind: probes.ShapeObject, Of: "Order", Type: "shop.Order"},
		{Name: "payload", Kind: probes.ShapeBytes, Type: "bytes"},
		{Name: "as_of", Kind: probes.ShapeTime, Type: "google.protobuf.Timestamp"},
		{Name: "ttl", Kind: probes.ShapeDuration, Type: "google.protobuf.Duration"},
		{Name: "mask", Kind: probes.ShapeFieldMask, Type: "google.protobuf.FieldMask"},
		{Name: "extra", Kind: probes.ShapeAny},
		{Name: "who", Kind: probes.ShapeUnion, Variants: []probes.Shape{{Name: "a name", Kind: probes.ShapeString}, {Name: "a person", Kind: probes.ShapeObject, Of: "Person"}}},
	}, "Invoice": {{Name: "vat", Kind: probes.ShapeString}}, "Person": {{Name: "age", Kind: probes.ShapeInteger, Type: "int32"}}}}
}

func with(doc string) *Form {
	f := New(order())
	f.Doc = jsondoc.Of([]byte(doc))
	f.Lay()
	return f
}

func (f *Form) row(t *testing.T, label string) *Row {
	t.Helper()
	for i := range f.Rows {
		if f.Rows[i].Label == label {
			return &f.Rows[i]
		}
	}
	t.Fatalf("no row %s in %s", label, f.text())
	return nil
}

func (f *Form) text() string {
	var b strings.Builder
	for i := range f.Rows {
		r := &f.Rows[i]
		fmt.Fprintf(&b, "%s%s %s = %s", strings.Repeat("  ", r.Depth), r.Label, r.Type(), f.Typed(r))
		if r.Problem != "" {
			b.WriteString(" ! " + r.Problem)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func doc(f *Form) string {
	if f.Doc == nil {
		return "-"
	}
	return f.Doc.Compact()
}

func TestEveryFieldIsThereWhetherSetOrNot(t *testing.T) {
	f := with(`{"id":"","later":{"x":1}}`)
	for _, label := range []string{"id", "qty", "payment", "tags", "parent", "who", "later", "x"} {
		f.row(t, label)
	}
	if id, qty := f.row(t, "id"), f.row(t, "qty"); id.Value == nil || qty.Value != nil {
		t.Error("empty and not set are the same")
	}
	if r := f.row(t, "parent"); r.Open {
		t.Error("a type within itself opens by itself")
	}
	f.Toggle(f.row(t, "parent"))
	n := 0
	for i := range f.Rows {
		if f.Rows[i].Label == "id" {
			n++
		}
	}
	if n != 2 {
		t.Error(f.text())
	}
}

func TestTypingMakesTheDocument(t *testing.T) {
	f := with(`{}`)
	for _, c := range [][2]string{{"id", "A-7"}, {"qty", "3"}, {"total", "18446744073709551615"}, {"rate", "1.50"}, {"view", "FULL"},
		{"payload", "hi"}, {"as_of", "now-1h"}, {"ttl", "90m"}, {"mask", "a,b.c"}, {"extra", `{"z":[1]}`}} {
		f.Type(f.row(t, c[0]), c[1])
	}
	want := `{"id":"A-7","qty":3,"total":18446744073709551615,"rate":1.50,"view":"FULL","payload":"aGk=","as_of":"now-1h","ttl":"90m","mask":"a,b.c","extra":{"z":[1]}}`
	if doc(f) != want || len(f.Check()) != 0 {
		t.Error(doc(f), f.Check())
	}
	if got := f.Typed(f.row(t, "payload")); got != "hi" {
		t.Error(got)
	}
	f.Clear(f.row(t, "view"))
	f.Empty(f.row(t, "id"))
	if !strings.HasPrefix(doc(f), `{"id":"","qty":3`) || strings.Contains(doc(f), "view") {
		t.Error(doc(f))
	}
}

func TestWhatIsWrongIsSaidAllAtOnce(t *testing.T) {
	f := with(`{"qty":"many","total":-1,"rate":"x","rush":1,"view":"HALF","card":"1","invoice":{"vat":2},"tags":{},
		"labels":{"one":"1"},"parent":{"id":3},"payload":"%","as_of":"tomorrow","ttl":"soon","who":true}`)
	var got []string
	for _, p := range f.Check() {
		got = append(got, p.Path.String()+": "+p.Text)
	}
	want := []string{"id: required", "qty: expected a whole number", "total: out of the range of uint64: 0 to 18446744073709551615",
		"rate: expected a number", "rush: expected true or false", "view: none of the choices: BASIC, FULL",
		"invoice.vat: expected a text in quotes, this is a number", "tags: expected a list, this is an object",
		"labels.one: the key has to be a whole number", "parent.id: expected a text in quotes, this is a number",
		"payload: expected base64, hex:…, text:… or @file", "as_of: expected a time: 2026-01-02T15:04:05Z, now, now-1h",
		"ttl: expected a duration: 1.5s, 250ms, 1h30m", "who: expected a text in quotes, this is true or false",
		"invoice: card is set as well; of payment only one may be"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if r := f.row(t, "qty"); r.Problem != "expected a whole number" || f.Typed(r) != "many" {
		t.Error("what was typed is lost")
	}
	f.SetOpen(f.row(t, "parent"), false)
	if r := f.row(t, "parent"); r.Inside != 1 {
		t.Error(r.Inside)
	}
}

func TestOneofsAreAChoice(t *testing.T) {
	f := with(`{"id":"1"}`)
	words, _, now := f.Choices(f.row(t, "payment"))
	if d := cmp.Diff([]string{"card", "invoice"}, words); d != "" || now != -1 {
		t.Error(d, now)
	}
	f.Pick(f.row(t, "payment"), 0)
	f.Type(f.row(t, "card"), "4111")
	f.Pick(f.row(t, "payment"), 1)
	if doc(f) != `{"id":"1","invoice":{}}` {
		t.Error(doc(f))
	}
	if f.Pick(f.row(t, "payment"), 0); doc(f) != `{"id":"1","card":"4111"}` {
		t.Error("what was typed before is lost: " + doc(f))
	}
	if f.Clear(f.row(t, "payment")); doc(f) != `{"id":"1"}` {
		t.Error(doc(f))
	}
}

func TestUnionsKeepWhatEachVariantHeld(t *testing.T) {
	f := with(`{"who":{"age":7}}`)
	if _, _, now := f.Choices(f.row(t, "who")); now != 1 {
		t.Error(now)
	}
	if f.Pick(f.row(t, "who"), 0); doc(f) != `{"who":""}` {
		t.Error(doc(f))
	}
	f.Type(f.row(t, "who"), "Ann")
	if f.Pick(f.row(t, "who"), 1); doc(f) != `{"who":{"age":7}}` {
		t.Error(doc(f))
	}
	f.row(t, "age")
}

func TestListsAndMapsGrow(t *testing.T) {
	f := with(`{"tags":["a"],"labels":{}}`)
	add := func(in string) *Row {
		for i := range f.Rows {
			if f.Rows[i].Kind == Add && f.Rows[i].Path.String() == in {
				return &f.Rows[i]
			}
		}
		t.Fatal("no add row in " + in)
		return nil
	}
	p := f.Append(add("tags"), "")
	f.Type(&f.Rows[f.Row(p)], "b")
	f.Append(add("labels"), "7")
	if doc(f) != `{"tags":["a","b"],"labels":{"7":""}}` {
		t.Error(doc(f))
	}
	f.Clear(f.row(t, "[0]"))
	f.Clear(f.row(t, "7"))
	if doc(f) != `{"tags":["b"],"labels":{}}` {
		t.Error(doc(f))
	}
}

func TestResolve(t *testing.T) {
	f := with(`{"as_of":"now-90m","ttl":"1h30m","payload":"@a.bin","parent":{"as_of":"2026-01-01T00:00:00Z","payload":"hex:00 ff","ttl":"0.25s"}}`)
	r := Resolver{Now: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), File: func(name string) ([]byte, error) {
		if name != "a.bin" {
			return nil, errors.New("no such file")
		}
		return []byte("file"), nil
	}}
	v, err := f.Resolve(f.Doc, r)
	want := `{"as_of":"2026-11-22T12:30:00Z","ttl":"5400s","payload":"ZmlsZQ==","parent":{"as_of":"2026-01-01T00:00:00Z","payload":"AP8=","ttl":"0.25s"}}`
	if err != nil || v.Compact() != want || !strings.Contains(doc(f), "now-90m") {
		t.Error(err, v.Compact())
	}
	f = with(`{"tags":[],"parent":{"payload":"@b.bin"}}`)
	if _, err := f.Resolve(f.Doc, r); err == nil || err.Error() != "reading the file for parent.payload: no such file" {
		t.Error(err)
	}
}

func TestStarterLeavesOutWhatIsEmpty(t *testing.T) {
	f := with("")
	got := f.Starter(jsondoc.Of([]byte(`{"id":"","qty":0,"total":"0","view":"BASIC","rate":1,"tags":[""],"parent":{"id":"","qty":0},"as_of":"1970-01-01T00:00:00Z"}`)))
	if got.Compact() != `{"id":"","rate":1}` {
		t.Error(got.Compact())
	}
}

func TestCommentedComesBackAsTheSameDocument(t *testing.T) {
	for _, text := range []string{`{}`, `{"id":"A-7","tags":["a","b"],"labels":{"1":"x"},"parent":{"qty":3},"later":{"x":[1]}}`} {
		f := with(text)
		c := f.Commented(f.Doc, "the request of shop.Orders/Get")
		v, _, err := jsondoc.Parse(c)
		if err != nil || !jsondoc.Equal(v, f.Doc) {
			t.Errorf("%v\n%s", err, c)
		}
		for _, part := range []string{"// the request of shop.Orders/Get", "// id string, required, 1 to 64 characters", "//   Order key, A-<n>",
			"//   one of BASIC | FULL", `// "rush": false,`, "// as_of Timestamp, RFC 3339, or now-1h", "// card string, one of payment"} {
			if !strings.Contains(c, part) {
				t.Errorf("no %q in\n%s", part, c)
			}
		}
	}
	evil := probes.Form{Root: probes.Shape{Kind: probes.ShapeObject, Of: "T"}, Types: map[string][]probes.Shape{"T": {{Name: "a\x1b[2J", Kind: probes.ShapeString, Doc: "x\r\ny\u2028z\x1b]0;t\x07"}}}}
	f := New(evil)
	if c := f.Commented(nil); strings.ContainsAny(c, "\x1b\r\u2028\x07") {
		t.Errorf("%q", c)
	}
}

func TestShapesThatAreNoObject(t *testing.T) {
	f := New(probes.Form{Root: probes.Shape{Kind: probes.ShapeString}})
	f.Lay()
	f.Type(&f.Rows[0], "hello")
	if doc(f) != `"hello"` || len(f.Rows) != 1 {
		t.Error(doc(f))
	}
	f = New(probes.Form{Root: probes.Shape{Kind: probes.ShapeList, Elem: &probes.Shape{Kind: probes.ShapeInteger}}})
	f.Lay()
	f.Append(&f.Rows[0], "")
	if doc(f) != `[0]` {
		t.Error(doc(f))
	}
	f = New(probes.Form{})
	if f.Lay(); len(f.Rows) != 0 {
		t.Error(f.Rows)
	}
}
