package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestEnvoyVersion(t *testing.T) {
	got, err := parseEnvoyVersion("\n/x/Clean/envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL\n")
	if err != nil || got != "1.40.0" {
		t.Errorf("%q %v", got, err)
	}
	if got, err := parseEnvoyVersion("no such file"); err == nil {
		t.Errorf("a version was read from an error: %q", got)
	}
}

// TestEnvoyPlaces checks that every place in the configuration is filled in, with
// a program that stands in for the binary.
func TestEnvoyPlaces(t *testing.T) {
	s := &site{cache: t.TempDir(), data: t.TempDir(), ports: &ports{}}
	binary := envoyBinary(s.cache)
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(binary, []byte("#!/bin/sh\necho x version: c/1.2.3/Clean/RELEASE/BoringSSL\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	p, err := startEnvoy(context.Background(), s)
	if err != nil || p.version != "1.2.3" {
		t.Fatalf("%q %v", p.version, err)
	}
	config, err := os.ReadFile(filepath.Join(s.data, "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if left := regexp.MustCompile(`\{[a-z_]+\}`).FindAllString(string(config), -1); len(left) > 0 {
		t.Errorf("left as they are: %s", left)
	}
	for _, name := range []string{"admin", "http", "upstream", "dead"} {
		_, port, _ := strings.Cut(p.addresses[name], "127.0.0.1:")
		if !strings.Contains(string(config), "port_value: "+port+"}") {
			t.Errorf("%s at %s is not in the configuration", name, p.addresses[name])
		}
	}
}
