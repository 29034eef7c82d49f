package aws

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"iscope/probes"
)

// settings is a target, read and checked.
type settings struct {
	region      string // "" is what the environment or the profile says
	endpoint    string // URL; "" is AWS's own
	sqsEndpoint string // URL; "" is the endpoint
	profile     string
	role        string
	imds        bool
	tap         bool // a tail may create although the environment is read-only
	tls         *tls.Config
}

// regionOfChain is the address that leaves the region to the environment.
const regionOfChain = "default"

func readSettings(t *probes.Target, options []probes.Option) (*settings, error) {
	for name := range t.Options {
		if !slices.ContainsFunc(options, func(o probes.Option) bool { return o.Name == name }) {
			return nil, &fault{err: fmt.Errorf("unknown option %q", name), hint: probes.NearestHint(name, optionNames(options))}
		}
	}
	s := &settings{profile: t.Options[optProfile], role: t.Options[optRole]}
	if err := s.readAddress(t.Address, t.TLS.Enabled); err != nil {
		return nil, err
	}
	for name, into := range map[string]*string{optEndpoint: &s.endpoint, optSQSEndpoint: &s.sqsEndpoint} {
		if err := override(into, name, t.Options[name]); err != nil {
			return nil, err
		}
	}
	if r := t.Options[optRegion]; r != "" {
		if s.region != "" && s.region != r {
			return nil, fmt.Errorf("the region is given twice: %s in the address, %s as option", s.region, r)
		}
		if !isRegion(r) {
			return nil, fmt.Errorf("option %s: %q is no region", optRegion, r)
		}
		s.region = r
	}
	for name, into := range map[string]*bool{optIMDS: &s.imds, optTap: &s.tap} {
		if text, ok := t.Options[name]; ok {
			b, err := strconv.ParseBool(text)
			if err != nil {
				return nil, fmt.Errorf("option %s: %q is neither true nor false", name, text)
			}
			*into = b
		}
	}
	return s, s.readAuth(t)
}

// readAddress takes a region, "default", or where an endpoint listens.
func (s *settings) readAddress(addr string, secure bool) error {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	switch {
	case addr == regionOfChain:
		return nil
	case strings.Contains(addr, "://"):
		return override(&s.endpoint, "address", addr)
	case strings.ContainsAny(addr, ".:") || addr == "localhost":
		return override(&s.endpoint, "address", scheme+addr)
	case isRegion(addr):
		s.region = addr
		return nil
	}
	return &fault{err: fmt.Errorf("%q is neither a region nor an endpoint", addr), hint: "write us-east-1, default, or host:port"}
}

func isRegion(s string) bool { return regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(s) }

// override sets an endpoint, once.
func override(into *string, name, text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return fmt.Errorf("%s: that is no endpoint such as http://127.0.0.1:4566", name)
	}
	if *into != "" {
		return fmt.Errorf("the endpoint is given twice: by the address and by the option %s", name)
	}
	*into = u.Scheme + "://" + u.Host
	return nil
}

func (s *settings) readAuth(t *probes.Target) error {
	a := &t.Auth
	switch {
	case a.Mechanism != "" || a.Header != "":
		return errors.New("auth.mechanism and auth.header have no meaning here: requests are signed with an access key")
	case a.Username == "" && !(a.Password.IsZero() && a.Token.IsZero()):
		return errors.New("auth has no username: it is the access key's id")
	case a.Username != "" && a.Password.IsZero():
		return errors.New("auth has no password: it is the access key's secret")
	case a.Username != "" && s.profile != "":
		return errors.New("both auth and the option profile say where the credentials come from")
	}
	return nil
}

// exposed reports an endpoint over a network without TLS.
func exposed(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" {
		return false
	}
	host := u.Hostname()
	return host != "localhost" && host != "::1" && !strings.HasPrefix(host, "127.")
}
