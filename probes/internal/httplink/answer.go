package httplink

import (
	"crypto/tls"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"iscope/probes"
)

// AttrLocation is where a redirect leads.
const AttrLocation = "http.response.header.location"

// Origin says who answered, and over what. protocol is what was spoken over the
// connection, "" for HTTP.
func Origin(resp *http.Response, w *Stopwatch, protocol string) (out []probes.Attr) {
	add := func(name, value string) {
		if value != "" {
			out = append(out, probes.Attr{Name: name, Value: value})
		}
	}
	add(AttrLocation, resp.Header.Get("Location"))
	add(probes.AttrPeer, w.Peer())
	if protocol == "" {
		protocol = "http"
	}
	add(probes.AttrProtocol, protocol)
	add(probes.AttrProtoVersion, strings.TrimSuffix(fmt.Sprintf("%d.%d", resp.ProtoMajor, resp.ProtoMinor), ".0"))
	if s := resp.TLS; s != nil {
		add(probes.AttrTLSVersion, strings.TrimPrefix(tls.VersionName(s.Version), "TLS "))
	}
	return out
}

// StatusText is a status in words: "404 Not Found", "299".
func StatusText(code int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", code, http.StatusText(code)))
}

// MediaType is a content type without its parameters, in lower case.
func MediaType(contentType string) string {
	if t, _, err := mime.ParseMediaType(contentType); err == nil {
		return t
	}
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}
