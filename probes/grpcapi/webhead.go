package grpcapi

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
)

// Content types.
const (
	webType          = "application/grpc-web"
	webTextType      = "application/grpc-web-text"
	connectUnaryType = "application/proto"
	connectType      = "application/connect+proto"
)

// setHeaders writes what the protocol asks for, and then the call's metadata.
func (s *webStream) setHeaders(h http.Header) {
	h.Set("User-Agent", userAgent)
	left := time.Duration(-1)
	if deadline, ok := s.ctx.Deadline(); ok {
		left = max(time.Until(deadline), time.Millisecond)
	}
	switch s.channel.protocol {
	case protoConnect:
		s.connectHeaders(h, left)
	default:
		s.webHeaders(h, left)
	}
	md, _ := metadata.FromOutgoingContext(s.ctx)
	for name, values := range md {
		for _, v := range values {
			if strings.HasSuffix(name, "-bin") {
				v = base64.RawStdEncoding.EncodeToString([]byte(v))
			}
			h.Add(name, v)
		}
	}
}

func (s *webStream) connectHeaders(h http.Header, left time.Duration) {
	h.Set("Connect-Protocol-Version", "1")
	if left >= 0 {
		// Ten digits are the most that the protocol allows.
		h.Set("Connect-Timeout-Ms", strconv.FormatInt(min(left.Milliseconds(), 9_999_999_999), 10))
	}
	prefix := "Connect-"
	if s.unaryConnect() {
		prefix = ""
		h.Set("Content-Type", connectUnaryType)
	} else {
		h.Set("Content-Type", connectType)
	}
	h.Set(prefix+"Accept-Encoding", "gzip")
	if s.compression != "" {
		h.Set(prefix+"Content-Encoding", s.compression)
	}
}

func (s *webStream) webHeaders(h http.Header, left time.Duration) {
	kind := webType
	if s.channel.protocol.text() {
		kind = webTextType
	}
	h.Set("Content-Type", kind+"+proto")
	h.Set("Accept", kind+"+proto")
	h.Set("X-Grpc-Web", "1")
	h.Set("X-User-Agent", userAgent)
	h.Set("Grpc-Accept-Encoding", "gzip")
	if s.compression != "" {
		h.Set("Grpc-Encoding", s.compression)
	}
	if left >= 0 {
		h.Set("Grpc-Timeout", grpcTimeout(left))
	}
}

// grpcTimeout writes a duration with at most eight digits, as gRPC demands.
func grpcTimeout(d time.Duration) string {
	const most = 99_999_999
	if ms := d.Milliseconds(); ms <= most {
		return strconv.FormatInt(ms, 10) + "m"
	}
	return strconv.FormatInt(min(int64(d/time.Second), most), 10) + "S"
}

// accept reports whether the answer is in the channel's protocol. An error of a
// unary Connect call is known by its body only.
func (s *webStream) accept() bool {
	got, _, _ := strings.Cut(s.response.Header.Get("Content-Type"), ";")
	got = strings.TrimSpace(strings.ToLower(got))
	switch {
	case s.channel.protocol != protoConnect:
		return strings.HasPrefix(got, webType)
	case s.unaryConnect():
		return got == connectUnaryType
	}
	return got == connectType
}

// splitHeader turns HTTP headers into metadata. In a unary Connect answer those
// with a prefix are the trailers.
func splitHeader(h http.Header, prefixed bool) (header, trailer metadata.MD) {
	header, trailer = metadata.MD{}, metadata.MD{}
	for name, values := range h {
		into, short := header, name
		if rest, ok := strings.CutPrefix(name, "Trailer-"); ok && prefixed {
			into, short = trailer, rest
		}
		for _, v := range values {
			addMetadata(into, short, v)
		}
	}
	return header, trailer
}

// metadataOf leaves the status out, which is not the caller's.
func metadataOf(h http.Header) metadata.MD {
	md, _ := splitHeader(h, false)
	for _, name := range []string{"grpc-status", "grpc-message", "grpc-status-details-bin"} {
		delete(md, name)
	}
	return md
}

// addMetadata decodes binary values.
func addMetadata(md metadata.MD, name, value string) {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, "-bin") {
		if b, err := decode64(value); err == nil {
			value = string(b)
		}
	}
	md.Append(name, value)
}
