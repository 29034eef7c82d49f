package graphql

import (
	"net/url"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// endpointOf reads the target's address: host:port, with or without a scheme and
// a path. It moves user information and the choice of TLS into the target.
func endpointOf(t *probes.Target) (*url.URL, error) {
	return httplink.ReadAddress(t, strings.TrimSpace(t.Address), "graphql", "the endpoint's path")
}

// usualPaths are tried where the address has no path.
func usualPaths() []string { return []string{"/graphql", "/api/graphql", "/query", "/"} }
