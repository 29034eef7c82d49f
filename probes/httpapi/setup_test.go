package httpapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// patience bounds a test's calls: what needs longer hangs.
func patience(t testing.TB) context.Context {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(stop)
	return ctx
}

// target is a writable target at an address.
func target(addr string, options ...string) probes.Target {
	t := probes.Target{Name: "api", Driver: "http", Address: addr, Options: map[string]string{},
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
	for i := 0; i+1 < len(options); i += 2 {
		t.Options[options[i]] = options[i+1]
	}
	return t
}

func openTarget(t testing.TB, tg probes.Target) *probe {
	t.Helper()
	p, err := newProbe(tg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// serve runs a server that answers with a document at /openapi.json and with
// handler elsewhere.
func serve(t testing.TB, doc string, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openapi.json" && doc != "" {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, doc)
			return
		}
		if handler == nil {
			http.NotFound(w, r)
			return
		}
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// invoke makes one call; doc "" sends no body.
func invoke(t testing.TB, p *probe, method, doc string, edit ...func(*probes.Invocation)) ([]probes.Record, error) {
	t.Helper()
	in := probes.Invocation{Method: method}
	if doc != "" {
		in.Next = docs(doc)
	}
	for _, e := range edit {
		e(&in)
	}
	var recs []probes.Record
	for r, err := range p.Invoke(patience(t), in) {
		if err != nil {
			return recs, err
		}
		recs = append(recs, r)
	}
	return recs, nil
}

func mustInvoke(t testing.TB, p *probe, method, doc string, edit ...func(*probes.Invocation)) (req, resp, end probes.Record) {
	t.Helper()
	recs, err := invoke(t, p, method, doc, edit...)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	if len(recs) != 3 || recs[0].Kind != probes.Request || recs[1].Kind != probes.Response || recs[2].Kind != probes.End {
		t.Fatalf("%s: got %d records %v, want a request, a response and an end", method, len(recs), recs)
	}
	return recs[0], recs[1], recs[2]
}

func docs(all ...string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		if len(all) == 0 {
			return nil, io.EOF
		}
		d := all[0]
		all = all[1:]
		return []byte(d), nil
	}
}

func param(pairs ...string) func(*probes.Invocation) {
	return func(in *probes.Invocation) {
		for i := 0; i+1 < len(pairs); i += 2 {
			in.Params = append(in.Params, probes.Attr{Name: pairs[i], Value: pairs[i+1]})
		}
	}
}

func header(pairs ...string) func(*probes.Invocation) {
	return func(in *probes.Invocation) {
		for i := 0; i+1 < len(pairs); i += 2 {
			in.Header = append(in.Header, probes.Field{Name: pairs[i], Value: []byte(pairs[i+1])})
		}
	}
}

func attr(r probes.Record, name string) string {
	v, _ := r.Attr(name)
	return v
}

// wantError checks kind, target and that each text is in the error or its hint.
func wantError(t testing.TB, err, kind error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := probes.KindOf(err); got != kind {
		t.Errorf("kind %v, want %v: %v", got, kind, err)
	}
	all := err.Error() + " // " + probes.HintOf(err)
	for _, s := range append(texts, "api") {
		if !strings.Contains(all, s) {
			t.Errorf("%q is not in %s", s, all)
		}
	}
}

// forced sends what breaks the contract.
func forced(in *probes.Invocation) { in.Force = true }

// sortedDiff compares texts whose order does not matter.
func sortedDiff(t testing.TB, want, got []string) {
	t.Helper()
	want, got = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
