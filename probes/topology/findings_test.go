package topology

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestGhost registers three instances of which one listens, and dials them.
func TestGhost(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	nobody := probetest.Nowhere
	c := from("c").service("s").instance("s", "alive", ln.Addr().String(), probes.HealthOK).
		instance("s", "ghost", nobody, probes.HealthOK).instance("s", "ill", nobody, probes.HealthFail)
	s := NewStore((&clock{noon}).now)
	s.Put("c", complete(c))
	g := s.Graph(BuildOptions{})
	if len(find(g, FindingGhost)) != 0 {
		t.Fatal("a ghost before anybody looked")
	}
	claims := Dial(t.Context(), g, DialOptions{})
	if len(claims) != 3 {
		t.Fatalf("%d claims", len(claims))
	}
	s.Put(ByDial, probes.Snapshot{Claims: claims, Complete: true})
	g = s.Graph(BuildOptions{})
	ghosts := find(g, FindingGhost)
	if len(ghosts) != 1 || ghosts[0].Node != "instance:c/ghost" || ghosts[0].Severity != SeverityError || len(ghosts[0].Claims) != 2 {
		t.Fatalf("%+v", ghosts)
	}
	if want := "ghost is healthy in c, but from here " + nobody + " answers: connection refused"; ghosts[0].Text != want {
		t.Errorf("%q, want %q", ghosts[0].Text, want)
	}
	if n, _ := g.Find("ghost"); n.Health != probes.HealthFail || len(n.Verdicts) != 2 {
		t.Errorf("%+v", n)
	}
	if f := find(g, FindingUnhealthy); len(f) != 1 || f[0].Node != "instance:c/ill" {
		t.Errorf("%+v", f)
	}
}

// TestOldDials: between two rounds of dialling an instance moves or goes.
func TestOldDials(t *testing.T) {
	s := NewStore((&clock{noon}).now)
	s.Put("c", complete(from("c").service("s").instance("s", "moves", "h:1", probes.HealthOK).instance("s", "goes", "h:2", probes.HealthOK)))
	refused := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	s.Put(ByDial, probes.Snapshot{Claims: Dial(t.Context(), s.Graph(BuildOptions{}), DialOptions{Connect: refused}), Complete: true})
	if g := s.Graph(BuildOptions{}); len(find(g, FindingGhost)) != 2 {
		t.Fatalf("%+v", g.Findings)
	}
	s.Put("c", complete(from("c").service("s").instance("s", "moves", "h:3", probes.HealthOK)))
	g := s.Graph(BuildOptions{})
	if len(find(g, FindingGhost)) != 0 || has(g, "goes") {
		t.Errorf("%s%+v", text(g), g.Findings)
	}
}

