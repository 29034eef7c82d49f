package main

import (
	"context"
	"path/filepath"
)

// interop is the gRPC project's own test service, with its own reflection and
// health services.
func interop() *server {
	return &server{
		name: "interop", version: "grpc-go 1.85.0", profile: peers, tool: "interop", builds: []string{"go"}, disk: 300,
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-o", filepath.Join(b.dir, "interop"), ".")
		},
		start: startInterop,
		config: func(a map[string]string) string {
			return "grpc-interop:\n  url: grpc://" + a["grpc"] +
				"\ngrpc-interop-secured:\n  url: grpcs://" + a["grpcs"] + "\n  tls: {ca: " + a["ca"] + "}\n  auth: {token: " + a["token"] + "}"
		},
	}
}

func startInterop(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	a := map[string]string{"grpc": loopback(p[0]), "grpcs": loopback(p[1]), "token": password}
	c.addTo(a)
	return plan{argv: []string{filepath.Join(s.cache, "interop"), "-addr", a["grpc"], "-tls-addr", a["grpcs"],
		"-cert", c.serverCert, "-key", c.serverKey, "-token", password}, addresses: a, ready: tcpReady(a["grpc"])}, nil
}
