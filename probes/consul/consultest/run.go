// Package consultest is what anything that speaks Consul's HTTP API must do as
// far as iscope can tell. The real agent and the demo's registry are held to
// the same tests.
package consultest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/consul"
)

// patience bounds every single step: a step that needs longer hangs.
const patience = 30 * time.Second

// Run tests the registry at addr (host:port of its HTTP API), writing to it
// through r.
func Run(t *testing.T, addr string, r Registrar) {
	s := &suite{addr: addr, reg: r}
	t.Run("lists services and instances", s.testLists)
	t.Run("reports health", s.testHealth)
	t.Run("knows no other service", s.testUnknown)
	t.Run("reports the upstreams of sidecars", s.testUpstreams)
	t.Run("a watch sees changes", s.testWatch)
	t.Run("a tail tells changes", s.testTail)
	t.Run("a poll waits for a change", s.testPollChange)
	t.Run("a poll ends after its wait", s.testPollWait)
}

type suite struct {
	addr string
	reg  Registrar
}

// target is the name the tests configure.
const target = "registry"

// name is unique, so that tests share a registry.
func name(s string) string { return "ct-" + s + "-" + strings.ToLower(rand.Text()[:8]) }

func (s *suite) open(t *testing.T) *probes.Conn {
	t.Helper()
	conn, err := probes.Open(limit(t), []probes.Driver{consul.Driver()},
		probes.Target{Name: target, Driver: "consul", Address: s.addr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return conn
}

func (s *suite) discoverer(t *testing.T) probes.Discoverer {
	t.Helper()
	d, err := s.open(t).Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func limit(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	t.Cleanup(stop)
	return ctx
}

// until watches until a snapshot satisfies ok.
func (s *suite) until(t *testing.T, d probes.Discoverer, what string, ok func(probes.Snapshot) bool) {
	t.Helper()
	for snap, err := range d.Discover(limit(t), probes.DiscoverQuery{Watch: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if ok(snap) {
			return
		}
	}
	t.Fatalf("never seen: %s", what)
}

// node finds a claimed node by kind and name.
func node(snap probes.Snapshot, kind probes.NodeKind, name string) *probes.Node {
	i := slices.IndexFunc(snap.Claims, func(c probes.Claim) bool {
		return c.Node != nil && c.Node.Kind == kind && c.Node.Name == name
	})
	if i < 0 {
		return nil
	}
	return snap.Claims[i].Node
}

func (s *suite) testLists(t *testing.T) {
	svc, d := name("list"), s.discoverer(t)
	s.reg.Register(t, Service{ID: svc + "-1", Name: svc, Address: "127.0.0.9", Port: 7001,
		Tags: []string{"v2", "grpc"}, Meta: map[string]string{"version": "2.1"}})
	s.reg.Register(t, Service{ID: svc + "-2", Name: svc, Port: 7002})
	s.until(t, d, "two instances with their addresses", func(snap probes.Snapshot) bool {
		n := node(snap, probes.NodeService, svc)
		one, two := node(snap, probes.NodeInstance, svc+"-1"), node(snap, probes.NodeInstance, svc+"-2")
		if n == nil || one == nil || two == nil {
			return false
		}
		if one.Addr != "127.0.0.9:7001" || !slices.Contains(one.Aliases, "addr:127.0.0.9:7001") {
			t.Errorf("the first is at %q, aliases %q", one.Addr, one.Aliases)
		}
		// The address falls back to the node's, whatever that is.
		if host, ok := strings.CutSuffix(two.Addr, ":7002"); !ok || host == "" {
			t.Errorf("the second is at %q", two.Addr)
		}
		if one.Parent != n.ID || two.Parent != n.ID {
			t.Errorf("parents are %q and %q, not %q", one.Parent, two.Parent, n.ID)
		}
		if v, _ := probes.FindAttr(one.Attrs, "consul.tags"); v != "grpc,v2" {
			t.Errorf("tags are %q", v)
		}
		if v, _ := probes.FindAttr(one.Attrs, probes.AttrServiceVer); v != "2.1" {
			t.Errorf("the version is %q", v)
		}
		if !snap.Complete {
			t.Errorf("incomplete: %q", snap.Missing)
		}
		return true
	})
}

func (s *suite) testHealth(t *testing.T) {
	svc, d := name("health"), s.discoverer(t)
	id := svc + "-1"
	s.reg.Register(t, Service{ID: id, Name: svc, Port: 7003, TTL: true})
	for _, step := range []struct {
		status string
		want   probes.Health
	}{{"passing", probes.HealthOK}, {"warning", probes.HealthWarn}, {"critical", probes.HealthFail}, {"passing", probes.HealthOK}} {
		s.reg.SetHealth(t, id, step.status, "says "+step.status)
		s.until(t, d, step.status, func(snap probes.Snapshot) bool {
			in, of := node(snap, probes.NodeInstance, id), node(snap, probes.NodeService, svc)
			if in == nil || of == nil || in.Health != step.want {
				return false
			}
			if bad := step.want > probes.HealthOK; bad != strings.Contains(in.Reason, "says "+step.status) {
				t.Errorf("%s: the reason is %q", step.status, in.Reason)
			}
			if of.Health != step.want {
				t.Errorf("%s: the service is %s", step.status, of.Health)
			}
			return true
		})
	}
}

func (s *suite) testUnknown(t *testing.T) {
	svc, d := name("known"), s.discoverer(t)
	s.reg.Register(t, Service{ID: svc, Name: svc, Port: 7004})
	s.until(t, d, svc, func(snap probes.Snapshot) bool { return node(snap, probes.NodeService, svc) != nil })
	for _, err := range d.Discover(limit(t), probes.DiscoverQuery{Subject: svc + "x"}) {
		if !errors.Is(err, probes.ErrNotFound) || !strings.Contains(probes.HintOf(err), svc) {
			t.Errorf("error %v, hint %q", err, probes.HintOf(err))
		}
	}
}

func (s *suite) testUpstreams(t *testing.T) {
	web, orders, d := name("web"), name("orders"), s.discoverer(t)
	s.reg.Register(t, Service{ID: orders, Name: orders, Port: 7005})
	s.reg.Register(t, Service{ID: web, Name: web, Port: 7006, Upstreams: []string{orders}})
	from, to := probes.NodeID(probes.NodeService, target, web), probes.NodeID(probes.NodeService, target, orders)
	edge := func(snap probes.Snapshot) bool {
		return slices.ContainsFunc(snap.Claims, func(c probes.Claim) bool {
			return c.Edge != nil && c.Edge.From == from && c.Edge.To == to &&
				c.Edge.Kind == probes.EdgeCalls && c.Class == probes.Declared
		})
	}
	s.until(t, d, web+" calls "+orders, edge)
	for snap, err := range d.Discover(limit(t), probes.DiscoverQuery{Subject: web}) {
		if err != nil || !edge(snap) {
			t.Errorf("asked for %s alone: error %v, no edge in %d claims", web, err, len(snap.Claims))
		}
	}
}
