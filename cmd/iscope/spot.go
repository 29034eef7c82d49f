package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"iscope/probes"
	"iscope/replay/request"
)

// onTheSpot is what flags say about the target of a verb, beside or instead of
// the configuration.
type onTheSpot struct {
	set      []string // name=value
	ca, cert string
	key      string
	server   string
	insecure bool
}

// targetFlags adds them to a verb.
func targetFlags(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&a.spot.set, "option", nil, "option of the target, as `name=value`; may repeat")
	f.StringVar(&a.spot.ca, "cacert", "", "trust the certificates of this `file` (PEM) instead of the system's")
	f.StringVar(&a.spot.cert, "cert", "", "client certificate `file` (PEM)")
	f.StringVar(&a.spot.server, "server-name", "", "`name` the server's certificate must have")
	f.BoolVar(&a.spot.insecure, "insecure", false, "do not verify the server's certificate")
	key := "key"
	if f.Lookup(key) != nil { // publish has another
		key = "cert-key"
	}
	f.StringVar(&a.spot.key, key, "", "`file` with the key of --cert (PEM)")
	for _, name := range []string{"cacert", "cert", key} {
		_ = cmd.MarkFlagFilename(name)
	}
}

// apply changes a target as the flags say.
func (s *onTheSpot) apply(drivers []probes.Driver, t *probes.Target) error {
	if s.ca != "" || s.cert != "" || s.key != "" || s.server != "" || s.insecure {
		if !t.TLS.Enabled {
			return &probes.Error{Target: t.Name, Op: "reading the command line", Kind: probes.ErrUsage,
				Err: errors.New("TLS flags were given, and the target is without TLS"), Hint: secureHint(drivers, t)}
		}
		t.TLS.InsecureSkipVerify = t.TLS.InsecureSkipVerify || s.insecure
		replace(&t.TLS.CAFile, s.ca)
		replace(&t.TLS.CertFile, s.cert)
		replace(&t.TLS.KeyFile, s.key)
		replace(&t.TLS.ServerName, s.server)
	}
	return s.applyOptions(drivers, t)
}

func replace(to *string, by string) {
	if by != "" {
		*to = by
	}
}

func secureHint(drivers []probes.Driver, t *probes.Target) string {
	d, _ := probes.FindDriver(drivers, t.Driver)
	for _, s := range d.Schemes {
		if s.TLS {
			return "write its URL with " + s.Name + "://"
		}
	}
	return ""
}

func (s *onTheSpot) applyOptions(drivers []probes.Driver, t *probes.Target) error {
	if len(s.set) == 0 {
		return nil
	}
	d, _ := probes.FindDriver(drivers, t.Driver)
	names := make([]string, len(d.Options))
	for i, o := range d.Options {
		names[i] = o.Name
	}
	options := maps.Clone(t.Options)
	if options == nil {
		options = map[string]string{}
	}
	for _, o := range s.set {
		name, value, ok := strings.Cut(o, "=")
		bad := func(err error, hint string) error {
			return &probes.Error{Target: t.Name, Op: "reading --option", Kind: probes.ErrUsage, Err: err, Hint: hint}
		}
		if !ok {
			return bad(fmt.Errorf("%q is not of the form name=value", name), "")
		}
		if !slices.Contains(names, name) {
			return bad(fmt.Errorf("driver %q has no option %q", t.Driver, name), probes.NearestHint(name, names))
		}
		options[name] = value
	}
	t.Options = options
	return nil
}

// options and tls are the flags as they are written down.
func (s *onTheSpot) options() (out []probes.Attr) {
	for _, o := range s.set {
		name, value, _ := strings.Cut(o, "=")
		out = append(out, probes.Attr{Name: name, Value: value})
	}
	return out
}

func (s *onTheSpot) tls() *request.TLS {
	t := request.TLS{CA: s.ca, Cert: s.cert, Key: s.key, Server: s.server, Insecure: s.insecure}
	if t == (request.TLS{}) {
		return nil
	}
	return &t
}
