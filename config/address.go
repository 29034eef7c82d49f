package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"iscope/probes"
)

// endpoint is what a target's url says.
type endpoint struct {
	driver   probes.Driver
	secure   bool
	address  string
	username string
}

// schemeOf returns the driver of a URL, and whether the URL says which: one
// that starts with a reference does not before it is resolved.
func schemeOf(drivers []probes.Driver, raw string) (d probes.Driver, secure, known bool, err error) {
	scheme, _, ok := strings.Cut(raw, "://")
	if hasReference(scheme) {
		return d, false, false, nil
	}
	var all []string
	for _, d := range drivers {
		for _, s := range d.Schemes {
			if ok && s.Name == scheme {
				return d, s.TLS, true, nil
			}
			all = append(all, s.Name+"://")
		}
	}
	if !ok {
		return d, false, false, fmt.Errorf("there is no scheme in it; it starts with one of %s", strings.Join(all, ", "))
	}
	hint := "it is one of " + strings.Join(all, ", ")
	if near := probes.Nearest(scheme+"://", all, 1); len(near) == 1 {
		hint = "did you mean " + near[0] + "?"
	}
	return d, false, false, fmt.Errorf("unknown scheme %q; %s", scheme, hint)
}

var (
	errPassword = errors.New("it holds a password; use auth.password: ${env:NAME} instead")
	errNoHost   = errors.New("there is no host in it")
)

// parseEndpoint reads a URL without references. Its errors repeat nothing of
// the URL but its scheme and port: the rest may have come from a secret.
func parseEndpoint(drivers []probes.Driver, raw string) (endpoint, error) {
	d, secure, _, err := schemeOf(drivers, raw)
	if err != nil {
		return endpoint{}, err
	}
	u, err := url.Parse(raw)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) && !strings.Contains(raw, "@") {
			return endpoint{}, ue.Err
		}
		return endpoint{}, errors.New("it is malformed")
	}
	e := endpoint{driver: d, secure: secure, address: u.Host}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			return endpoint{}, errPassword
		}
		e.username = u.User.Username()
	}
	switch path := strings.TrimRight(u.EscapedPath(), "/"); {
	case u.Host == "" || strings.HasPrefix(u.Host, ":"):
		return endpoint{}, errNoHost
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return endpoint{}, errors.New("it ends with the address: no ? or #")
	case path != "" && d.URLSubject == nil:
		return endpoint{}, errors.New("it names a subject; a target is the whole system, so remove what follows the address")
	default:
		// A driver that reads the paths of its URLs takes one as a base.
		e.address += path
	}
	return e, nil
}
