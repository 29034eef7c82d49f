package replay

import (
	"context"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// lookupTimeout bounds one name lookup; a name that cannot be resolved is
// compared as it is.
const lookupTimeout = 2 * time.Second

// lookup asks the system's resolver.
func lookup(ctx context.Context, host string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return net.DefaultResolver.LookupHost(ctx, host)
}

// sameAddress returns an endpoint of b that a has too, however it is written,
// or "".
func (g *guard) sameAddress(ctx context.Context, a, b string) string {
	recorded := endpoints(a)
	for _, to := range endpoints(b) {
		for _, from := range recorded {
			if from.port != to.port && from.port != "" && to.port != "" {
				continue
			}
			if from.host == to.host || g.shareAddress(ctx, from.host, to.host) {
				return to.text
			}
		}
	}
	return ""
}

func (g *guard) shareAddress(ctx context.Context, a, b string) bool {
	have := map[string]bool{}
	for _, ip := range g.addresses(ctx, a) {
		have[ip] = true
	}
	for _, ip := range g.addresses(ctx, b) {
		if have[ip] {
			return true
		}
	}
	return false
}

// loopback stands for every address of this machine's own: different spellings
// reach the same listener often enough.
const loopback = "loopback"

func (g *guard) addresses(ctx context.Context, host string) []string {
	names := []string{host}
	if _, err := netip.ParseAddr(host); err != nil {
		found, err := g.resolve(ctx, host)
		if err != nil {
			return names
		}
		names = found
	}
	for i, n := range names {
		ip, err := netip.ParseAddr(n)
		if err != nil {
			continue
		}
		ip = ip.Unmap().WithZone("")
		names[i] = ip.String()
		if ip.IsLoopback() || ip.IsUnspecified() {
			names[i] = loopback
		}
	}
	return names
}

type endpoint struct{ host, port, text string }

// endpoints reads an address: URLs or host:port, several separated by commas.
func endpoints(addr string) []endpoint {
	var out []endpoint
	for _, a := range strings.Split(addr, ",") {
		a = strings.ToLower(strings.TrimSpace(a))
		if a == "" {
			continue
		}
		scheme := ""
		if u, err := url.Parse(a); err == nil && u.Host != "" {
			scheme, a = u.Scheme, u.Host
		}
		host, port, err := net.SplitHostPort(a)
		if err != nil {
			host = strings.Trim(a, "[]")
			port = map[string]string{"http": "80", "https": "443"}[scheme]
		}
		out = append(out, endpoint{strings.TrimSuffix(host, "."), port, a})
	}
	return out
}
