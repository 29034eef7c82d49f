package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// kcat is Debian's build of the Kafka command line tool, with JSON output. It is
// a program that tests run by themselves; start asks it for its version.
func kcat() *server {
	return &server{
		name: "kcat", profile: peers, needs: []string{"kcat"}, packages: []string{"kcat"}, disk: 10,
		start: func(ctx context.Context, _ *site) (plan, error) {
			binary, version, err := debianTool(ctx, "kcat", "-V")
			return plan{version: version, addresses: map[string]string{"binary": binary}}, err
		},
	}
}

// debianTool finds a program and asks it for its version.
func debianTool(ctx context.Context, name, flag string) (binary, version string, err error) {
	if binary, err = exec.LookPath(name); err != nil {
		return "", "", err
	}
	out, err := exec.CommandContext(ctx, binary, flag).CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("asking %s for its version: %w\n%s", name, err, lastBytes(out))
	}
	if version = versionIn(string(out)); version == "" {
		return "", "", fmt.Errorf("%s says of its version: %q", name, lastBytes(out))
	}
	return binary, version, nil
}

// versionIn is the first word after "version" that looks like one.
func versionIn(said string) string {
	_, rest, found := strings.Cut(strings.ToLower(said), "version")
	if !found {
		return ""
	}
	return regexp.MustCompile(`\d+\.\d+[0-9a-z.+~-]*`).FindString(rest)
}
