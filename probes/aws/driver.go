package aws

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"iscope/probes"
)

const credentialsDoc = `The address is a region (us-east-1), "default" for the one that the environment or the profile
names, or host:port of an endpoint such as an emulator's. Credentials come from the target's auth (username is the
access key's id, password its secret, token a session token) or else from AWS's standard chain: environment,
profile (also SSO, processes, roles), web identity, container. EC2 instance metadata is only asked with the
option imds, because without a network it hangs for seconds.`

const sqsDoc = `Queues of SQS with depth, redrive policies and who may send to them; peeking, publishing and dead letters.
Subjects are queue names, ARNs or queue URLs. A queue cannot be tailed without taking its messages: tail the SNS
topic that feeds it (driver sns), or peek. A key is the message group id, a header is a message attribute (at most
ten), and the header MessageDeduplicationId names one; without it a FIFO queue is given a random one. The age of
the oldest message is known to CloudWatch only and is not shown. ` + credentialsDoc

const snsDoc = `Topics of SNS, their subscriptions with filter policies, publishing, and tails. Subjects are topic names or
ARNs. A tail reads an own SQS queue, subscribed to the topic for as long as it runs: it shows what is published from
then on. It needs a writable environment or the option tap. A key is the message group id, a header is a message
attribute, and the headers Subject and MessageDeduplicationId are what SNS calls so. ` + credentialsDoc

const (
	sqsImpact = "Listing reads only. Peeking receives messages and gives them back, which counts as a receive of each."
	snsImpact = "A tail creates an own queue (iscope-tap-…) and subscribes it to the topic; both are removed at the end."
)

// Names of the targets' options.
const (
	optRegion      = "region"
	optEndpoint    = "endpoint"
	optSQSEndpoint = "sqs_endpoint"
	optProfile     = "profile"
	optRole        = "role_arn"
	optIMDS        = "imds"
	optTap         = "tap"
)

// SQS is the driver of queues.
func SQS() probes.Driver {
	return probes.Driver{
		Name:    "sqs",
		Doc:     oneLine(sqsDoc),
		Impact:  sqsImpact,
		Schemes: []probes.Scheme{{Name: "sqs"}, {Name: "sqs+tls", TLS: true}},
		Columns: []probes.Column{
			{Title: "GROUP", Attr: "key", Width: 16},
			{Title: "RECEIVED", Attr: attrReceives, Width: 8, Right: true},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 60},
		},
		Options:    sharedOptions(),
		URLSubject: urlSubject,
		Open: func(_ context.Context, t probes.Target) (probes.Probe, error) {
			p, err := open(t, sharedOptions())
			if err != nil {
				return nil, err
			}
			return &queues{probe: p}, nil
		},
	}
}

// SNS is the driver of topics.
func SNS() probes.Driver {
	options := append(sharedOptions(),
		probes.Option{Name: optSQSEndpoint, Type: "string", Doc: "URL of SQS, where a tail's queue is made; by default the endpoint"},
		probes.Option{Name: optTap, Type: "bool", Doc: "allows a tail to create its queue and subscription although the environment is read-only"})
	return probes.Driver{
		Name:    "sns",
		Doc:     oneLine(snsDoc),
		Impact:  snsImpact,
		Schemes: []probes.Scheme{{Name: "sns"}, {Name: "sns+tls", TLS: true}},
		Columns: []probes.Column{
			{Title: "GROUP", Attr: "key", Width: 16},
			{Title: "SUBJECT", Attr: attrSubject, Width: 20},
			{Title: "SIZE", Attr: "size", Width: 8, Right: true},
			{Title: "SUMMARY", Attr: "summary", Width: 60},
		},
		Options:    options,
		URLSubject: urlSubject,
		Open: func(_ context.Context, t probes.Target) (probes.Probe, error) {
			p, err := open(t, options)
			if err != nil {
				return nil, err
			}
			return newTopics(p, userState()), nil
		},
	}
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

func sharedOptions() []probes.Option {
	return []probes.Option{
		{Name: optRegion, Type: "string", Doc: "region, where the address is an endpoint's"},
		{Name: optEndpoint, Type: "string", Doc: "URL to send requests to instead of AWS's own endpoint of the region"},
		{Name: optProfile, Type: "string", Doc: "profile of the shared configuration files instead of AWS_PROFILE or default"},
		{Name: optRole, Type: "string", Doc: "ARN of a role to assume with the credentials"},
		{Name: optIMDS, Type: "bool", Doc: "whether EC2 instance metadata is asked for credentials"},
	}
}

// urlSubject reads sqs://us-east-1/orders?profile=prod: the path is the subject,
// the query holds options.
func urlSubject(t *probes.Target, u *url.URL) string {
	for name, values := range u.Query() {
		t.Options[name] = values[len(values)-1] // open refuses unknown ones
	}
	return strings.TrimPrefix(u.Path, "/")
}

// open validates the target. It neither connects nor reads AWS's configuration
// files.
func open(t probes.Target, options []probes.Option) (*probe, error) {
	s, err := readSettings(&t, options)
	if err == nil {
		s.tls, err = t.TLS.Config()
	}
	if err == nil {
		return newProbe(t, s), nil
	}
	var known *probes.Error
	if errors.As(err, &known) {
		named := *known
		named.Target = t.Name
		return nil, &named
	}
	out := &probes.Error{Target: t.Name, Op: "opening", Kind: probes.ErrUsage, Err: err}
	var f *fault
	if errors.As(err, &f) {
		out.Hint = f.hint
	}
	return nil, out
}

func optionNames(options []probes.Option) []string {
	var names []string
	for _, o := range options {
		names = append(names, o.Name)
	}
	slices.Sort(names)
	return names
}
