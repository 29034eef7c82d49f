package redact

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"iscope/probes"
)

const planted = "hunter2planted"

// FuzzJSON plants a secret under a secret's name somewhere in a document. The
// scrubbed document must be valid if the document was, must not hold the secret,
// and must be the same otherwise.
func FuzzJSON(f *testing.F) {
	for _, doc := range []string{
		`{"a":1}`, `[{"b":["x",{"c":null}]}]`, `{"password":{"x":[1,"}"]}}`, `{"k":"v\"\\","n":-1.5e3}`, `"x"`, `{"a":"{\"pin\":1}"}`,
		`{"u":"http://a:b@c/?sig=1#x"}`, "{\"a\":\n\"b\"}", `{"token":`, `{"x":"Bearer abcdefgh12345678"}`, `{"«redacted:token#1234»":1}`, "[[[[[[",
	} {
		f.Add([]byte(doc), "password", 0)
		f.Add([]byte(doc), `api\u004bey`, 3)
	}
	p := NewPolicy()
	f.Fuzz(func(t *testing.T, doc []byte, key string, at int) {
		var hits []string
		out := p.json(doc, &hits)
		if json.Valid(doc) && !json.Valid(out) {
			t.Fatalf("%q became %q", doc, out)
		}
		if len(hits) == 0 && !bytes.Equal(out, doc) {
			t.Fatalf("%q became %q without a hit", doc, out)
		}
		if again := p.json(out, new([]string)); json.Valid(doc) && !bytes.Equal(again, out) {
			t.Fatalf("%q then %q then %q", doc, out, again)
		}
		if !json.Valid(doc) || bytes.Contains(doc, []byte(planted)) {
			return
		}
		for _, whole := range []string{
			`{"a":` + string(doc) + `,"password":"` + planted + `"}`,
			`[` + string(doc) + `,{"x":{"client_secret":["` + planted + `",` + string(doc) + `]}},` + string(doc) + `]`,
			`{"access` + strings.Repeat("_", max(at%50, 0)) + `Token":{"v":` + string(doc) + `,"w":"` + planted + `"}}`,
		} {
			got := p.json([]byte(whole), &hits)
			if !json.Valid(got) || bytes.Contains(got, []byte(planted)) {
				t.Fatalf("%q became %q", whole, got)
			}
		}
		if secretName(key) {
			k, _ := json.Marshal(key)
			if got := p.json([]byte(`{`+string(k)+`:"`+planted+`"}`), &hits); bytes.Contains(got, []byte(planted)) {
				t.Fatalf("key %q: %q", key, got)
			}
		}
	})
}

// FuzzRecord plants secrets in every other place.
func FuzzRecord(f *testing.F) {
	f.Add("/p?a=b", "x-header", "a=b&c=d", uint8(2))
	f.Add("http://u:p@h/x;y?q#f=1", "grpc-status", "a%3db;c", uint8(1))
	p := NewPolicy()
	f.Fuzz(func(t *testing.T, path, header, form string, kind uint8) {
		for _, s := range []string{path, header, form} {
			if strings.Contains(s, planted) {
				return
			}
		}
		query := "?"
		if strings.ContainsAny(path, "?#") {
			query = "&"
		}
		r := probes.Record{Kind: probes.Kind(kind%7 + 1), Body: []byte(form + "&password=" + planted),
			Header: []probes.Field{{Name: "content-type", Value: []byte("application/x-www-form-urlencoded")},
				{Name: header, Value: []byte("x")}, {Name: "Authorization", Value: []byte("Bearer " + planted)},
				{Name: "X-Api-Key", Value: []byte(planted)}, {Name: "cookie", Value: []byte("a=" + planted)}},
			Source: probes.Ref{Subject: "GET " + path + query + "token=" + planted},
			Attrs:  []probes.Attr{{Name: probes.AttrURL, Value: "https://me:" + planted + "@h/" + url.PathEscape(path) + "?token=" + planted}},
			Key:    []byte(`{"ssn":"` + planted + `"}`), Err: "no: password=" + planted}
		got := p.Record(r)
		js, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		all := string(js) + string(got.Body) + string(got.Key)
		for _, h := range got.Header {
			all += string(h.Value)
		}
		if strings.Contains(all, planted) {
			t.Fatalf("the secret is in %s", all)
		}
	})
}

func FuzzText(f *testing.F) {
	f.Add("GET http://u:", "password=", "@h")
	f.Add(`{"a":1,`, `"token": "`, `"}`)
	p := NewPolicy()
	f.Fuzz(func(t *testing.T, before, _, after string) {
		if strings.Contains(before+after, planted) {
			return
		}
		p.Text(before + after)
		for _, s := range []string{" password=" + planted + " ", ` "token": "` + planted + `" `, " Bearer " + planted + " ", " http://u:" + planted + "@h "} {
			// In a quoted or masked surrounding the pair is part of a value.
			if strings.ContainsAny(before, `"'`) || secretName(before) || strings.ContainsAny(before, "=:") {
				continue
			}
			if got := p.Text(before + s + after); strings.Contains(got, planted) {
				t.Fatalf("%q gave %q", before+s+after, got)
			}
		}
	})
}
