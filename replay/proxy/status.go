package proxy

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"iscope/probes"
)

// statusNames are the names of gRPC's statuses, by number
// (https://grpc.github.io/grpc/core/md_doc_statuscodes.html).
var statusNames = [...]string{"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL",
	"UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"}

// rpcStatus is the status that trailers or, for a response without messages,
// headers carry. ok is false where there is none.
func rpcStatus(h http.Header) (name, text string, ok bool) {
	v := h.Get("Grpc-Status")
	if v == "" {
		return "", "", false
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return "UNKNOWN", fmt.Sprintf("UNKNOWN: grpc-status %q", v), true
	}
	name = fmt.Sprintf("CODE_%d", n)
	if n < len(statusNames) {
		name = statusNames[n]
	}
	if n == 0 {
		return name, "", true
	}
	msg := h.Get("Grpc-Message")
	if plain, err := url.PathUnescape(msg); err == nil {
		msg = plain
	}
	return name, strings.TrimSuffix(fmt.Sprintf("%s (%d): %s", name, n, msg), ": "), true
}

// rpcStatusOfHTTP is what a gRPC client makes of a response without a status
// (https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md).
func rpcStatusOfHTTP(code int) string {
	switch code {
	case http.StatusBadRequest:
		return "INTERNAL"
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "UNIMPLEMENTED"
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "UNAVAILABLE"
	}
	return "UNKNOWN"
}

// fields lists headers by name: their order on the wire does not survive
// net/http, that of values of one name does. HTTP/2 names are lower case.
// Binary metadata of gRPC is decoded, as clients see it.
func fields(h http.Header, major int, rpc bool) []probes.Field {
	names := make([]string, 0, len(h))
	for n := range h {
		names = append(names, n)
	}
	slices.Sort(names)
	var out []probes.Field
	for _, n := range names {
		name := n
		if major >= 2 {
			name = strings.ToLower(n)
		}
		for _, v := range h[n] {
			value := []byte(v)
			if rpc && strings.HasSuffix(name, "-bin") {
				value = decodeBin(v)
			}
			out = append(out, probes.Field{Name: name, Value: value})
		}
	}
	return out
}

// decodeBin reads base64 with or without padding; what is neither is kept.
func decodeBin(v string) []byte {
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(v, "="))
	if err != nil {
		return []byte(v)
	}
	return b
}
