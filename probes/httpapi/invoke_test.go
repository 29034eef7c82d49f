package httpapi

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// seen is a server's view of requests.
type seen struct {
	mu   sync.Mutex
	last *http.Request
	body string
	all  int
}

func (s *seen) handle(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last, s.body = r, string(b)
	s.all++
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"id":7}`)
}

func (s *seen) request() (*http.Request, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.body
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all
}

// shop serves the 3.0 document, less its server entry, and records requests.
func shop(t *testing.T) (*probe, *seen) {
	t.Helper()
	s := &seen{}
	srv := serve(t, "", s.handle)
	return openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml")), s
}

func TestCallLine(t *testing.T) {
	p, s := shop(t)
	for _, c := range []struct {
		method  string
		params  []string
		uri     string // what the server saw
		subject string
		route   string
	}{
		{"GET /orders/{id}", []string{"id", "5"}, "/orders/5", "GET /orders/5", "/orders/{id}"},
		{"get /orders/5", nil, "/orders/5", "GET /orders/5", "/orders/{id}"},
		{"/orders/5?full=1&x=a b", nil, "/orders/5?full=1&x=a%20b", "GET /orders/5?full=1&x=a%20b", "/orders/{id}"},
		{"GET /orders/5", []string{"id", "q"}, "/orders/5?id=q", "GET /orders/5?id=q", "/orders/{id}"}, // the query's id
		{"GET /orders/latest", nil, "/orders/latest", "GET /orders/latest", "/orders/latest"},
		{"GET /orders/{id}", []string{"id", "a/b c?d", "query:id", "x&y"}, "/orders/a%2Fb%20c%3Fd?id=x%26y",
			"GET /orders/a%2Fb%20c%3Fd?id=x%26y", "/orders/{id}"},
		{"GET /orders/{id}/lines/{line}.{format}", []string{"id", "1", "line", "2", "format", "json"}, "/orders/1/lines/2.json",
			"GET /orders/1/lines/2.json", "/orders/{id}/lines/{line}.{format}"},
		{"GET /orders", []string{"state", "open", "tag", "a", "state", "paid", "tag", "b", "filter[by]", "me"},
			"/orders?state=open&state=paid&tag=a,b&filter%5Bby%5D=me", "GET /orders?state=open&state=paid&tag=a,b&filter%5Bby%5D=me", "/orders"},
		{"GET /not/in/the/document", nil, "/not/in/the/document", "GET /not/in/the/document", ""},
		{"PURGE /orders", nil, "/orders", "PURGE /orders", ""},
		{"GET //double", nil, "//double", "GET //double", ""},
	} {
		t.Run(c.method, func(t *testing.T) {
			req, _, end := mustInvoke(t, p, c.method, "", param(c.params...), forced)
			got, _ := s.request()
			if got.RequestURI != c.uri || req.Source != (probes.Ref{Target: "api", Subject: c.subject}) || attr(end, probes.AttrHTTPRoute) != c.route {
				t.Errorf("sent %s as %v by route %q", got.RequestURI, req.Source, attr(end, probes.AttrHTTPRoute))
			}
		})
	}
}

func TestParamsInHeadersAndCookies(t *testing.T) {
	p, s := shop(t)
	req, _, _ := mustInvoke(t, p, "GET /orders", "", param("X-Tenant", "acme", "session", "s3"), header("X-Twice", "1", "x-twice", "2", "Host", "shop.test",
		"Content-Length", "999", "Connection", "close"))
	got, _ := s.request()
	if got.Header.Get("X-Tenant") != "acme" || got.Header.Get("Cookie") != "session=s3" || got.Host != "shop.test" ||
		fmt.Sprint(got.Header["X-Twice"]) != "[1 2]" || got.Header.Get("User-Agent") != "iscope" {
		t.Errorf("the server got %v, host %s", got.Header, got.Host)
	}
	if accept := got.Header.Get("Accept"); accept != "application/json, */*;q=0.1" {
		t.Errorf("accept %q", accept)
	}
	if v, _ := req.HeaderValue("x-tenant"); string(v) != "acme" {
		t.Errorf("recorded headers %v", req.Header)
	}
}

func TestMistakesAreNotSent(t *testing.T) {
	p, s := shop(t)
	for _, c := range []struct {
		name, method, doc string
		edit              func(*probes.Invocation)
		kind              error
		want              []string
	}{
		{"missing path parameter", "GET /orders/{id}", "", param(), probes.ErrUsage, []string{`path parameter "id"`}},
		{"empty path parameter", "GET /orders/{id}", "", param("id", ""), probes.ErrUsage, []string{`path parameter "id"`}},
		{"unknown parameter", "GET /orders", "", param("limt", "1"), probes.ErrUsage, []string{`no parameter "limt"`, "did you mean limit?"}},
		{"path parameter of a path", "DELETE /orders/5", "", param("id", "5"), probes.ErrUsage, []string{"part of the path already"}},
		{"unknown operation", "GET /order/{id}", "", param("id", "5"), probes.ErrNotFound, []string{`no operation "GET /order/{id}"`, "GET /orders/{id}"}},
		{"malformed JSON", "POST /orders", "{\n \"a\": 1,\n}", param(), probes.ErrUsage, []string{"line 3:1"}},
		{"JSON that ends early", "POST /orders", `{"a":`, param(), probes.ErrUsage, []string{"line 1:6", "nothing was sent"}},
		{"an empty document", "POST /orders", " ", param(), probes.ErrUsage, []string{"empty"}},
		{"a body for GET", "GET /orders", "{}", param(), probes.ErrUsage, []string{"takes no body"}},
		{"multipart from a list", "PUT /upload", "[]", param(), probes.ErrUsage, []string{"made from a JSON object"}},
		{"a wrong parameter", "GET /orders/{id}", "", param("id", "0"), probes.ErrUsage, []string{"path/id: it is less than 1", "force"}},
		{"a wrong body", "POST /orders", `{"customer":1,"lines":[{"sku":"ab","count":0}],"priority":"now"}`, param(), probes.ErrUsage,
			[]string{"body/customer: it is of type number, not string", "body/lines: it has fewer than 2 items",
				"body/lines/0/count: it is not more than 0", "body/lines/0/sku: it is shorter than 3 characters", "body/priority: it is none of normal, high"}},
		{"no body where one is required", "POST /orders", "", param(), probes.ErrUsage, []string{"body: it is required"}},
		{"a bad header name", "GET /orders", "", header("a b", "c"), probes.ErrUsage, []string{`"a b" is no header name`}},
		{"a header with a line break", "GET /orders", "", header("X-A", "b\r\nX-B: c"), probes.ErrUsage, []string{"X-A"}},
		{"a bad cookie", "GET /orders", "", param("session", "a;b"), probes.ErrUsage, []string{"session"}},
		{"no path", "GET orders", "", param(), probes.ErrUsage, []string{"METHOD /path"}},
		{"a word", "hello", "", param(), probes.ErrUsage, []string{"METHOD /path"}},
		{"nothing", "", "", param(), probes.ErrUsage, []string{"METHOD /path"}},
		{"a fragment", "GET /a#b", "", param(), probes.ErrUsage, []string{"fragment"}},
		{"a tunnel", "CONNECT /a", "", param(), probes.ErrUsage, []string{"CONNECT"}},
		{"a bad escape", "GET /a%zz", "", param(), probes.ErrUsage, []string{"%zz"}},
		{"a control character", "GET /a\x1b[2J", "", param(), probes.ErrUsage, []string{"control character"}},
		{"two documents", "POST /orders", "", func(in *probes.Invocation) { in.Next = docs("{}", "{}") }, probes.ErrUsage, []string{"one body"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := s.count()
			recs, err := invoke(t, p, c.method, c.doc, c.edit)
			wantError(t, err, c.kind, c.want...)
			if len(recs) > 0 || s.count() != before {
				t.Errorf("%d records, %d requests", len(recs), s.count()-before)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	p, s := shop(t)
	for _, c := range []struct {
		name, method, doc string
		edit              func(*probes.Invocation)
		contentType, want string
	}{
		{"JSON as it is", "POST /orders", `{ "n": 9007199254740993, "f": 1.10 }`, param(), "application/json", `{ "n": 9007199254740993, "f": 1.10 }`},
		{"a form from JSON", "POST /login", `{"user":"a b","roles":["x","y"],"n":1.50,"none":null}`, param(), formType, "user=a+b&roles=x&roles=y&n=1.50"},
		{"other types by header", "POST /orders", "not { json", header("Content-Type", "text/plain"), "text/plain", "not { json"},
		{"a form as it is", "POST /login", "a=b", header("Content-Type", formType), formType, "a=b"},
		{"a JSON dialect by header", "PATCH /orders/1", "[]", header("Content-Type", "application/json-patch+json"), "application/json-patch+json", "[]"},
		{"GET when meant", "GET /search", `{"q":1}`, header("Content-Type", "application/json"), "application/json", `{"q":1}`},
		{"none", "POST /orders", "", param(), "", ""},
		{"by hand", "POST /by/hand", `"x"`, param(), "application/json", `"x"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, _, _ := mustInvoke(t, p, c.method, c.doc, c.edit, forced)
			got, body := s.request()
			if got.Header.Get("Content-Type") != c.contentType || body != c.want || string(req.Body) != c.want {
				t.Errorf("sent %q as %q, recorded %q", body, got.Header.Get("Content-Type"), req.Body)
			}
		})
	}
	req, _, _ := mustInvoke(t, p, "POST /orders", "{}", forced)
	if req.Schema != "#/components/schemas/NewOrder" {
		t.Errorf("schema %q", req.Schema)
	}
}

