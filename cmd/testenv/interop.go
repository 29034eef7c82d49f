package main

import (
	"context"
	"path/filepath"
)

// interop is the gRPC project's own test service, with its own reflection and
// health services.
func interop() *server {
	return &server{
		name: "interop", version: "grpc-go 1.85.0", profile: peers, tool: "interop", needs: []string{"go"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-o", filepath.Join(b.dir, "interop"), ".")
		},
		start: func(_ context.Context, s *site) (plan, error) {
			port, err := freePort()
			addr := loopback(port)
			return plan{argv: []string{filepath.Join(s.cache, "interop"), "-addr", addr},
				addresses: map[string]string{"grpc": addr}, ready: tcpReady(addr)}, err
		},
		config: func(a map[string]string) string { return "grpc-interop:\n  url: grpc://" + a["grpc"] },
	}
}
