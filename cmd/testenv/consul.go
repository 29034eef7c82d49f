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
		name: "consul", version: "1.22.5", profile: core, tool: "consul", builds: []string{"go"}, disk: 3000,
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w",
				"-o", filepath.Join(b.dir, "consul"), "tool")
		},
		start: startConsul,
		config: func(a map[string]string) string {
			return "consul:\n  url: consul://" + a["http"] +
				"\nconsul-secured:\n  url: consul+tls://" + a["https"] + "\n  tls: {ca: " + a["ca"] + "}"
		},
	}
}

func startConsul(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(5)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	bin := filepath.Join(s.cache, "consul")
	// Whoever brings no token may do everything; one that is not known is refused.
	settings := fmt.Sprintf(`acl { enabled = true
 default_policy = "allow" }
tls { https { cert_file = %q
 key_file = %q } }`, c.serverCert, c.serverKey)
	argv := []string{bin, "agent", "-dev", "-bind", "127.0.0.1", "-client", "127.0.0.1", "-node", "iscope",
		"-http-port", fmt.Sprint(p[0]), "-https-port", fmt.Sprint(p[4]), "-server-port", fmt.Sprint(p[1]), "-serf-lan-port", fmt.Sprint(p[2]),
		"-serf-wan-port", fmt.Sprint(p[3]), "-grpc-port", "-1", "-grpc-tls-port", "-1", "-dns-port", "-1",
		"-log-level", "warn", "-disable-host-node-id", "-hcl", settings}
	a := map[string]string{"http": loopback(p[0]), "https": loopback(p[4]), "binary": bin}
	c.addTo(a)
	return plan{argv: argv, addresses: a,
		ready: httpReady("http://"+loopback(p[0])+"/v1/status/leader", func(b string) bool { return strings.Contains(b, ":") })}, nil
}
