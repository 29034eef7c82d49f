package main

import (
	"context"
	"path/filepath"
	"strings"
)

// openfga is a public project's gRPC server with reflection (v1 and v1alpha),
// server streaming, and an HTTP gateway to the same. Everything is in memory.
func openfga() *server {
	return &server{
		name: "openfga", version: "1.22.1", profile: peers, tool: "openfga", builds: []string{"go"}, disk: 2200,
		build:  goTool("openfga"),
		start:  startOpenFGA,
		config: func(a map[string]string) string { return "openfga:\n  url: grpc://" + a["grpc"] },
	}
}

func startOpenFGA(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(2)
	if err != nil {
		return plan{}, err
	}
	a := map[string]string{"grpc": loopback(p[0]), "http": "http://" + loopback(p[1])}
	return plan{
		argv: []string{filepath.Join(s.cache, "openfga"), "run", "--datastore-engine", "memory",
			"--grpc-addr", a["grpc"], "--http-addr", loopback(p[1]),
			// Both would listen on every interface.
			"--playground-enabled=false", "--metrics-enabled=false",
			"--log-level", "warn"},
		addresses: a,
		ready:     httpReady(a["http"]+"/healthz", func(body string) bool { return strings.Contains(body, "SERVING") }),
	}, nil
}
