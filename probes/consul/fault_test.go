package consul_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"iscope/probes"
	"iscope/probes/consul"
	"iscope/probes/consul/consultest"
	"iscope/probes/probetest"
)

// TestRealAgentFails is the suite of faults, on an agent of its own.
func TestRealAgentFails(t *testing.T) {
	target := func(i *probetest.Instance) probes.Target {
		return probes.Target{Name: "registry", Driver: "consul", Address: i.Addresses["http"]}
	}
	changes := 0
	probetest.RunFaults(t, probetest.FaultCase{
		Driver: consul.Driver(), Server: "consul", Target: target,
		Secured: func(i *probetest.Instance) probes.Target {
			s := target(i)
			s.Address, s.TLS = i.Addresses["https"], probes.TLS{Enabled: true, CAFile: i.Addresses["ca"]}
			return s
		},
		Denied: func(i *probetest.Instance) probes.Target {
			s := target(i)
			s.Auth.Token = probes.NewSecret("0bad0bad-0bad-0bad-0bad-0bad0bad0bad")
			return s
		},
		Tail: &probetest.FaultTail{Live: true,
			Subject: func(t *testing.T, i *probetest.Instance) string {
				consultest.Agent(i.Addresses["http"]).Register(t, consultest.Service{ID: svc, Name: svc, Port: 7100, TTL: true})
				return svc
			},
			// An agent in development mode forgets its services when it is
			// restarted, so each change registers the service again. A watch of a
			// busy catalog looks once a second: health that alternated in step
			// with it would be the same at each look, so it is tossed for.
			Produce: func(t *testing.T, i *probetest.Instance, _ string, n, _ int) [][]byte {
				reg := consultest.Agent(i.Addresses["http"])
				for range n {
					changes++
					reg.Register(t, consultest.Service{ID: svc, Name: svc, Port: 7100, TTL: true, Tags: []string{fmt.Sprint("v", changes)}})
					reg.SetHealth(t, svc, []string{"passing", "warning"}[rand.IntN(2)], "")
				}
				return nil
			}},
		Oversized: func(t *testing.T, i *probetest.Instance, conn *probes.Conn) { manyServices(t, i, conn) },
	})
}

// manyServices reads a catalog of several megabytes. Every service is there.
func manyServices(t *testing.T, i *probetest.Instance, conn *probes.Conn) {
	const n = 600
	reg := consultest.Agent(i.Addresses["http"])
	meta := map[string]string{}
	for k := range 8 {
		meta[fmt.Sprint("key", k)] = fmt.Sprintf("%0400d", k)
	}
	for k := range n {
		reg.Register(t, consultest.Service{ID: fmt.Sprint("many-", k), Name: fmt.Sprint("many-", k), Port: 1, Meta: meta})
	}
	d, err := conn.Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	for snap, err := range d.Discover(t.Context(), probes.DiscoverQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, c := range snap.Claims {
			if c.Node != nil && c.Node.Kind == probes.NodeService && len(c.Node.Name) > 5 && c.Node.Name[:5] == "many-" {
				found++
			}
		}
		if found != n || !snap.Complete {
			t.Errorf("%d of %d services, complete %v, missing %q", found, n, snap.Complete, snap.Missing)
		}
	}
}
