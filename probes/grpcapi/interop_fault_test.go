package grpcapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestInteropFails is the suite of faults, on a server of its own.
func TestInteropFails(t *testing.T) {
	target := func(i *probetest.Instance) probes.Target {
		return probes.Target{Name: "interop", Driver: "grpc", Address: i.Addresses["grpc"], Timeout: time.Minute,
			Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
	}
	secured := func(i *probetest.Instance) probes.Target {
		s := target(i)
		s.Address, s.TLS = i.Addresses["grpcs"], probes.TLS{Enabled: true, CAFile: i.Addresses["ca"]}
		s.Auth.Token = probes.NewSecret(i.Addresses["token"])
		return s
	}
	const parts, size = 64, 1 << 20
	probetest.RunFaults(t, probetest.FaultCase{
		Driver: Driver(), Server: "interop", Target: target, Secured: secured,
		Denied: func(i *probetest.Instance) probes.Target {
			s := secured(i)
			s.Auth.Token = probes.NewSecret("not-the-token")
			return s
		},
		Invoke: &probetest.FaultInvoke{Method: testService + "/StreamingOutputCall", Bytes: parts * size, Kept: true, Slow: true,
			Doc: `{"responseParameters":[` + strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"size":%d},`, size), parts), ",") + `]}`},
		Oversized: func(t *testing.T, i *probetest.Instance, conn *probes.Conn) { bigAnswer(t, conn) },
	})
}

// bigAnswer is a message beyond the 4 MB at which gRPC clients refuse by
// default.
func bigAnswer(t *testing.T, conn *probes.Conn) {
	const size = 12 << 20
	recs, err := probetest.Invoke(t.Context(), conn, probes.Invocation{Method: testService + "/UnaryCall",
		Next: probetest.Docs(fmt.Sprintf(`{"responseSize":%d}`, size))})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if r.Kind == probes.Response && len(r.Body) < size {
			t.Errorf("%d bytes of an answer of %d", len(r.Body), size)
		}
		if r.Err != "" {
			t.Error(r.Err)
		}
	}
}
