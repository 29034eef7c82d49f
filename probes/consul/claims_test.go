package consul_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// text writes claims for comparison, a line each.
func text(snap probes.Snapshot) string {
	var b strings.Builder
	for _, c := range snap.Claims {
		if n := c.Node; n != nil {
			fmt.Fprintf(&b, "%s %s %s %s (%s)", c.Class, n.Kind, strings.TrimPrefix(n.ID, string(n.Kind)+":registry/"), n.Addr, n.Health)
			if n.Parent != "" {
				fmt.Fprintf(&b, " of %s", n.Parent)
			}
			if n.Reason != "" {
				fmt.Fprintf(&b, " %q", n.Reason)
			}
			for _, a := range n.Attrs {
				fmt.Fprintf(&b, " %s=%s", a.Name, a.Value)
			}
		} else {
			e := c.Edge
			fmt.Fprintf(&b, "%s %s %s %s %s", c.Class, e.From, e.Kind, e.To, e.Protocol)
			for _, a := range e.Attrs {
				fmt.Fprintf(&b, " %s=%s", a.Name, a.Value)
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestClaims(t *testing.T) {
	d := discoverer(t, recorded(t).target())
	snap, err := once(t, d, probes.DiscoverQuery{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `declared service batch  (fail) "all 1 instances; batch-1: maintenance: moving house" consul.instances=1
declared instance iscope/batch-1  (fail) of service:registry/batch "maintenance: moving house" consul.node=iscope
declared service consul  (ok) consul.instances=1 service.version=1.22.5
declared instance iscope/consul 127.0.0.1:19830 (ok) of service:registry/consul consul.node=iscope service.version=1.22.5 consul.meta.non_voter=false consul.meta.raft_version=3 consul.meta.read_replica=false consul.meta.serf_protocol_current=2 consul.meta.serf_protocol_max=5 consul.meta.serf_protocol_min=1 consul.meta.version=1.22.5
declared gateway service:registry/edge  (ok) consul.kind=ingress-gateway consul.instances=1
declared instance iscope/edge-1 127.0.0.1:7003 (ok) of service:registry/edge consul.node=iscope
declared service orders  (warn) "1 of 2 instances; orders-2: Service 'orders' check: queue is 93 % full" consul.instances=2 consul.tags=grpc,v2 service.version=2.1 consul.intention=deny from *
declared instance iscope/orders-1 10.0.0.1:7001 (ok) of service:registry/orders consul.node=iscope consul.tags=grpc,v2 service.version=2.1 consul.meta.team=shop consul.meta.version=2.1
declared instance iscope/orders-2 10.0.0.2:7001 (warn) of service:registry/orders "Service 'orders' check: queue is 93 % full" consul.node=iscope
declared service web  (ok) consul.instances=1
declared instance iscope/web-1 10.0.0.3:7002 (ok) of service:registry/web consul.node=iscope
declared service web-sidecar-proxy  (fail) of service:registry/web "all 1 instances; web-1-sidecar-proxy: Connect Sidecar Listening: critical" consul.kind=connect-proxy consul.instances=1
declared instance iscope/web-1-sidecar-proxy 10.0.0.3:21000 (fail) of service:registry/web-sidecar-proxy "Connect Sidecar Listening: critical" consul.node=iscope
permitted service:registry/batch calls service:registry/orders  consul.intention=some requests only
permitted service:registry/web calls service:registry/orders 
declared external datacenter dc2/ledger  (unknown)
declared service:registry/web calls external:registry/datacenter dc2/ledger 
declared external prepared query/geo  (unknown)
declared service:registry/web calls external:registry/prepared query/geo 
declared service:registry/web calls service:registry/orders grpc
`
	if d := cmp.Diff(want, text(snap)); d != "" {
		t.Error(d)
	}
	if !snap.Complete || len(snap.Missing) > 0 {
		t.Errorf("complete %v, missing %q", snap.Complete, snap.Missing)
	}
	for _, c := range snap.Claims {
		if !strings.HasPrefix(c.AsOf, "consul-index ") || !strings.HasPrefix(c.Call, "GET /v1/") || c.Seen.IsZero() {
			t.Fatalf("%+v does not say where it is from", c)
		}
	}
}

func TestClaimsOfOneService(t *testing.T) {
	d := discoverer(t, recorded(t).target())
	snap, err := once(t, d, probes.DiscoverQuery{Subject: "orders", Detail: true})
	if err != nil {
		t.Fatal(err)
	}
	got := text(snap)
	for _, line := range []string{"service orders", "orders-2", "permitted service:registry/web", "consul.check.ttl:orders-2=warning: queue is 93 % full"} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is missing in\n%s", line, got)
		}
	}
	for _, other := range []string{"instance iscope/web-1", "ledger", "edge-1"} {
		if strings.Contains(got, other) {
			t.Errorf("asked for orders, got %s", other)
		}
	}
}

// TestWithoutTheUICall must give the same picture by the documented calls.
func TestWithoutTheUICall(t *testing.T) {
	f := newFakeAgent(t)
	delete(f.docs, "/v1/internal/ui/nodes")
	f.put("/v1/catalog/services", `{"a":[],"b c":[]}`)
	f.put("/v1/health/service/a", `[{"Node":{"Node":"n","Address":"10.0.0.1"},"Service":{"ID":"a1","Service":"a","Port":80}}]`)
	f.put("/v1/health/service/b c", `[{"Node":{"Node":"n","Address":"::1"},"Service":{"ID":"b1","Service":"b c","Port":81}}]`)
	f.put("/v1/health/state/any", `[{"Node":"n","CheckID":"c","Status":"critical","ServiceID":"a1"}]`)
	snap, err := once(t, discoverer(t, f.target()), probes.DiscoverQuery{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `declared service a  (fail) "all 1 instances; a1: c: critical" consul.instances=1
declared instance n/a1 10.0.0.1:80 (fail) of service:registry/a "c: critical" consul.node=n
declared service b c  (unknown) consul.instances=1
declared instance n/b1 [::1]:81 (unknown) of service:registry/b c "no health check" consul.node=n
`
	if d := cmp.Diff(want, text(snap)); d != "" {
		t.Error(d)
	}
}

func TestMissing(t *testing.T) {
	filtered := http.Header{"X-Consul-Results-Filtered-By-Acls": {"true"}}
	for _, tt := range []struct {
		name, path string
		doc        doc
		complete   bool
		missing    string
	}{
		{"filtered services", "/v1/catalog/services", doc{body: "{}", status: 200, header: filtered}, false, "services hidden"},
		{"filtered instances", "/v1/internal/ui/nodes", doc{body: "[]", status: 200, header: filtered}, false, "instances hidden"},
		{"no token where none is not enough", "/v1/health/state/any", doc{body: "[]", status: 200,
			header: http.Header{"X-Consul-Default-Acl-Policy": {"deny"}}}, false, "health checks hidden"},
		{"intentions denied", "/v1/config/service-intentions", doc{body: "Permission denied", status: 403}, false, "intentions hidden"},
		{"no intentions", "/v1/config/service-intentions", doc{body: "?", status: 404}, true, "no such configuration"},
		{"older agent", "/v1/config/service-intentions", doc{body: "invalid config entry kind: service-intentions", status: 500}, true, "no such"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFakeAgent(t)
			f.set(tt.path, tt.doc)
			snap, err := once(t, discoverer(t, f.target()), probes.DiscoverQuery{})
			if err != nil {
				t.Fatal(err)
			}
			if snap.Complete != tt.complete || !strings.Contains(strings.Join(snap.Missing, "\n"), tt.missing) {
				t.Errorf("complete %v, missing %q", snap.Complete, snap.Missing)
			}
		})
	}
}
