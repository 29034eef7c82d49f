package topology

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// said builds claims of one source tersely.
type said struct {
	by     string
	claims []probes.Claim
}

func (s *said) claim(n *probes.Node, e *probes.Edge, class probes.Evidence) *said {
	s.claims = append(s.claims, probes.Claim{Node: n, Edge: e, By: s.by, Call: "test", Class: class, Seen: noon})
	return s
}

func (s *said) service(name string, aliases ...string) *said {
	return s.claim(&probes.Node{ID: probes.NodeID(probes.NodeService, s.by, name), Kind: probes.NodeService, Name: name, Aliases: aliases}, nil, probes.Declared)
}

func (s *said) instance(service, name, addr string, health probes.Health) *said {
	return s.claim(&probes.Node{ID: probes.NodeID(probes.NodeInstance, s.by, name), Kind: probes.NodeInstance, Name: name, Addr: addr,
		Parent: probes.NodeID(probes.NodeService, s.by, service), Aliases: []string{probes.AddrAlias(addr)}, Health: health}, nil, probes.Declared)
}

func (s *said) calls(from, to string, class probes.Evidence) *said {
	return s.claim(nil, &probes.Edge{From: probes.NodeID(probes.NodeService, s.by, from),
		To: probes.NodeID(probes.NodeService, s.by, to), Kind: probes.EdgeCalls, Protocol: "http"}, class)
}

func from(by string) *said { return &said{by: by} }

func all(list ...*said) []probes.Claim {
	var out []probes.Claim
	for _, s := range list {
		out = append(out, s.claims...)
	}
	return out
}

// text writes a graph for comparison.
func text(g Graph) string {
	var b strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "%s", n.ID)
		if len(n.IDs) > 0 {
			fmt.Fprintf(&b, " = %s", strings.Join(n.IDs, " "))
		}
		if n.Parent != "" {
			fmt.Fprintf(&b, " < %s", n.Parent)
		}
		if n.Mentioned {
			b.WriteString(" mentioned")
		}
		if n.Stale {
			b.WriteString(" stale")
		}
		b.WriteString("\n")
	}
	for _, e := range g.Edges {
		fmt.Fprintf(&b, "%s -> %s %s %s (%d claims)\n", e.From, e.To, e.Protocol, e.Class, len(e.Claims))
	}
	return b.String()
}

