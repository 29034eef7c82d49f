package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"iscope/probes"
)

// endpointOf reads the target's address: host:port, with or without a scheme
// and a base path. The path of the result has no trailing slash.
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
		return nil, errors.New("the address must end with the base path")
	}
	switch u.Scheme {
	case "", "http", "https":
	default:
		return nil, fmt.Errorf("scheme %q is not HTTP", u.Scheme)
	}
	takeUser(t, u)
	if u.Scheme == "https" {
		t.TLS.Enabled = true
	}
	u.Scheme = "http"
	if t.TLS.Enabled {
		u.Scheme = "https"
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/"),
		RawPath: strings.TrimRight(u.RawPath, "/")}, nil
}

// takeUser moves user information out of the URL into the credentials.
func takeUser(t *probes.Target, u *url.URL) {
	if u.User == nil || !t.Auth.IsZero() {
		return
	}
	t.Auth.Username = u.User.Username()
	if p, ok := u.User.Password(); ok {
		t.Auth.Password = probes.NewSecret(p)
	}
}

// hostPort is the address with the scheme's default port made explicit.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
