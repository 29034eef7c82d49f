package graphql

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"iscope/probes"
)

// withSchema opens a target whose schema is a file.
func withSchema(t testing.TB, addr string, options ...string) *probe {
	t.Helper()
	file := filepath.Join(t.TempDir(), "shop.graphql")
	if err := os.WriteFile(file, []byte(shopSDL), 0o600); err != nil {
		t.Fatal(err)
	}
	return openTarget(t, target(addr, append(options, optSchema, file)...))
}

func TestCall(t *testing.T) {
	var got request
	var header http.Header
	s := serve(t, func(w http.ResponseWriter, r *http.Request, q request) {
		got, header = q, r.Header
		io.WriteString(w, `{"data":{"order":{"id":"A-7","total":null}},"errors":[
			{"message":"no \u001b[31mprice","path":["order","total"],"extensions":{"code":"NO_PRICE"}},
			{"message":"twice","path":["order","lines",1,"sku"]}, {"message":"vague","locations":[{"line":2,"column":3}]}, "text", {}]}`)
	})
	tg := target(s.URL + "/graphql")
	tg.Auth.Token = probes.NewSecret("hunter2")
	tg.Options[optSchema] = withSchema(t, s.URL).link.Target.Options[optSchema]
	p := openTarget(t, tg)
	req, resp, end := mustInvoke(t, p, "order", `{"id": "A-7"}`, func(in *probes.Invocation) {
		in.Header = []probes.Field{{Name: "traceparent", Value: []byte("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")}, {Name: "X-Tenant", Value: []byte("t")}}
	})
	if !strings.Contains(got.Query, "order(id: $id) {") || string(got.Variables) != `{"id": "A-7"}` && string(got.Variables) != `{"id":"A-7"}` || got.OperationName != "order" {
		t.Errorf("%+v", got)
	}
	if header.Get("Authorization") != "Bearer hunter2" || header.Get("X-Tenant") != "t" || !strings.HasPrefix(header.Get("Accept"), "application/graphql-response+json") {
		t.Errorf("%v", header)
	}
	if req.Source.Subject != "query order" || attr(req, probes.AttrRedacted) != "authorization" || req.Schema != "Query.order" || resp.Schema != "Order" {
		t.Errorf("%+v", req)
	}
	if v, _ := req.HeaderValue("Authorization"); strings.Contains(string(v), "hunter2") {
		t.Errorf("the credential is recorded: %s", v)
	}
	if !strings.Contains(string(resp.Body), `"A-7"`) || end.Err != "5 errors" || attr(end, probes.AttrStatus) != "200 OK, 5 errors" || attr(end, probes.AttrErrorType) != "NO_PRICE" {
		t.Errorf("%s, end %+v", resp.Body, end)
	}
	want := []string{"order.total: no \x1b[31mprice (NO_PRICE)", "order.lines.1.sku: twice", "query 2:3: vague", "request: text", "request: no message"}
	if got := attrs(end, probes.AttrPath); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, name := range []string{probes.TimingTotal, probes.TimingSend, probes.TimingReceive, probes.AttrPeer, probes.AttrTraceID} {
		if attr(end, name) == "" {
			t.Errorf("no %s in %v", name, end.Attrs)
		}
	}
}

// A method that reads sends nothing that writes, forced or not.
func TestAQueryStaysAQuery(t *testing.T) {
	sent := false
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ request) {
		sent = true
		io.WriteString(w, `{"data":{}}`)
	})
	p := withSchema(t, s.URL+"/graphql")
	for _, doc := range []string{
		`{"query": "mutation { shared }"}`,
		`{"query": "query a { now } mutation b { shared }", "operationName": "b"}`,
		`{"query": "query a { now } mutation b { shared }"}`,
		`{"query": "{ now }", "query": "mutation { shared }"}`,
		"mutation { shared }",
		"\x00{\"query\": \"mutation { shared }\"}",
		"subscription { countdown(from: 1) }",
		`{"query": "mutation { shared } §"}`,
	} {
		for _, method := range []string{"query now", "query", ""} {
			_, err := invoke(t, p, method, doc, force)
			wantError(t, err, probes.ErrUsage)
		}
	}
	if sent {
		t.Error("something was sent")
	}
	m, err := p.Method(patience(t), "query a { now } mutation b { shared }")
	if err != nil || m.Effect != probes.EffectWrite {
		t.Errorf("%+v %v", m, err)
	}
	if m, err := p.Method(patience(t), "{ now }"); err != nil || m.Effect != probes.EffectRead {
		t.Errorf("%+v %v", m, err)
	}
}

