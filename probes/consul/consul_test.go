package consul_test

import (
	"fmt"
	"testing"

	"iscope/probes"
	"iscope/probes/consul"
	"iscope/probes/consul/consultest"
	"iscope/probes/probetest"
)

const svc = "conformance"

func TestRealAgent(t *testing.T) {
	addr := probetest.Need(t, "consul").Addresses["http"]
	consultest.Run(t, addr, consultest.Agent(addr))
}

func TestRealAgentConformance(t *testing.T) {
	addr := probetest.Need(t, "consul").Addresses["http"]
	reg := consultest.Agent(addr)
	reg.Register(t, consultest.Service{ID: svc, Name: svc, Port: 7100, TTL: true})
	target := probes.Target{Name: "registry", Driver: "consul", Address: addr}
	conformance(t, target, func(t *testing.T, status string) { reg.SetHealth(t, svc, status, "") })
}

// TestConformance needs no server.
func TestConformance(t *testing.T) {
	f := newFakeAgent(t)
	f.put("/v1/catalog/services", `{"`+svc+`":[]}`)
	set := func(_ *testing.T, status string) {
		checks := fmt.Sprintf(`[{"Node":"n","CheckID":"c","Status":%q}]`, status)
		f.put("/v1/internal/ui/nodes", `[{"Node":"n","Address":"10.0.0.1","Checks":`+checks+
			`,"Services":[{"ID":"`+svc+`","Service":"`+svc+`","Port":80}]}]`)
		f.put("/v1/health/state/any", checks)
	}
	set(t, "passing")
	conformance(t, f.target(), set)
}

// conformance runs every driver's suite on a target with the service svc.
func conformance(t *testing.T, target probes.Target, setHealth func(t *testing.T, status string)) {
	changes := 0
	probetest.Run(t, probetest.Suite{
		Driver: consul.Driver(),
		Target: target,
		Discover: &probetest.DiscoverCase{Kinds: []probes.NodeKind{probes.NodeService, probes.NodeInstance},
			Subject: svc, Unknown: svc + "x"},
		Tail: &probetest.TailCase{Subject: svc, Unknown: svc + "x", Live: true,
			Produce: func(t *testing.T, n int) [][]byte {
				for range n {
					changes++
					setHealth(t, []string{"passing", "warning"}[changes%2])
				}
				return nil
			}},
	})
}
