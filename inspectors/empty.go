package inspectors

import (
	"context"
	"strconv"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// empty shows that there is no body, and why that is so.
type empty struct{}

func (empty) Name() string { return "empty" }

func (empty) Inspect(_ context.Context, r *probes.Record, _ Env) (View, error) {
	if len(r.Body) > 0 {
		return View{}, ErrNotMine
	}
	s := noBody(r)
	return View{Summary: s, Lines: []Line{{{Comment, safe.Line(s, safe.Wide)}}}}, nil
}

// noBody words the absence of a body; nil and empty differ.
func noBody(r *probes.Record) string {
	switch {
	case r.Err != "":
		return r.Err
	case r.Cut > 0:
		return "(" + counted(r.Cut, "byte") + " left out)"
	case r.Body != nil:
		return "(empty)"
	}
	if v, ok := r.Attr(probes.AttrTombstone); ok && v == "true" {
		return "(tombstone: null)"
	}
	switch r.Kind {
	case probes.Message:
		return "(null)"
	case probes.Request, probes.Response:
		return "(no body)"
	}
	for _, name := range [...]string{probes.AttrStatus, probes.AttrReason} {
		if v, ok := r.Attr(name); ok {
			return v
		}
	}
	return ""
}

// counted words a number of things.
func counted(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.FormatInt(n, 10) + " " + thing + "s"
}
