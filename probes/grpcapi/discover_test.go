package grpcapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"iscope/probes"
)

func once(t *testing.T, p *probe, q probes.DiscoverQuery) probes.Snapshot {
	t.Helper()
	var all []probes.Snapshot
	for s, err := range p.Discover(within(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if len(all) != 1 {
		t.Fatalf("%d snapshots", len(all))
	}
	return all[0]
}

// summary writes nodes as "name health reason".
func summary(s probes.Snapshot) []string {
	var out []string
	for _, c := range s.Claims {
		out = append(out, strings.TrimSpace(c.Node.Name+" "+c.Node.Health.String()+" "+c.Node.Reason))
	}
	return out
}

func TestHealthIsWhatTheServerSays(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	f.health.SetServingStatus("probe.v1.Lone", healthpb.HealthCheckResponse_SERVING)
	f.health.SetServingStatus("probe.v1.Probe", healthpb.HealthCheckResponse_NOT_SERVING)
	p := dial(t, f.target())
	s := once(t, p, probes.DiscoverQuery{})
	want := []string{"fixture ok", "probe.v1.Lone ok", "probe.v1.Probe fail NOT_SERVING", "probe.v2.Probe unknown unknown to the health service"}
	if d := cmp.Diff(want, summary(s)); d != "" || !s.Complete {
		t.Errorf("complete %v (-want +got)\n%s", s.Complete, d)
	}
	n := s.Claims[0].Node
	if !slices.Contains(n.Aliases, "addr:"+f.addr) || n.Addr != f.addr {
		t.Errorf("target: aliases %v, address %s", n.Aliases, n.Addr)
	}
	if v, _ := probes.FindAttr(n.Attrs, attrInternal); !strings.Contains(v, "grpc.reflection.v1.ServerReflection") {
		t.Errorf("infrastructure: %q", v)
	}
	if s.Claims[1].Node.Parent != n.ID {
		t.Errorf("parent %q of %q", s.Claims[1].Node.Parent, n.ID)
	}
	f.health.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	wantError(t, p.Check(within(t)), probes.ErrUnreachable, "NOT_SERVING", "starting")
}

func TestNoHealthServiceIsNotHealth(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions, noHealth: true, services: []string{"probe.v1.Lone"}}).target())
	want := []string{"fixture unknown no health service", "probe.v1.Lone unknown no health service"}
	if d := cmp.Diff(want, summary(once(t, p, probes.DiscoverQuery{}))); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if err := p.Check(within(t)); err != nil {
		t.Error(err)
	}
}

func TestNoReflectionIsIncomplete(t *testing.T) {
	s := once(t, dial(t, serve(t, serverOptions{}).target()), probes.DiscoverQuery{})
	if s.Complete || len(s.Claims) != 1 || len(s.Missing) != 1 || !strings.Contains(s.Missing[0], "no reflection (tried v1, v1alpha)") {
		t.Errorf("%+v", s)
	}
}

func TestDetailNamesMethodsAndWhatIsMissing(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions, without: []string{"probe/legacy/old.proto"}}).target())
	s := once(t, p, probes.DiscoverQuery{Detail: true})
	if s.Complete || len(s.Missing) != 1 || !strings.Contains(s.Missing[0], "probe/legacy/old.proto") {
		t.Errorf("complete %v, missing %q", s.Complete, s.Missing)
	}
	s = once(t, p, probes.DiscoverQuery{Detail: true, Subject: "probe.v1.Lone/Ping"})
	if len(s.Claims) != 2 {
		t.Fatalf("%d claims", len(s.Claims))
	}
	want := []probes.Attr{{Name: attrMethods, Value: "1"}, {Name: probes.AttrRPCMethod, Value: "probe.v1.Lone/Ping"}}
	if d := cmp.Diff(want, s.Claims[1].Node.Attrs); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestAServiceNamedLikeTheTarget(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions, services: []string{"probe.v1.Lone"}})
	target := f.target()
	target.Name = "probe.v1.Lone"
	s := once(t, dial(t, target), probes.DiscoverQuery{})
	if len(s.Claims) != 2 || s.Claims[0].Node.ID == s.Claims[1].Node.ID || s.Claims[1].Node.Parent != s.Claims[0].Node.ID {
		t.Errorf("%+v %+v", s.Claims[0].Node, s.Claims[1].Node)
	}
}

// A watched target is reported again when its health changes, and the watch
// ends with an error when the server is gone.
func TestWatchFollowsHealth(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions, services: []string{"probe.v1.Lone"}})
	f.health.SetServingStatus("probe.v1.Lone", healthpb.HealthCheckResponse_SERVING)
	p := dial(t, f.target())
	var seen []string
	var last error
	for s, err := range p.Discover(within(t), probes.DiscoverQuery{Watch: true}) {
		if last = err; err != nil {
			break
		}
		seen = append(seen, summary(s)[1])
		if len(seen) == 1 {
			f.health.SetServingStatus("probe.v1.Lone", healthpb.HealthCheckResponse_NOT_SERVING)
		} else {
			f.server.Stop()
		}
	}
	want := []string{"probe.v1.Lone ok", "probe.v1.Lone fail NOT_SERVING"}
	if d := cmp.Diff(want, seen); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	wantError(t, last, probes.ErrUnreachable, "", "")
}

func TestWatchEndsWithItsContext(t *testing.T) {
	p := dial(t, serve(t, serverOptions{reflection: bothVersions}).target())
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var last error
	for _, err := range p.Discover(ctx, probes.DiscoverQuery{Watch: true}) {
		last = err
		cancel()
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
}
