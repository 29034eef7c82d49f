// Package request keeps calls outside of a session: in the user's history, in
// files that are checked in beside the code, and as command lines of this and
// other tools. It also runs the files: variables, values taken from earlier
// answers, conditions on each answer.
//
// It neither opens targets nor judges conditions nor knows what a secret looks
// like: whoever uses it hands that in, and masks what it is given to keep.
package request

import (
	"context"
	"io"
	"strings"
	"time"

	"iscope/probes"
)

// Request is one call as it is written down. Its texts may hold placeholders of
// masked values (see Missing) and, in saved requests, {{variables}}.
type Request struct {
	Target      string `json:"target"` // configured name, or a URL without user information
	Environment string `json:"environment,omitempty"`
	Method      string `json:"method"`
	// Params and Header are in the order they were given; names may repeat.
	Params    []probes.Attr `json:"params,omitempty"`
	Header    []probes.Attr `json:"headers,omitempty"`
	Documents []string      `json:"documents,omitempty"`
	// Options and TLS were given on the spot, beside the target.
	Options     []probes.Attr `json:"options,omitempty"`
	TLS         *TLS          `json:"tls,omitempty"`
	Deadline    time.Duration `json:"deadline_ns,omitempty"`
	Compression string        `json:"compression,omitempty"`
	Redirects   int           `json:"redirects,omitempty"`
	Force       bool          `json:"force,omitempty"`
}

// TLS is how a connection was secured on the spot: names of files, no keys.
type TLS struct {
	CA       string `json:"ca,omitempty"`
	Cert     string `json:"cert,omitempty"`
	Key      string `json:"key,omitempty"`
	Server   string `json:"server_name,omitempty"`
	Insecure bool   `json:"insecure,omitempty"`
}

// Of writes an invocation down. docs are the documents that were sent; those in
// wire form have no text and are left out.
func Of(target, environment string, in *probes.Invocation, docs [][]byte) Request {
	r := Request{Target: target, Environment: environment, Method: in.Method, Params: in.Params,
		Deadline: in.Deadline, Compression: in.Compression, Redirects: in.Redirects, Force: in.Force}
	for _, f := range in.Header {
		if strings.EqualFold(f.Name, probes.HeaderTraceparent) {
			continue // each call has its own
		}
		r.Header = append(r.Header, probes.Attr{Name: f.Name, Value: string(f.Value)})
	}
	for _, doc := range docs {
		if len(doc) == 0 || doc[0] != probes.WireDocument {
			r.Documents = append(r.Documents, string(doc))
		}
	}
	return r
}

// Invocation is the call that a request without variables describes.
func (r *Request) Invocation() probes.Invocation {
	in := probes.Invocation{Method: r.Method, Params: r.Params, Deadline: r.Deadline,
		Compression: r.Compression, Redirects: r.Redirects, Force: r.Force}
	for _, h := range r.Header {
		in.Header = append(in.Header, probes.Field{Name: h.Name, Value: []byte(h.Value)})
	}
	if len(r.Documents) > 0 {
		in.Next = Documents(r.Documents)
	}
	return in
}

// Documents supplies documents one by one, for Invocation.Next.
func Documents(docs []string) func(context.Context) ([]byte, error) {
	next := 0
	return func(context.Context) ([]byte, error) {
		if next == len(docs) {
			return nil, io.EOF
		}
		next++
		return []byte(docs[next-1]), nil
	}
}
