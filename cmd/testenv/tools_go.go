package main

import (
	"context"
	"path/filepath"
)

// goTool builds the command that the tool line of a module below tools/ names.
func goTool(name string) func(context.Context, *builder) error {
	return func(ctx context.Context, b *builder) error {
		return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w",
			"-o", filepath.Join(b.dir, name), "tool")
	}
}

func inCache(name string) func(*site) string {
	return func(s *site) string { return filepath.Join(s.cache, name) }
}

// grpcurl calls gRPC servers by their reflection.
func grpcurl() *server {
	return &server{name: "grpcurl", version: "1.9.4", profile: peers, tool: "grpcurl", builds: []string{"go"}, disk: 650,
		build: goTool("grpcurl"), binary: inCache("grpcurl")}
}

// rabtap taps RabbitMQ exchanges.
func rabtap() *server {
	return &server{name: "rabtap", version: "1.45.0", profile: peers, tool: "rabtap", builds: []string{"go"}, disk: 250,
		build: goTool("rabtap"), binary: inCache("rabtap")}
}

// vegeta sends HTTP requests at a set rate.
func vegeta() *server {
	return &server{name: "vegeta", version: "12.13.0", profile: peers, tool: "vegeta", builds: []string{"go"}, disk: 260,
		build: goTool("vegeta"), binary: inCache("vegeta")}
}