func TestCallRecords(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Add("X-Two", "b")
		w.Header().Add("X-Two", "a")
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "\x1b]0;title\x07 no \xff such")
		w.Header().Set("X-Sum", "42")
	})
	p := openTarget(t, target(srv.URL))
	req, resp, end := mustInvoke(t, p, "GET /x", "")
	if req.Call == "" || req.Call != resp.Call || resp.Call != end.Call || req.ID == resp.ID || resp.ID == end.ID || req.Seen.IsZero() {
		t.Errorf("ids %q %q %q", req.ID, resp.ID, end.ID)
	}
	if string(resp.Body) != "\x1b]0;title\x07 no \xff such" {
		t.Errorf("body %q", resp.Body)
	}
	two := []string{}
	for _, f := range resp.Header {
		if f.Name == "X-Two" {
			two = append(two, string(f.Value))
		}
	}
	if diff := cmp.Diff([]string{"b", "a"}, two); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]probes.Field{{Name: "X-Sum", Value: []byte("42")}}, end.Header); diff != "" {
		t.Error(diff)
	}
	if end.Err != "404 Not Found" || attr(end, probes.AttrHTTPStatus) != "404" || attr(end, probes.AttrStatus) != "404 Not Found" ||
		attr(end, probes.AttrProtoVersion) != "1.1" || attr(end, probes.AttrPeer) != strings.TrimPrefix(srv.URL, "http://") ||
		attr(end, probes.AttrErrorType) != "404" || attr(end, probes.AttrURL) != srv.URL+"/x" {
		t.Errorf("end is %+v", end)
	}
	for _, name := range []string{probes.TimingConnect, probes.TimingFirstByte, probes.TimingTotal} {
		if attr(end, name) == "" {
			t.Errorf("no %s in %v", name, end.Attrs)
		}
	}
	if attr(end, probes.TimingDNS)+attr(end, probes.TimingTLS) != "" {
		t.Errorf("phases that did not happen: %v", end.Attrs)
	}
	_, _, again := mustInvoke(t, p, "GET /x", "")
	if attr(again, probes.TimingConnect) != "" || attr(again, probes.TimingTotal) == "" {
		t.Errorf("a reused connection has %v", again.Attrs)
	}
}

