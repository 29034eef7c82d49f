package main

import (
	"context"
	"path/filepath"
	"strings"
)

// etcd is the real server, one member. Beside plain HTTP it has a listener that
// insists on a client certificate, for those who speak TLS to it.
func etcd() *server {
	return &server{
		name: "etcd", version: "3.7.3", profile: core, tool: "etcd", builds: []string{"go"}, disk: 800,
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.tool, nil, "go", "build", "-mod=readonly", "-trimpath", "-ldflags", "-s -w",
				"-o", filepath.Join(b.dir, "etcd"), "tool")
		},
		start: startEtcd,
	}
}

func startEtcd(_ context.Context, s *site) (plan, error) {
	p, err := s.freePorts(3)
	if err != nil {
		return plan{}, err
	}
	c, err := makeCerts(s.data)
	if err != nil {
		return plan{}, err
	}
	client, secure, peer := "http://"+loopback(p[0]), "https://"+loopback(p[1]), "http://"+loopback(p[2])
	listen := strings.Join([]string{client, secure}, ",")
	a := map[string]string{"http": client, "https": secure}
	c.addTo(a)
	return plan{argv: []string{filepath.Join(s.cache, "etcd"), "--name", "iscope", "--data-dir", filepath.Join(s.data, "etcd"),
		"--listen-client-urls", listen, "--advertise-client-urls", listen,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "iscope=" + peer,
		"--cert-file", c.serverCert, "--key-file", c.serverKey, "--trusted-ca-file", c.ca, "--client-cert-auth",
		"--log-level", "warn"},
		addresses: a,
		ready:     httpReady(client+"/health", func(body string) bool { return strings.Contains(body, `"true"`) })}, nil
}
