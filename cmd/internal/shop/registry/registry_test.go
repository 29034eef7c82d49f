package registry_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"iscope/cmd/internal/shop/registry"
	"iscope/probes/consul/consultest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a registry for a test and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	r := registry.New("test-node", 8300)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	server := httptest.NewServer(r.Handler())
	t.Cleanup(func() {
		stop()
		server.CloseClientConnections()
		server.Close()
		<-done
	})
	return strings.TrimPrefix(server.URL, "http://")
}

// TestItIsLikeConsul is the test that the real agent passes.
func TestItIsLikeConsul(t *testing.T) {
	addr := serve(t)
	consultest.Run(t, addr, consultest.Agent(addr))
}
