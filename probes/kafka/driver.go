package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"iscope/probes"
)

const defaultPort = "9092"

const driverDoc = `Topics, partitions, brokers and consumer groups with members and lag; tails of one or several
topics ("orders,payments"), or of one partition ("orders/2"), merged by time; publishing with an
explicit partition, timestamp and headers. Only committed records are shown. Addresses are
host:port, comma separated; any broker will do. Auth: username and password by SASL PLAIN (the
default), scram-sha-256 or scram-sha-512; client certificates by TLS. Needs Kafka 0.11 or newer.`

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
		Open: open,
	}
}

// open validates the target. It does not connect.
func open(_ context.Context, t probes.Target) (probes.Probe, error) {
	usage := func(err error) error {
		return &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err}
	}
	for name := range t.Options {
		return nil, usage(fmt.Errorf("unknown option %q; this driver has none", name))
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
	mech, err := mechanism(t.Auth)
	if err != nil {
		return nil, usage(err)
	}
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
