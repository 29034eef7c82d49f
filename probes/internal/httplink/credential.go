package httplink

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"iscope/probes"
)

// Credential is what authenticates a request: one header, query parameter or
// cookie.
type Credential struct {
	In    string // "query", "cookie"; else a header
	Name  string
	Value probes.Secret
}

// CredentialOf turns a target's auth into a header; nil if there is none.
func CredentialOf(a probes.Auth) (*Credential, error) {
	if a.IsZero() {
		return nil, nil
	}
	switch mechanism := MechanismOf(a); mechanism {
	case "basic":
		pair := a.Username + ":" + a.Password.Reveal()
		return &Credential{Name: "Authorization", Value: probes.NewSecret("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))}, nil
	case "bearer":
		if a.Token.IsZero() {
			return nil, fmt.Errorf("auth mechanism bearer needs a token")
		}
		return &Credential{Name: "Authorization", Value: probes.NewSecret("Bearer " + a.Token.Reveal())}, nil
	case "header":
		if !ValidHeaderName(a.Header) {
			return nil, fmt.Errorf("%q is no header name", a.Header)
		}
		return &Credential{Name: a.Header, Value: a.Token}, nil
	default:
		return nil, fmt.Errorf("auth mechanism %q is not for HTTP; use basic or bearer, or a token with a header", mechanism)
	}
}

// MechanismOf is how a target authenticates: what it says, or what it has.
func MechanismOf(a probes.Auth) string {
	switch {
	case a.Mechanism != "":
		return a.Mechanism
	case !a.Token.IsZero() && a.Header != "":
		return "header"
	case !a.Token.IsZero():
		return "bearer"
	}
	return "basic"
}

// apply adds the credential unless the caller gave one of its own.
func (c *Credential) apply(req *http.Request) {
	switch c.In {
	case "query":
		q, _ := url.ParseQuery(req.URL.RawQuery)
		if !q.Has(c.Name) {
			u := *req.URL
			u.RawQuery = strings.TrimPrefix(u.RawQuery+"&"+url.QueryEscape(c.Name)+"="+url.QueryEscape(c.Value.Reveal()), "&")
			req.URL = &u
		}
	case "cookie":
		if _, err := req.Cookie(c.Name); err != nil {
			have := req.Header.Get("Cookie")
			req.Header.Set("Cookie", strings.TrimPrefix(have+"; "+c.Name+"="+c.Value.Reveal(), "; "))
		}
	default:
		if req.Header.Get(c.Name) == "" {
			req.Header.Set(c.Name, c.Value.Reveal())
		}
	}
}