func TestRedirectsAreShown(t *testing.T) {
	var hits seen
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		hits.handle(httptest.NewRecorder(), r)
		http.Redirect(w, r, "http://127.0.0.1:1/elsewhere", http.StatusFound)
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	_, _, end := mustInvoke(t, p, "GET /a", "")
	if attr(end, httplink.AttrLocation) != "http://127.0.0.1:1/elsewhere" || attr(end, probes.AttrHTTPStatus) != "302" || end.Err != "" || hits.count() != 1 {
		t.Errorf("%d requests, end %+v", hits.count(), end)
	}
}

func TestStatusesWithoutBody(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/head":
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", "10")
		}
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	for method, absent := range map[string]bool{"GET /204": true, "HEAD /head": true, "GET /empty": false} {
		_, resp, _ := mustInvoke(t, p, method, "")
		if (resp.Body == nil) != absent || len(resp.Body) > 0 {
			t.Errorf("%s: body %#v", method, resp.Body)
		}
	}
}

func TestGzipIsUndoneAndCounted(t *testing.T) {
	plainText := strings.Repeat("abc ", 1000)
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		zw := gzip.NewWriter(w)
		io.WriteString(zw, plainText)
		if r.URL.Path == "/broken" {
			zw.Flush()
			io.WriteString(w, "garbage that is no deflate block \xff\xff\xff")
			return
		}
		zw.Close()
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	_, resp, _ := mustInvoke(t, p, "GET /a", "")
	wire := attr(resp, probes.AttrWireSize)
	if string(resp.Body) != plainText || len(wire) == 0 || len(wire) > 3 {
		t.Errorf("%d bytes, %s on the wire", len(resp.Body), wire)
	}
	if v, _ := resp.HeaderValue("content-encoding"); string(v) != "gzip" {
		t.Errorf("headers %v", resp.Header)
	}
	recs, err := invoke(t, p, "GET /broken", "")
	wantError(t, err, probes.ErrProtocol, "decoding the body")
	if len(recs) != 2 || string(recs[1].Body) != plainText || !strings.HasPrefix(recs[1].Err, "cut off after 4000") {
		t.Errorf("records %v", recs)
	}
}

