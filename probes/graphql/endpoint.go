package graphql

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"iscope/probes"
)

// endpointOf reads the target's address: host:port, with or without a scheme and
// a path. It moves user information and the choice of TLS into the target.
func endpointOf(t *probes.Target) (*url.URL, error) {
	raw := strings.TrimSpace(t.Address)
	if !strings.Contains(raw, "://") {
		raw = "//" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		var ue *url.Error // its text repeats the URL, which may hold a password
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, err
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("the address has no host")
	case strings.Contains(u.Host, ","):
		return nil, fmt.Errorf("one address is needed, got %q", u.Host)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the address must end with the endpoint's path: no ? or #")
	}
	switch u.Scheme {
	case "", "http", "graphql", "ws":
	case "https", "graphqls", "wss":
		t.TLS.Enabled = true
	default:
		return nil, fmt.Errorf("scheme %q is not HTTP", u.Scheme)
	}
	if u.User != nil && t.Auth.IsZero() {
		t.Auth.Username = u.User.Username()
		if p, ok := u.User.Password(); ok {
			t.Auth.Password = probes.NewSecret(p)
		}
	}
	base := &url.URL{Scheme: "http", Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if t.TLS.Enabled {
		base.Scheme = "https"
	}
	return base, nil
}

// usualPaths are tried where the address has no path.
func usualPaths() []string { return []string{"/graphql", "/api/graphql", "/query", "/"} }
