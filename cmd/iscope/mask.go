package main

import (
	"encoding/json"
	"slices"
	"strings"

	"iscope/probes"
	"iscope/replay/request"
)

// masking is how much of a call is taken for a secret.
type masking bool

const (
	// byName masks what a name or its form says is a secret: for what a person
	// is shown, or asked to be written.
	byName masking = false
	// strict masks every header that is not known to be harmless as well: for
	// what is kept without being asked.
	strict masking = true
)

// maskCall takes the secrets out of a call. What is no JSON and no form cannot
// be searched by names; of it, credentials that show themselves are masked, and
// multipart is dropped where masking is strict.
func (a *app) maskCall(r request.Request, m *probes.Method, how masking) request.Request {
	kind := probes.Message
	if how == strict {
		kind = probes.Request
	}
	one := func(kind probes.Kind, name, value string) string {
		clean := a.policy.Record(probes.Record{Kind: kind, Header: []probes.Field{{Name: name, Value: []byte(value)}}})
		return string(clean.Header[0].Value)
	}
	r.Header = slices.Clone(r.Header)
	for i, h := range r.Header {
		r.Header[i].Value = one(kind, h.Name, h.Value)
	}
	r.Params = slices.Clone(r.Params)
	for i, p := range r.Params {
		of := probes.Message
		if in := placeOf(m, p.Name); in == "header" || in == "cookie" {
			of = kind
		}
		r.Params[i].Value = one(of, p.Name, p.Value)
	}
	r.Options = slices.Clone(r.Options)
	for i, o := range r.Options {
		r.Options[i].Value = one(probes.Message, o.Name, o.Value)
	}
	r.Method = a.policy.Record(probes.Record{Kind: probes.Request, Source: probes.Ref{Subject: r.Method}}).Source.Subject
	r.Target = a.policy.Record(probes.Record{Kind: probes.Request, Source: probes.Ref{Subject: r.Target}}).Source.Subject
	a.maskDocuments(&r, how)
	return r
}

func placeOf(m *probes.Method, param string) string {
	for _, p := range m.Params {
		if p.Name == param {
			return p.In
		}
	}
	return ""
}

func (a *app) maskDocuments(r *request.Request, how masking) {
	var typed []probes.Field
	for _, h := range r.Header {
		if strings.EqualFold(h.Name, "Content-Type") {
			typed = append(typed, probes.Field{Name: h.Name, Value: []byte(h.Value)})
		}
	}
	multipart := len(typed) > 0 && strings.Contains(strings.ToLower(string(typed[0].Value)), "multipart/")
	docs := slices.Clone(r.Documents)
	for i, d := range docs {
		clean := string(a.policy.Record(probes.Record{Kind: probes.Request, Header: typed, Body: []byte(d)}).Body)
		switch {
		case json.Valid([]byte(d)):
		case multipart && how == strict:
			clean = "«redacted:multipart#»"
		default:
			clean = a.policy.Text(clean)
		}
		docs[i] = clean
	}
	r.Documents = docs
}

// hideIn takes known secrets out of every text of a call that has been masked.
func hideIn(r *request.Request, hide func(string) string) {
	for _, list := range [][]probes.Attr{r.Params, r.Header, r.Options} {
		for i := range list {
			list[i].Value = hide(list[i].Value)
		}
	}
	for i := range r.Documents {
		r.Documents[i] = hide(r.Documents[i])
	}
	r.Method, r.Target = hide(r.Method), hide(r.Target)
}
