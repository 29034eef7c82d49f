package aws

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queue is what SQS says of one.
type queue struct {
	name, url, arn             string
	visible, inFlight, delayed int64 // approximate; behind by up to a minute
	fifo                       bool
	retention, visibility      int64 // seconds
	maxSize                    int64 // bytes
	created                    time.Time
	encryption                 string   // "sqs" or a KMS key, "" for none
	redrive                    *redrive // nil: messages are received for as long as they are kept
	accepts                    []string // ARNs that may use it as their dead-letter queue, if it says so
	senders                    []sender
	tags                       map[string]string
}

// redrive is a queue's redrive policy.
type redrive struct {
	to          string // ARN of the dead-letter queue
	maxReceives int64
}

// look asks for a queue's attributes.
func look(ctx context.Context, p *probe, url string) (*queue, error) {
	return ask(ctx, p, 0, func(ctx context.Context, s *session) (*queue, error) {
		out, err := s.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
		if err != nil {
			return nil, err
		}
		return readQueue(url, out.Attributes), nil
	})
}

func readQueue(url string, a map[string]string) *queue {
	number := func(name types.QueueAttributeName) int64 {
		n, _ := strconv.ParseInt(a[string(name)], 10, 64) // absent where a stand-in has not got it
		return n
	}
	q := &queue{
		url: url, name: nameOfURL(url), arn: a[string(types.QueueAttributeNameQueueArn)],
		visible:   number(types.QueueAttributeNameApproximateNumberOfMessages),
		inFlight:  number(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible),
		delayed:   number(types.QueueAttributeNameApproximateNumberOfMessagesDelayed),
		retention: number(types.QueueAttributeNameMessageRetentionPeriod), visibility: number(types.QueueAttributeNameVisibilityTimeout),
		maxSize: number(types.QueueAttributeNameMaximumMessageSize),
		senders: senders(a[string(types.QueueAttributeNamePolicy)]),
	}
	if q.arn != "" {
		q.name = nameOfARN(q.arn)
	}
	q.fifo = isFIFO(q.name)
	// Seconds; some stand-ins add a fraction.
	if created, err := strconv.ParseFloat(a[string(types.QueueAttributeNameCreatedTimestamp)], 64); err == nil && created > 0 {
		q.created = time.Unix(int64(created), 0).UTC()
	}
	if q.encryption = a[string(types.QueueAttributeNameKmsMasterKeyId)]; q.encryption == "" && a[string(types.QueueAttributeNameSqsManagedSseEnabled)] == "true" {
		q.encryption = "sqs"
	}
	q.redrive, q.accepts = readRedrive(a[string(types.QueueAttributeNameRedrivePolicy)]), readAccepts(a[string(types.QueueAttributeNameRedriveAllowPolicy)])
	return q
}

// readRedrive reads a redrive policy; the number may be written as text.
func readRedrive(text string) *redrive {
	var doc struct {
		To  string          `json:"deadLetterTargetArn"`
		Max json.RawMessage `json:"maxReceiveCount"`
	}
	if json.Unmarshal([]byte(text), &doc) != nil || doc.To == "" {
		return nil
	}
	max := string(doc.Max)
	if s, err := strconv.Unquote(max); err == nil {
		max = s
	}
	n, _ := strconv.ParseInt(max, 10, 64)
	return &redrive{to: doc.To, maxReceives: n}
}

func readAccepts(text string) []string {
	var doc struct {
		Sources []string `json:"sourceQueueArns"`
	}
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil
	}
	return doc.Sources
}
