package grpcapi

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"iscope/probes"
)

// address is where to connect and what to call the server there.
type address struct {
	network string // "tcp" or "unix"
	dial    string // host:port, or the socket's path
	host    string // for certificates and records
	port    string
}

// String is the address as people write it.
func (a address) String() string {
	if a.network == "unix" {
		return "unix:" + a.dial
	}
	return a.dial
}

// parseAddresses reads one address, or several with commas between.
func parseAddresses(s string) ([]address, error) {
	parts := list(s)
	if len(parts) == 0 || strings.HasPrefix(s, "unix:") { // a path may hold a comma
		parts = []string{s}
	}
	var out []address
	for _, part := range parts {
		a, err := parseAddress(part)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// urlSubject takes the method out of a URL's path. In grpc://unix:/PATH the path
// is that of a socket, and the method has to be named beside it.
func urlSubject(t *probes.Target, u *url.URL) string {
	if u.Host == "unix:" {
		t.Address = "unix:" + u.Path
		t.Name = u.Scheme + "://" + t.Address
		return ""
	}
	return strings.TrimPrefix(u.Path, "/")
}

// parseAddress reads host:port or unix:PATH. It insists on a port: grpc-go
// would use 443 without a word.
func parseAddress(s string) (address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return address{network: "unix", dial: strings.TrimPrefix(path, "//"), host: "localhost"}, nil
	}
	switch {
	case s == "":
		return address{}, hinted(errors.New("no address given"), "write it as host:port")
	case strings.Contains(s, "://"):
		return address{}, hinted(fmt.Errorf("%q is no address", s), "write host:port; the scheme belongs in the target's url")
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		var ae *net.AddrError
		if errors.As(err, &ae) && ae.Err == "missing port in address" {
			return address{}, hinted(fmt.Errorf("address %q has no port", s),
				fmt.Sprintf("add it, such as %s:50051; gRPC alone would use 443 silently", s))
		}
		return address{}, hinted(err, "write it as host:port, IPv6 as [::1]:50051")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return address{}, hinted(fmt.Errorf("address %q has no port between 1 and 65535", s), "write it as host:port")
	}
	if host == "" {
		host = "localhost"
	}
	return address{network: "tcp", dial: net.JoinHostPort(host, port), host: host, port: port}, nil
}
