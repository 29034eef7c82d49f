package topology

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func chain() Graph {
	return Build(all(from("c").service("a").service("b").service("d").service("lone").instance("b", "b1", "h:1", 0).
		calls("a", "b", probes.Declared).calls("b", "d", probes.Declared)), BuildOptions{})
}

func TestNeighbourhood(t *testing.T) {
	for _, tt := range []struct {
		node  string
		depth int
		want  string
	}{
		{"a", 0, "service:c/a\n"},
		{"a", 1, "instance:c/b1 < service:c/b\nservice:c/a\nservice:c/b\nservice:c/a -> service:c/b http declared (1 claims)\n"},
		{"b1", 1, "instance:c/b1 < service:c/b\nservice:c/a\nservice:c/b\nservice:c/d\n" +
			"service:c/a -> service:c/b http declared (1 claims)\nservice:c/b -> service:c/d http declared (1 claims)\n"},
		{"nobody", 3, ""},
	} {
		if d := cmp.Diff(tt.want, text(Neighbourhood(chain(), tt.node, tt.depth))); d != "" {
			t.Errorf("%s, %d: %s", tt.node, tt.depth, d)
		}
	}
}

func TestOverviewLiftsEdges(t *testing.T) {
	k := from("k")
	for _, p := range []string{"0", "1"} {
		k.claim(&probes.Node{ID: "partition:k/t/" + p, Kind: probes.NodePartition, Name: p, Parent: "topic:k/t"}, nil, probes.Declared)
		k.claim(nil, &probes.Edge{From: "partition:k/t/" + p, To: "group:k/g", Kind: probes.EdgeConsumes,
			Metrics: []probes.Metric{{Name: probes.MetricLag, Value: 5}}}, probes.Attached)
	}
	k.claim(&probes.Node{ID: "topic:k/t", Kind: probes.NodeTopic, Name: "t"}, nil, probes.Declared)
	g := Build(k.claims, BuildOptions{})
	o := g.Overview()
	if d := cmp.Diff("group:k/g mentioned\ntopic:k/t\ntopic:k/t -> group:k/g  attached (2 claims)\n", text(o)); d != "" {
		t.Error(d)
	}
	if len(o.Edges[0].Metrics) != 2 || len(g.Edges[0].Metrics) != 1 {
		t.Errorf("overview %+v, graph %+v", o.Edges[0].Metrics, g.Edges[0].Metrics)
	}
}

func TestFind(t *testing.T) {
	g := Build(all(from("c1").service("orders").instance("orders", "web", "h:1", 0), from("c2").service("orders").service("web")), BuildOptions{})
	for s, want := range map[string]string{"service:c1/orders": "service:c1/orders", "c2/orders": "service:c2/orders", "orders": "", "web": "service:c2/web", "x": ""} {
		n, ok := g.Find(s)
		if ok != (want != "") || ok && n.ID != want {
			t.Errorf("%q finds %+v, want %q", s, n, want)
		}
	}
}

func TestDiff(t *testing.T) {
	a := Build(all(from("c").service("a").service("b").calls("a", "b", probes.Declared).
		instance("a", "a1", "h:1", probes.HealthOK)), BuildOptions{})
	b := Build(all(from("c").service("a").service("n").calls("a", "n", probes.Declared).
		instance("a", "a1", "h:2", probes.HealthFail)), BuildOptions{})
	same := Diff(a, a)
	if !same.Empty() {
		t.Errorf("a graph differs from itself: %+v", same)
	}
	c := Diff(a, b)
	if len(c.AddedNodes) != 1 || c.AddedNodes[0].Name != "n" || len(c.RemovedNodes) != 1 || c.RemovedNodes[0].Name != "b" ||
		len(c.AddedEdges) != 1 || c.AddedEdges[0].To != "service:c/n" || len(c.RemovedEdges) != 1 || c.RemovedEdges[0].To != "service:c/b" {
		t.Errorf("%+v", c)
	}
	want := []NodeChange{
		{"instance:c/a1", "a1", []FieldChange{{"addr", "h:1", "h:2"}, {"health", "ok", "fail"}}},
		{"service:c/a", "a", []FieldChange{{"health", "unknown", "warn"}, {"reason", "", "1 of 1 parts; a1: fail"}}},
	}
	if d := cmp.Diff(want, c.ChangedNodes); d != "" {
		t.Error(d)
	}
	d := Diff(Build(from("c").service("a").service("b").calls("a", "b", probes.Declared).claims, BuildOptions{}),
		Build(from("c").service("a").service("b").calls("a", "b", probes.ObservedOne).claims, BuildOptions{}))
	if len(d.ChangedEdges) != 1 || d.ChangedEdges[0].Fields[0] != (FieldChange{"class", "declared", "observed-one"}) || len(d.ChangedNodes) != 0 {
		t.Errorf("%+v", d)
	}
}
