// Package redact takes secrets out of records before they are written down, and
// out of texts before they are logged.
//
// What is masked:
//
//   - Headers of calls (Request, Response, End): every value is masked unless the
//     name is on a short list of harmless ones. Unknown headers of HTTP and gRPC
//     are where sessions and keys travel. Of cookies the names stay.
//   - Headers of messages and events: only values whose name or form says
//     secret. Brokers carry routing and tracing there, and a list of harmless
//     names would hide what people look for.
//   - JSON, form and query values under the name of a secret, at any depth, in
//     bodies, keys, subjects and attributes; credentials in URLs; values that are
//     bearer tokens or JSON web tokens whatever their name.
//
// A masked value becomes «redacted:name#3f9a». The four digits are a keyed hash
// of the value, with a key that dies with the Policy: equal values can be seen
// to be equal, and nothing else can be learned.
//
// Not looked into: binary bodies (protobuf, Avro), XML and multipart. They are
// kept as they are.
package redact

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strings"

	"iscope/probes"
)

// Policy decides what is masked. It is immutable and safe for concurrent use.
type Policy struct {
	key [32]byte
}

// NewPolicy returns the policy with a key of its own.
func NewPolicy() *Policy {
	p := &Policy{}
	rand.Read(p.key[:]) // never fails: crypto/rand ends the program instead
	return p
}

// String describes the policy in words, for the metadata of captures.
func (p *Policy) String() string {
	return "call headers by allow-list, message headers and JSON, form and query values by name, " +
		"bearer tokens and credentials in URLs; values as keyed hashes"
}

// Record returns the record without its secrets. The attribute AttrRedacted of
// the result lists what was masked. Parts without secrets are shared with r; r
// itself is not changed.
func (p *Policy) Record(r probes.Record) probes.Record {
	var hits []string
	r.Header = p.headers(r.Kind, r.Header, &hits)
	r.Body = p.body(&r, &hits)
	r.Key = p.jsonOnly(r.Key, &hits)
	r.Native = p.jsonOnly(r.Native, &hits)
	r.Source.Subject = p.url(r.Source.Subject, &hits)
	r.Attrs = p.attrs(r.Attrs, &hits)
	if r.Err != "" {
		r.Err = p.Text(r.Err)
	}
	if len(hits) > 0 {
		r.Attrs = withRedacted(r.Attrs, hits)
	}
	return r
}

func (p *Policy) attrs(attrs []probes.Attr, hits *[]string) []probes.Attr {
	var out []probes.Attr
	for i, a := range attrs {
		v := p.url(a.Value, hits)
		if v == a.Value {
			continue
		}
		if out == nil {
			out = slices.Clone(attrs)
		}
		out[i].Value = v
	}
	if out == nil {
		return attrs
	}
	return out
}

// withRedacted adds what was masked to the list the record may already carry.
func withRedacted(attrs []probes.Attr, hits []string) []probes.Attr {
	if old, ok := probes.FindAttr(attrs, probes.AttrRedacted); ok && old != "" {
		hits = append(strings.Split(old, ","), hits...)
	}
	slices.Sort(hits)
	attrs = slices.DeleteFunc(slices.Clone(attrs), func(a probes.Attr) bool { return a.Name == probes.AttrRedacted })
	return append(attrs, probes.Attr{Name: probes.AttrRedacted, Value: strings.Join(slices.Compact(hits), ",")})
}

// body chooses how to read the body: by its content type, else by its first
// byte.
func (p *Policy) body(r *probes.Record, hits *[]string) []byte {
	if len(r.Body) == 0 {
		return r.Body
	}
	v, _ := r.HeaderValue("content-type")
	var buf [64]byte
	ct := lower(buf[:0], v[:min(len(v), len(buf))])
	switch {
	case bytes.Contains(ct, []byte("x-www-form-urlencoded")):
		return p.form(r.Body, hits)
	case bytes.Contains(ct, []byte("json")), bytes.Contains(ct, []byte("event-stream")):
		return p.json(r.Body, hits)
	case bytes.Contains(ct, []byte("grpc")), bytes.Contains(ct, []byte("octet-stream")):
		return r.Body
	}
	// Confluent's wire format puts five bytes before the document.
	if len(r.Body) > 5 && r.Body[0] == 0 && (r.Body[5] == '{' || r.Body[5] == '[') {
		doc := p.json(r.Body[5:], hits)
		if len(doc) == len(r.Body)-5 && &doc[0] == &r.Body[5] {
			return r.Body
		}
		return slices.Concat(r.Body[:5], doc)
	}
	return p.jsonOnly(r.Body, hits)
}

// jsonOnly scrubs what starts like a JSON object or array and leaves the rest.
func (p *Policy) jsonOnly(b []byte, hits *[]string) []byte {
	for _, c := range b {
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '{', '[':
			return p.json(b, hits)
		}
		return b
	}
	return b
}
