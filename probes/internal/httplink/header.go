package httplink

import (
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"iscope/probes"
)

// perConnection are the headers that the transport writes itself; a captured
// request has them, and its values belong to the connection it was captured on.
func perConnection(name string) bool {
	switch name {
	case "Connection", "Content-Length", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

// HeaderOf checks a caller's headers and returns them, and the Host among them.
// Those of a connection are left out.
func HeaderOf(fields []probes.Field) (h http.Header, host string, err error) {
	h = http.Header{}
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		switch {
		case !ValidHeaderName(f.Name):
			return nil, "", fmt.Errorf("%q is no header name: it has no spaces or colons", f.Name)
		case !ValidHeaderValue(f.Value):
			return nil, "", fmt.Errorf("the value of header %s cannot be sent: it has no line breaks or control characters", name)
		case name == "Host":
			host = string(f.Value)
		case perConnection(name):
		default:
			h.Add(name, string(f.Value))
		}
	}
	return h, host, nil
}

// Recorded lists a request's headers as the transport writes them, names sorted.
// hide returns what is shown of a value, and the names of what it left out of it.
func Recorded(req *http.Request, hide func(name, value string) (shown string, masked []string)) (fields []probes.Field, masked []string) {
	if req.Host != "" && req.Host != req.URL.Host {
		fields = append(fields, probes.Field{Name: "Host", Value: []byte(req.Host)})
	}
	for _, f := range Fields(req.Header) {
		shown, hidden := hide(f.Name, string(f.Value))
		masked = append(masked, hidden...)
		fields = append(fields, probes.Field{Name: f.Name, Value: []byte(shown)})
	}
	return fields, masked
}

// Fields lists headers by name; net/http does not keep the order between names,
// only that of repeated values.
func Fields(h http.Header) (out []probes.Field) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			out = append(out, probes.Field{Name: name, Value: []byte(v)})
		}
	}
	return out
}

// ValidHeaderName follows the token rule of RFC 9110 §5.6.2.
func ValidHeaderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// ValidHeaderValue follows RFC 9110 §5.5: no control characters but the tab.
func ValidHeaderValue(v []byte) bool {
	for _, c := range v {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
