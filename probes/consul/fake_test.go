package consul_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/consul"
)

// fakeAgent answers with what a test puts there, with blocking queries. A path
// without a document is 404.
type fakeAgent struct {
	*httptest.Server
	mu      sync.Mutex
	docs    map[string]doc
	index   uint64
	changed chan struct{} // closed and replaced on every put
}

type doc struct {
	body   string
	index  uint64
	status int
	header http.Header
}

func newFakeAgent(t *testing.T) *fakeAgent {
	t.Helper()
	f := &fakeAgent{docs: map[string]doc{}, index: 10, changed: make(chan struct{})}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	f.put("/v1/catalog/datacenters", `["dc1"]`)
	f.put("/v1/status/leader", `"127.0.0.1:8300"`)
	f.put("/v1/catalog/services", `{}`)
	f.put("/v1/health/state/any", `[]`)
	f.put("/v1/config/service-intentions", `[]`)
	f.put("/v1/internal/ui/nodes", `[]`)
	return f
}

// recorded answers like the real agent did (see testdata).
func recorded(t *testing.T) *fakeAgent {
	t.Helper()
	f := newFakeAgent(t)
	for path, file := range map[string]string{"/v1/catalog/services": "services", "/v1/health/state/any": "checks",
		"/v1/config/service-intentions": "intentions", "/v1/internal/ui/nodes": "nodes"} {
		b, err := os.ReadFile(filepath.Join("testdata", file+".json"))
		if err != nil {
			t.Fatal(err)
		}
		f.put(path, string(b))
	}
	return f
}

func (f *fakeAgent) put(path, body string) { f.set(path, doc{body: body, status: http.StatusOK}) }

func (f *fakeAgent) set(path string, d doc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index++
	d.index = f.index
	f.docs[path] = d
	close(f.changed)
	f.changed = make(chan struct{})
}

// restart makes the index start over, as a restored snapshot does.
func (f *fakeAgent) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.index = 0
}

// at returns a document and a channel that closes at the next change.
func (f *fakeAgent) at(path string) (doc, bool, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, ok := f.docs[path]
	return d, ok, f.changed
}

func (f *fakeAgent) serve(w http.ResponseWriter, r *http.Request) {
	d, ok, changed := f.at(r.URL.Path)
	if index, err := strconv.ParseUint(r.URL.Query().Get("index"), 10, 64); err == nil {
		wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
		if err != nil {
			http.Error(w, "no wait", http.StatusBadRequest)
			return
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		for over := false; ok && d.index == index && !over; d, ok, changed = f.at(r.URL.Path) {
			select {
			case <-changed:
			case <-timer.C:
				over = true
			case <-r.Context().Done():
				return
			}
		}
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Consul-Index", strconv.FormatUint(d.index, 10))
	for k, v := range d.header {
		w.Header()[k] = v
	}
	w.WriteHeader(d.status)
	if _, err := w.Write([]byte(d.body)); err != nil {
		return // the client went away
	}
}

func (f *fakeAgent) target() probes.Target {
	return probes.Target{Name: "registry", Driver: "consul", Address: strings.TrimPrefix(f.URL, "http://")}
}

func open(t *testing.T, target probes.Target) *probes.Conn {
	t.Helper()
	conn, err := probes.Open(t.Context(), []probes.Driver{consul.Driver()}, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func discoverer(t *testing.T, target probes.Target) probes.Discoverer {
	t.Helper()
	d, err := open(t, target).Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// once asks once.
func once(t *testing.T, d probes.Discoverer, q probes.DiscoverQuery) (probes.Snapshot, error) {
	t.Helper()
	for snap, err := range d.Discover(t.Context(), q) {
		return snap, err
	}
	t.Fatal("neither snapshot nor error")
	return probes.Snapshot{}, nil
}
