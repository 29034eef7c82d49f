package endpoints

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"iscope/config"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/tui/kit"
	"iscope/tui/session"
)

var update = flag.Bool("update", false, "write the golden frames")

// peer is the fake with methods of every kind, and their contracts.
type peer struct {
	*probetest.Fake
	methods []probes.Method
}

func (p *peer) Methods(context.Context) ([]probes.Method, error) { return p.methods, nil }

func (p *peer) Schema(_ context.Context, ref string) (probes.Schema, error) {
	if ref == "shop.Gone" {
		return probes.Schema{}, &probes.Error{Target: "shop", Op: "reading shop.Gone", Kind: probes.ErrNotFound}
	}
	return probes.Schema{Ref: ref, Text: "message " + ref + " {\n\tstring id = 1; // the key\x1b[2J\n}\n"}, nil
}

func methods() []probes.Method {
	return []probes.Method{
		{Name: "shop.Orders/CancelOrder", Group: "shop.Orders", Doc: "Cancels an order", Effect: probes.EffectWrite, Input: "shop.Order", Output: "shop.Gone"},
		{Name: "shop.Orders/GetOrder", Group: "shop.Orders", Doc: "One order by its key", Effect: probes.EffectRead, Input: "shop.Key", Output: "shop.Order"},
		{Name: "shop.Orders/Old", Group: "shop.Orders", Deprecated: true, Effect: probes.EffectRead},
		{Name: "shop.Orders/Watch", Group: "shop.Orders", ServerStream: true, Input: "shop.Key", Output: "shop.Key"},
	}
}

const yaml = `default: test
environments:
  test:
    class: local
    targets:
      shop:
        url: fake://shop:1
`

func build(t testing.TB, ms []probes.Method) *screen {
	t.Helper()
	p := &peer{Fake: probetest.NewFake("shop"), methods: ms}
	p.Snapshots = []probes.Snapshot{{Complete: true}}
	d := p.Driver()
	d.Open = func(context.Context, probes.Target) (probes.Probe, error) { return p, nil }
	path := filepath.Join(t.TempDir(), "iscope.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Location{Path: path}, []probes.Driver{d})
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC) }
	s, err := session.New(session.Options{Config: cfg, Drivers: []probes.Driver{d}, Now: now}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	sc := New(s, kit.Options{Now: now}).(*screen)
	s.Watch()
	for len(s.States()[0].Can) == 0 || s.States()[0].Phase < session.Well {
		select {
		case <-s.Changed():
		case <-t.Context().Done():
			t.Fatal(s.States())
		}
	}
	run(t, sc, sc.Shown(true))
	return sc
}

// run runs a command to its end and feeds the screen its own messages.
func run(t testing.TB, sc *screen, cmd tea.Cmd) (out []tea.Msg) {
	t.Helper()
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		for _, c := range msg {
			out = append(out, run(t, sc, c)...)
		}
	case loaded, described:
		out = append(out, run(t, sc, sc.Update(msg))...)
	default:
		out = append(out, msg)
	}
	return out
}

func find(t testing.TB, sc *screen, typed string) {
	t.Helper()
	run(t, sc, sc.Update(kit.Find))
	for _, r := range typed {
		run(t, sc, sc.Update(tea.KeyPressMsg{Code: r, Text: string(r)}))
	}
	run(t, sc, sc.Update(tea.KeyPressMsg{Code: tea.KeyEnter}))
	run(t, sc, sc.Update(kit.Bottom))
}

func TestFrames(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		sc := build(t, methods())
		find(t, sc, "orders")
		run(t, sc, sc.Update(kit.Up)) // Old
		run(t, sc, sc.Update(kit.Up))
		golden(t, "tree", sc, size[0], size[1])
		run(t, sc, sc.Update(kit.Enter))
		golden(t, "method", sc, size[0], size[1])
	}
}

func golden(t *testing.T, name string, sc *screen, w, h int) {
	t.Helper()
	got := ansi.Strip(sc.View(w, h)) + "\n"
	rows := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(rows) != h {
		t.Fatalf("%d rows of %d", len(rows), h)
	}
	for i, r := range rows {
		if safe.Width(r) != w {
			t.Fatalf("row %d has %d cells of %d", i, safe.Width(r), w)
		}
	}
	path := filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.txt", name, w, h))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s:\n%s", path, d)
	}
}

