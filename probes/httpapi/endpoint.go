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
	scheme, rest, found := strings.Cut(strings.TrimSpace(t.Address), "://")
	if !found {
		scheme, rest = "http", scheme
	}
	first, others := splitHosts(rest)
	if len(others) > 0 && t.Options[optBalance] == "" {
		return nil, nil, errors.New("one address is needed; several are for the option balance: " + roundRobin)
	}
	if base, err = httplink.ReadAddress(t, scheme+"://"+first, "http", "the base path"); err != nil {
		return nil, nil, err
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), strings.TrimRight(base.RawPath, "/")
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

// splitHosts takes all hosts but the first out of an address without its scheme.
func splitHosts(rest string) (first string, others []string) {
	host, path, slash := strings.Cut(rest, "/")
	if slash {
		path = "/" + path
	}
	all := strings.Split(host, ",")
	for _, h := range all[1:] {
		others = append(others, strings.TrimSpace(h))
	}
	return strings.TrimSpace(all[0]) + path, others
}
