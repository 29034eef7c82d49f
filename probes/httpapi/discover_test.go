package httpapi

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/probetest"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

func read(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func snapshot(t testing.TB, p *probe, q probes.DiscoverQuery) probes.Snapshot {
	t.Helper()
	var all []probes.Snapshot
	for s, err := range p.Discover(patience(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if len(all) != 1 || len(all[0].Claims) != 1 || all[0].Claims[0].Node == nil {
		t.Fatalf("snapshots %+v", all)
	}
	return all[0]
}

func TestSuiteInProcess(t *testing.T) {
	srv := serve(t, read(t, "loopback-todo.json"), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"count":1}`)
	})
	probetest.Run(t, probetest.Suite{
		Driver: Driver(), Target: target(srv.URL),
		Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeService}, Subject: "api", Unknown: "GET /nope"},
		Invoke:   &probetest.InvokeCase{Method: "GET /todos/count", Unknown: "GET /todo/{ident}", Body: "POST /todos"},
	})
}

func TestMethodsAreFoundByTheirOperationID(t *testing.T) {
	p := openTarget(t, target(serve(t, read(t, "loopback-todo.json"), nil).URL))
	m, err := p.Method(patience(t), "TodoController.replaceById")
	if err != nil || m.Name != "PUT /todos/{id}" || m.Effect != probes.EffectWrite {
		t.Errorf("%+v, %v", m, err)
	}
	for name, hint := range map[string]string{
		"TodoController.replaceByI": "did you mean TodoController.replaceById",
		"anything":                  "there are: DELETE /todos/{id}",
		"todos/1":                   "GET /todos/{id}",
	} {
		if m, err := p.Method(patience(t), name); !errors.Is(err, probes.ErrNotFound) || m.Name != "" || !strings.Contains(probes.HintOf(err), hint) {
			t.Errorf("%s: %+v, %v, hint %q", name, m, err, probes.HintOf(err))
		}
	}
}

// Two operations with one operationId break the rules; neither is called by it.
func TestAnOperationIDOfSeveral(t *testing.T) {
	p := openTarget(t, target(serve(t, `{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{"/a":{"get":{"operationId":"x","responses":{}},
		"delete":{"operationId":"x","responses":{}}}}}`, nil).URL))
	m, err := p.Method(patience(t), "x")
	if m.Name != "" {
		t.Errorf("%+v", m)
	}
	wantError(t, err, probes.ErrUsage, "operationId of several", "DELETE /a, GET /a")
}

func TestDiscoverDescribesTheService(t *testing.T) {
	srv := serve(t, read(t, "shop31.json"), nil)
	tg := target(srv.URL)
	tg.Aliases = []string{"orders"}
	snap := snapshot(t, openTarget(t, tg), probes.DiscoverQuery{})
	claim := snap.Claims[0]
	addr := strings.TrimPrefix(srv.URL, "http://")
	want := &probes.Node{ID: "service:api/api", Kind: probes.NodeService, Name: "api", Addr: addr, Health: probes.HealthOK,
		Aliases: []string{"addr:" + addr, "orders"},
		Attrs: []probes.Attr{{Name: probes.AttrServiceName, Value: "Shop 3.1"}, {Name: probes.AttrServiceVer, Value: "2"},
			{Name: attrOperations, Value: "1"}, {Name: attrVersion, Value: "3.1.0"}, {Name: attrDocument, Value: srv.URL + "/openapi.json"},
			{Name: attrServer, Value: "/v2"}, {Name: probes.AttrProtocol, Value: "http"}, {Name: probes.AttrURL, Value: srv.URL},
			{Name: probes.AttrServerAddress, Value: "127.0.0.1"}, {Name: probes.AttrServerPort, Value: addr[strings.LastIndex(addr, ":")+1:]}}}
	if diff := cmp.Diff(want, claim.Node); diff != "" {
		t.Error(diff)
	}
	if !snap.Complete || claim.Call != "GET /openapi.json" || claim.Class != probes.Declared || claim.By != "api" {
		t.Errorf("complete %v, claim %+v", snap.Complete, claim)
	}
	for subject, ok := range map[string]bool{"api": true, addr: true, "Shop 3.1": true, "PUT /v2/nodes/{key}": true, "PUT /v2/nodes/x": true,
		"GET /v2": true, "GET /v3": false, "orders-x": false} {
		for _, err := range openTarget(t, target(srv.URL)).Discover(patience(t), probes.DiscoverQuery{Subject: subject}) {
			if ok && err != nil {
				t.Errorf("%s: %v", subject, err)
			}
			if !ok {
				wantError(t, err, probes.ErrNotFound, subject)
			}
		}
	}
}

func TestWithoutADocument(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Path)
		mu.Unlock()
		switch r.URL.Path {
		case "/openapi.json":
			io.WriteString(w, "<html>a page for everything</html>")
		case "/swagger.json":
			w.WriteHeader(http.StatusUnauthorized)
		case "/openapi.yaml":
			http.Redirect(w, r, "http://127.0.0.1:1/evil", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	})
	p := openTarget(t, target(srv.URL))
	snap := snapshot(t, p, probes.DiscoverQuery{})
	if snap.Complete || len(snap.Missing) != 1 {
		t.Fatalf("snapshot %+v", snap)
	}
	for _, want := range []string{"GET /openapi.json: it is HTML", "GET /swagger.json: 401 Unauthorized", "GET /openapi.yaml: it redirects to http://127.0.0.1:1/evil", "GET /v3/api-docs: 404"} {
		if !strings.Contains(snap.Missing[0], want) {
			t.Errorf("%q is not in %q", want, snap.Missing[0])
		}
	}
	_, err := p.Methods(patience(t))
	wantError(t, err, probes.ErrNotFound, "no OpenAPI document", "set the option openapi")
	mu.Lock()
	n := len(asked)
	mu.Unlock()
	if n != len(wellKnown)+1 { // and Check
		t.Errorf("asked %q", asked)
	}
	// Any path can be called, templates with their parameters too.
	_, _, end := mustInvoke(t, p, "GET /by/{what}", "", param("what", "hand", "q", "1"))
	if attr(end, probes.AttrURL) != srv.URL+"/by/hand?q=1" {
		t.Errorf("called %s", attr(end, probes.AttrURL))
	}
	_, err = invoke(t, p, "GET /by/{what}", "")
	wantError(t, err, probes.ErrUsage, `"what"`)
}

func TestPlacesOfTheDocument(t *testing.T) {
	doc := read(t, "shop20.json")
	for _, c := range []struct{ path, base, option, want string }{
		{"/v3/api-docs", "", "", "GET /v3/api-docs"},
		{"/api/openapi.json", "/api", "", "GET /api/openapi.json"},
		{"/openapi.json", "/api", "", "GET /openapi.json"},
		{"/odd/place", "", "/odd/place", "GET /odd/place"},
		{"/api/odd/place", "/api", "/odd/place", "GET /api/odd/place"},
		{"/zipped", "", "/zipped", "GET /zipped"},
		{"/new", "", "/moved", "GET /moved"},
	} {
		t.Run(c.path, func(t *testing.T) {
			srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/moved":
					http.Redirect(w, r, "/new", http.StatusMovedPermanently)
				case r.URL.Path != c.path:
					http.NotFound(w, r)
				case r.URL.Path == "/zipped":
					w.Header().Set("Content-Encoding", "gzip")
					zw := gzip.NewWriter(w)
					io.WriteString(zw, doc)
					zw.Close()
				default:
					io.WriteString(w, doc)
				}
			})
			tg := target(srv.URL + c.base)
			if c.option != "" {
				tg.Options[optOpenAPI] = c.option
			}
			if got := snapshot(t, openTarget(t, tg), probes.DiscoverQuery{}).Claims[0].Call; got != c.want {
				t.Errorf("found by %s, want %s", got, c.want)
			}
		})
	}
}

func TestDocumentElsewhere(t *testing.T) {
	var got http.Header
	other := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		io.WriteString(w, read(t, "shop20.json"))
	})
	api := serve(t, "", nil)
	tg := target(api.URL, optOpenAPI, other.URL+"/contract")
	tg.Auth.Token = probes.NewSecret("hunter2")
	methods, err := openTarget(t, tg).Methods(patience(t))
	if err != nil || len(methods) != 2 {
		t.Fatalf("%d methods, error %v", len(methods), err)
	}
	if got.Get("Authorization") != "" {
		t.Errorf("another host got credentials: %v", got)
	}
	for place, want := range map[string]string{"./nowhere.yaml": "nowhere.yaml", "file:testdata": "no regular file", "./discover_test.go": "", "http://": "no URL"} {
		_, err := openTarget(t, target(api.URL, optOpenAPI, place)).Methods(patience(t))
		wantError(t, err, probes.ErrUsage, want)
	}
	_, err = openTarget(t, target(api.URL, optOpenAPI, "/nowhere")).Methods(patience(t))
	wantError(t, err, probes.ErrNotFound, "GET /nowhere: 404 Not Found")
	file := openTarget(t, target(api.URL, optOpenAPI, "file:testdata/shop20.json"))
	if snap := snapshot(t, openTarget(t, target("127.0.0.1:1", optOpenAPI, "file:testdata/shop20.json")), probes.DiscoverQuery{}); !snap.Complete ||
		snap.Claims[0].Node.Health != probes.HealthFail || !strings.Contains(snap.Claims[0].Node.Reason, "nothing listens") {
		t.Errorf("of a server that is down: %+v", snap.Claims[0].Node)
	}
	if snap := snapshot(t, file, probes.DiscoverQuery{}); !snap.Complete || snap.Claims[0].Call != "read testdata/shop20.json" {
		t.Errorf("snapshot %+v", snap)
	}
}

func TestSlowDocumentEndsTheSearch(t *testing.T) {
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p := openTarget(t, target(srv.URL))
	ctx, stop := context.WithTimeout(patience(t), 30*time.Millisecond)
	defer stop()
	_, err := p.Methods(ctx)
	wantError(t, err, probes.ErrTimeout)
}

func TestDocumentIsCachedAndReadAgain(t *testing.T) {
	var mu sync.Mutex
	doc, etag, asked, spared := head+`"paths":{"/a":{"get":{"responses":{}}}}}`, `"1"`, 0, 0
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path != "/openapi.json" {
			return
		}
		asked++
		if r.Header.Get("If-None-Match") == etag {
			spared++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Etag", etag)
		io.WriteString(w, doc)
	})
	p := openTarget(t, target(srv.URL))
	p.poll = time.Millisecond
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := p.Methods(patience(t)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	mu.Lock()
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	mu.Unlock()
	ctx, stop := context.WithCancel(patience(t))
	defer stop()
	var seen []string
	for snap, err := range p.Discover(ctx, probes.DiscoverQuery{Watch: true}) {
		if err != nil {
			t.Fatal(err)
		}
		n, _ := probes.FindAttr(snap.Claims[0].Node.Attrs, attrOperations)
		seen = append(seen, n+" "+snap.Claims[0].AsOf)
		if len(seen) == 2 {
			stop()
			continue
		}
		mu.Lock()
		doc, etag = head+`"paths":{"/a":{"get":{"responses":{}},"post":{"responses":{}}}}}`, `"2"`
		mu.Unlock()
	}
	if diff := cmp.Diff([]string{`1 etag "1"`, `2 etag "2"`}, seen); diff != "" {
		t.Error(diff)
	}
	if spared == 0 {
		t.Error("the document was never asked for conditionally")
	}
}

func TestSchemas(t *testing.T) {
	p := openTarget(t, target("127.0.0.1:1", optOpenAPI, "testdata/shop30.yaml"))
	s, err := p.Schema(patience(t), "#/components/schemas/Order")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.Text, "\n  \"allOf\": [") || s.Type != "openapi" || strings.Contains(s.Text, "Line") {
		t.Errorf("%s schema %s", s.Type, s.Text)
	}
	for _, want := range []string{`"components":{"schemas":{`, `"NewOrder":`, `"Line":`} {
		if !strings.Contains(string(s.Data), want) {
			t.Errorf("%s is not in %s", want, s.Data)
		}
	}
	if strings.Contains(string(s.Data), "Problem") {
		t.Errorf("more than needed: %s", s.Data)
	}
	for _, ref := range []string{"#/paths/~1orders/get/responses/200/content/application~1json/schema", "GET /orders/{id}"} {
		if s, err := p.Schema(patience(t), ref); err != nil || !strings.Contains(s.Text, "#/components/schemas/Order") {
			t.Errorf("%s: %s, error %v", ref, s.Text, err)
		}
	}
	for _, ref := range []string{"#/components/schemas/Ordr", "", "#", "nope"} {
		_, err := p.Schema(patience(t), ref)
		wantError(t, err, probes.ErrNotFound)
	}
	_, err = p.Schema(patience(t), "#/components/schemas/Ordr")
	wantError(t, err, probes.ErrNotFound, "did you mean #/components/schemas/Order")
	d := load(t, head+`"paths":{"/a":{"$ref":"#/components/pathItems/A"},"/b":{"get":{}}},"components":{"pathItems":{"A":{"get":{"responses":
		{"200":{"$ref":"#/components/responses/R"}}}}},"responses":{"R":{"description":"r","content":{"application/json":{"schema":{"type":"array"}}}}}}}`)
	if m := listed(t, d, "GET /a"); m.Output != "#/components/responses/R/content/application~1json/schema" {
		t.Errorf("output %s", m.Output)
	}
	if n, ok := follow(d.tree, "/paths/~1a/get/responses/200/content/application~1json/schema/type"); !ok || n != "array" {
		t.Errorf("followed to %v", n)
	}
	listed(t, d, "GET /b") // without responses
	p = openTarget(t, target("127.0.0.1:1", optOpenAPI, "testdata/shop31.json"))
	if s, err := p.Schema(patience(t), "#/components/schemas/Node"); err != nil || s.Type != "jsonschema" {
		t.Errorf("%+v, error %v", s, err)
	}
}

func TestCredentials(t *testing.T) {
	var mu sync.Mutex
	var got http.Header
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		got = r.Header.Clone()
		switch r.URL.Path {
		case "/401/":
			w.WriteHeader(http.StatusUnauthorized)
		case "/403/":
			w.WriteHeader(http.StatusForbidden)
		}
	})
	secret := probes.NewSecret("hunter2")
	for name, c := range map[string]struct {
		auth        probes.Auth
		header, val string
	}{
		"basic":     {probes.Auth{Username: "ann", Password: secret}, "Authorization", "Basic YW5uOmh1bnRlcjI="},
		"bearer":    {probes.Auth{Token: secret}, "Authorization", "Bearer hunter2"},
		"mechanism": {probes.Auth{Mechanism: "basic", Username: "ann", Password: secret, Token: secret}, "Authorization", "Basic YW5uOmh1bnRlcjI="},
		"header":    {probes.Auth{Token: secret, Header: "x-api-key"}, "X-Api-Key", "hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			tg := noDoc(srv.URL)
			tg.Auth = c.auth
			p := openTarget(t, tg)
			recs, err := invoke(t, p, "GET /x", "")
			if err != nil {
				t.Fatal(err)
			}
			if got.Get(c.header) != c.val {
				t.Errorf("the server got %v", got)
			}
			if all := fmt.Sprintf("%+v %s", recs, recs[0].Header); strings.Contains(all, "hunter2") || strings.Contains(all, "YW5uOmh1bnRlcjI") {
				t.Errorf("a secret in %s", all)
			}
			if attr(recs[0], probes.AttrRedacted) != strings.ToLower(c.header) {
				t.Errorf("redacted %q", attr(recs[0], probes.AttrRedacted))
			}
			invoke(t, p, "GET /x", "", header(c.header, "mine"))
			if got.Get(c.header) != "mine" {
				t.Errorf("the caller's own %s became %q", c.header, got.Get(c.header))
			}
		})
	}
	for path, kind := range map[string]error{"/401": probes.ErrAuth, "/403": probes.ErrDenied, "/404": nil} {
		tg := noDoc(srv.URL + path)
		if err := openTarget(t, tg).Check(patience(t)); err != nil {
			t.Errorf("without credentials %s gives %v", path, err)
		}
		tg.Auth.Token = secret
		if err := openTarget(t, tg).Check(patience(t)); probes.KindOf(err) != kind {
			t.Errorf("with credentials %s gives %v", path, err)
		}
	}
}

func TestURLsGivenOnTheSpot(t *testing.T) {
	drivers := []probes.Driver{Driver()}
	for _, c := range []struct{ url, subject, address, openapi string }{
		{"http://127.0.0.1:8080", "", "127.0.0.1:8080", ""},
		{"https://shop.example/", "", "shop.example", ""},
		{"http://h:1/orders/5", "GET /orders/5", "h:1", ""},
		{"http://h:1/orders/5?x=1&y=a%20b", "GET /orders/5?x=1&y=a%20b", "h:1", ""},
		{"http://h:1/orders/a%2Fb", "GET /orders/a%2Fb", "h:1", ""},
		{"http://h:1?x=1", "GET /?x=1", "h:1", ""},
		{"http://h:1/orders/{id}", "GET /orders/{id}", "h:1", ""},
		{"http://h:1/POST /orders", "POST /orders", "h:1", ""},
		{"http://h:1/delete /orders/{id}", "DELETE /orders/{id}", "h:1", ""},
		{"http://h:1/api/openapi.json", "GET /api/openapi.json", "h:1", "/api/openapi.json"},
		{"http://h:1/v3/api-docs", "GET /v3/api-docs", "h:1", "/v3/api-docs"},
	} {
		tg, subject, err := probes.ParseURL(drivers, c.url)
		if err != nil || subject != c.subject || tg.Address != c.address || tg.Options[optOpenAPI] != c.openapi {
			t.Errorf("%s: subject %q, target %+v, error %v", c.url, subject, tg, err)
		}
		if _, err := newProbe(tg); err != nil {
			t.Errorf("%s: %v", c.url, err)
		}
	}
	tg, _, err := probes.ParseURL(drivers, "https://ann:pw@h:1/x")
	if err != nil || !tg.TLS.Enabled || tg.Auth.Username != "ann" {
		t.Errorf("target %+v, error %v", tg, err)
	}
}

func TestBasePath(t *testing.T) {
	var path string
	srv := serve(t, "", func(w http.ResponseWriter, r *http.Request) { path = r.RequestURI })
	for _, base := range []string{"/api", "/api/", "/a%2Fb"} {
		tg := noDoc(srv.URL + base)
		mustInvoke(t, openTarget(t, tg), "GET /orders/{id}", "", param("id", "x y"), forced)
		if want := strings.TrimRight(base, "/") + "/orders/x%20y"; path != want {
			t.Errorf("base %s: called %s, want %s", base, path, want)
		}
	}
}
