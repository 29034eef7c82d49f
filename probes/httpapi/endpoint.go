package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// endpointOf reads the target's address: host:port, with or without a scheme
// and a base path, which has no trailing slash in the result. Where requests are
// spread over instances there may be several, with commas between; the first is
// the one that requests name.
func endpointOf(t *probes.Target) (base *url.URL, hosts []string, err error) {
	raw := strings.TrimSpace(t.Address)
	if !strings.Contains(raw, "://") {
		raw = "//" + raw
	}
	raw, others := splitHosts(raw)
	if len(others) > 0 && t.Options[optBalance] == "" {
		return nil, nil, errors.New("one address is needed; several are for the option balance: " + roundRobin)
	}
	u, err := url.Parse(raw)
	if err != nil {
		var ue *url.Error // its text repeats the URL, which may hold a password
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, nil, err
	}
	if base, err = baseOf(t, u); err != nil {
		return nil, nil, err
	}
	hosts = []string{httplink.HostPort(base)}
	for _, host := range others {
		o, err := url.Parse("//" + host)
		if err != nil || o.Hostname() == "" || o.Host != host {
			return nil, nil, fmt.Errorf("%q is no host:port", host)
		}
		o.Scheme = base.Scheme
		hosts = append(hosts, httplink.HostPort(o))
	}
	return base, hosts, nil
}

// splitHosts takes all hosts but the first out of an address.
func splitHosts(raw string) (first string, others []string) {
	scheme, rest, _ := strings.Cut(raw, "//")
	host, path, slash := strings.Cut(rest, "/")
	if slash {
		path = "/" + path
	}
	all := strings.Split(host, ",")
	for _, h := range all[1:] {
		others = append(others, strings.TrimSpace(h))
	}
	return scheme + "//" + strings.TrimSpace(all[0]) + path, others
}

func baseOf(t *probes.Target, u *url.URL) (*url.URL, error) {
	switch {
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("the address has no host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("the address must end with the base path")
	}
	switch u.Scheme {
	case "", "http", "https", "ws", "wss":
	default:
		return nil, fmt.Errorf("scheme %q is not HTTP", u.Scheme)
	}
	takeUser(t, u)
	if u.Scheme == "https" || u.Scheme == "wss" {
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
