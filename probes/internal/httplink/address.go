package httplink

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"iscope/probes"
)

// ReadAddress reads an address of a target: host:port, with or without a scheme
// and a path. It moves user information and the choice of TLS into the target,
// so that the result is http or https, host and path. own is the driver's scheme
// beside http and ws, and path says what the address ends with, for errors.
func ReadAddress(t *probes.Target, raw, own, path string) (*url.URL, error) {
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
		return nil, fmt.Errorf("the address must end with %s: no ? or #", path)
	}
	switch u.Scheme {
	case "", "http", "ws", own:
	case "https", "wss", own + "s":
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

// HostPort is the address of a URL, the scheme's default port made explicit.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "80"
		if u.Scheme == "https" {
			port = "443"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}
