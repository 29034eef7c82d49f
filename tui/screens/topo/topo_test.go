package topo

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

var update = flag.Bool("update", false, "write the golden frames")

var clock = time.Date(2026, 11, 22, 14, 3, 22, 0, time.UTC)

const (
	shop  = "fake://shop"
	other = "other://registry"
	down  = "down://broker"
)

func node(kind probes.NodeKind, name string, change func(*probes.Node)) probes.Claim {
	n := &probes.Node{ID: probes.NodeID(kind, shop, name), Kind: kind, Name: name, Health: probes.HealthOK}
	if change != nil {
		change(n)
	}
	return probes.Claim{Node: n, By: shop, Call: "GET /v1/catalog/services", Class: probes.Declared, AsOf: "index 41", Seen: clock.Add(-2 * time.Second)}
}

func edge(from, to string, kind probes.EdgeKind, class probes.Evidence, m ...probes.Metric) probes.Claim {
	e := &probes.Edge{From: from, To: to, Kind: kind, Protocol: "kafka", Metrics: m}
	if kind == probes.EdgeCalls {
		e.Protocol = "grpc"
	}
	return probes.Claim{Edge: e, By: shop, Call: "OffsetFetch", Class: class, Seen: clock.Add(-time.Second)}
}

func id(kind probes.NodeKind, name string) string { return probes.NodeID(kind, shop, name) }

// claims is a small shop: something fails, something lags, something is hostile.
func claims() []probes.Claim {
	svc, topic, group := probes.NodeService, probes.NodeTopic, probes.NodeGroup
	return []probes.Claim{
		node(probes.NodeGateway, "gateway", nil),
		node(svc, "orders", func(n *probes.Node) { n.Addr = "10.0.3.4:50051" }),
		node(probes.NodeInstance, "orders-1", func(n *probes.Node) { n.Parent, n.Addr = id(svc, "orders"), "10.0.3.4:50051" }),
		node(svc, "payments", func(n *probes.Node) {
			n.Health, n.Reason = probes.HealthFail, "HTTP check: connection refused 10.0.3.7:8080"
		}),
		node(svc, "stock", nil),
		node(topic, "orders.created", func(n *probes.Node) {
			n.Attrs = []probes.Attr{{Name: "kafka.partitions", Value: "6"}, {Name: probes.MetricRate, Value: "210.5"}}
		}),
		node(topic, "quiet", func(n *probes.Node) { n.Health = probes.HealthUnknown }),
		node(topic, "evil\x1b]52;c;eA==\x07name", nil),
		node(group, "billing", nil),
		edge(id(probes.NodeGateway, "gateway"), id(svc, "orders"), probes.EdgeCalls, probes.Declared),
		edge(id(svc, "orders"), id(svc, "payments"), probes.EdgeCalls, probes.ObservedOne),
		edge(id(svc, "orders"), id(svc, "stock"), probes.EdgeCalls, probes.Permitted),
		edge(id(svc, "orders"), id(topic, "orders.created"), probes.EdgeProduces, probes.Guessed),
		edge(id(topic, "orders.created"), id(group, "billing"), probes.EdgeConsumes, probes.Attached,
			probes.Metric{Name: probes.MetricLag, Value: 12345, Unit: "{message}"}, probes.Metric{Name: probes.MetricRate, Value: 200, Unit: "{message}/s"}),
	}
}

