package httpapi

import (
	"bytes"
	"strings"

	"iscope/probes/internal/httplink"
)

// compress codes the body of a request (RFC 9110 §8.4).
func (d *draft) compress(coding string) error {
	d.wire = d.body
	given := strings.ToLower(d.header.Get("Content-Encoding"))
	switch {
	case d.body == nil || d.coded:
		return nil
	case given != "" && coding != "" && given != coding:
		return usagef("leave one of them out", "a Content-Encoding is given, and another compression too")
	case given == "gzip" || given == "deflate" || given == "zstd":
		coding = given // a recorded request: its body is what was decoded
	case given != "" || coding == "" || coding == "identity":
		return nil
	}
	wire, err := httplink.Compress(coding, d.body)
	if err != nil {
		return usagef("", "%v", err)
	}
	d.wire = wire
	d.header.Set("Content-Encoding", coding)
	return nil
}

// isCoded tells whether a text is in a coding already, by its first bytes.
func isCoded(text []byte, coding string) bool {
	switch strings.ToLower(coding) {
	case "", "identity":
		return false
	case "gzip", "x-gzip":
		return bytes.HasPrefix(text, []byte("\x1f\x8b"))
	case "zstd":
		return bytes.HasPrefix(text, []byte("\x28\xb5\x2f\xfd"))
	case "deflate":
		return httplink.IsZlib(text)
	}
	return true // a coding that we cannot make: it is the caller's
}
