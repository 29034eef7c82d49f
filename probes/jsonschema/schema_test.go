package jsonschema

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	referee "github.com/santhosh-tekuri/jsonschema/v6"
)

func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// TestWords is what is said about every keyword.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		schema, doc string
		want        []string
	}{
		{`{"type":"string"}`, `1`, []string{": it is of type number, not string"}},
		{`{"type":["integer","null"]}`, `1.5`, []string{": it is of type number, not integer or null"}},
		{`{"enum":["de",7,null,{"a":[1]},""]}`, `"fr"`, []string{`: it is none of de, 7, null, {"a":[1,],}, ""`}},
		{`{"const":"eur"}`, `"secret"`, []string{": it is not eur"}},
		{`{"minimum":1,"maximum":2,"multipleOf":0.5}`, `2.3`, []string{": it is more than 2", ": it is no multiple of 0.5"}},
		{`{"exclusiveMinimum":1}`, `1`, []string{": it is not more than 1"}},
		{`{"exclusiveMaximum":1}`, `1`, []string{": it is not less than 1"}},
		{`{"minimum":0}`, `1e999999999`, []string{": its exponent is too large to compute with"}},
		{`{"minLength":2}`, `"ü"`, []string{": it is shorter than 2 characters"}},
		{`{"maxLength":1}`, `"üü"`, []string{": it is longer than 1 characters"}},
		{`{"pattern":"^[0-9]+$"}`, `"x"`, []string{": it does not match ^[0-9]+$"}},
		{`{"format":"uuid"}`, `"x"`, []string{": it is no uuid"}},
		{`{"minItems":1}`, `[]`, []string{": it has fewer than 1 items"}},
		{`{"maxItems":1,"uniqueItems":true}`, `[1,2,1.0]`, []string{": it has more than 1 items", ": items 0 and 2 are equal"}},
		{`{"prefixItems":[{"type":"string"}],"items":false}`, `[1,2]`, []string{"/0: it is of type number, not string", "/1: it is one more item than the schema allows"}},
		{`{"contains":{"type":"string"}}`, `[1]`, []string{": none of its items is of the kind that it must contain"}},
		{`{"contains":{"type":"string"},"minContains":2}`, `["a"]`, []string{": fewer than 2 of its items are of the kind that it must contain"}},
		{`{"contains":{"type":"string"},"maxContains":1}`, `["a","b"]`, []string{": more than 1 of its items are of the kind that it may contain"}},
		{`{"required":["a/b","c"],"properties":{"a/b":{"type":"null"}}}`, `{"a/b":1}`, []string{`: property "c" is missing`, "/a~1b: it is of type number, not null"}},
		{`{"additionalProperties":false}`, `{"x":1}`, []string{"/x: it is not in the schema, which allows no others"}},
		{`{"propertyNames":{"maxLength":1}}`, `{"xx":1}`, []string{"/xx: of its name: it is longer than 1 characters"}},
		{`{"minProperties":1}`, `{}`, []string{": it has fewer than 1 properties"}},
		{`{"dependentRequired":{"card":["address"]}}`, `{"card":1}`, []string{`: property "address" is missing, which "card" needs`}},
		{`{"not":{"type":"null"}}`, `null`, []string{": it is what it must not be"}},
		{`{"properties":{"x":false}}`, `{"x":1}`, []string{"/x: nothing is allowed here"}},
		{`{"if":{"required":["a"]},"then":{"required":["b"]}}`, `{"a":1}`, []string{`: property "b" is missing`}},
		{`{"unevaluatedProperties":false,"allOf":[{"properties":{"a":true}}]}`, `{"a":1,"b":2}`, []string{"/b: it is not in the schema, which allows no others"}},
		// Of alternatives, what is said is about the one that was meant.
		{`{"anyOf":[{"type":"string"},{"type":"object","required":["a"]}]}`, `{}`, []string{`: property "a" is missing`}},
		{`{"oneOf":[{"properties":{"kind":{"const":"card"},"n":{"type":"string"}}},{"properties":{"kind":{"const":"cash"},"n":{"type":"null"}}}]}`,
			`{"kind":"cash","n":1}`, []string{"/n: it is of type number, not null"}},
		{`{"anyOf":[{"minimum":5},{"multipleOf":2}]}`, `3`, []string{": it fits none of the alternatives"}},
		{`{"oneOf":[{"minimum":1},{"multipleOf":2}]}`, `4`, []string{": it fits 2 alternatives, and must fit one"}},
	} {
		s, err := Compile(parse(t, c.schema), Options{Formats: true})
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		found, err := s.Validate(parse(t, c.doc))
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
		}
		var got []string
		for _, v := range found {
			got = append(got, v.At+": "+v.Text)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s with %s (-want +got):\n%s", c.doc, c.schema, d)
		}
	}
}

