package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"iscope/config"
	"iscope/inspectors"
	"iscope/inspectors/registry"
	"iscope/inspectors/schema"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/tui/session"
)

// schemas opens a session whose target has a registry at that address.
func schemas(t *testing.T, url string) *session.Session {
	f := probetest.NewFake("shop")
	return open(t, f, func(o *session.Options) {
		d := f.Driver()
		text := fmt.Sprintf("environments:\n  dev: {class: dev, targets: {shop: {url: \"fake://shop:1\", schemas: {registry: %q}}, bare: {url: \"fake://bare:1\"}}}\n", url)
		o.Config = parse(t, text, d)
		o.Drivers = []probes.Driver{d}
		o.Schemas = func(from probes.Schemas, report func(error)) (inspectors.Setup, error) {
			return inspectors.Setup{Registry: registry.Options{URL: from.Registry, Report: report}}, nil
		}
	})
}

func parse(t *testing.T, text string, d probes.Driver) *config.Config {
	t.Helper()
	cfg, err := config.Load(write(t, text), []probes.Driver{d})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const order = `{"schema":"{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"n\",\"type\":\"long\"}]}"}`

// A registry that takes its time keeps nobody waiting, and what it gives is
// announced.
func TestScreensNeverWaitForSchemas(t *testing.T) {
	answer := make(chan struct{})
	var asked atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		select {
		case <-answer:
			fmt.Fprint(w, order)
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	s := schemas(t, srv.URL)
	r := s.Reading("shop")
	until(t, s, "the schemas are opened", func() bool { return r.State().Where != "" && r.Version() > 1 })
	find := func() (schema.Found, error) {
		return r.Env().Schemas.Find(t.Context(), schema.Query{ID: 7})
	}
	for range 3 { // if it waited, it would wait for ever
		if _, err := find(); !errors.Is(err, schema.ErrPending) {
			t.Fatalf("%v while the registry thinks", err)
		}
	}
	before := r.Version()
	close(answer)
	until(t, s, "the schema is announced", func() bool { return r.Version() > before })
	if found, err := find(); err != nil || found.Name != "Order" || found.Text == "" {
		t.Fatalf("%+v, %v", found, err)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d requests for one schema", n)
	}
}

func TestARegistryThatIsDownIsSaidOnceAndComesBack(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, order)
	}))
	defer srv.Close()
	s := schemas(t, srv.URL)
	r := s.Reading("shop")
	ask := func() error {
		env := r.Env()
		if env.Schemas == nil {
			return schema.ErrPending
		}
		_, err := env.Schemas.Find(t.Context(), schema.Query{ID: 7})
		return err
	}
	ask()
	until(t, s, "it is said", func() bool { ask(); return r.State().Error != "" })
	if st := s.States()[0].Schemas; !strings.Contains(st.Error, "502") || st.Where != "registry "+srv.URL {
		t.Errorf("state %+v", st)
	}
	said := 0
	for _, e := range s.Log().Entries() {
		if strings.Contains(e.Text, "502") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
	down.Store(false)
	// Nobody asks meanwhile: it is asked in the background.
	until(t, s, "it answers again", func() bool { return r.State().Error == "" && ask() == nil })
}

func TestATargetWithoutSchemasDecodesWithoutThem(t *testing.T) {
	s := schemas(t, "http://127.0.0.1:1")
	r := s.Reading("bare")
	if _, err := r.Waiting().Schemas.Find(t.Context(), schema.Query{ID: 7}); !errors.Is(err, schema.ErrNone) {
		t.Error(err)
	}
	if r.Env().Schemas != nil || r.State() != (session.Schemed{}) {
		t.Errorf("%+v, %+v", r.Env(), r.State())
	}
	if s.Reading("unknown").Env().Schemas != nil {
		t.Error("a target that is not known has schemas")
	}
}
