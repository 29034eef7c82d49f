package contract

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const order = `{"$schema":"http://json-schema.org/draft-07/schema#","$id":"https://shop.example/order.json","title":"Order","type":"object",
"required":["id"],"properties":{"id":{"type":"integer"},"to":{"$ref":"address.json"}},"additionalProperties":false}`

var refs = []Ref{{"address.json", `{"type":"object","properties":{"zip":{"type":"string","pattern":"^[0-9]{5}$"}},"required":["zip"]}`}}

func TestCheck(t *testing.T) {
	s, err := Compile(order, refs)
	if err != nil {
		t.Fatal(err)
	}
	if s.Title() != "Order" {
		t.Errorf("title %q", s.Title())
	}
	for _, tc := range []struct {
		doc  string
		want []string
	}{
		{`{"id":12345678901234567890}`, nil},
		{`{"id":1,"to":{"zip":"12345"}}`, nil},
		{`{"id":1.5}`, []string{"violates its schema at /id: it is of type number, not integer"}},
		{`{"id":1,"to":{}}`, []string{"violates its schema at /to: property \"zip\" is missing"}},
		{`{"to":{"zip":"x"},"more":1}`, []string{"violates its schema at /: property \"id\" is missing",
			"violates its schema at /more: it is not in the schema, which allows no others", "violates its schema at /to/zip: it does not match ^[0-9]{5}$"}},
		{`{"id":`, []string{"not JSON: unexpected EOF"}},
	} {
		got := s.Check([]byte(tc.doc))
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.doc, diff)
		}
		for range 20 {
			if again := s.Check([]byte(tc.doc)); !cmp.Equal(got, again) {
				t.Fatalf("%s: %q, then %q", tc.doc, got, again)
			}
		}
	}
	if got := s.Check([]byte(`{"id":1}` + strings.Repeat(" ", MaxChecked))); len(got) != 1 || !strings.Contains(got[0], "not checked") {
		t.Errorf("large: %q", got)
	}
}

func TestBadSchemas(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON":             `{"type":`,
		"unknown type":         `{"type":"decimal"}`,
		"unknown reference":    `{"$ref":"other.json"}`,
		"a file":               `{"$ref":"file:///etc/hostname"}`,
		"an address":           `{"$ref":"http://127.0.0.1:1/schema.json"}`,
		"malformed expression": `{"pattern":"("}`,
	} {
		if _, err := Compile(text, refs); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestASchemaThatRefersToItself(t *testing.T) {
	s, err := Compile(`{"type":"object","properties":{"next":{"$ref":"#"}}}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Check([]byte(`{"next":{"next":{"next":1}}}`)); len(got) != 1 || !strings.Contains(got[0], "/next/next/next") {
		t.Errorf("got %q", got)
	}
	for _, text := range []string{`{"$ref":"#"}`, `{"allOf":[{"$ref":"#"}]}`, `{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/a"}}}`} {
		if s, err := Compile(text, nil); err == nil {
			s.Check([]byte(`{"a":1}`)) // returns at all
		}
	}
}

func FuzzCheck(f *testing.F) {
	f.Add(order, `{"id":1}`)
	f.Add(`{"oneOf":[{"type":"string"},{"enum":[1,2]}]}`, `[]`)
	f.Add(`true`, `null`)
	f.Fuzz(func(t *testing.T, schema, doc string) {
		s, err := Compile(schema, refs)
		if err != nil {
			return
		}
		for _, fault := range s.Check([]byte(doc)) {
			if fault == "" {
				t.Fatal("a violation without words")
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	s, err := Compile(order, refs)
	if err != nil {
		b.Fatal(err)
	}
	doc := []byte(`{"id":918273,"to":{"zip":"12345"}}`)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		s.Check(doc)
	}
}
