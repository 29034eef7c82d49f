package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"iscope/probes"
)

const defaultPort = "9092"

const driverDoc = `Topics, partitions, brokers and consumer groups with members and lag, in messages and in
seconds; tails of one or several topics ("orders,payments"), of all that match a pattern ("orders.*",
topics made later included) or of one partition ("orders/2"), merged by time; publishing with an
explicit partition, timestamp and headers; dead-letter topics. Only committed records are shown.
Addresses are host:port, comma separated; any broker will do. Auth: username and password by SASL
PLAIN (the default), scram-sha-256 or scram-sha-512; a token by oauthbearer; aws-msk-iam with an
access key as username and password, or with the standard AWS sources; client certificates by TLS.
Needs Kafka 0.11 or newer.`

const driverImpact = "Reads only: joins no consumer group, commits no offset, creates no topic."

// Driver is the Kafka driver.
func Driver() probes.Driver {
	return probes.Driver{
		Name:    "kafka",
		Doc:     strings.ReplaceAll(driverDoc, "\n", " "),
		Impact:  driverImpact,
		Schemes: []probes.Scheme{{Name: "kafka"}, {Name: "kafka+tls", TLS: true}},
		Columns: []probes.Column{
			{Title: "PART", Attr: probes.AttrPartition, Width: 4, Right: true},
			{Title: "OFFSET", Attr: probes.AttrOffset, Width: 10, Right: true},
			{Title: "KEY", Attr: "key", Width: 20},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 60},
		},
		Options:    options(),
		Open:       open,
		URLSubject: urlSubject,
	}
}

// Names of the driver's options.
const (
	optTokenFile     = "token_file"
	optTokenEndpoint = "token_endpoint"
	optTokenScope    = "token_scope"
	optExtensions    = "sasl_extensions"
	optRegion        = "aws_region"
	optProfile       = "aws_profile"
)

func options() []probes.Option {
	return []probes.Option{
		{Name: optTokenFile, Type: "string", Doc: "File with the OAUTHBEARER token, read again for every connection."},
		{Name: optTokenEndpoint, Type: "string", Doc: "URL that gives OAUTHBEARER tokens for auth.username and auth.password (OAuth 2.0 client credentials)."},
		{Name: optTokenScope, Type: "string", Doc: "Scope to ask the token endpoint for."},
		{Name: optExtensions, Type: "string", Doc: "SASL extensions of OAUTHBEARER, as name=value,name=value."},
		{Name: optRegion, Type: "string", Doc: "AWS region of aws-msk-iam, where the broker's name does not hold it."},
		{Name: optProfile, Type: "string", Doc: "Profile of the AWS configuration files for aws-msk-iam."},
	}
}

// urlSubject takes the mechanism and options out of a URL:
// kafka://host/orders?mechanism=scram-sha-512. A question mark without a name and
// value after it belongs to a pattern of topics.
func urlSubject(t *probes.Target, u *url.URL) string {
	subject := strings.TrimPrefix(u.Path, "/")
	if !strings.Contains(u.RawQuery, "=") {
		if u.ForceQuery || u.RawQuery != "" {
			subject += "?" + u.RawQuery
		}
		return subject
	}
	for name, values := range u.Query() {
		if name == "mechanism" {
			t.Auth.Mechanism = values[0]
			continue
		}
		t.Options[name] = values[0]
	}
	return subject
}

// open validates the target. It does not connect.
func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	usage := func(err error) error {
		return &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err}
	}
	for name := range t.Options {
		if !slices.ContainsFunc(options(), func(o probes.Option) bool { return o.Name == name }) {
			return nil, usage(fmt.Errorf("unknown option %q", name))
		}
	}
	boot, err := addresses(t.Address)
	if err != nil {
		return nil, usage(err)
	}
	tlsConfig, err := t.TLS.Config()
	if err != nil {
		var e *probes.Error
		if errors.As(err, &e) && e.Target == "" {
			named := *e
			named.Target = t.Name
			return nil, &named
		}
		return nil, err
	}
	mech, err := mechanism(&t)
	if err != nil {
		return nil, usage(err)
	}
	registerLogDirs()
	return newProbe(t, boot, dialer{tls: tlsConfig, sasl: mech, timeout: t.RequestTimeout()}), nil
}

// addresses splits the comma separated list and completes what has no port.
func addresses(s string) ([]string, error) {
	var out []string
	for a := range strings.SplitSeq(s, ",") {
		a = strings.TrimSpace(a)
		if a == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			a = net.JoinHostPort(strings.Trim(a, "[]"), defaultPort)
			if _, _, err := net.SplitHostPort(a); err != nil {
				return nil, fmt.Errorf("%q is no host:port: %w", a, err)
			}
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, errors.New("no address; write host:port, or several separated by commas")
	}
	return out, nil
}
