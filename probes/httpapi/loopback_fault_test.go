package httpapi

import (
	"fmt"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestLoopbackFails is the suite of faults, on a server of its own.
func TestLoopbackFails(t *testing.T) {
	secured := func(i *probetest.Instance) probes.Target {
		s := target(i.Addresses["https"])
		s.TLS = probes.TLS{Enabled: true, CAFile: i.Addresses["ca"]}
		s.Auth.Username, s.Auth.Password = i.Addresses["username"], probes.NewSecret(i.Addresses["password"])
		return s
	}
	probetest.RunFaults(t, probetest.FaultCase{
		Driver: Driver(), Server: "loopback", Secured: secured,
		Target: func(i *probetest.Instance) probes.Target { return target(i.Addresses["http"]) },
		Denied: func(i *probetest.Instance) probes.Target {
			s := secured(i)
			s.Auth.Password = probes.NewSecret("not-the-password")
			return s
		},
		Invoke:    &probetest.FaultInvoke{Method: "GET /openapi.json", Bytes: 8000},
		Oversized: func(t *testing.T, i *probetest.Instance, conn *probes.Conn) { bigBody(t, conn) },
	})
}

// bigBody sends more than the server takes, and then reads back what it took:
// the answer of the server is a result, and nothing of what it sent is lost.
func bigBody(t *testing.T, conn *probes.Conn) {
	post := func(title string) string {
		t.Helper()
		recs, err := probetest.Invoke(t.Context(), conn, probes.Invocation{Method: "POST /todos",
			Next: probetest.Docs(fmt.Sprintf(`{"title":%q}`, title))})
		if err != nil {
			t.Fatal(err)
		}
		status, _ := recs[len(recs)-1].Attr(probes.AttrHTTPStatus)
		return status
	}
	if status := post(strings.Repeat("x", 2<<20)); status != "413" {
		t.Errorf("two megabytes: status %s", status)
	}
	title := strings.Repeat("y", 900<<10)
	for range 4 {
		if status := post(title); status != "200" {
			t.Fatalf("900 KB: status %s", status)
		}
	}
	recs, err := probetest.Invoke(t.Context(), conn, probes.Invocation{Method: "GET /todos"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if r.Kind == probes.Response && strings.Count(string(r.Body), title) != 4 {
			t.Errorf("%d bytes came back, want four titles of %d", len(r.Body), len(title))
		}
	}
}
