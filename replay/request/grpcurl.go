package request

import (
	"strings"

	"iscope/probes"
)

// grpcurlLine writes a gRPC call for grpcurl (github.com/fullstorydev/grpcurl).
func grpcurlLine(r *Request, m *probes.Method, t *probes.Target) (Line, error) {
	if strings.Contains(r.Method, " ") || !strings.Contains(r.Method, "/") {
		return Line{}, cannot(GRPCurl, r.Method+" is no gRPC method", "use curl for HTTP")
	}
	if p := t.Options["protocol"]; p != "" && p != "auto" && p != "grpc" {
		return Line{}, cannot(GRPCurl, "grpcurl does not speak "+p, "use iscope")
	}
	var l line
	l.add("grpcurl")
	grpcurlTLS(&l, t)
	for _, h := range r.Header {
		l.add("-H", h.Name+": "+h.Value)
	}
	if name, value, basic := secretHeader(r, &t.Auth); basic {
		l.add("-H", "Authorization: Basic «redacted:basic#»")
		l.note(`BASIC is the base64 of %s:PASSWORD`, t.Auth.Username)
	} else if name != "" {
		l.add("-H", name+": "+value)
	}
	grpcurlContract(&l, t)
	if r.Deadline > 0 {
		l.add("-max-time", seconds(r.Deadline))
	}
	if r.Compression != "" {
		l.note("grpcurl does not compress what it sends (%s was asked for)", r.Compression)
	}
	if len(r.Documents) > 0 {
		l.add("-d", strings.Join(r.Documents, "\n"))
	}
	address, isUnix := strings.CutPrefix(t.Address, "unix:")
	if isUnix {
		l.add("-unix")
		address = strings.TrimPrefix(address, "//")
	} else if first, _, several := strings.Cut(address, ","); several {
		l.note("grpcurl takes one address of %s", address)
		address = strings.TrimSpace(first)
	}
	l.add(address, r.Method)
	return l.done(), nil
}

func grpcurlTLS(l *line, t *probes.Target) {
	if !t.TLS.Enabled {
		l.add("-plaintext")
	}
	l.flag("-cacert", t.TLS.CAFile)
	l.flag("-cert", t.TLS.CertFile)
	l.flag("-key", t.TLS.KeyFile)
	l.flag("-servername", t.TLS.ServerName)
	if t.TLS.InsecureSkipVerify {
		l.add("-insecure")
	}
	l.flag("-authority", t.Options["authority"])
}

// grpcurlContract names the files that describe the methods.
func grpcurlContract(l *line, t *probes.Target) {
	for _, o := range [][2]string{{"protoset", "-protoset"}, {"import", "-import-path"}, {"proto", "-proto"}} {
		for part := range strings.SplitSeq(t.Options[o[0]], ",") {
			l.flag(o[1], strings.TrimSpace(part))
		}
	}
}
