package graphql

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

// record starts a record of this call.
func (x *exchange) record(kind probes.Kind) probes.Record {
	x.frame++
	rec := probes.Record{ID: x.id + "/" + strconv.Itoa(x.frame), Call: x.id, Kind: kind, Seen: time.Now(),
		Source: probes.Ref{Target: x.p.link.Target.Name, Subject: x.plan.subject}}
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: attrOperationType, Value: string(x.plan.kind)})
	add := func(name, value string) {
		if value != "" {
			rec.Attrs = append(rec.Attrs, probes.Attr{Name: name, Value: value})
		}
	}
	add(attrOperationName, x.plan.name)
	if x.protocol == "" || x.protocol == protocolSSE {
		add(probes.AttrHTTPMethod, http.MethodPost)
	} else {
		add(probes.AttrHTTPMethod, http.MethodGet) // of the handshake
	}
	add(probes.AttrURL, x.url.String())
	if kind == probes.Request {
		add(probes.AttrProtocol, x.protocol)
		add(attrFallback, x.fallback)
	}
	return rec
}

// response starts a Response record.
func (x *exchange) response() probes.Record {
	rec := x.record(probes.Response)
	rec.Schema = x.plan.output
	rec.Attrs = append(rec.Attrs, x.outcome()...)
	return rec
}

// outcome says how the server answered and who it was.
func (x *exchange) outcome() (out []probes.Attr) {
	add := func(name, value string) {
		if value != "" {
			out = append(out, probes.Attr{Name: name, Value: value})
		}
	}
	if code := x.resp.StatusCode; code == http.StatusSwitchingProtocols {
		add(probes.AttrStatus, "next") // what HTTP said of the connection is not the answer's
	} else {
		add(probes.AttrHTTPStatus, strconv.Itoa(code))
		add(probes.AttrStatus, httplink.StatusText(code))
	}
	out = append(out, httplink.Origin(x.resp, x.watch, x.protocol)...)
	return out
}

// end records how the call ended: the HTTP status, and what the answers said of
// errors. Data that came with errors was recorded with its answer.
func (x *exchange) end() error {
	rec := x.record(probes.End)
	rec.Header = nil
	rec.Attrs = append(rec.Attrs, x.outcome()...)
	code := x.resp.StatusCode
	status, wrong := httplink.StatusText(code), ""
	if x.protocol != "" && code < http.StatusBadRequest {
		status = "complete, " + counted(x.answers, "answer")
	}
	switch {
	case len(x.errors) > 0:
		wrong = counted(len(x.errors), "error")
		if code >= http.StatusBadRequest {
			wrong = status + ", " + wrong
			status = wrong
		} else {
			status += ", " + wrong
		}
	case code >= http.StatusMultipleChoices:
		wrong = status
	}
	rec.Err = wrong
	for i := range rec.Attrs {
		if rec.Attrs[i].Name == probes.AttrStatus {
			rec.Attrs[i].Value = status
		}
	}
	rec.Attrs = append(rec.Attrs, x.faults(code)...)
	if id := probes.TraceID(headerOf(x.in.Header, probes.HeaderTraceparent)); id != "" {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrTraceID, Value: id})
	}
	rec.Attrs = append(rec.Attrs, x.watch.Attrs()...)
	if !x.emit(rec) {
		return errLeft
	}
	return nil
}

// maxFaults bounds the errors that one record lists.
const maxFaults = 100

// faults lists the errors by path, and what kind of failure it is: the code that
// the server gives the first, or the status.
func (x *exchange) faults(code int) (out []probes.Attr) {
	kind := ""
	if code >= http.StatusBadRequest {
		kind = strconv.Itoa(code)
	}
	if len(x.errors) > 0 && x.errors[0].code != "" {
		kind = x.errors[0].code
	}
	if kind != "" {
		out = append(out, probes.Attr{Name: probes.AttrErrorType, Value: kind})
	}
	if x.protocol == "" { // of a stream, each answer has its own
		out = append(out, paths(x.errors)...)
	}
	return out
}

// paths are errors as attributes, "PATH: message".
func paths(errs []answerError) (out []probes.Attr) {
	for _, e := range errs[:min(len(errs), maxFaults)] {
		out = append(out, probes.Attr{Name: probes.AttrPath, Value: e.String()})
	}
	return out
}

// headerOf is the first of the caller's headers of that name.
func headerOf(fields []probes.Field, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return string(f.Value)
		}
	}
	return ""
}