// build makes a session with one source that answers, one that leaves something
// out and one that fails, and the screen on it.
func build(t *testing.T, list []probes.Claim) *screen {
	t.Helper()
	well, part, dead := probetest.NewFake(shop), probetest.NewFake(other), probetest.NewFake(down)
	well.Snapshots = []probes.Snapshot{{Claims: list, Complete: true}}
	part.Snapshots = []probes.Snapshot{{Missing: []string{"12 services hidden by an ACL"}}}
	dead.CheckErr = &probes.Error{Target: down, Op: "checking", Kind: probes.ErrDenied, Err: errors.New("no grant for this user"), Hint: "ask for DESCRIBE on the cluster"}
	var drivers []probes.Driver
	for f, scheme := range map[*probetest.Fake]string{well: "fake", part: "other", dead: "down"} {
		d := f.Driver()
		d.Name, d.Schemes = scheme, []probes.Scheme{{Name: scheme}}
		drivers = append(drivers, d)
	}
	s, err := session.New(session.Options{Drivers: drivers, Now: func() time.Time { return clock }}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	sc := New(s, kit.Options{Now: func() time.Time { return clock }}).(*screen)
	for _, u := range []string{shop, other, down} {
		if _, err := s.AddURL(u); err != nil {
			t.Fatal(err)
		}
	}
	settled := func(st session.State) bool {
		return st.Phase == session.Well || st.Phase == session.Partly || st.Phase == session.Failed
	}
	for slices.ContainsFunc(s.States(), func(st session.State) bool { return !settled(st) }) {
		select {
		case <-s.Changed():
		case <-t.Context().Done():
			t.Fatal(s.States())
		}
	}
	run(t, sc, sc.Shown(true))
	return sc
}

// run runs a command to its end, feeds the screen its own messages and returns
// the others.
func run(t *testing.T, sc *screen, cmd tea.Cmd) (out []tea.Msg) {
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
	case computed:
		out = append(out, run(t, sc, sc.Update(msg))...)
	default:
		out = append(out, msg)
	}
	return out
}

// press runs a binding by its key, unless it is refused.
func press(t *testing.T, sc *screen, key string) []tea.Msg {
	t.Helper()
	for _, b := range sc.Bindings() {
		if slices.Contains(b.Keys, key) {
			if why := b.Why(); why != "" {
				return []tea.Msg{why}
			}
			return run(t, sc, b.Run())
		}
	}
	t.Fatalf("no binding for %q", key)
	return nil
}

