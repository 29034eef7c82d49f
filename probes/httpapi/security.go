package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"iscope/probes/internal/httplink"
)

// secured is what the document asks for one operation, met as far as the
// target's credentials allow.
type secured struct {
	credentials []*httplink.Credential
	// unmet says by scheme what the document asks for and nobody gave; nil if it
	// is met, or nothing is asked for.
	unmet []string
	// keys are the places of API keys, whoever gives them: their values are
	// secrets.
	keys []keyPlace
}

// keyPlace is where an API key goes: in "header", "query" or "cookie".
type keyPlace struct{ in, name string }

// credentialFor picks the credential for a request. A document says where it
// goes; without one it is a header.
func (p *probe) credentialFor(d *draft) secured {
	out := secured{}
	if p.Auth != nil {
		out.credentials = []*httplink.Credential{p.Auth}
	}
	if d.op == nil {
		return out
	}
	schemes := objectIn(objectIn(d.op.doc.tree, "components"), "securitySchemes")
	alternatives := d.op.security()
	for _, v := range alternatives {
		for name := range objectOrNone(v) {
			s := d.op.doc.deref(schemes[name])
			if textOf(s, "type") == "apiKey" {
				out.keys = append(out.keys, keyPlace{textOf(s, "in"), textOf(s, "name")})
			}
		}
	}
	for _, v := range alternatives {
		var missing []string
		var with []*httplink.Credential
		for _, name := range sortedKeys(objectOrNone(v)) {
			met, c := p.meet(d, d.op.doc.deref(schemes[name]))
			if !met {
				missing = append(missing, name+" "+wanted(d.op.doc.deref(schemes[name])))
			} else if c != nil && !slices.Contains(with, c) {
				with = append(with, c)
			}
		}
		if len(missing) == 0 {
			if out.unmet = nil; len(with) > 0 { // else what is configured does no harm
				out.credentials = with
			}
			return out
		}
		if out.unmet == nil {
			out.unmet = missing
		}
	}
	return out
}

// security lists the alternatives of an operation, else those of the document.
func (o *operation) security() []any {
	if l, ok := o.spec["security"].([]any); ok {
		return l
	}
	return listOf(o.doc.tree, "security")
}

// meet tells whether a scheme is satisfied, by the caller's own words or by a
// credential of the target, which it returns then.
func (p *probe) meet(d *draft, scheme part) (bool, *httplink.Credential) {
	auth := p.Target.Auth
	mechanism := httplink.MechanismOf(auth)
	authorization := d.header.Get("Authorization") != ""
	switch textOf(scheme, "type") {
	case "http":
		word := strings.ToLower(textOf(scheme, "scheme"))
		return authorization || p.Auth != nil && (word == mechanism || mechanism == "header" && p.Auth.Name == "Authorization"), p.Auth
	case "oauth2", "openIdConnect":
		return authorization || p.Auth != nil && mechanism == "bearer", p.Auth
	case "mutualTLS":
		return p.Target.TLS.CertFile != "", nil
	case "apiKey":
		place := keyPlace{textOf(scheme, "in"), textOf(scheme, "name")}
		if place.in != "query" && !httplink.ValidHeaderName(place.name) {
			return false, nil
		}
		if d.has(place) {
			return true, nil
		}
		named := auth.Header == "" || strings.EqualFold(auth.Header, place.name)
		if auth.Token.IsZero() || !named || auth.Mechanism != "" && auth.Mechanism != "header" {
			// Whoever presents a certificate is known by it: Kubernetes declares
			// an API key and takes both.
			return p.Target.TLS.CertFile != "" || place.name == "" || strings.EqualFold(place.name, "Authorization") && (authorization || p.Auth != nil), p.Auth
		}
		if place.in == "header" && (strings.EqualFold(place.name, "Authorization") || strings.EqualFold(place.name, auth.Header)) {
			return true, p.Auth
		}
		return true, &httplink.Credential{In: place.in, Name: place.name, Value: auth.Token}
	}
	return true, nil // a scheme that does not exist, or is not known, asks for nothing
}

// wanted says what a scheme asks for.
func wanted(scheme part) string {
	switch textOf(scheme, "type") {
	case "http":
		switch word := strings.ToLower(textOf(scheme, "scheme")); word {
		case "basic":
			return "(HTTP basic: set auth.username and auth.password)"
		case "bearer":
			return "(bearer: set auth.token)"
		default:
			return "(HTTP authentication " + word + ", which iscope does not do: give the header Authorization)"
		}
	case "apiKey":
		return fmt.Sprintf("(an API key in the %s %s: set auth.token, with auth.header: %s)", textOf(scheme, "in"), textOf(scheme, "name"), textOf(scheme, "name"))
	case "mutualTLS":
		return "(a client certificate: set tls.cert and tls.key)"
	}
	return "(" + textOf(scheme, "type") + ": set auth.token)"
}

// has tells whether the caller gave a value at that place.
func (d *draft) has(k keyPlace) bool {
	switch k.in {
	case "header":
		return d.header.Get(k.name) != ""
	case "query":
		v, _ := url.ParseQuery(d.fullQuery())
		return v.Has(k.name)
	case "cookie":
		r := http.Request{Header: d.header}
		_, err := r.Cookie(k.name)
		return err == nil
	}
	return false
}

// hideQuery takes the values of keys out of a query, or the keys with them.
func hideQuery(query string, keys []keyPlace, drop bool) (hidden string, names []string) {
	if query == "" || len(keys) == 0 {
		return query, nil
	}
	var kept []string
	for _, p := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(p, "=")
		if plain, err := url.QueryUnescape(name); err == nil && slices.Contains(keys, keyPlace{"query", plain}) {
			names = append(names, plain)
			if drop {
				continue
			}
			p = name + "=" + redactedValue
		}
		kept = append(kept, p)
	}
	return strings.Join(kept, "&"), names
}

// redactedValue stands in a URL where a key was (OpenTelemetry's url.full).
const redactedValue = "REDACTED"