func TestLargeBodiesAreCut(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		for range 1024 {
			w.Write(make([]byte, 1024))
		}
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	_, resp, _ := mustInvoke(t, p, "GET /a", "", func(in *probes.Invocation) { in.MaxBody = 1000 })
	if len(resp.Body) != 1000 || resp.Cut != 1<<20-1000 || attr(resp, probes.AttrWireSize) != "1048576" {
		t.Errorf("%d kept, %d cut, %s on the wire", len(resp.Body), resp.Cut, attr(resp, probes.AttrWireSize))
	}
	_, resp, _ = mustInvoke(t, p, "GET /a", "")
	if len(resp.Body) != 1<<20 || resp.Cut != 0 {
		t.Errorf("%d kept, %d cut", len(resp.Body), resp.Cut)
	}
}

func TestBodyCutOffByThePeer(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	recs, err := invoke(t, p, "GET /a", "")
	wantError(t, err, probes.ErrUnreachable, "reading the body")
	if len(recs) != 2 || string(recs[1].Body) != "half" || recs[1].Err != "cut off after 4 bytes" {
		t.Errorf("records %+v", recs)
	}
}

func TestDeadlines(t *testing.T) {
	release := make(chan struct{})
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	tg := target(srv.URL, optOpenAPI, "testdata/shop30.yaml")
	tg.Timeout = 400 * time.Millisecond
	p := openTarget(t, tg)
	_, err := invoke(t, p, "GET /a", "")
	wantError(t, err, probes.ErrTimeout, "within 400ms", "no answer came")
	_, err = invoke(t, p, "GET /a", "", func(in *probes.Invocation) { in.Deadline = 20 * time.Millisecond })
	wantError(t, err, probes.ErrTimeout, "within 20ms")
	recs, err := invoke(t, p, "GET /body", "")
	wantError(t, err, probes.ErrTimeout, "began but did not end")
	if len(recs) != 2 || string(recs[1].Body) != "begun" {
		t.Errorf("records %+v", recs)
	}
	wantError(t, p.Check(patience(t)), probes.ErrTimeout, "within 400ms")
}

func TestCancelEndsACall(t *testing.T) {
	for name, end := range map[string]func(context.CancelFunc, *probe){
		"by the caller": func(stop context.CancelFunc, _ *probe) { stop() },
		"by Close":      func(_ context.CancelFunc, p *probe) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			arrived := make(chan struct{})
			srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
			})
			p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
			ctx, stop := context.WithCancel(patience(t))
			defer stop()
			go func() { <-arrived; end(stop, p) }()
			var last error
			for _, err := range p.Invoke(ctx, probes.Invocation{Method: "GET /a"}) {
				last = err
			}
			if last == nil || name == "by the caller" && !errors.Is(last, context.Canceled) {
				t.Errorf("ended with %v", last)
			}
		})
	}
}

