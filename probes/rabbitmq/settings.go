package rabbitmq

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// settings is a target, read and checked.
type settings struct {
	hosts      []string // host:port, tried in order
	vhost      string
	management []string // base URLs to try; empty means off
	given      bool     // the management URL was configured, not guessed
	key        *string  // binding key, nil if not configured
	maxLength  int
	prefetch   int
	firehose   *bool
	tls        *tls.Config
	sasl       []amqp.Authentication
}

const (
	portPlain, portTLS           = "5672", "5671"
	managementPlain, managedTLS  = "15672", "15671"
	defaultVhost                 = "/"
	defaultLength, defaultWindow = 10_000, 500
	maxWindow                    = 65_535 // basic.qos has 16 bits
)

func readSettings(t *probes.Target) (settings, error) {
	s := settings{vhost: defaultVhost, maxLength: defaultLength, prefetch: defaultWindow}
	for name := range t.Options {
		if !slices.ContainsFunc(options(), func(o probes.Option) bool { return o.Name == name }) {
			return s, &fault{err: fmt.Errorf("unknown option %q", name), hint: probes.NearestHint(name, optionNames())}
		}
	}
	addr, path, hasPath := strings.Cut(t.Address, "/")
	if hasPath && path != "" {
		v, err := url.PathUnescape(path)
		if err != nil {
			return s, fmt.Errorf("the vhost in the address: %w", err)
		}
		s.vhost = v
	}
	if v := t.Options[optVhost]; v != "" {
		s.vhost = v
	}
	var err error
	if s.hosts, err = addresses(addr, t.TLS.Enabled); err != nil {
		return s, err
	}
	if err := s.readNumbers(t); err != nil {
		return s, err
	}
	if k, ok := t.Options[optKey]; ok {
		s.key = &k
	}
	return s, s.readManagement(t)
}

func optionNames() []string {
	var names []string
	for _, o := range options() {
		names = append(names, o.Name)
	}
	return names
}

func (s *settings) readNumbers(t *probes.Target) error {
	for name, into := range map[string]*int{optMaxLength: &s.maxLength, optPrefetch: &s.prefetch} {
		text, ok := t.Options[name]
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 || name == optPrefetch && n > maxWindow {
			return fmt.Errorf("option %s: %q is no number from 1 up", name, text)
		}
		*into = int(n)
	}
	if text, ok := t.Options[optFirehose]; ok {
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("option %s: %q is neither true nor false", optFirehose, text)
		}
		s.firehose = &b
	}
	return nil
}

// readManagement takes the configured URL or guesses. Over TLS no plaintext URL
// is guessed: the password would be sent over it.
func (s *settings) readManagement(t *probes.Target) error {
	text := t.Options[optManagement]
	switch {
	case text == "off":
		return nil
	case text != "":
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
			return errors.New("option management is no URL such as http://host:15672 (credentials are those of the target)")
		}
		s.management, s.given = []string{strings.TrimRight(u.String(), "/")}, true
		return nil
	}
	for _, h := range s.hosts {
		host, _, _ := net.SplitHostPort(h) // addresses has checked it
		if t.TLS.Enabled {
			s.management = append(s.management, "https://"+net.JoinHostPort(host, managedTLS), "https://"+net.JoinHostPort(host, managementPlain))
		} else {
			s.management = append(s.management, "http://"+net.JoinHostPort(host, managementPlain))
		}
	}
	return nil
}

// addresses splits the comma separated list and completes what has no port.
func addresses(s string, secure bool) ([]string, error) {
	port := portPlain
	if secure {
		port = portTLS
	}
	var out []string
	for a := range strings.SplitSeq(s, ",") {
		a = strings.TrimSpace(a)
		if a == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			host := strings.Trim(a, "[]")
			if strings.Contains(host, ":") && net.ParseIP(host) == nil {
				return nil, fmt.Errorf("%q is no host:port: %w", a, err)
			}
			a = net.JoinHostPort(host, port)
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, errors.New("no address; write host:port, or several separated by commas")
	}
	return out, nil
}

// mechanisms picks how to log in (https://www.rabbitmq.com/docs/access-control).
func mechanisms(t *probes.Target) ([]amqp.Authentication, error) {
	external := []amqp.Authentication{&amqp.ExternalAuth{}}
	user, password := t.Auth.Username, t.Auth.Password.Reveal()
	if !t.Auth.Token.IsZero() {
		password = t.Auth.Token.Reveal()
	}
	switch t.Auth.Mechanism {
	case "external":
		if t.TLS.CertFile == "" {
			return nil, errors.New("SASL EXTERNAL needs a client certificate: set tls.cert and tls.key")
		}
		return external, nil
	case "":
		if user == "" && password == "" && t.TLS.CertFile != "" {
			return external, nil
		}
	case "plain", "basic", "bearer":
	default:
		return nil, fmt.Errorf("auth mechanism %q: RabbitMQ takes plain, bearer or external", t.Auth.Mechanism)
	}
	if user == "" && password == "" {
		user, password = "guest", "guest" // the broker's default, good on its own machine only
	}
	return []amqp.Authentication{&amqp.PlainAuth{Username: user, Password: password}}, nil
}
