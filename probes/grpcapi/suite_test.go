package grpcapi

import (
	"testing"

	"go.uber.org/goleak"

	"iscope/probes"
	"iscope/probes/probetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	f := serve(t, serverOptions{reflection: bothVersions})
	probetest.Run(t, probetest.Suite{
		Driver: Driver(), Target: f.target(),
		Discover: &probetest.DiscoverCase{
			Kinds:   []probes.NodeKind{probes.NodeService},
			Subject: "probe.v1.Probe", Unknown: "probe.v1.Prob",
		},
		Invoke: &probetest.InvokeCase{
			Method: "probe.v1.Probe/Echo", Doc: `{"name":"x"}`,
			Unknown: "probe.v1.Probe/Ech", Body: "probe.v1.Probe/Echo",
		},
	})
}
