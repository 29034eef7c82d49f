package httplink

import (
	"encoding/base64"
	"fmt"

	"iscope/probes"
)

// Credential is the one header that authenticates a request.
type Credential struct {
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
		return &Credential{"Authorization", probes.NewSecret("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))}, nil
	case "bearer":
		if a.Token.IsZero() {
			return nil, fmt.Errorf("auth mechanism bearer needs a token")
		}
		return &Credential{"Authorization", probes.NewSecret("Bearer " + a.Token.Reveal())}, nil
	case "header":
		if !ValidHeaderName(a.Header) {
			return nil, fmt.Errorf("%q is no header name", a.Header)
		}
		return &Credential{a.Header, a.Token}, nil
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
