package probes

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// HeaderTraceparent is the header of W3C Trace Context §3.2.
const HeaderTraceparent = "traceparent"

// WithTrace adds a fresh traceparent, sampled, unless the call already carries
// one, and returns the trace's id (32 hex digits). What the call causes
// elsewhere can then be found by it.
func (in *Invocation) WithTrace() string {
	for _, f := range in.Header {
		if strings.EqualFold(f.Name, HeaderTraceparent) {
			return TraceID(string(f.Value))
		}
	}
	var id [24]byte
	rand.Read(id[:]) // never fails: crypto/rand ends the program instead
	trace, span := hex.EncodeToString(id[:16]), hex.EncodeToString(id[16:])
	in.Header = append(in.Header[:len(in.Header):len(in.Header)],
		Field{Name: HeaderTraceparent, Value: []byte("00-" + trace + "-" + span + "-01")})
	return trace
}

// TraceID returns the trace id within a traceparent, "" if it is malformed.
func TraceID(traceparent string) string {
	parts := strings.Split(strings.TrimSpace(traceparent), "-")
	if len(parts) < 4 || len(parts[0]) != 2 || len(parts[1]) != 32 || strings.Trim(parts[1], "0") == "" {
		return ""
	}
	if strings.Trim(parts[1], "0123456789abcdef") != "" {
		return ""
	}
	return parts[1]
}
