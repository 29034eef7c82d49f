package redact

import (
	"bytes"
	"slices"
	"strings"

	"iscope/probes"
)

// harmless lists the headers of calls whose values are kept, in lower case. They
// describe the message or the way it took, not who sent it.
var harmless = set(`:authority :method :path :scheme :status
	accept accept-charset accept-encoding accept-language accept-ranges age allow alt-svc cache-control connection
	content-disposition content-encoding content-language content-length content-location content-range content-type
	date etag expect expires host idempotency-key if-match if-modified-since if-none-match if-unmodified-since
	keep-alive last-modified link location max-forwards origin pragma priority range referer retry-after server
	server-timing strict-transport-security te trailer transfer-encoding upgrade user-agent vary via warning
	www-authenticate x-content-type-options x-correlation-id x-forwarded-host x-forwarded-port x-forwarded-proto
	x-powered-by x-request-id x-response-time
	traceparent tracestate b3 uber-trace-id x-amzn-trace-id x-cloud-trace-context
	soapaction mcp-protocol-version x-iscope-replay x-iscope-replay-count`)

var harmlessPrefixes = []string{"grpc-", "x-b3-", "ce-", "access-control-", "sec-fetch-", "x-ratelimit-", "ratelimit-", "x-envoy-"}

func set(words string) map[string]struct{} {
	out := map[string]struct{}{}
	for w := range strings.FieldsSeq(words) {
		out[w] = struct{}{}
	}
	return out
}

// headers returns the list itself when nothing in it is a secret.
func (p *Policy) headers(kind probes.Kind, in []probes.Field, hits *[]string) []probes.Field {
	call := kind == probes.Request || kind == probes.Response || kind == probes.End
	var out []probes.Field
	for i := range in {
		v := p.header(call, &in[i], hits)
		if len(v) == len(in[i].Value) && (len(v) == 0 || &v[0] == &in[i].Value[0]) {
			continue
		}
		if out == nil {
			out = slices.Clone(in)
		}
		out[i].Value = v
	}
	if out == nil {
		return in
	}
	return out
}

// header returns a header's value as it may be kept; the same slice when that
// is all of it.
func (p *Policy) header(call bool, f *probes.Field, hits *[]string) []byte {
	if len(f.Value) == 0 {
		return f.Value
	}
	var buf [48]byte
	name := lower(buf[:0], f.Name)
	secret := isCredential(f.Value)
	switch {
	case call && (string(name) == "cookie" || string(name) == "set-cookie"):
		return p.cookies(string(name), f.Value, hits)
	case secret:
	case call && !isHarmless(name):
		secret = true
	case call:
		return p.urlBytes(f.Value, hits)
	default:
		secret = secretName(f.Name)
	}
	if !secret || isWhole(f.Value) {
		return f.Value
	}
	*hits = append(*hits, string(cleanPath(name)))
	return []byte(p.placeholder(string(name), f.Value))
}

func lower[T string | []byte](buf []byte, s T) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	return buf
}

func isHarmless(name []byte) bool {
	if _, ok := harmless[string(name)]; ok {
		return true
	}
	for _, p := range harmlessPrefixes {
		if has(name, p) {
			return true
		}
	}
	return false
}

// isCredential recognises values that are secrets whatever their name:
// credentials of RFC 9110 §11.4 and JSON web tokens.
func isCredential(v []byte) bool {
	if len(v) < 12 {
		return false
	}
	switch v[0] {
	case 'B', 'b':
		for _, scheme := range [...]string{"bearer ", "basic "} {
			if len(v) > len(scheme) && bytes.EqualFold(v[:len(scheme)], []byte(scheme)) {
				return looksRandom(v[len(scheme):])
			}
		}
	case 'e':
		return isJWT(v)
	}
	return false
}

// looksRandom tells a credential from prose such as "basic authentication".
func looksRandom(v []byte) bool {
	return bytes.IndexByte(v, ' ') < 0 && (len(v) >= 20 || bytes.ContainsAny(v, "0123456789=._"))
}

// isJWT reports whether all of v is a JSON web token (RFC 7519): three base64
// parts, the first of which starts with {".
func isJWT(v []byte) bool {
	if !has(v, "eyJ") || bytes.Count(v, []byte(".")) != 2 {
		return false
	}
	for _, c := range v {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' && c != '=' {
			return false
		}
	}
	return true
}

// cookies masks the values and keeps the names. In Set-Cookie only the first
// pair is the cookie; what follows are its attributes.
func (p *Policy) cookies(header string, v []byte, hits *[]string) []byte {
	parts := strings.Split(string(v), ";")
	changed := false
	for i, part := range parts {
		if i > 0 && header == "set-cookie" {
			break
		}
		name, value, ok := strings.Cut(part, "=")
		if !ok || value == "" || isWhole([]byte(value)) {
			continue
		}
		parts[i] = name + "=" + p.placeholder(name, []byte(value))
		*hits = append(*hits, header+"."+strings.TrimSpace(cleanName(name)))
		changed = true
	}
	if !changed {
		return v
	}
	return []byte(strings.Join(parts, ";"))
}
