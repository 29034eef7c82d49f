package invoke

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/x/ansi"

	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/replay/request"
	"iscope/tui/kit"
)

func TestCurlCommandsArePasted(t *testing.T) {
	p := &peer{Fake: probetest.NewFake(target)}
	p.Snapshots = []probes.Snapshot{{Complete: true}}
	d := p.Driver()
	d.Schemes = append(d.Schemes, probes.Scheme{Name: "http"})
	d.Open = func(context.Context, probes.Target) (probes.Probe, error) { return p, nil }
	path := filepath.Join(t.TempDir(), "iscope.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, yaml, "local", true), 0o600); err != nil {
		t.Fatal(err)
	}
	sc := open(t, d, path)
	press(t, sc, "O")
	run(t, sc, sc.Update(tea.PasteMsg{Content: "curl 'http://shop:1/orders/7?view=FULL' \\\n  -H 'Authorization: Bearer abc'"}))
	if sc.question != nil {
		t.Error("the line is still open")
	}
	for sc.later != nil {
		select {
		case <-sc.s.Changed():
			run(t, sc, sc.Update(kit.Changed{}))
		case <-t.Context().Done():
			t.Fatal("the target never answered")
		}
	}
	if d := sc.draft(); d == nil || d.ref != (probes.Ref{Target: "http://shop:1", Subject: "GET /orders/7?view=FULL"}) || d.headers[0].Value() != "Authorization: Bearer abc" || len(p.Calls()) != 0 {
		t.Fatalf("%+v", sc.draft())
	}
	press(t, sc, "O")
	sc.question.answer.Set("curl -d")
	if f, ok := run(t, sc, sc.Update(key("enter")))[0].(kit.Fail); !ok {
		t.Errorf("%+v", f)
	}
}

func TestTheQueryOfADescribedMethodIsParameters(t *testing.T) {
	sc, _ := build(t, "local", true)
	sc.targets[target].methods = append(sc.targets[target].methods, probes.Method{Name: "GET /items", Params: []probes.Param{{Name: "page size", In: "query"}}})
	for subject, want := range map[string]string{
		"GET /items?page%20size=7": "GET /items",
		"GET /items?other=7":       "GET /items?other=7",
		"GET /items?page+size=%zz": "GET /items?page+size=%zz",
		"GET /else?page+size=1":    "GET /else?page+size=1",
	} {
		o := occasion{ref: probes.Ref{Target: target, Subject: subject}, entry: &request.Entry{}}
		sc.described(&o)
		if o.ref.Subject != want || (len(o.entry.Params) == 1) != (want == "GET /items") {
			t.Errorf("%s: %+v %+v", subject, o.ref, o.entry.Params)
		}
	}
}

func TestAddressesAreRecognized(t *testing.T) {
	u, err := url.Parse("https://api.example.com:8443/v1/orders")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{"api.example.com:8443": true, "https://api.example.com:8443/v1": true,
		"http://api.example.com:8443": false, "api.example.com": false, "": false} {
		if sameHost(address, u) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}

func TestAWrongNameStaysOpenWithTheNearest(t *testing.T) {
	sc, _ := build(t, "local", true)
	press(t, sc, "i")
	typing(sc, "fake.Svc/Fency")
	run(t, sc, sc.Update(key("enter")))
	if sc.question == nil || sc.question.answer.Value() != "fake.Svc/Fency" {
		t.Fatal("what was typed is gone")
	}
	for _, size := range sizes {
		if frame := ansi.Strip(sc.View(size[0], size[1])); !strings.Contains(frame, "fake.Svc/Fancy") || !strings.Contains(frame, "did you mean") {
			t.Errorf("%v\n%s", size, frame)
		}
	}
}