func TestIdentity(t *testing.T) {
	for _, tt := range []struct {
		name    string
		claims  []probes.Claim
		aliases map[string][]string
		want    string
	}{
		{"equal names in two registries stay two", all(from("c1").service("orders"), from("c2").service("orders")), nil,
			"service:c1/orders\nservice:c2/orders\n"},
		{"a target at a registered instance is that service",
			all(from("c").service("orders").instance("orders", "o1", "h:1", 0).instance("orders", "o2", "h:2", 0), from("grpc").service("grpc", "addr:h:1")), nil,
			"instance:c/o1 < service:c/orders\ninstance:c/o2 < service:c/orders\nservice:c/orders = service:c/orders service:grpc/grpc\n"},
		{"an address in two registered services proves nothing",
			all(from("c").service("a").service("b").instance("a", "a1", "lb:1", 0).instance("b", "b1", "lb:1", 0), from("grpc").service("grpc", "addr:lb:1")), nil,
			"instance:c/a1 < service:c/a\ninstance:c/b1 < service:c/b\nservice:c/a\nservice:c/b\nservice:grpc/grpc\n"},
		{"a configured alias names a service",
			all(from("c").service("orders").instance("orders", "o1", "h:1", 0), from("grpc").service("grpc")), map[string][]string{"grpc": {"orders"}},
			"instance:c/o1 < service:c/orders\nservice:c/orders = service:c/orders service:grpc/grpc\n"},
		{"an alias may say which of two", all(from("c1").service("orders"), from("c2").service("orders"), from("grpc").service("grpc", "c2/orders")), nil,
			"service:c1/orders\nservice:c2/orders = service:c2/orders service:grpc/grpc\n"},
		{"two sources of one service see one instance",
			all(from("c").service("o").instance("o", "x", "h:1", 0), from("e").service("o").instance("o", "y", "h:1", 0)), map[string][]string{"c": nil, "e": nil},
			"instance:c/x < service:c/o\ninstance:e/y < service:e/o\nservice:c/o\nservice:e/o\n"},
		{"and once the services are one, so is the instance",
			all(from("c").service("o", "e/o").instance("o", "x", "h:1", 0), from("e").service("o").instance("o", "y", "h:1", 0)), nil,
			"instance:c/x = instance:c/x instance:e/y < service:c/o\nservice:c/o = service:c/o service:e/o\n"},
		{"registered twice at one address in one source stays two",
			all(from("c").service("o").instance("o", "x", "h:1", 0).instance("o", "y", "h:1", 0)), nil,
			"instance:c/x < service:c/o\ninstance:c/y < service:c/o\nservice:c/o\n"},
		{"an edge to nobody gets an end", all(from("c").service("web").calls("web", "ledger", probes.Declared)), nil,
			"service:c/ledger mentioned\nservice:c/web\nservice:c/web -> service:c/ledger http declared (1 claims)\n"},
		{"edges follow the merged nodes and keep all claims",
			all(from("c").service("web").service("orders").instance("orders", "o1", "h:1", 0).calls("web", "orders", probes.Declared),
				from("t").service("orders", "addr:h:1").service("web", "c/web").calls("web", "orders", probes.ObservedOne)), nil,
			"instance:c/o1 < service:c/orders\nservice:c/orders = service:c/orders service:t/orders\nservice:c/web = service:c/web service:t/web\n" +
				"service:c/web -> service:c/orders http observed-one (2 claims)\n"},
		{"an orphan and a circle of parents stand alone",
			[]probes.Claim{{By: "x", Node: &probes.Node{ID: "a:1", Parent: "b:1"}}, {By: "x", Node: &probes.Node{ID: "b:1", Parent: "a:1"}},
				{By: "x", Node: &probes.Node{ID: "c:1", Parent: "nobody"}}}, nil, "a:1\nb:1 < a:1\nc:1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := text(Build(tt.claims, BuildOptions{Aliases: tt.aliases}))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestOrderDoesNotMatter: the same claims in any order are the same bytes.
func TestOrderDoesNotMatter(t *testing.T) {
	c := from("c").service("web").service("orders", "t/orders").calls("web", "orders", probes.Declared).calls("web", "orders", probes.Permitted)
	for i := range 20 {
		c.instance("orders", fmt.Sprint("o", i), fmt.Sprint("h:", i), probes.Health(i%4))
	}
	claims := all(c, from("t").service("orders", "addr:h:3").service("batch", "addr:h:4").calls("batch", "orders", probes.ObservedBoth))
	want, err := json.Marshal(Build(claims, BuildOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		r.Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
		got, err := json.Marshal(Build(slices.Clone(claims), BuildOptions{}))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(got)); d != "" {
			t.Fatalf("seed %d: %s", seed, d)
		}
	}
}

func TestNumbersStaySideBySide(t *testing.T) {
	edge := func(lag float64) *probes.Edge {
		return &probes.Edge{From: "topic:k/t", To: "group:k/g", Kind: probes.EdgeConsumes,
			Metrics: []probes.Metric{{Name: probes.MetricLag, Value: lag, Unit: "{message}"}}}
	}
	g := Build(all(from("a").claim(nil, edge(10), probes.Attached), from("b").claim(nil, edge(30), probes.Attached)), BuildOptions{})
	if len(g.Edges) != 1 || len(g.Edges[0].Metrics) != 2 || g.Edges[0].Metrics[0].By != "a" || g.Edges[0].Metrics[1].Value != 30 {
		t.Errorf("%+v", g.Edges)
	}
	if worst, _ := g.Edges[0].Lag(); worst.Value != 30 {
		t.Errorf("lag %v", worst)
	}
}

func TestHealthIsTheWorstWithItsReason(t *testing.T) {
	node := func(h probes.Health, reason string) *probes.Node {
		return &probes.Node{ID: "service:x/s", Kind: probes.NodeService, Name: "s", Health: h, Reason: reason}
	}
	g := Build(all(from("a").claim(node(probes.HealthOK, ""), nil, probes.Declared), from("b").claim(node(probes.HealthFail, "ejected"), nil, probes.Declared),
		from("c").claim(node(probes.HealthWarn, "slow"), nil, probes.Declared)), BuildOptions{})
	n := g.Nodes[0]
	if n.Health != probes.HealthFail || n.Reason != "ejected" || len(n.Verdicts) != 3 {
		t.Errorf("%+v", n)
	}
}

func TestPartsWorryTheirWhole(t *testing.T) {
	g := Build(all(from("c").service("s").instance("s", "i", "h:1", probes.HealthOK).instance("s", "j", "h:2", probes.HealthFail)), BuildOptions{})
	n, ok := g.Find("s")
	if !ok || n.Health != probes.HealthWarn || !strings.Contains(n.Reason, "1 of 2 parts; j") {
		t.Errorf("%+v", n)
	}
}

// The names in the JSON are a promise.
func TestJSONNames(t *testing.T) {
	c := from("c").claim(&probes.Node{ID: "service:c/s", Kind: probes.NodeService, Name: "s", Addr: "h:1", Health: probes.HealthWarn, Reason: "r",
		Attrs: []probes.Attr{{Name: "k", Value: "v"}}}, nil, probes.Declared)
	g := Build(c.claims, BuildOptions{Sources: []SourceState{{Target: "c", Complete: true, Seen: noon}}})
	b, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"nodes":[{"id":"service:c/s","kind":"service","name":"s","addr":"h:1","health":"warn","reason":"r",` +
		`"verdicts":[{"by":"c","health":"warn","reason":"r"}],"attrs":[{"name":"k","value":"v","by":"c"}],` +
		`"claims":[{"by":"c","call":"test","class":"declared","seen":"2026-11-22T12:00:00Z"}]}],"edges":[],` +
		`"findings":[{"kind":"unhealthy","severity":"warning","node":"service:c/s","text":"s: c says warn: r",` +
		`"claims":[{"by":"c","call":"test","class":"declared","seen":"2026-11-22T12:00:00Z"}]}],` +
		`"sources":[{"target":"c","complete":true,"seen":"2026-11-22T12:00:00Z"}]}`
	if d := cmp.Diff(want, string(b)); d != "" {
		t.Error(d)
	}
	empty, err := json.Marshal(Build(nil, BuildOptions{}))
	if err != nil || string(empty) != `{"nodes":[],"edges":[],"findings":[],"sources":[]}` {
		t.Errorf("%s, %v", empty, err)
	}
}

func BenchmarkBuild(b *testing.B) {
	c := from("c")
	for i := range 1000 {
		svc := fmt.Sprint("s", i)
		c.service(svc).calls(svc, fmt.Sprint("s", (i*7)%1000), probes.Declared)
		for k := range 5 {
			c.instance(svc, fmt.Sprint(svc, "-", k), fmt.Sprintf("10.0.%d.%d:80", i, k), probes.HealthOK)
		}
	}
	for b.Loop() {
		Build(c.claims, BuildOptions{})
	}
}
