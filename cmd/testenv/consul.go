package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// consul is the real agent. Its licence (BUSL) allows it as a test peer; it is
// never imported.
func consul() *server {
	return &server{
		name: "consul", version: "1.22.5", profile: core, tool: "consul", needs: []string{"go"},
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w",
				"-o", filepath.Join(b.dir, "consul"), "tool")
		},
		start: func(_ context.Context, s *site) (plan, error) {
			p, err := freePorts(4)
			if err != nil {
				return plan{}, err
			}
			bin := filepath.Join(s.cache, "consul")
			argv := []string{bin, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-node", "iscope",
				"-http-port", fmt.Sprint(p[0]), "-server-port", fmt.Sprint(p[1]), "-serf-lan-port", fmt.Sprint(p[2]),
				"-serf-wan-port", fmt.Sprint(p[3]), "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
				"-log-level", "warn", "-disable-host-node-id"}
			return plan{argv: argv, addresses: map[string]string{"http": loopback(p[0]), "binary": bin},
				ready: httpReady("http://"+loopback(p[0])+"/v1/status/leader", func(b string) bool { return strings.Contains(b, ":") })}, nil
		},
		config: func(a map[string]string) string { return "consul:\n  url: consul://" + a["http"] },
	}
}
