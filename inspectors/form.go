package inspectors

import (
	"context"
	"net/url"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// form shows application/x-www-form-urlencoded, one decoded pair a row, in the
// order of the body.
type form struct{}

func (form) Name() string { return "form" }

func (form) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	if contentType(r) != "application/x-www-form-urlencoded" {
		return View{}, ErrNotMine
	}
	head, truncated := window(r.Body, env)
	if at := notText(head, true); at >= 0 {
		return View{}, &malformed{kind: "a form", offset: at, reason: "byte " + hexByte(head[at])}
	}
	v := View{Summary: oneLine(head, 4096), Truncated: truncated}
	at := 0
	for pair := range strings.SplitSeq(string(head), "&") {
		name, value, found := strings.Cut(pair, "=")
		line := Line{v.unescape(Key, name, at)}
		if found {
			line = append(line, Span{Punct, safe.Const(" = ")}, v.unescape(String, value, at+len(name)+1))
		}
		v.Lines = append(v.Lines, line)
		at += len(pair) + 1
	}
	return v, nil
}

// unescape decodes a part of a form; one that cannot be stays as it is.
func (v *View) unescape(k Kind, s string, at int) Span {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		v.Problems = append(v.Problems, Problem{Message: err.Error(), Offset: at})
		return span(k, s)
	}
	return span(k, plain)
}
