package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"iscope/probes/internal/httplink"
)

// judge holds the request against the document. Without force what breaks it is
// an error that names all of it.
func (d *draft) judge(force bool) error {
	if d.op == nil {
		return nil
	}
	for _, p := range d.op.params() {
		d.judgeParam(p)
	}
	if !d.call.socket {
		d.judgeBody()
	}
	if len(d.violations) > 0 && !force {
		shown := d.violations
		if more := len(shown) - maxViolations; more > 0 {
			shown = append(shown[:maxViolations:maxViolations], fmt.Sprintf("and %d more", more))
		}
		return usagef("nothing was sent; correct it, or pass --force to send it all the same",
			"the request breaks the contract of %s: %s", d.op.name(), strings.Join(shown, "; "))
	}
	return nil
}

func (d *draft) judgeParam(p *parameter) {
	at := p.in + "/" + p.name
	v, given := d.params[p]
	if !given {
		v, given = d.byHand(p)
	}
	switch {
	case !given && p.required && (p.in != "path" || d.call.template) && !d.added(p):
		d.violations = append(d.violations, at+": it is required, and was not given")
	case given && v != nil && p.schema != nil:
		found, err := d.op.doc.check(d.op.pointer+" "+at, p.schema, v, asRequest)
		if err != nil {
			return // what cannot be checked is not wrong
		}
		for _, f := range found {
			d.violations = append(d.violations, at+f.At+": "+f.Text)
		}
	}
}

// added tells whether we give a parameter ourselves: the target's credential, or
// what every request has.
func (d *draft) added(p *parameter) bool {
	if p.in == "header" && slices.ContainsFunc([]string{"User-Agent", "Host", "Content-Length", "Accept-Encoding", "Connection"},
		func(name string) bool { return strings.EqualFold(name, p.name) }) {
		return true
	}
	return slices.ContainsFunc(d.secured.credentials, func(c *httplink.Credential) bool {
		return strings.EqualFold(c.Name, p.name) && (c.In == p.in || c.In == "" && p.in == "header")
	})
}

// byHand finds the value of a parameter that was written into the query or given
// as a header.
func (d *draft) byHand(p *parameter) (any, bool) {
	switch p.in {
	case "query":
		q, _ := url.ParseQuery(d.call.query)
		if q.Has(p.name) {
			return d.op.doc.value(p, q[p.name]), p.explode
		}
		// An object may be spread over names of its own.
		return nil, p.style == "deepObject" && strings.Contains(d.fullQuery(), url.QueryEscape(p.name+"[")) ||
			p.explode && kindOf(d.op.doc.deref(p.schema)["properties"]) == anObject
	case "header":
		if all := d.header.Values(p.name); len(all) > 0 {
			return d.op.doc.value(p, all), true
		}
	case "cookie":
		r := http.Request{Header: d.header}
		if c, err := r.Cookie(p.name); err == nil {
			return d.op.doc.value(p, []string{c.Value}), true
		}
	}
	return nil, false
}

func (d *draft) judgeBody() {
	spec := d.op.doc.deref(d.op.spec["requestBody"])
	content := objectIn(spec, "content")
	switch {
	case d.body == nil && flagOf(spec, "required"):
		d.violations = append(d.violations, "body: it is required, and was not given")
	case d.body == nil:
	case len(content) == 0 && spec == nil:
		d.violations = append(d.violations, "body: the document has none for this operation")
	case len(content) > 0 && d.declared == nil:
		d.violations = append(d.violations, fmt.Sprintf("header/Content-Type: %q is not in the document, which has %s",
			d.header.Get("Content-Type"), strings.Join(sortedKeys(content), ", ")))
	case d.declared == nil || d.value == nil:
	case len(d.body) > maxChecked:
		d.unchecked = fmt.Sprintf("the body was not held against the contract: it is larger than %d KiB", maxChecked>>10)
	default:
		found, err := d.op.doc.check(d.declared.ref, d.declared.media["schema"], d.value, asRequest)
		if err != nil {
			d.unchecked = "the body was not held against the contract: " + firstLine(err.Error())
		}
		for _, f := range found {
			d.violations = append(d.violations, "body"+f.At+": "+f.Text)
		}
	}
}