func golden(t *testing.T, name string, sc *screen, w, h int) {
	t.Helper()
	frame := sc.View(w, h)
	checkSize(t, frame, w, h)
	got := ansi.Strip(frame) + "\n"
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

func checkSize(t *testing.T, frame string, w, h int) {
	t.Helper()
	rows := strings.Split(frame, "\n")
	if h > 0 && len(rows) != h {
		t.Fatalf("%dx%d: %d rows", w, h, len(rows))
	}
	for i, r := range rows {
		if got := safe.Width(ansi.Strip(r)); got != w && h > 0 {
			t.Fatalf("%dx%d: row %d has %d cells: %q", w, h, i, got, ansi.Strip(r))
		}
	}
}

var sizes = [][2]int{{80, 24}, {120, 40}, {200, 60}}

func TestFrames(t *testing.T) {
	for _, size := range sizes {
		sc := build(t, claims())
		at(t, sc, "orders")
		golden(t, "first", sc, size[0], size[1])
		sc.Update(kit.Right)
		press(t, sc, "a")
		golden(t, "tree", sc, size[0], size[1])
		press(t, sc, "a")
		golden(t, "table", sc, size[0], size[1])
		sc.Update(kit.Enter)
		golden(t, "detail", sc, size[0], size[1])
	}
}

func TestFramesWithoutNodes(t *testing.T) {
	empty := New(mustSession(t), kit.Options{Now: time.Now}).(*screen)
	golden(t, "no-targets", empty, 80, 24)
	sc := build(t, nil)
	golden(t, "nothing", sc, 80, 24)
	loading := New(sc.s, sc.o).(*screen)
	golden(t, "loading", loading, 80, 24)
}

func mustSession(t *testing.T) *session.Session {
	s, err := session.New(session.Options{}, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestEverySize(t *testing.T) {
	for _, th := range []theme.Theme{{}, {ASCII: true, NoColor: true}} {
		sc := build(t, claims())
		sc.o.Theme = th
		for _, step := range []func(){func() {}, func() { sc.Update(kit.Right) }, func() { sc.Update(kit.Enter) },
			func() { sc.Update(kit.NextPane) }, func() { press(t, sc, "a") }, func() { press(t, sc, "a") }, func() { sc.Update(kit.Find) }} {
			step()
			for w := 0; w <= 210; w += 7 {
				for _, h := range []int{0, 1, 2, 3, 7, 8, 9, 15, 24, 40} {
					checkSize(t, sc.View(w, h), w, h)
				}
			}
		}
	}
}

func TestHostileNamesAreShownNotSent(t *testing.T) {
	sc := build(t, claims())
	for range 3 {
		if f := sc.View(120, 40); strings.Contains(f, "\x1b]52") || strings.Contains(f, "\x07") || !strings.Contains(f, "evil") {
			t.Errorf("%q", f)
		}
		press(t, sc, "a")
	}
}

func TestWorstComesFirst(t *testing.T) {
	sc := build(t, claims())
	var names []string
	for _, r := range sc.rows {
		names = append(names, r.node.Name)
	}
	got := strings.Join(names[:3], " ")
	if got != "payments quiet gateway" {
		t.Error(names)
	}
}

// Numbers nobody gives are a dash, never a zero.
func TestUnknownNumbersAreNoZeros(t *testing.T) {
	sc := build(t, claims())
	for _, r := range sc.rows {
		for _, title := range []string{"RATE", "LAG"} {
			text, _ := sc.nodeCell(&r, title)
			known := r.node.Name == "orders.created" || r.node.Name == "billing" && title == "LAG"
			if (text.String() != "—") != known || text.String() == "0" {
				t.Errorf("%s of %s is %q", title, r.node.Name, text)
			}
		}
	}
}

func at(t *testing.T, sc *screen, name string) {
	t.Helper()
	sc.list.Cursor = slices.IndexFunc(sc.rows, func(r row) bool { return r.node.Name == name })
	sc.moved = true
	if sc.list.Cursor < 0 {
		t.Fatalf("no row for %s", name)
	}
}

func TestTailAndInvokeGoToTheirScreens(t *testing.T) {
	sc := build(t, claims())
	at(t, sc, "orders.created")
	want := []tea.Msg{kit.Go{Screen: kit.Tail, Ref: probes.Ref{Target: shop, Subject: "orders.created"}}}
	if d := cmp.Diff(want, press(t, sc, "t")); d != "" {
		t.Error(d)
	}
	at(t, sc, "orders")
	want = []tea.Msg{kit.Go{Screen: kit.Invoke, Ref: probes.Ref{Target: shop, Subject: "orders"}}}
	if d := cmp.Diff(want, press(t, sc, "i")); d != "" {
		t.Error(d)
	}
	at(t, sc, "billing")
	if got := press(t, sc, "t"); len(got) != 1 || !strings.Contains(got[0].(string), "no source streams this group") {
		t.Errorf("%v", got)
	}
}

func TestFocusDepthAndBack(t *testing.T) {
	sc := build(t, claims())
	at(t, sc, "billing")
	press(t, sc, "o")
	if sc.focus == "" || len(sc.m.order) != 2 {
		t.Fatalf("%d nodes in focus", len(sc.m.order))
	}
	press(t, sc, "+")
	if len(sc.m.order) != 3 {
		t.Errorf("%d nodes at depth 2", len(sc.m.order))
	}
	press(t, sc, "_")
	run(t, sc, sc.Update(kit.Back))
	if r, _ := sc.current(); sc.focus != "" || r.node.Name != "billing" || len(sc.rows) != 8 {
		t.Errorf("focus %q, %d rows, cursor on %s", sc.focus, len(sc.rows), r.node.Name)
	}
	if got := run(t, sc, sc.Update(kit.Back)); len(got) != 1 || got[0] != (kit.NotMine{}) {
		t.Errorf("%v", got)
	}
}

func TestFilterAndGo(t *testing.T) {
	sc := build(t, claims())
	sc.Update(kit.Find)
	for _, r := range "STOCK" {
		sc.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
	}
	if len(sc.rows) != 1 || !sc.Typing() {
		t.Errorf("%d rows", len(sc.rows))
	}
	run(t, sc, sc.Update(kit.Go{Screen: kit.Topology, Ref: probes.Ref{Target: shop, Subject: "orders.created"}}))
	if r, _ := sc.current(); r.node == nil || r.node.Name != "orders.created" {
		t.Errorf("cursor on %+v", r.node)
	}
}

func TestFindingsLeadToWhatTheyAreAbout(t *testing.T) {
	sc := build(t, claims())
	sc.View(120, 40)
	sc.Update(kit.PrevPane)
	if sc.pane != onFindings {
		t.Fatalf("pane %d", sc.pane)
	}
	sc.findings.Cursor = slices.IndexFunc(sc.m.findings, func(f finding) bool { return f.kind == "unhealthy" })
	run(t, sc, sc.Update(kit.Enter))
	if r, _ := sc.current(); r.node.Name != "payments" || !sc.detail {
		t.Errorf("cursor on %s", r.node.Name)
	}
	sc.View(120, 40)
	sc.pane, sc.findings.Cursor = onFindings, slices.IndexFunc(sc.m.findings, func(f finding) bool { return f.target == down })
	want := []tea.Msg{kit.Go{Screen: kit.Diagnostics, Ref: probes.Ref{Target: down}}}
	if d := cmp.Diff(want, run(t, sc, sc.Update(kit.Enter))); d != "" {
		t.Error(d)
	}
}

// A graph that is too much for a picture shows what is around the cursor, and a
// node with too many neighbours the tree.
func TestTooMuchForAPicture(t *testing.T) {
	list := []probes.Claim{node(probes.NodeService, "hub", nil), node(probes.NodeService, "a", nil), node(probes.NodeService, "b", nil),
		edge(id(probes.NodeService, "a"), id(probes.NodeService, "b"), probes.EdgeCalls, probes.Declared)}
	for i := range 30 {
		name := fmt.Sprintf("n%02d", i)
		list = append(list, node(probes.NodeService, name, nil),
			edge(id(probes.NodeService, "hub"), id(probes.NodeService, name), probes.EdgeCalls, probes.Declared))
	}
	sc := build(t, list)
	at(t, sc, "a")
	if f := ansi.Strip(sc.View(120, 40)); !strings.Contains(f, "33 nodes, showing 2 around the cursor") {
		t.Error(f)
	}
	at(t, sc, "hub")
	if f := ansi.Strip(sc.View(120, 40)); !strings.Contains(f, "TREE (too many edges") {
		t.Error(f)
	}
}

func TestSource(t *testing.T) {
	for in, want := range map[string][2]string{
		"topic:shop/a/b": {"shop", "a/b"}, "service:grpc://h:1/x.Y": {"grpc://h:1", "x.Y"},
		"external:c/http://x/y": {"c", "http://x/y"}, "odd": {},
	} {
		if target, name := session.Source(in); target != want[0] || name != want[1] {
			t.Errorf("%s is %q of %q", in, name, target)
		}
	}
}

func BenchmarkView(b *testing.B) {
	var list []probes.Claim
	for i := range 5000 {
		list = append(list, node(probes.NodeTopic, fmt.Sprintf("topic-%04d", i), nil))
	}
	sc := New(nil, kit.Options{Now: func() time.Time { return clock }}).(*screen)
	sc.m = newModel(topology.Build(list, topology.BuildOptions{}), nil, "", 1)
	sc.lay()
	for b.Loop() {
		sc.View(200, 60)
	}
}
