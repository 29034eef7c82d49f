package httpapi

import (
	"encoding/base64"
	"fmt"

	"iscope/probes"
)

// credential is the one header that authenticates a request.
type credential struct {
	name  string
	value probes.Secret
}

// credentialOf turns the target's auth into a header; nil if there is none.
func credentialOf(a probes.Auth) (*credential, error) {
	if a.IsZero() {
		return nil, nil
	}
	name := a.Header
	switch mechanism := mechanismOf(a); mechanism {
	case "basic":
		pair := a.Username + ":" + a.Password.Reveal()
		return &credential{"Authorization", probes.NewSecret("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))}, nil
	case "bearer":
		if a.Token.IsZero() {
			return nil, fmt.Errorf("auth mechanism bearer needs a token")
		}
		return &credential{"Authorization", probes.NewSecret("Bearer " + a.Token.Reveal())}, nil
	case "header":
		if !validHeaderName(name) {
			return nil, fmt.Errorf("%q is no header name", name)
		}
		return &credential{name, a.Token}, nil
	default:
		return nil, fmt.Errorf("auth mechanism %q is not for HTTP; use basic or bearer, or a token with a header", mechanism)
	}
}

func mechanismOf(a probes.Auth) string {
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
