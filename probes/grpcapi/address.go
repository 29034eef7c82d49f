package grpcapi

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
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

// parseAddress reads host:port or unix:PATH. It insists on a port: grpc-go
// would use 443 without a word.
func parseAddress(s string) (address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return address{network: "unix", dial: strings.TrimPrefix(path, "//"), host: "localhost"}, nil
	}
	switch {
	case s == "":
		return address{}, hinted(errors.New("no address given"), "write it as host:port")
	case strings.Contains(s, ","):
		return address{}, hinted(fmt.Errorf("%q holds several addresses", s), "give one; gRPC servers are opened one by one")
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
