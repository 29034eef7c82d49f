package redact

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

var hashes = regexp.MustCompile(`(#|%23)[0-9a-f]{4}(»|%C2%BB)`)

func field(name string, value []byte) probes.Field { return probes.Field{Name: name, Value: value} }

// plain makes hashes the same in every run.
func plain[T string | []byte](s T) string { return hashes.ReplaceAllString(string(s), "${1}hash${2}") }

const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"

func TestBodies(t *testing.T) {
	for _, tc := range []struct{ name, contentType, in, want, hits string }{
		{"password", "", `{"user":"u","password":"hunter2"}`, `{"user":"u","password":"«redacted:password#hash»"}`, "password"},
		{"spelling does not count", "", `{"accessToken":"a","API-Key":"b","client_secret":"c"}`,
			`{"accessToken":"«redacted:accesstoken#hash»","API-Key":"«redacted:api-key#hash»","client_secret":"«redacted:client_secret#hash»"}`,
			"API-Key,accessToken,client_secret"},
		{"escaped key", "", `{"pass\u0077ord":"hunter2"}`, `{"pass\u0077ord":"«redacted:password#hash»"}`, "password"},
		{"number", "", `{"cvv":123,"n":1.50}`, `{"cvv":"«redacted:cvv#hash»","n":1.50}`, "cvv"},
		{"null, booleans, empty stay", "", `{"token":null,"secret":true,"pwd":"","credentials":{ },"apiKey":[]}`, `{"token":null,"secret":true,"pwd":"","credentials":{ },"apiKey":[]}`, ""},
		{"objects and arrays go as a whole", "", `{"credentials":{"a":"x\"}","b":[1]},"ok":1}`, `{"credentials":"«redacted:credentials#hash»","ok":1}`, "credentials"},
		{"nested", "", `{"a":[{"card":{"pan":"4111"}},{"card":{"pan":"4111"}}]}`,
			`{"a":[{"card":{"pan":"«redacted:pan#hash»"}},{"card":{"pan":"«redacted:pan#hash»"}}]}`, "a.card.pan"},
		{"names that only sound like it", "", `{"token_type":"x","nextPageToken":"y","company":"z","author":"w","emailVerified":true,"passenger":"p"}`,
			`{"token_type":"x","nextPageToken":"y","company":"z","author":"w","emailVerified":true,"passenger":"p"}`, ""},
		{"bearer by its form", "", `{"h":["Bearer abc123def456"],"t":"basic authentication is off"}`, `{"h":["«redacted:h#hash»"],"t":"basic authentication is off"}`, "h"},
		{"web token by its form", "", `{"x":"` + jwt + `"}`, `{"x":"«redacted:x#hash»"}`, "x"},
		{"document in a string", "", `{"Message":"{\"password\":\"hunter2\",\"n\":1}"}`, `{"Message":"{\"password\":\"«redacted:password#hash»\",\"n\":1}"}`, "Message.password"},
		{"url in a string", "", `{"cb":"https://u:hunter2@h/p?token=hunter2\u0026a=1"}`,
			`{"cb":"https://u:%C2%ABredacted:password%23hash%C2%BB@h/p?token=%C2%ABredacted:token%23hash%C2%BB&a=1"}`, "cb.?token,cb.userinfo"},
		{"address of a database", "", `["postgres://u:hunter2@h/db","write to a@b.c?"]`,
			`["postgres://u:%C2%ABredacted:password%23hash%C2%BB@h/db","write to a@b.c?"]`, "userinfo"},
		{"cut off in a secret", "application/json", `{"a":1,"password":"hunt`, `{"a":1,"password":"«redacted:password#hash»"`, "password"},
		{"broken line, then a good one", "application/x-ndjson", "{\"a\": \"x\n{\"password\":\"hunter2\"}\n", "{\"a\": \"x\n{\"password\":\"«redacted:password#hash»\"}\n", "a.password"},
		{"events", "text/event-stream", "data: {\"token\":\"hunter2\"}\n\n", "data: {\"token\":\"«redacted:token#hash»\"}\n\n", "token"},
		{"form", "application/x-www-form-urlencoded; charset=utf-8", "user=u&password=hunter2&grant_type=x&pass%77ord=h",
			"user=u&password=%C2%ABredacted:password%23hash%C2%BB&grant_type=x&pass%77ord=%C2%ABredacted:password%23hash%C2%BB", "password"},
		{"schema id and document", "", "\x00\x00\x00\x00\x1f{\"pin\":\"1\"}", "\x00\x00\x00\x00\x1f{\"pin\":\"«redacted:pin#hash»\"}", "pin"},
		{"binary is left", "application/grpc", "\"password\":\"hunter2\"", "\"password\":\"hunter2\"", ""},
		{"already masked", "", `{"password":"«redacted:password#0a1b»"}`, `{"password":"«redacted:password#hash»"}`, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := probes.Record{Kind: probes.Message, Body: []byte(tc.in)}
			if tc.contentType != "" {
				r.Header = []probes.Field{{Name: "Content-Type", Value: []byte(tc.contentType)}}
			}
			got := NewPolicy().Record(r)
			if diff := cmp.Diff(tc.want, plain(got.Body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if hits, _ := got.Attr(probes.AttrRedacted); hits != tc.hits {
				t.Errorf("redacted %q, want %q", hits, tc.hits)
			}
			if string(r.Body) != tc.in {
				t.Error("the record handed in was changed")
			}
			if json.Valid([]byte(tc.in)) && !json.Valid(got.Body) {
				t.Error("no longer valid JSON")
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	in := []probes.Field{
		field("Content-Type", []byte("text/plain")), field("traceparent", []byte("00-1-2-01")), field("grpc-status", []byte("5")),
		field("Authorization", []byte("Bearer abc")), field("X-Tenant", []byte("acme")), field("x-nil", nil), field("x-empty", []byte{}),
		field("Cookie", []byte("sid=1; theme=dark; flag")), field("Set-Cookie", []byte("sid=1; Path=/; Expires=never")),
		field("Referer", []byte("http://h/?token=hunter2")), field(":path", []byte("/a?code=1&api_key=hunter2")),
		field("client_secret", []byte("s")), field("claims", []byte(jwt)),
	}
	for _, tc := range []struct {
		kind probes.Kind
		want string
	}{
		{probes.Request, `Content-Type: text/plain
traceparent: 00-1-2-01
grpc-status: 5
Authorization: «redacted:authorization#hash»
X-Tenant: «redacted:x-tenant#hash»
x-nil: nil
x-empty: 
Cookie: sid=«redacted:sid#hash»; theme=«redacted:theme#hash»; flag
Set-Cookie: sid=«redacted:sid#hash»; Path=/; Expires=never
Referer: http://h/?token=%C2%ABredacted:token%23hash%C2%BB
:path: /a?code=1&api_key=%C2%ABredacted:api_key%23hash%C2%BB
client_secret: «redacted:client_secret#hash»
claims: «redacted:claims#hash»
# ?api_key,?token,authorization,claims,client_secret,cookie.sid,cookie.theme,set-cookie.sid,x-tenant`},
		{probes.Message, `Content-Type: text/plain
traceparent: 00-1-2-01
grpc-status: 5
Authorization: «redacted:authorization#hash»
X-Tenant: acme
x-nil: nil
x-empty: 
Cookie: «redacted:cookie#hash»
Set-Cookie: «redacted:set-cookie#hash»
Referer: http://h/?token=hunter2
:path: /a?code=1&api_key=hunter2
client_secret: «redacted:client_secret#hash»
claims: «redacted:claims#hash»
# authorization,claims,client_secret,cookie,set-cookie`},
	} {
		got := NewPolicy().Record(probes.Record{Kind: tc.kind, Header: in})
		var b strings.Builder
		for _, f := range got.Header {
			v := string(f.Value)
			if f.Value == nil {
				v = "nil"
			}
			b.WriteString(f.Name + ": " + v + "\n")
		}
		hits, _ := got.Attr(probes.AttrRedacted)
		if diff := cmp.Diff(tc.want, plain(b.String()+"# "+hits)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.kind, diff)
		}
	}
	if string(in[3].Value) != "Bearer abc" {
		t.Error("the record handed in was changed")
	}
}

func TestURLsAndSubjects(t *testing.T) {
	r := probes.Record{Kind: probes.Request, Source: probes.Ref{Target: "api", Subject: "GET /reset/" + jwt + "/x?email=a@b.c&page=2"},
		Attrs:  []probes.Attr{{Name: probes.AttrURL, Value: "http://u:hunter2@h/p?a=1&token=hunter2#access_token=hunter2&x=1"}, {Name: "plain", Value: "v"}},
		Native: json.RawMessage(`{"url":"/p?token=hunter2"}`), Key: []byte(`{"ssn":"1"}`), Err: "401: password=hunter2"}
	got := NewPolicy().Record(r)
	want := probes.Record{Kind: probes.Request, Source: probes.Ref{Target: "api", Subject: "GET /reset/%C2%ABredacted:path%23hash%C2%BB/x?email=%C2%ABredacted:email%23hash%C2%BB&page=2"},
		Attrs: []probes.Attr{
			{Name: probes.AttrURL, Value: "http://u:%C2%ABredacted:password%23hash%C2%BB@h/p?a=1&token=%C2%ABredacted:token%23hash%C2%BB#access_token=%C2%ABredacted:access_token%23hash%C2%BB&x=1"},
			{Name: "plain", Value: "v"}, {Name: probes.AttrRedacted, Value: "#access_token,?email,?token,path,ssn,url.?token,userinfo"}},
		Native: json.RawMessage(`{"url":"/p?token=%C2%ABredacted:token%23hash%C2%BB"}`), Key: []byte(`{"ssn":"«redacted:ssn#hash»"}`), Err: "401: password=«redacted»"}
	js := func(r probes.Record) string {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range [][]byte{r.Native, r.Key} {
			b = append(b, raw...)
		}
		return plain(b)
	}
	got.Key, want.Key = []byte(plain(got.Key)), []byte(plain(want.Key))
	if diff := cmp.Diff(js(want), js(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEqualSecretsStayEqualWithinAPolicyOnly(t *testing.T) {
	p, q := NewPolicy(), NewPolicy()
	body := func(p *Policy, v string) string {
		return string(p.Record(probes.Record{Body: []byte(`{"token":"` + v + `"}`)}).Body)
	}
	if first, again := body(p, "a"), body(p, "a"); first != again || first == body(p, "b") {
		t.Error("equality is lost")
	}
	same := 0
	for _, v := range []string{"a", "b", "c", "d"} {
		if body(p, v) == body(q, v) {
			same++
		}
	}
	if same == 4 {
		t.Error("two policies agree: the hash is not keyed")
	}
}

func TestRedactingTwiceChangesNothing(t *testing.T) {
	p := NewPolicy()
	r := probes.Record{Kind: probes.Request, Body: []byte(`{"password":"x","u":"http://a:b@c/?token=1"}`),
		Header: []probes.Field{field("Authorization", []byte("Bearer abc")), field("Cookie", []byte("a=b")), field("Referer", []byte("/?pin=123"))}}
	once := p.Record(r)
	if diff := cmp.Diff(once, p.Record(once)); diff != "" {
		t.Errorf("(-once +twice):\n%s", diff)
	}
}

func TestPlaceholders(t *testing.T) {
	p := NewPolicy()
	for _, ph := range []string{p.placeholder("Authorization", []byte("x")), "a " + p.placeholderURL("token", []byte("x")) + "&b=c", p.placeholder("日本", []byte("x"))} {
		if !IsPlaceholder([]byte(ph)) {
			t.Errorf("%q is not recognised", ph)
		}
	}
	for _, s := range []string{"", "«redacted»", "«redacted:x#12»", "«redacted:x#zzzz»", "redacted:x#1234", "«redacted:x#1234", "%C2%ABredacted:x#1234»"} {
		if IsPlaceholder([]byte(s)) {
			t.Errorf("%q is taken for one", s)
		}
	}
	got := Placeholders([]byte(p.placeholder("a", nil) + p.placeholder("b", nil) + p.placeholderURL("c", nil)))
	if diff := cmp.Diff([]string{"a", "b", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestText(t *testing.T) {
	p := NewPolicy()
	for in, want := range map[string]string{
		"dial kafka://u:hunter2@h:9092: refused":                                 "dial kafka://u:«redacted»@h:9092: refused",
		"GET http://h/?token=hunter2&a=b: 401":                                   "GET http://h/?token=«redacted»&a=b: 401",
		"Authorization: Bearer abc123.def":                                       "Authorization: Bearer «redacted»",
		"sent basic dXNlcjpwYXNz== to h":                                         "sent basic «redacted» to h",
		"basic authentication failed":                                            "basic authentication failed",
		`{"password": "hunter 2", "user": "u"}`:                                  `{"password": "«redacted»", "user": "u"}`,
		"password='hunter2' user=u":                                              "password='«redacted»' user=u",
		"X-Api-Key: k3y1234":                                                     "X-Api-Key: «redacted»",
		"got " + jwt + " instead":                                                "got «redacted» instead",
		"-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nx": "«redacted»\nx",
		"shop: resolving auth.token: invalid request: iscope2.yaml:12:7: environment variable PW1 is not set": "shop: resolving auth.token: invalid request: iscope2.yaml:12:7: environment variable PW1 is not set",
		"use auth.password: ${env:KAFKA_PASSWORD}":                                                            "use auth.password: ${env:KAFKA_PASSWORD}",
		"password: expected text, found a number":                                                             "password: expected text, found a number",
		"no topic orders": "no topic orders",
	} {
		if got := p.Text(in); got != want {
			t.Errorf("Text(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestNothingToRedactAllocatesNothing(t *testing.T) {
	p, r := NewPolicy(), cleanRecord()
	if n := testing.AllocsPerRun(100, func() { sink = p.Record(r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if _, ok := sink.Attr(probes.AttrRedacted); ok {
		t.Error("something was redacted")
	}
}

var sink probes.Record

// cleanRecord is a request with a 1 KiB body of forty values and no secret.
func cleanRecord() probes.Record {
	body := `{"orderId":"A-771","status":"REJECTED","amount":120.50,"customer":{"id":5531,"tier":"gold"},"items":[`
	for len(body) < 960 {
		body += `{"sku":"SKU-10021","quantity":2,"price":9.90,"title":"A thing people buy"},`
	}
	body += `{"sku":"last"}]}`
	return probes.Record{Kind: probes.Request, Source: probes.Ref{Target: "api", Subject: "POST /orders"}, Body: []byte(body),
		Header: []probes.Field{field("Content-Type", []byte("application/json")), field("Accept", []byte("*/*")), field("User-Agent", []byte("curl/8")),
			field("traceparent", []byte("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")), field("X-Request-Id", []byte("1"))},
		Attrs: []probes.Attr{{Name: probes.AttrURL, Value: "http://h:1/orders"}}}
}

func BenchmarkRecord(b *testing.B) {
	p := NewPolicy()
	clean := cleanRecord()
	secret := cleanRecord()
	secret.Body = []byte(strings.Replace(string(secret.Body), `"status"`, `"password"`, 1))
	secret.Header = append(secret.Header, probes.Field{Name: "Authorization", Value: []byte("Bearer abc")})
	headers := clean
	headers.Body = nil
	for name, r := range map[string]probes.Record{"clean1KB": clean, "secrets1KB": secret, "headers": headers} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(r.Body)))
			for b.Loop() {
				sink = p.Record(r)
			}
		})
	}
}

func BenchmarkText(b *testing.B) {
	p := NewPolicy()
	s := "shop-kafka: fetching orders/2: unreachable: dial tcp 127.0.0.1:9092: connect: connection refused"
	b.ReportAllocs()
	for b.Loop() {
		p.Text(s)
	}
}
