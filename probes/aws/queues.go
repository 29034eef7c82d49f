package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"iscope/probes"
)

// queues is the driver of SQS.
type queues struct {
	*probe
	urls sync.Map // subject to queue URL; a queue made anew has the same
}

var (
	_ probes.Probe        = (*queues)(nil)
	_ probes.Discoverer   = (*queues)(nil)
	_ probes.Tailer       = (*queues)(nil)
	_ probes.Publisher    = (*queues)(nil)
	_ probes.Peeker       = (*queues)(nil)
	_ probes.DeadLetterer = (*queues)(nil)
)

// Check lists one queue. Credentials that may not list are good ones all the
// same: they may be for a single queue.
func (q *queues) Check(ctx context.Context) error {
	const op = "checking"
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return q.fail(op, err)
	}
	defer end()
	_, err = ask(ctx, q.probe, 0, func(ctx context.Context, s *session) (*sqs.ListQueuesOutput, error) {
		return s.sqs.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: sdk.Int32(1)})
	})
	if err != nil && !mayNotList(err) {
		return q.fail(op, err)
	}
	return nil
}

// Close ends all that runs and waits for it.
func (q *queues) Close() error {
	q.end()
	return nil
}

// url resolves a subject: a queue's name, its ARN, or its URL.
func (q *queues) url(ctx context.Context, subject string) (string, error) {
	if known, ok := q.urls.Load(subject); ok {
		return known.(string), nil
	}
	if subject == "" {
		return "", &fault{kind: probes.ErrUsage, err: errors.New("no queue was named"), hint: "write the target as TARGET/QUEUE"}
	}
	if strings.HasPrefix(subject, "https://") || strings.HasPrefix(subject, "http://") {
		return subject, nil
	}
	who, err := parseIdentity("sqs", subject)
	if err != nil {
		return "", err
	}
	s, err := q.open(ctx)
	if err != nil {
		return "", err
	}
	if err := who.elsewhere(s.region); err != nil {
		return "", err
	}
	found, err := queueURL(ctx, q.probe, who)
	if errors.Is(err, probes.ErrNotFound) || isBadName(err) {
		return "", q.unknown(ctx, subject)
	}
	if err != nil {
		return "", err
	}
	q.urls.Store(subject, found)
	return found, nil
}

// isBadName: names that no queue can have are refused instead of not found.
func isBadName(err error) bool {
	var a *answer
	return errors.As(err, &a) && (a.code == "InvalidAddress" || a.code == "InvalidParameterValue")
}

func queueURL(ctx context.Context, p *probe, who identity) (string, error) {
	return ask(ctx, p, 0, func(ctx context.Context, s *session) (string, error) {
		in := &sqs.GetQueueUrlInput{QueueName: &who.name}
		if who.account != "" {
			in.QueueOwnerAWSAccountId = &who.account
		}
		out, err := s.sqs.GetQueueUrl(ctx, in)
		if err != nil {
			return "", err
		}
		return sdk.ToString(out.QueueUrl), nil
	})
}

// unknown names the nearest queues there are.
func (q *queues) unknown(ctx context.Context, subject string) error {
	f := &fault{kind: probes.ErrNotFound, err: fmt.Errorf("there is no queue %q", subject)}
	if urls, _, err := listQueues(ctx, q.probe, "", 1000); err == nil {
		var names []string
		for _, u := range urls {
			names = append(names, nameOfURL(u))
		}
		f.hint = probes.NearestHint(subject, names)
	} else {
		f.hint = "queues that might be meant cannot be listed: " + err.Error()
	}
	return f
}

// listQueues returns the URLs of all queues with that prefix, at most limit (0:
// all); more is set when there are others.
func listQueues(ctx context.Context, p *probe, prefix string, limit int) (urls []string, more bool, err error) {
	in := &sqs.ListQueuesInput{MaxResults: sdk.Int32(1000)}
	if prefix != "" {
		in.QueueNamePrefix = &prefix
	}
	for {
		page, err := ask(ctx, p, 0, func(ctx context.Context, s *session) (*sqs.ListQueuesOutput, error) { return s.sqs.ListQueues(ctx, in) })
		if err != nil {
			return nil, false, err
		}
		urls = append(urls, page.QueueUrls...)
		if limit > 0 && len(urls) >= limit {
			return urls[:limit], len(urls) > limit || page.NextToken != nil, nil
		}
		// Without progress, a stand-in that ignores the token would be asked for ever.
		if page.NextToken == nil || *page.NextToken == "" || len(page.QueueUrls) == 0 {
			return urls, false, nil
		}
		in.NextToken = page.NextToken
	}
}
