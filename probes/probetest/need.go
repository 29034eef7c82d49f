// Package probetest holds what every driver is tested with: one conformance
// suite, a fake driver whose faults follow a script, and the way tests find real
// servers.
package probetest

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// Server is what the testbed (cmd/testenv) says about one real server.
type Server struct {
	OK        bool              `json:"ok"`
	Version   string            `json:"version,omitempty"`
	Addresses map[string]string `json:"addresses,omitempty"` // by role: "bootstrap", "http", "grpc"
	Reason    string            `json:"reason,omitempty"`    // why not OK, and the command that would help
}

// EnvFile names the environment variable with the path of the testbed's JSON
// file: a map of server name to Server. EnvRequire lists, comma separated, the
// servers whose absence is a failure rather than a skip.
const (
	EnvFile    = "ISCOPE_TESTENV"
	EnvRequire = "ISCOPE_REQUIRE"
)

// Need returns the named real server, or skips the test with the reason and the
// command that would install it, or fails where the server is required.
func Need(t testing.TB, name string) Server {
	t.Helper()
	s := Lookup(name)
	if s.OK {
		return s
	}
	if slices.Contains(strings.Split(os.Getenv(EnvRequire), ","), name) {
		t.Fatalf("required server %s is missing: %s", name, s.Reason)
	}
	t.Skipf("no real %s: %s", name, s.Reason)
	return s
}

// Lookup reads the testbed's answer without judging it.
func Lookup(name string) Server {
	const how = "run the tests with: go run ./cmd/testenv test"
	path := os.Getenv(EnvFile)
	if path == "" {
		return Server{Reason: EnvFile + " is not set; " + how}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Server{Reason: err.Error() + "; " + how}
	}
	var all map[string]Server
	if err := json.Unmarshal(b, &all); err != nil {
		return Server{Reason: path + ": " + err.Error()}
	}
	s, ok := all[name]
	if !ok {
		return Server{Reason: "it was not started; install it with: go run ./cmd/testenv install " + name}
	}
	return s
}
