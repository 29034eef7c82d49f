package consul_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"iscope/probes/consul/consultest"
	"iscope/probes/probetest"
)

// TestDocumentedAPIOnly hides the undocumented call that lists all instances at
// once: everything must work without it, a few requests at a time.
func TestDocumentedAPIOnly(t *testing.T) {
	addr := probetest.Need(t, "consul").Addresses["http"]
	var now, most atomic.Int32
	srv := front(t, addr, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/internal/"):
			http.NotFound(w, r)
			return
		case strings.HasPrefix(r.URL.Path, "/v1/health/service/") && r.URL.Query().Get("index") == "":
			n := now.Add(1)
			defer now.Add(-1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
		}
		next.ServeHTTP(w, r)
	})
	host := strings.TrimPrefix(srv.URL, "http://")
	consultest.Run(t, host, consultest.Agent(addr))
	if n := most.Load(); n == 0 || n > 4 {
		t.Errorf("%d requests for instances at once, want 1 to 4", n)
	}
}

// TestFewPolls counts what a watch keeps open.
func TestFewPolls(t *testing.T) {
	addr := probetest.Need(t, "consul").Addresses["http"]
	var mu sync.Mutex
	polls := map[string]bool{}
	srv := front(t, addr, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Query().Get("index") != "" {
			mu.Lock()
			polls[r.URL.Path] = true
			mu.Unlock()
		}
		if r.Method != http.MethodGet {
			t.Errorf("%s %s: a probe only reads", r.Method, r.URL.Path)
		}
		next.ServeHTTP(w, r)
	})
	consultest.Watched(t, strings.TrimPrefix(srv.URL, "http://"), consultest.Agent(addr))
	mu.Lock()
	defer mu.Unlock()
	for path := range polls {
		switch path {
		case "/v1/catalog/services", "/v1/health/state/any", "/v1/config/service-intentions":
		default:
			t.Errorf("a long poll of %s", path)
		}
	}
}

// front is a reverse proxy before an agent.
func front(t *testing.T, addr string, handle func(http.ResponseWriter, *http.Request, http.Handler)) *httptest.Server {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: addr}) },
		ErrorLog: log.New(io.Discard, "", 0), // a watch that ends cancels its polls
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handle(w, r, proxy) }))
	t.Cleanup(srv.Close)
	return srv
}
