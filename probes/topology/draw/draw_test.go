package draw

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
	"iscope/probes/topology"
)

func TestPicture(t *testing.T) {
	p := Draw(graph("web>orders", "web>cart", "cart>catalog", "orders>catalog", "lone", "other"), Options{})
	const want = `      ╭─▸● cart───╮
● web─┤           ╰─┬─▸● catalog
      ╰─▸● orders───╯

● lone   ● other`
	if d := cmp.Diff(want, strings.Join(p.Lines, "\n")); d != "" {
		t.Error(d)
	}
}

func TestRectsAreWhereTheNamesAre(t *testing.T) {
	for _, o := range []Options{{}, {ASCII: true}, {MaxWidth: 85}} {
		p := Draw(graph(append(shop, "日本語>orders", "lone")...), o)
		if len(p.Nodes) != 14 {
			t.Fatalf("%d nodes (%s)", len(p.Nodes), p.Why)
		}
		for _, r := range p.Nodes {
			got := ansi.Cut(p.Lines[r.Y], r.X, r.X+r.W)
			name := r.ID[strings.LastIndex(r.ID, "/")+1:]
			if !strings.Contains(got, name) && !strings.HasPrefix(name, strings.TrimRight(got[strings.Index(got, " ")+1:], "….↺")) {
				t.Errorf("%q is at %+v, where %q is", name, r, got)
			}
		}
		if o.MaxWidth > 0 && p.Width > o.MaxWidth {
			t.Errorf("%d columns of %d", p.Width, o.MaxWidth)
		}
	}
}

func TestTooMuch(t *testing.T) {
	var pairs []string
	for i := range MaxNodes {
		pairs = append(pairs, "hub>n"+string(rune('a'+i)))
	}
	if p := Draw(graph(pairs...), Options{}); len(p.Lines) > 0 || p.Why != "16 connected nodes; a picture can show 15" {
		t.Errorf("%q", p.Why)
	}
	if p := Draw(graph(shop...), Options{MaxWidth: 20}); len(p.Lines) > 0 || !strings.Contains(p.Why, "there are 20") {
		t.Errorf("%q", p.Why)
	}
	if p := Draw(topology.Graph{}, Options{}); len(p.Lines) > 0 || p.Why != "" {
		t.Errorf("%+v", p)
	}
}

// TestPictureStaysPut: health and numbers change nothing, and a new node moves
// no other one past its neighbours.
func TestPictureStaysPut(t *testing.T) {
	first := Draw(graph(shop...), Options{})
	again := Draw(graph(shop...), Options{Last: &first})
	if d := cmp.Diff(first.Lines, again.Lines); d != "" {
		t.Error(d)
	}
	more := Draw(graph(append(shop, "kong>admin", "admin>orders")...), Options{Last: &again})
	row := func(p Picture) map[string]int {
		out := map[string]int{}
		for _, r := range p.Nodes {
			out[r.ID] = r.Y
		}
		return out
	}
	column := map[string]int{}
	for _, r := range first.Nodes {
		column[r.ID] = r.X
	}
	before, after := row(first), row(more)
	for a := range before {
		for b := range before {
			if column[a] == column[b] && before[a] < before[b] && after[a] > after[b] {
				t.Errorf("%s and %s changed places", a, b)
			}
		}
	}
}

func TestFocus(t *testing.T) {
	p := Draw(graph(shop...), Options{Focus: "service:t/cart"})
	lit := map[string]bool{}
	lines := false
	for _, r := range p.Bright {
		lit[r.ID] = true
		lines = lines || r.ID == "" && r.W > 0
	}
	for id, want := range map[string]bool{"service:t/cart": true, "service:t/web-bff": true, "service:t/mobile-bff": true,
		"service:t/catalog": true, "service:t/kong": false, "service:t/payments": false} {
		if lit[id] != want {
			t.Errorf("%s is lit: %v", id, lit[id])
		}
	}
	if !lines {
		t.Error("no line is lit")
	}
}

func TestHealthIsVisibleWithoutColour(t *testing.T) {
	claims := []probes.Claim{
		{By: "t", Node: &probes.Node{ID: "service:t/a", Kind: probes.NodeService, Name: "a", Health: probes.HealthFail}},
		{By: "t", Node: &probes.Node{ID: "topic:t/b", Kind: probes.NodeTopic, Name: "b"}},
		{By: "t", Node: &probes.Node{ID: "group:t/c", Kind: probes.NodeGroup, Name: "c", Health: probes.HealthWarn}},
	}
	g := topology.Build(claims, topology.BuildOptions{})
	for ascii, want := range map[bool]string{false: "▲ c   ✗ a   ≋ b", true: "! c   x a   = b"} {
		if p := Draw(g, Options{ASCII: ascii}); strings.Join(p.Lines, "\n") != want {
			t.Errorf("%q", p.Lines)
		}
	}
}

func TestExportsEscape(t *testing.T) {
	nasty := "a\"];\n`x` #1 %%{init} \\ <b>"
	claims := []probes.Claim{
		{By: "t", Node: &probes.Node{ID: "service:t/" + nasty, Kind: probes.NodeService, Name: nasty}},
		{By: "t", Class: probes.Declared, Edge: &probes.Edge{From: "service:t/" + nasty, To: "topic:t/end", Kind: probes.EdgeProduces, Protocol: "kafka"}},
	}
	g := topology.Build(claims, topology.BuildOptions{})
	const dot = `digraph topology {
  rankdir=LR;
  node [shape=box];
  "service:t/a\"];\n` + "`x`" + ` #1 %%{init} \\ <b>" [label="a\"];\n` + "`x`" + ` #1 %%{init} \\ <b>"];
  "topic:t/end" [label="end", shape=cylinder, style=dashed];
  "service:t/a\"];\n` + "`x`" + ` #1 %%{init} \\ <b>" -> "topic:t/end" [label="produces kafka", style=dashed];
}
`
	if d := cmp.Diff(dot, Dot(g)); d != "" {
		t.Error(d)
	}
	const mermaid = `flowchart LR
  n0["a#34;#93;#59; #96;x#96; #35;1 #37;#37;#123;init#125; #92; #60;b#62;"]
  n1[("end")]
  n0 -.->|"produces kafka"| n1
`
	if d := cmp.Diff(mermaid, Mermaid(g)); d != "" {
		t.Error(d)
	}
}

func BenchmarkDraw(b *testing.B) {
	g := graph(shop...)
	for b.Loop() {
		Draw(g, Options{})
	}
}