func TestTheContractIsBesideTheMethod(t *testing.T) {
	sc := build(t, methods())
	find(t, sc, "getorder")
	frame := ansi.Strip(sc.View(200, 60))
	for _, part := range []string{"reads only", "One order by its key", "takes shop.Key", "gives shop.Order", "message shop.Key {", `// the key\e[2J`} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
	find(t, sc, "")
	sc.filter.Lift()
	sc.lay()
	find(t, sc, "cancel")
	if frame := ansi.Strip(sc.View(200, 60)); !strings.Contains(frame, "changes something") || !strings.Contains(frame, "shop: reading shop.Gone: not found") {
		t.Error(frame)
	}
}

func TestTheContractScrolls(t *testing.T) {
	sc := build(t, methods())
	find(t, sc, "getorder")
	first := sc.View(120, 8)
	run(t, sc, sc.Update(kit.NextPane))
	run(t, sc, sc.Update(kit.Bottom))
	if sc.View(120, 8) == first || !strings.Contains(ansi.Strip(sc.View(120, 8)), "}") {
		t.Error(sc.View(120, 8))
	}
	if run(t, sc, sc.Update(kit.Back)); sc.inPane {
		t.Error("esc stays in the pane")
	}
}

func TestMethodsAreCalled(t *testing.T) {
	sc := build(t, methods())
	find(t, sc, "getorder")
	for _, b := range sc.Bindings() {
		if b.ID != "endpoints.invoke" {
			continue
		}
		out := run(t, sc, b.Run())
		if g, ok := out[0].(kit.Go); !ok || g.Screen != kit.Invoke || g.Ref.Subject != "shop.Orders/GetOrder" {
			t.Errorf("%+v", out)
		}
	}
}

func TestTheOneFilterLanguageChoosesMethods(t *testing.T) {
	for text, want := range map[string]string{
		`effect == "write"`:   "CancelOrder",
		`streams == "server"`: "Watch",
		`group == "shop.Orders" && doc contains "by its key"`: "GetOrder",
		`orders key`: "GetOrder",
	} {
		sc := build(t, methods())
		find(t, sc, text)
		frame := ansi.Strip(sc.View(120, 40))
		for _, name := range []string{"CancelOrder", "GetOrder", "Old", "Watch"} {
			if strings.Contains(frame, "  "+name+" ") != (name == want) {
				t.Errorf("%s: %s\n%s", text, name, frame)
			}
		}
		if !strings.Contains(frame, "1 of 4") {
			t.Errorf("%s: nothing is counted\n%s", text, frame)
		}
		if r, ok := sc.current(); !ok || r.node == nil || !strings.HasSuffix(r.node.name, want) {
			t.Errorf("%s: the cursor is on %+v", text, r)
		}
	}
	sc := build(t, methods())
	sc.Update(kit.Find)
	for _, r := range `effect == "wirte` {
		sc.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	if frame := ansi.Strip(sc.View(120, 40)); !strings.Contains(frame, "the quote is not closed") {
		t.Errorf("a mistake is not told\n%s", frame)
	}
}

// A key press in the filter of a contract ten times as large as GitHub's, until
// its frame is drawn.
func BenchmarkFilterKeystroke(b *testing.B) {
	ms := make([]probes.Method, 12_000)
	for i := range ms {
		group := fmt.Sprintf("group-%d", i%45)
		ms[i] = probes.Method{Name: fmt.Sprintf("GET /repos/{owner}/{repo}/%s/things/%d", group, i), Group: group, Effect: probes.EffectRead,
			Doc: "Lists all of the things that somebody may want to look at in a repository"}
	}
	sc := build(b, ms)
	sc.Update(kit.Find)
	for b.Loop() {
		sc.Update(tea.KeyPressMsg{Code: 't', Text: "t"})
		sc.View(120, 37)
		sc.Update(tea.KeyPressMsg{Code: tea.KeyBackspace})
		sc.View(120, 37)
	}
}

func TestComingBackFindsWhatWasLeft(t *testing.T) {
	sc := build(t, methods())
	find(t, sc, "getorder")
	sc.Update(kit.Go{Screen: kit.Endpoints})
	if r, ok := sc.current(); !ok || r.node == nil || sc.filter.Text != "getorder" {
		t.Errorf("%q, %+v", sc.filter.Text, r)
	}
	sc.Update(kit.Go{Screen: kit.Endpoints, Ref: probes.Ref{Target: "shop", Subject: "shop.Orders/Watch"}})
	if r, ok := sc.current(); !ok || r.node == nil || r.node.subject != "shop.Orders/Watch" || sc.filter.Text != "" {
		t.Errorf("%q, %+v", sc.filter.Text, r)
	}
}
