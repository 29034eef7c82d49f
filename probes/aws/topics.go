package aws

import (
	"context"
	"errors"
	"fmt"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"iscope/probes"
)

// topics is the driver of SNS.
type topics struct {
	*probe
	state stateDir
	arns  sync.Map // topic name to ARN

	parkedMu sync.Mutex
	parked   map[string]*tap // of tails that broke off and may resume, by queue name
}

var (
	_ probes.Probe      = (*topics)(nil)
	_ probes.Discoverer = (*topics)(nil)
	_ probes.Tailer     = (*topics)(nil)
	_ probes.Publisher  = (*topics)(nil)
)

func newTopics(p *probe, state stateDir) *topics {
	return &topics{probe: p, state: state, parked: map[string]*tap{}}
}

// Check lists topics. Credentials that may not list are good ones all the same:
// they may be for a single topic.
func (t *topics) Check(ctx context.Context) error {
	const op = "checking"
	ctx, end, err := t.begin(ctx)
	if err != nil {
		return t.fail(op, err)
	}
	defer end()
	_, err = ask(ctx, t.probe, 0, func(ctx context.Context, s *session) (*sns.ListTopicsOutput, error) {
		return s.sns.ListTopics(ctx, &sns.ListTopicsInput{})
	})
	if err != nil && !mayNotList(err) {
		return t.fail(op, err)
	}
	return nil
}

// Close ends all that runs, removes the taps of tails that could not resume, and
// waits.
func (t *topics) Close() error {
	t.mu.Lock()
	t.stop()
	t.mu.Unlock()
	t.runs.Wait()
	t.parkedMu.Lock()
	for name, b := range t.parked {
		delete(t.parked, name)
		b.remove(context.Background())
	}
	t.parkedMu.Unlock()
	t.end()
	return nil
}

// arn resolves a subject: a topic's name or its ARN.
func (t *topics) arn(ctx context.Context, subject string) (string, error) {
	if known, ok := t.arns.Load(subject); ok {
		return known.(string), nil
	}
	if subject == "" {
		return "", &fault{kind: probes.ErrUsage, err: errors.New("no topic was named"), hint: "write the target as TARGET/TOPIC"}
	}
	who, err := parseIdentity("sns", subject)
	if err != nil {
		return "", err
	}
	s, err := t.open(ctx)
	if err != nil {
		return "", err
	}
	if err := who.elsewhere(s.region); err != nil {
		return "", err
	}
	if who.arn != "" {
		return who.arn, nil
	}
	all, err := listTopics(ctx, t.probe)
	if errors.Is(err, probes.ErrDenied) {
		return "", &fault{kind: probes.ErrDenied, err: err, hint: "without sns:ListTopics a topic has to be named by its ARN"}
	}
	if err != nil {
		return "", err
	}
	var names []string
	for _, arn := range all {
		name := nameOfARN(arn)
		if name == subject {
			t.arns.Store(subject, arn)
			return arn, nil
		}
		names = append(names, name)
	}
	return "", &fault{kind: probes.ErrNotFound, err: fmt.Errorf("there is no topic %q", subject), hint: probes.NearestHint(subject, names)}
}

func listTopics(ctx context.Context, p *probe) (arns []string, err error) {
	in := &sns.ListTopicsInput{}
	for {
		page, err := ask(ctx, p, 0, func(ctx context.Context, s *session) (*sns.ListTopicsOutput, error) { return s.sns.ListTopics(ctx, in) })
		if err != nil {
			return nil, err
		}
		for _, t := range page.Topics {
			arns = append(arns, sdk.ToString(t.TopicArn))
		}
		if page.NextToken == nil || *page.NextToken == "" || len(page.Topics) == 0 {
			return arns, nil
		}
		in.NextToken = page.NextToken
	}
}