func TestDialIsBounded(t *testing.T) {
	c := from("c").service("s")
	for i := range 40 {
		c.instance("s", fmt.Sprint("i", i), fmt.Sprintf("10.0.0.1:%d", i+1), 0)
	}
	c.instance("s", "twin", "10.0.0.1:1", 0)
	var now, most, calls atomic.Int32
	full := make(chan struct{})
	connect := func(ctx context.Context, _, addr string) (net.Conn, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if calls.Add(1) == dialAtOnce {
			close(full) // all slots are taken: let them go
		}
		<-full
		if addr == "10.0.0.1:7" {
			return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
		}
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	claims := Dial(t.Context(), Build(c.claims, BuildOptions{}), DialOptions{Connect: connect, AtOnce: 100})
	if len(claims) != 41 || calls.Load() != 40 || most.Load() != dialAtOnce {
		t.Errorf("%d claims by %d calls, %d at once", len(claims), calls.Load(), most.Load())
	}
	for _, c := range claims {
		want := probes.HealthFail
		if c.Node.Addr == "10.0.0.1:7" {
			want = probes.HealthUnknown // our own trouble is no verdict
		}
		if c.Node.Health != want || c.By != ByDial || c.Seen.IsZero() {
			t.Errorf("%+v", c.Node)
		}
	}
}

func TestDialStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	c := from("c").service("s").instance("s", "a", "10.0.0.1:1", 0).instance("s", "b", "10.0.0.1:2", 0)
	claims := Dial(ctx, Build(c.claims, BuildOptions{}), DialOptions{AtOnce: 1, Connect: func(ctx context.Context, _, _ string) (net.Conn, error) {
		stop()
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if len(claims) != 0 {
		t.Errorf("claims about what was not finished: %+v", claims)
	}
}

func TestSplit(t *testing.T) {
	g := Build(all(from("c").service("s").instance("s", "i", "h:1", probes.HealthOK),
		from("e").service("s", "c/s").instance("s", "i", "h:1", probes.HealthFail)), BuildOptions{})
	f := find(g, FindingSplit)
	if len(f) != 1 || !strings.Contains(f[0].Text, "well according to c, but not according to e") || len(f[0].Claims) != 2 {
		t.Errorf("%+v", g.Findings)
	}
}

func TestUnhealthyIsSaidOnce(t *testing.T) {
	warn := &probes.Node{ID: "service:c/s", Kind: probes.NodeService, Name: "s", Health: probes.HealthWarn, Reason: "1 of 2"}
	g := Build(all(from("c").claim(warn, nil, probes.Declared).instance("s", "i", "h:1", probes.HealthFail).instance("s", "j", "h:2", probes.HealthOK)), BuildOptions{})
	if len(g.Findings) != 1 || g.Findings[0].Node != "instance:c/i" || g.Findings[0].Severity != SeverityError {
		t.Errorf("%+v", g.Findings)
	}
}

func TestLag(t *testing.T) {
	group := func(attrs ...probes.Attr) *probes.Node {
		return &probes.Node{ID: "group:k/g", Kind: probes.NodeGroup, Name: "g", Attrs: attrs}
	}
	topic := &probes.Node{ID: "topic:k/t", Kind: probes.NodeTopic, Name: "orders"}
	member := &probes.Node{ID: "member:k/m", Kind: probes.NodeMember, Name: "m", Parent: "group:k/g"}
	edge := func(lag float64) *probes.Edge {
		return &probes.Edge{From: "topic:k/t", To: "group:k/g", Kind: probes.EdgeConsumes, Protocol: "kafka",
			Metrics: []probes.Metric{{Name: probes.MetricLag, Value: lag}}}
	}
	k := func(lag float64, nodes ...*probes.Node) []probes.Claim {
		s := from("k").claim(topic, nil, probes.Declared).claim(nil, edge(lag), probes.Attached)
		for _, n := range nodes {
			s.claim(n, nil, probes.Attached)
		}
		return s.claims
	}
	stable := probes.Attr{Name: "kafka.group.state", Value: "Stable"}
	for _, tt := range []struct {
		name     string
		claims   []probes.Claim
		severity Severity
	}{
		{"little lag", k(DefaultLag-1, group()), ""},
		{"behind, with members", k(DefaultLag, group(), member), SeverityWarning},
		{"behind, with members that were not listed", k(DefaultLag, group(stable)), SeverityWarning},
		{"behind, with nobody to catch up", k(DefaultLag, group()), SeverityError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := find(Build(tt.claims, BuildOptions{}), FindingLag)
			if tt.severity == "" {
				if len(f) != 0 {
					t.Errorf("%+v", f)
				}
				return
			}
			if len(f) != 1 || f[0].Severity != tt.severity || !strings.HasPrefix(f[0].Text, "g is 1000 messages behind in orders (k)") {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestDialReasons(t *testing.T) {
	for want, err := range map[string]error{
		"connection refused": &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		"timed out":          context.DeadlineExceeded,
		"no such host":       &net.DNSError{Err: "no such host", IsNotFound: true},
		"no route":           &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH},
		"odd":                errors.New("odd"),
	} {
		o := DialOptions{Connect: func(context.Context, string, string) (net.Conn, error) { return nil, err }}
		if v := o.try(t.Context(), "h:1"); v.Reason != want {
			t.Errorf("%v gives %q, want %q", err, v.Reason, want)
		}
	}
}