func TestRefusedBeforeSending(t *testing.T) {
	s := serve(t, says(`{"data":{}}`))
	p := withSchema(t, s.URL+"/graphql")
	for _, tt := range []struct {
		method, doc string
		kind        error
		texts       []string
	}{
		{"query order", "", probes.ErrUsage, []string{"variables.id: missing; expected ID!", "nothing was sent", "--force"}},
		{"query order", `{"idd": "x"}`, probes.ErrUsage, []string{"variables.idd: the operation has no such variable; did you mean id?"}},
		{"query", "{\n  order(id: 5) { statuz } }", probes.ErrUsage, []string{`query 2:18: Cannot query field "statuz" on type "Order". Did you mean "status"?`}},
		{"query", "{ now", probes.ErrUsage, []string{"query 1:6: "}},
		{"query", "", probes.ErrUsage, []string{"there is no query in the document"}},
		{"query", "fragment f on Order { id }", probes.ErrUsage, []string{"no operation"}},
		{"query", "query a { now } query b { now }", probes.ErrUsage, []string{"say which is meant"}},
		{"{ now }", `{"query": "{ now }"}`, probes.ErrUsage, []string{"both"}},
		{"query oder", "", probes.ErrNotFound, []string{`no "query oder"`, "did you mean query order"}},
		{"query placeOrder", "", probes.ErrNotFound, []string{"did you mean mutation placeOrder?"}},
		{"shared", "", probes.ErrUsage, []string{"several: query shared, mutation shared"}},
		{"Query.oder", "", probes.ErrNotFound, []string{`no "Query.oder"`}},
		{"Order.id", "", probes.ErrNotFound, []string{`no "Order.id"`}},
		{"query order", `{"id":`, probes.ErrUsage, []string{"no JSON: line 1:7"}},
		{"mutation { shared", "", probes.ErrUsage, []string{"query 1:18"}},
	} {
		recs, err := invoke(t, p, tt.method, tt.doc)
		wantError(t, err, tt.kind, tt.texts...)
		if len(recs) > 0 {
			t.Errorf("%s %s: %d records of a call that was not made", tt.method, tt.doc, len(recs))
		}
	}
	if m, err := p.Method(patience(t), "Mutation.placeOrder"); err != nil || m.Name != "mutation placeOrder" {
		t.Errorf("%+v, %v", m, err)
	}
	_, err := invoke(t, p, "query now", "", func(in *probes.Invocation) { in.Params = []probes.Attr{{Name: "id"}} })
	wantError(t, err, probes.ErrUsage, "no parameter", `-d '{"id": …}'`)
	_, err = invoke(t, p, "query now", "", func(in *probes.Invocation) { in.Compression = "lzma" })
	wantError(t, err, probes.ErrUsage, "use gzip")
	req, _, end := mustInvoke(t, p, "query order", `{"idd": 1}`, force)
	want := []string{"variables.id: missing; expected ID!", "variables.idd: the operation has no such variable; did you mean id?"}
	if got := attrs(req, probes.AttrViolation); !slices.Equal(got, want) || end.Err != "" {
		t.Errorf("%q, end %q", got, end.Err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, tt := range map[string]struct {
		status          int
		media, body     string
		err, note, kind string
	}{
		"a page":           {200, "text/html", "<!DOCTYPE html><title>Log \x1b[2Jin</title>", "1 error", `answer: the answer is a page (text/html), no GraphQL: "Log \x1b[2Jin"`, ""},
		"a gateway's page": {502, "text/html", "<html>bad</html>", "502 Bad Gateway", "answer: the answer is a page (text/html), no GraphQL", "502"},
		"half a document":  {200, "application/json", `{"data": {"a": `, "1 error", "answer: the answer is malformed JSON: unexpected end of JSON input", ""},
		"other JSON":       {200, "application/json", `{"hello": 1}`, "1 error", "answer: the answer is JSON without data or errors: no GraphQL", ""},
		"nothing":          {200, "", "", "1 error", "answer: the answer is empty: no GraphQL", ""},
		"text":             {200, "text/plain", "ok then", "1 error", `answer: the answer is no GraphQL (text/plain): it begins "ok then"`, ""},
		"refused":          {400, "application/graphql-response+json", `{"errors":[{"message":"no"}]}`, "400 Bad Request, 1 error", "", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ request) {
				w.Header().Set("Content-Type", tt.media)
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			_, resp, end := mustInvoke(t, withSchema(t, s.URL+"/graphql"), "query now", "")
			if string(resp.Body) != tt.body || end.Err != tt.err || attr(resp, probes.AttrViolation) != tt.note || attr(end, probes.AttrErrorType) != tt.kind {
				t.Errorf("body %q, end %q, violation %q, error type %q", resp.Body, end.Err, attr(resp, probes.AttrViolation), attr(end, probes.AttrErrorType))
			}
		})
	}
}

func TestCodings(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			in, _ = gzip.NewReader(r.Body)
		}
		var q request
		if json.NewDecoder(in).Decode(&q) != nil {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		out := gzip.NewWriter(w)
		io.WriteString(out, `{"data":{"now":"`+strings.Repeat("x", 5000)+`"}}`)
		out.Close()
	}))
	t.Cleanup(s.Close)
	req, resp, end := mustInvoke(t, withSchema(t, s.URL+"/graphql"), "query now", "", func(in *probes.Invocation) { in.Compression = "gzip" })
	if end.Err != "" || len(resp.Body) < 5000 || len(attr(resp, probes.AttrWireSize)) > 3 || !strings.HasPrefix(string(req.Body), "{") {
		t.Errorf("end %q, %d bytes, %s on the wire, sent %s", end.Err, len(resp.Body), attr(resp, probes.AttrWireSize), req.Body)
	}
	_, resp, end = mustInvoke(t, withSchema(t, s.URL+"/graphql"), "query now", "", func(in *probes.Invocation) { in.MaxBody = 10 })
	if len(resp.Body) != 10 || resp.Cut < 5000 || end.Err != "" {
		t.Errorf("%q, %d cut, end %q", resp.Body, resp.Cut, end.Err)
	}
}