func TestManyValuesAreNotAllNamed(t *testing.T) {
	var all []any
	for i := range 1000 {
		all = append(all, fmt.Sprint("v", i))
	}
	s, err := Compile(map[string]any{"enum": all}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := s.Validate("x")
	if err != nil || len(found) != 1 || !strings.HasSuffix(found[0].Text, "v19, 980 more") {
		t.Errorf("%v, %v", found, err)
	}
}

// TestReferences are the ways to refer that the made-up schemas do not have.
func TestReferences(t *testing.T) {
	others := map[string]string{
		"https://shop.example/address.json": `{"$defs":{"zip":{"$anchor":"zip","pattern":"^[0-9]+$"}},"properties":{"zip":{"$ref":"#zip"}}}`,
	}
	for name, c := range map[string]struct{ schema, fits, breaks string }{
		"another document":   {`{"$id":"https://shop.example/order.json","$ref":"address.json"}`, `{"zip":"1"}`, `{"zip":"x"}`},
		"its anchor":         {`{"$id":"https://shop.example/order.json","$ref":"address.json#zip"}`, `"1"`, `"x"`},
		"a place in it":      {`{"$ref":"https://shop.example/address.json#/$defs/zip"}`, `"1"`, `"x"`},
		"itself":             {`{"type":"object","properties":{"next":{"$ref":"#"}}}`, `{"next":{"next":{}}}`, `{"next":{"next":1}}`},
		"a schema within":    {`{"$ref":"in","$defs":{"x":{"$id":"in","type":"string"}}}`, `"a"`, `1`},
		"escaped names":      {`{"$ref":"#/$defs/a~1b%25","$defs":{"a/b%":{"type":"null"}}}`, `null`, `1`},
		"an anchor, draft 7": {`{"$schema":"http://json-schema.org/draft-07/schema#","allOf":[{"$ref":"#n"}],"definitions":{"x":{"$id":"#n","type":"null"}}}`, `null`, `1`},
		"a tree that others extend": {`{"$id":"https://x.example/strict","$dynamicAnchor":"node","$ref":"tree","unevaluatedProperties":false,"$defs":{"t":{
			"$id":"tree","$dynamicAnchor":"node","properties":{"kids":{"items":{"$dynamicRef":"#node"}}}}}}`, `{"kids":[{"kids":[]}]}`, `{"kids":[{"kisd":[]}]}`},
		"the same in 2019-09": {`{"$schema":"https://json-schema.org/draft/2019-09/schema","$id":"https://x.example/strict","$recursiveAnchor":true,"$ref":"tree",
			"unevaluatedProperties":false,"$defs":{"t":{"$id":"tree","$recursiveAnchor":true,"properties":{"kids":{"items":{"$recursiveRef":"#"}}}}}}`,
			`{"kids":[{"kids":[]}]}`, `{"kids":[{"kisd":[]}]}`},
	} {
		s, err := Compile(parse(t, c.schema), Options{Load: func(address string) (any, error) {
			text, ok := others[address]
			if !ok {
				return nil, errors.New("not known")
			}
			return Parse(text)
		}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if found, err := s.Validate(parse(t, c.fits)); err != nil || len(found) > 0 {
			t.Errorf("%s: %v, %v", name, found, err)
		}
		if found, err := s.Validate(parse(t, c.breaks)); err != nil || len(found) == 0 {
			t.Errorf("%s: %s fits: %v", name, c.breaks, err)
		}
	}
}

func TestBrokenSchemas(t *testing.T) {
	for schema, want := range map[string]string{
		`[]`:                                  "# is no schema",
		`{"properties":{"a/b":7}}`:            "#/properties/a~1b is no schema",
		`{"properties":{"a":{"type":"int"}}}`: `#/properties/a/type is "int", which is no type`,
		`{"items":{"minLength":"x"}}`:         "#/items/minLength is no size",
		`{"maximum":"x"}`:                     "#/maximum is no number",
		`{"pattern":"(?=x)"}`:                 "#/pattern cannot be used",
		`{"allOf":{}}`:                        "#/allOf is no list",
		`{"required":true}`:                   "#/required is no list of names",
		`{"$ref":"#/$defs/x"}`:                `#/$ref: "#/$defs/x": there is no such place`,
		`{"$ref":"#x"}`:                       "nothing there has the name",
		`{"$ref":"file:///etc/hostname"}`:     "nothing else is opened",
		`{"$schema":"http://json-schema.org/draft-03/schema#"}`: "only the drafts 4, 6, 7, 2019-09 and 2020-12",
	} {
		if _, err := Compile(parse(t, schema), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", schema, err)
		}
	}
	for _, text := range []string{``, `{`, `{} {}`, `1 x`} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// TestWithoutEnd are schemas whose checking would take for ever.
func TestWithoutEnd(t *testing.T) {
	for _, schema := range []string{
		`{"$ref":"#"}`, `{"allOf":[{"$ref":"#"},{"$ref":"#"}]}`, `{"not":{"$ref":"#"}}`,
		`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"$ref":"#/$defs/b"}]},"b":{"$ref":"#/$defs/a"}}}`,
	} {
		s, err := Compile(parse(t, schema), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if found, err := s.Validate("x"); err == nil {
			t.Errorf("%s: %v", schema, found)
		}
	}
}

// TestFormats compares with the referee, on texts at the edges of each format.
func TestFormats(t *testing.T) {
	texts := []string{"", "a", "2024-02-29", "2023-02-29", "2024-2-9", "2024-02-29T10:00:00Z", "2024-02-29t10:00:00z", "2024-02-29T10:00:00+01:00",
		"2024-02-29T10:00:00", "2024-02-29 10:00:00Z", "2016-12-31T23:59:60Z", "2016-12-31T12:00:60Z", "2024-02-29T10:00:00.123456Z", "10:00:00Z", "10:00:00", "25:00:00Z",
		"P1D", "P1Y2M3DT4H5M6S", "P1W", "P1Y2W", "PT", "P", "P1Y1D", "PT1H1S", "P2D1Y", "a@b.example", "a b@c", "A <a@b.example>",
		"shop.example", "-a.example", "a_b", "a..b", strings.Repeat("a", 64), "10.0.0.1", "10.0.0.256", "010.0.0.1", "10.0.0", "::1", "1::2::3", "fe80::1%eth0",
		"http://shop.example/a?b#c", "/a/b", "//x", "http://a b", "\\\\x", "urn:x:y", "0b7c1f2e-3f44-4c57-9d3c-1e2a3b4c5d6e", "0b7c1f2e3f444c579d3c1e2a3b4c5d6e",
		"/a~0b", "/a~2", "a/b", "0", "1/a", "01/a", "0#", "-1", "[a-z", "[a-z]"}
	for _, format := range []string{"date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "uuid",
		"json-pointer", "relative-json-pointer", "regex"} {
		schema := map[string]any{"format": format}
		theirs, err := judge(schema, referee.Draft2020)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := Compile(schema, Options{Formats: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range texts {
			if format == "uri-reference" && strings.ContainsAny(s, " <") {
				continue // the referee takes them, against RFC 3986
			}
			found, err := ours.Validate(s)
			if complaint := theirs.Validate(s); err != nil || (complaint == nil) != (len(found) == 0) {
				t.Errorf("%q as %s: we say %v, the referee %v", s, format, found, complaint)
			}
		}
	}
}

func FuzzValidate(f *testing.F) {
	f.Add(`{"properties":{"next":{"$ref":"#"}},"unevaluatedProperties":false}`, `{"next":{"a":1}}`)
	f.Add(`{"oneOf":[{"type":"string"},{"enum":[1,2]}],"pattern":"a*"}`, `[1e400]`)
	f.Fuzz(func(t *testing.T, schema, doc string) {
		v, err := Parse(schema)
		if err != nil {
			return
		}
		s, err := Compile(v, Options{Formats: true})
		if err != nil {
			return
		}
		if v, err = Parse(doc); err != nil {
			return
		}
		found, _ := s.Validate(v)
		for _, one := range found {
			if one.Text == "" {
				t.Fatal("a violation without words")
			}
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	schema := parse(b, `{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"lines":{"items":{"$ref":"#/$defs/line"}}},
		"additionalProperties":false,"$defs":{"line":{"required":["sku"],"properties":{"sku":{"pattern":"^[a-z]+$"},"count":{"minimum":1}}}}}`)
	doc := parse(b, `{"id":918273,"lines":[{"sku":"abc","count":3},{"sku":"def","count":4},{"sku":"ghi","count":5}]}`)
	b.Run("ours", func(b *testing.B) {
		s, err := Compile(schema, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if found, err := s.Validate(doc); err != nil || len(found) > 0 {
				b.Fatal(found, err)
			}
		}
	})
	b.Run("referee", func(b *testing.B) {
		s, err := judge(schema, referee.Draft2020)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Validate(doc); err != nil {
				b.Fatal(err)
			}
		}
	})
}
