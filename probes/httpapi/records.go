package httpapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
	"iscope/probes/internal/httplink"
)

const (
	// attrUnchecked says why a body was not held against the contract.
	attrUnchecked = "iscope.contract.unchecked"
	// Name and id of a server-sent event.
	attrEventName = "iscope.sse.event"
	attrEventID   = "iscope.sse.id"
)

// record starts a record of this call.
func (x *exchange) record(kind probes.Kind) probes.Record {
	x.frame++
	rec := probes.Record{ID: x.id + "/" + strconv.Itoa(x.frame), Call: x.id, Kind: kind, Seen: time.Now(),
		Source: probes.Ref{Target: x.p.Target.Name, Subject: x.subject}}
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrHTTPMethod, Value: x.req.Method})
	if x.draft.op != nil && x.hop.n == 0 {
		rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrHTTPRoute, Value: x.draft.op.path})
	}
	u := *x.req.URL
	u.RawQuery, _ = hideQuery(u.RawQuery, x.secrets(), false)
	rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrURL, Value: u.Redacted()})
	return rec
}

// secrets are the places of the request that hold keys.
func (x *exchange) secrets() []keyPlace {
	keys := x.draft.secured.keys
	for _, c := range x.draft.secured.credentials {
		if c.In != "" {
			keys = append(slices.Clip(keys), keyPlace{c.In, c.Name})
		}
	}
	return keys
}

// request records the request of this hop.
func (x *exchange) request() probes.Record {
	rec := x.record(probes.Request)
	var masked []string
	rec.Header, masked = httplink.Recorded(x.req, x.hidden)
	_, inQuery := hideQuery(x.req.URL.RawQuery, x.secrets(), false)
	rec.Attrs = addAttr(rec.Attrs, probes.AttrRedacted, strings.Join(append(masked, inQuery...), ","))
	if x.req.Body != nil {
		rec.Body = orEmpty(x.draft.body)
		rec.Attrs = append(rec.Attrs, wireSize(x.req.ContentLength))
	}
	if x.hop.n > 0 {
		rec.Attrs = addAttr(rec.Attrs, probes.AttrReason, x.hop.note)
		return rec
	}
	if d := x.draft; d.op != nil {
		if d.declared != nil && d.body != nil {
			rec.Schema = d.declared.ref
		}
		for _, v := range d.violations {
			rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrViolation, Value: v})
		}
		for _, s := range d.secured.unmet {
			rec.Attrs = append(rec.Attrs, probes.Attr{Name: probes.AttrViolation, Value: "security: not satisfied: " + s})
		}
		rec.Attrs = addAttr(rec.Attrs, attrUnchecked, d.unchecked)
	}
	return rec
}

// hidden leaves the target's own credential and API keys out of a header that is
// recorded.
func (x *exchange) hidden(name, value string) (shown string, masked []string) {
	secret := probes.NewSecret("x").String()
	ours := x.draft.header.Get(name) == "" && slices.ContainsFunc(x.draft.secured.credentials,
		func(c *httplink.Credential) bool { return c.In == "" && strings.EqualFold(name, c.Name) })
	key := slices.ContainsFunc(x.secrets(), func(k keyPlace) bool { return k.in == "header" && strings.EqualFold(k.name, name) })
	switch {
	case ours || key:
		return secret, []string{strings.ToLower(name)}
	case name == "Cookie":
		return hideCookies(value, x.secrets(), secret)
	}
	return value, nil
}

func hideCookies(line string, keys []keyPlace, secret string) (hidden string, names []string) {
	all := strings.Split(line, ";")
	for i, c := range all {
		name, _, _ := strings.Cut(strings.TrimSpace(c), "=")
		if slices.Contains(keys, keyPlace{"cookie", name}) {
			all[i] = c[:len(c)-len(strings.TrimLeft(c, " "))] + name + "=" + secret
			names = append(names, name)
		}
	}
	return strings.Join(all, ";"), names
}

// response starts a Response record.
func (x *exchange) response() probes.Record {
	rec := x.record(probes.Response)
	rec.Attrs = append(rec.Attrs, x.outcome()...)
	if o := x.draft.op; o != nil && x.hop.n == 0 {
		key, _ := o.answerFor(x.resp.StatusCode)
		b := o.answer(key, x.resp.Header.Get("Content-Type"))
		if b == nil {
			b = o.answer(key, "")
		}
		if b != nil {
			rec.Schema = b.ref
		}
	}
	return rec
}

// outcome says how the server answered and who it was.
func (x *exchange) outcome() []probes.Attr {
	code := x.resp.StatusCode
	out := []probes.Attr{
		{Name: probes.AttrHTTPStatus, Value: strconv.Itoa(code)},
		{Name: probes.AttrStatus, Value: httplink.StatusText(code)},
	}
	out = append(out, httplink.Origin(x.resp, x.watch, "")...)
	if code >= http.StatusBadRequest {
		out = addAttr(out, probes.AttrErrorType, strconv.Itoa(code))
	}
	return out
}

// end records the end of the call.
func (x *exchange) end() error {
	if !x.emit(x.ending()) {
		return errLeft
	}
	return nil
}

func (x *exchange) ending() probes.Record {
	end := x.record(probes.End)
	end.Header = httplink.Fields(x.resp.Trailer)
	end.Attrs = append(end.Attrs, x.outcome()...)
	end.Attrs = append(end.Attrs, x.watch.Attrs()...)
	end.Attrs = addAttr(end.Attrs, probes.AttrTraceID, probes.TraceID(x.req.Header.Get(probes.HeaderTraceparent)))
	end.Attrs = addAttr(end.Attrs, probes.AttrReason, x.notFollowed())
	if x.resp.StatusCode >= http.StatusBadRequest {
		end.Err = httplink.StatusText(x.resp.StatusCode)
	}
	return end
}

// addAttr adds an attribute that has a value.
func addAttr(to []probes.Attr, name, value string) []probes.Attr {
	if value == "" {
		return to
	}
	return append(to, probes.Attr{Name: name, Value: value})
}

func wireSize(n int64) probes.Attr {
	return probes.Attr{Name: probes.AttrWireSize, Value: strconv.FormatInt(n, 10)}
}
