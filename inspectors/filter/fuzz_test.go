package filter

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"iscope/probes"
)

func FuzzCompileAndMatch(f *testing.F) {
	body := string(placed().Body)
	for _, source := range []string{
		`body.order.total > 100 and any(body.items, .price > 10)`, `bob -eur "x y"`, `raw matches "(?i)b.b"`, `= not body.gone`,
		`header("x-tenant") in ["eu", "us"] or attrs["x.odd"] == "Odd"`, `time > ago("5m") && seen - time < "3s"`, `"vip" in body.tags`,
		`count(body.items, .sku startsWith "A") * 2 >= len(body.tags)`, `((((`, `body[-1][0]["a"].b?.c`, `x ? y : z`, `any(headers, .value == "3")`,
		`lower(text(body.num)) != upper(raw)`, `1 < body.num < 100 % 7`, `kind in []`, "\x00\"", `.a`, `#`, `any(body, any(#, any(#, # == 1)))`,
	} {
		f.Add(source, body)
	}
	f.Add(`body.x == 1`, `{"x":1e999,"y":"\ud800"}`)
	f.Add(`body == "\u00e9"`, "\xff\xfe")
	f.Fuzz(func(t *testing.T, source, body string) {
		c, err := Compile(source)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Column < 1 || e.Message == "" || e.Error() == "" {
				t.Fatalf("%q: %v", source, err)
			}
			if strings.Contains(e.Message, "cannot be read") {
				t.Fatalf("%q: %v", source, err)
			}
			return
		}
		r := placed()
		r.Body = []byte(body)
		c = c.Decoding(unpackAny)
		full, quick := judgedAs(c, r, true), judgedAs(c, r, false)
		if full != quick && (quick != no || full != unsure || json.Valid(r.Body)) {
			t.Fatalf("%q of %q: %d in full, %d with the prefilter", source, body, full, quick)
		}
		c.Match(bg, ended())
		if c.Stats().Judged != 1 {
			t.Fatal("the account is wrong")
		}
	})
}

// FuzzScan compares the reading of documents with encoding/json.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `[]`, `1e5`, `-0`, `"\ud83d\ude00"`, `{"a":1,"a":2}`, ` {} `, `[1,]`, `"\x"`, `01`, `tru`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scanner{in: text, slots: make([]value, 1)}
		err := s.document(&wanted{slot: 0})
		if errors.Is(err, errDeep) {
			return
		}
		if (err == nil) != json.Valid([]byte(text)) {
			t.Fatalf("%q: %v, encoding/json says %v", text, err, json.Valid([]byte(text)))
		}
		var want string
		if err == nil && json.Unmarshal([]byte(text), &want) == nil && s.slots[0].kind == textK && utf8.ValidString(text) && s.slots[0].s != want {
			t.Fatalf("%q: %q, encoding/json says %q", text, s.slots[0].s, want)
		}
	})
}

// TestFolding compares the search for words with the plain way.
func TestFolding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ascii := rapid.Bool().Draw(t, "ascii")
		letters := []rune("abKkSsäÄßİıſé0\"z")
		if ascii {
			letters = []rune("abAB01\"zZ-k")
		}
		draw := func(what string, least, most int) string {
			return string(rapid.SliceOfN(rapid.SampledFrom(letters), least, most).Draw(t, what))
		}
		text, s := draw("word", 1, 4), draw("text", 0, 30)
		fold := fold(text)
		want := false
		for i := range s {
			for j := i; j <= len(s); j++ {
				want = want || strings.EqualFold(s[i:j], text)
			}
		}
		if fold.ascii && want && !strings.Contains(strings.ToLower(s), strings.ToLower(text)) {
			return // K and the Kelvin sign: an ASCII word finds ASCII only
		}
		if got := fold.in(s); got != want {
			t.Fatalf("%q in %q: %v, want %v", text, s, got, want)
		}
	})
}

// unpackAny is a decoder that never refuses.
var unpackAny Decoder = func(_ context.Context, r *probes.Record) ([]byte, error) { return json.Marshal(string(r.Body)) }