func TestRedirects(t *testing.T) {
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/graphql" {
			http.Redirect(w, r, "/graphql/", http.StatusMovedPermanently)
			return
		}
		if r.URL.Path == "/away" {
			http.Redirect(w, r, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+"/graphql/", http.StatusTemporaryRedirect)
			return
		}
		if r.Method != http.MethodPost || !strings.Contains(string(body), "now") {
			t.Errorf("%s %s", r.Method, body)
		}
		io.WriteString(w, `{"data":{"now":"x"}}`)
	}))
	t.Cleanup(s.Close)
	_, resp, end := mustInvoke(t, withSchema(t, s.URL+"/graphql"), "query now", "")
	if end.Err != "301 Moved Permanently" || attr(resp, "http.response.header.location") != "/graphql/" {
		t.Errorf("end %q", end.Err)
	}
	follow := func(in *probes.Invocation) { in.Redirects = 3 }
	recs, err := invoke(t, withSchema(t, s.URL+"/graphql"), "query now", "", follow)
	if err != nil || len(recs) != 5 || recs[4].Err != "" || attr(recs[3], probes.AttrHTTPStatus) != "200" {
		t.Errorf("%v %v", recs, err)
	}
	// Credentials do not go to another host.
	recs, err = invoke(t, withSchema(t, s.URL+"/away"), "query now", "", follow)
	if err != nil || len(recs) != 3 || recs[2].Err != "307 Temporary Redirect" {
		t.Errorf("%v %v", recs, err)
	}
}

func TestCutOff(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request, _ request) {
		w.Header().Set("Content-Length", "500")
		io.WriteString(w, `{"data":{"now":`)
	})
	recs, err := invoke(t, withSchema(t, s.URL+"/graphql"), "query now", "")
	wantError(t, err, probes.ErrUnreachable, "reading the answer")
	if len(recs) != 2 || string(recs[1].Body) != `{"data":{"now":` || recs[1].Err != "cut off after 15 bytes" {
		t.Errorf("%+v", recs)
	}
}

// The schema is read again when the server does not know what it had.
func TestStaleSchema(t *testing.T) {
	sdl := greeterSDL
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q request
		json.NewDecoder(r.Body).Decode(&q)
		if strings.Contains(q.Query, "__schema") {
			fmt.Fprintf(w, `{"data":%s}`, introspection(t, sdl))
			return
		}
		io.WriteString(w, `{"errors":[{"message":"Cannot query field \"any\" on type \"Query\"."}]}`)
	}))
	t.Cleanup(s.Close)
	p := openTarget(t, target(s.URL+"/graphql"))
	mustInvoke(t, p, "query any", "")
	sdl = strings.Replace(sdl, "any: Greeting", "some: Greeting", 1)
	_, err := invoke(t, p, "query any", "")
	wantError(t, err, probes.ErrNotFound, `no "query any"`)
	if m, err := p.Method(patience(t), "some"); err != nil || m.Name != "query some" {
		t.Errorf("%+v %v", m, err)
	}
}

func TestLeavingACall(t *testing.T) {
	s := serve(t, says(`{"data":{}}`))
	p := withSchema(t, s.URL+"/graphql")
	for n := 1; n < 3; n++ {
		seen := 0
		for _, err := range p.Invoke(patience(t), probes.Invocation{Method: "query now"}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == n {
				break
			}
		}
	}
	ctx := patience(t)
	in := probes.Invocation{Method: "query now", Next: func(context.Context) ([]byte, error) { return nil, errors.New("the pipe broke") }}
	for _, err := range p.Invoke(ctx, in) {
		wantError(t, err, probes.ErrUsage, "the pipe broke")
	}
}

// TestCodingThatIsNotUndone: the answer is kept, and the reason given why it
// cannot be read.
func TestCodingThatIsNotUndone(t *testing.T) {
	const note = `coding "br", which is not decoded`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Accept") == "text/event-stream" {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		io.WriteString(w, "\x8b\x02\x80opaque\n\n")
	}))
	t.Cleanup(s.Close)
	for method, doc := range map[string]string{"query now": "", "subscription countdown": `{"from": 1}`} {
		_, resp, end := mustInvoke(t, withSchema(t, s.URL+"/graphql", optSubscriptions, "sse"), method, doc)
		if end.Err == "" || string(resp.Body) != "\x8b\x02\x80opaque\n\n" || !strings.Contains(attr(resp, probes.AttrViolation), note) {
			t.Errorf("%s: end %q, %q, %v", method, end.Err, resp.Body, resp.Attrs)
		}
	}
	wantError(t, openTarget(t, target(s.URL+"/graphql")).Check(patience(t)), probes.ErrProtocol, note)
}
