package hint

import (
	"net/netip"
	"net/url"
	"strings"

	"iscope/probes"
)

const grpcStatus = probes.AttrRPCStatus

// explainTransport warns of calls that others on the way can read. Loopback and
// Unix sockets are nobody's business.
func explainTransport(c *call) {
	if c.attr(probes.AttrTLSVersion) != "" {
		c.oldTLS()
		return
	}
	peer := c.attr(probes.AttrPeer)
	plain := c.attr(probes.AttrRPCStatus) != "" && peer != "" // gRPC has no URL
	host := peer
	if v := c.url(); v != "" {
		u, err := url.Parse(v)
		if err != nil {
			return
		}
		plain = u.Scheme == "http" || u.Scheme == "ws"
		if host == "" {
			host = u.Host
		}
	}
	if !plain || local(host) {
		return
	}
	text := "the connection was not encrypted: everybody on the way to " + quote(host) + " can read and change it"
	for _, name := range []string{"Authorization", "Cookie", "X-Api-Key", "Proxy-Authorization"} {
		if _, ok := c.sent(name); ok {
			text = "credentials (" + name + ") went over a connection that is not encrypted: everybody on the way to " + quote(host) + " can read them"
			break
		}
	}
	c.add(Hint{Topic: Security, Source: probes.AttrTLSVersion + " is absent", Text: text})
}

func (c *call) url() string {
	for _, r := range []*probes.Record{c.last, c.request} {
		if r != nil {
			if v, ok := r.Attr(probes.AttrURL); ok {
				return v
			}
		}
	}
	return ""
}

// oldTLS warns of versions that RFC 8996 has forbidden.
func (c *call) oldTLS() {
	switch v := c.attr(probes.AttrTLSVersion); v {
	case "1.0", "1.1":
		c.add(Hint{Topic: Security, Source: probes.AttrTLSVersion, Text: "TLS " + v + " is forbidden by RFC 8996: it no longer protects what it carries"})
	}
}

// local reports whether an address does not leave this machine.
func local(host string) bool {
	if host == "" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "unix:") || strings.HasPrefix(host, "@") {
		return true
	}
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return ap.Addr().Unmap().IsLoopback()
	}
	name := host
	if i := strings.LastIndexByte(name, ':'); i >= 0 && !strings.Contains(name[:i], ":") {
		name = name[:i]
	}
	if a, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return a.Unmap().IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