func TestNothingIsSentAfterClose(t *testing.T) {
	p, s := shop(t)
	mustInvoke(t, p, "GET /orders/5", "")
	before := s.count()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := invoke(t, p, "GET /orders/5", "")
	wantError(t, err, probes.ErrUnreachable, "the target was closed")
	wantError(t, p.Check(patience(t)), probes.ErrUnreachable, "the target was closed")
	if s.count() != before {
		t.Errorf("%d requests after Close", s.count()-before)
	}
}

func TestBreakingOutStops(t *testing.T) {
	p, s := shop(t)
	for range p.Invoke(patience(t), probes.Invocation{Method: "GET /orders/5"}) {
		break // after the Request, which is not sent then
	}
	if s.count() != 0 {
		t.Errorf("%d requests", s.count())
	}
}

func TestContractViolations(t *testing.T) {
	for _, c := range []struct{ file, method, status, contentType, body, want string }{
		{"shop30.yaml", "GET /orders/5", "200", "application/json", `{"customer":"a@b.example","lines":[{"sku":"abc","count":1},{"sku":"abc","count":1}],"id":1,"note":null}`, ""},
		{"shop30.yaml", "GET /orders/5", "200", "application/json", `{"customer":7,"lines":[],"id":"x"}`, "/customer: "},
		{"shop30.yaml", "GET /orders/5", "200", "application/json", `{"id":`, "no JSON"},
		{"shop30.yaml", "GET /orders/5", "200", "text/html", `<p>`, `"text/html" is not in the document for status 200`},
		{"shop30.yaml", "GET /orders/5", "500", "text/html", ``, "status: 500 is not in the document"},
		{"shop30.yaml", "GET /orders/5", "404", "application/json", `{"title":"no","cause":{"title":"n","cause":{}}}`, "title"},
		{"shop30.yaml", "DELETE /orders/5", "204", "", ``, ""},
		{"shop31.json", "PUT /v2/nodes/a", "200", "application/json", `{"name":null,"kind":"node","left":{"name":"x","kind":"node"}}`, ""},
		{"shop31.json", "PUT /v2/nodes/a", "200", "application/json", `null`, ""},
		{"shop31.json", "PUT /v2/nodes/a", "200", "application/json", `{"name":"x","kind":"leaf"}`, "/kind"},
		{"shop31.json", "PUT /v2/nodes/a", "422", "application/problem+json", `{"any":"thing"}`, ""},
		{"shop31.json", "PUT /v2/nodes/a", "200", "application/json", `{"name":"x","kind":"node","weight":2}`, "/weight"},
	} {
		t.Run(c.method+" "+c.status+" "+c.body, func(t *testing.T) {
			srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
				var code int
				fmt.Sscan(c.status, &code)
				if c.contentType != "" {
					w.Header().Set("Content-Type", c.contentType)
				}
				w.WriteHeader(code)
				io.WriteString(w, c.body)
			})
			p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/"+c.file))
			_, resp, _ := mustInvoke(t, p, c.method, "", forced)
			got := attr(resp, probes.AttrViolation)
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("violation %q, want %q", got, c.want)
			}
		})
	}
}

func TestNoProxyAndNoCookies(t *testing.T) {
	tr, err := httplink.NewTransport(probes.TLS{}, "")
	if err != nil || tr.Proxy != nil {
		t.Errorf("a proxy function is set, or error %v", err)
	}
	var s seen
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		s.handle(w, r)
	})
	p := openTarget(t, target(srv.URL, optOpenAPI, "testdata/shop30.yaml"))
	mustInvoke(t, p, "GET /a", "")
	mustInvoke(t, p, "GET /a", "")
	if r, _ := s.request(); len(r.Cookies()) > 0 {
		t.Errorf("cookies came back: %v", r.Cookies())
	}
}

func BenchmarkInvoke(b *testing.B) {
	srv := serve(b, "", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"count":1}`)
	})
	p := openTarget(b, target(srv.URL, optOpenAPI, "testdata/loopback-todo.json"))
	for b.Loop() {
		mustInvoke(b, p, "GET /todos/count", "")
	}
}
