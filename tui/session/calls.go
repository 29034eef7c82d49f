package session

import (
	"context"
	"strings"

	"iscope/inspectors/redact"
	"iscope/probes"
	"iscope/replay/request"
)

// Past is the history of calls that outlives sessions, the newest first. It reads
// a file, so it blocks. A session without a history has none.
func (s *Session) Past() ([]request.Entry, error) {
	if s.History == nil {
		return nil, nil
	}
	all, err := s.History.List()
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all, err
}

// Remember adds a call to the history, without its secrets.
func (s *Session) Remember(e request.Entry, m *probes.Method) {
	if s.History == nil {
		return
	}
	e.Request = s.Mask(e.Request, m, true)
	e.Err = s.clean(e.Err)
	if err := s.History.Add(e); err != nil {
		s.log.Add("warn", s.clean(err.Error()))
	}
}

// Mask takes the secrets out of a call, for what is written down. Strictly, every
// header is masked that is not known to be harmless; otherwise those whose name or
// form says secret. It does so whether the session masks records or not.
func (s *Session) Mask(r request.Request, m *probes.Method, strict bool) request.Request {
	mask := s.Redact
	if mask == nil {
		mask = redact.NewPolicy().Record
	}
	header := probes.Message
	if strict {
		header = probes.Request
	}
	r.Header = maskAttrs(mask, header, r.Header)
	params := make([]probes.Attr, 0, len(r.Params))
	for _, p := range r.Params {
		kind := probes.Message
		for i := range m.Params {
			if m.Params[i].Name == p.Name && (m.Params[i].In == "header" || m.Params[i].In == "cookie") {
				kind = header
			}
		}
		params = append(params, maskAttrs(mask, kind, []probes.Attr{p})...)
	}
	r.Params = params
	docs := make([]string, len(r.Documents))
	for i, d := range r.Documents {
		rec := mask(probes.Record{Kind: probes.Request, Body: []byte(d), Header: []probes.Field{{Name: "content-type", Value: []byte("application/json")}}})
		docs[i] = string(rec.Body)
	}
	r.Documents = docs
	if verb, path, ok := strings.Cut(r.Method, " "); ok {
		rec := mask(probes.Record{Kind: probes.Request, Attrs: []probes.Attr{{Name: probes.AttrURL, Value: path}}})
		if value, ok := rec.Attr(probes.AttrURL); ok {
			r.Method = verb + " " + value
		}
	}
	return r
}

func maskAttrs(mask func(probes.Record) probes.Record, kind probes.Kind, attrs []probes.Attr) []probes.Attr {
	rec := probes.Record{Kind: kind}
	for _, a := range attrs {
		rec.Header = append(rec.Header, probes.Field{Name: a.Name, Value: []byte(a.Value)})
	}
	rec = mask(rec)
	out := make([]probes.Attr, 0, len(attrs))
	for i, f := range rec.Header {
		value := string(f.Value)
		if i < len(attrs) && attrs[i].Name == f.Name && refersOnly(attrs[i].Value) {
			value = attrs[i].Value // says where a secret is, not what it is
		}
		out = append(out, probes.Attr{Name: f.Name, Value: value})
	}
	return out
}

// Masked is a call for a command line: secrets and references are variables of the
// shell.
func (s *Session) Masked(r request.Request, m *probes.Method) request.Request {
	return forShell(s.Mask(r, m, false))
}

// CommandLine writes a call as the command line of a tool, without secrets. It may
// open the target, so it may block.
func (s *Session) CommandLine(ctx context.Context, style request.Style, r request.Request, m *probes.Method) (request.Line, error) {
	r = s.Masked(r, m)
	if style == request.IScope {
		return request.Command(style, &r, m, nil)
	}
	conn, err := s.Conn(ctx, r.Target)
	if err != nil {
		return request.Line{}, err
	}
	return request.Command(style, &r, m, &conn.Target)
}
