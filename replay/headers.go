package replay

import (
	"strings"

	"iscope/probes"
)

// credentials are the headers that identify a caller, besides the one a
// destination's own configuration names.
var credentials = map[string]bool{"authorization": true, "proxy-authorization": true, "cookie": true,
	"x-api-key": true, "api-key": true, "x-auth-token": true, "x-access-token": true, "x-consul-token": true}

// connectionHeaders belong to the recorded connection, not to the message: the
// destination's driver makes its own (RFC 9110 §7.6.1, and gRPC's over HTTP/2).
var connectionHeaders = map[string]bool{"host": true, "connection": true, "keep-alive": true, "proxy-connection": true,
	"te": true, "trailer": true, "transfer-encoding": true, "upgrade": true, "content-length": true, "expect": true}

// rpcHeaders are set by a gRPC library itself.
var rpcHeaders = map[string]bool{"content-type": true, "user-agent": true, "accept-encoding": true}

// headers returns the headers to send for a recorded message or request.
// skip is the reason why it cannot be sent: a value that nobody has.
func (p *Plan) headers(r *probes.Record, conn *probes.Conn) (out []probes.Field, skip string) {
	isCall := r.Kind != probes.Message
	isRPC := isCall && !strings.Contains(r.Source.Subject, " ")
	for _, f := range r.Header {
		name := strings.ToLower(f.Name)
		if isCall && (connectionHeaders[name] || strings.HasPrefix(name, ":")) ||
			isRPC && (rpcHeaders[name] || strings.HasPrefix(name, "grpc-")) {
			continue
		}
		masked := p.opt.IsRedacted != nil && p.opt.IsRedacted(f.Value)
		secret := isCall && (credentials[name] || strings.EqualFold(conn.Target.Auth.Header, name))
		if !masked && (!secret || p.opt.KeepCredentials) {
			out = append(out, f)
			continue
		}
		if p.opt.Provide != nil {
			if v, ok := p.opt.Provide(conn, name); ok {
				out = append(out, probes.Field{Name: f.Name, Value: v})
				continue
			}
		}
		if secret && !conn.Target.Auth.IsZero() {
			continue // the driver authenticates by the destination's own configuration
		}
		if masked {
			return nil, skipRedacted + ": " + name
		}
		return nil, skipSecret + ": " + name
	}
	return out, ""
}
