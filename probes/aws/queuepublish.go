package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
)

// Publish sends one message and returns it with the id that SQS gave it. The
// library checks the digest of the body that SQS has stored.
func (q *queues) Publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	op := "publishing to " + r.Source.Subject
	ctx, end, err := q.begin(ctx)
	if err != nil {
		return r, q.fail(op, err)
	}
	defer end()
	out, err := q.publish(ctx, r)
	if err != nil {
		return r, q.fail(op, err)
	}
	return out, nil
}

func (q *queues) publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	o, err := compose(&r, "sqs")
	if err != nil {
		return r, err
	}
	url, err := q.url(ctx, r.Source.Subject)
	if err != nil {
		return r, err
	}
	if err := o.ordered(isFIFO(nameOfURL(url))); err != nil {
		return r, err
	}
	sent, err := send(ctx, q.probe, url, o, "")
	if err != nil {
		return r, o.tooLong(err)
	}
	return stored(r, probes.Ref{Target: q.target.Name, Subject: r.Source.Subject}, sdk.ToString(sent.MessageId), sdk.ToString(sent.SequenceNumber), o), nil
}

// send sends one message; trace is an X-Ray header, "" for none.
func send(ctx context.Context, p *probe, url string, o *outgoing, trace string) (*sqs.SendMessageOutput, error) {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &o.body, MessageAttributes: o.queueAttributes(),
		MessageGroupId: optional(o.group), MessageDeduplicationId: optional(o.dedup)}
	if trace != "" {
		in.MessageSystemAttributes = map[string]types.MessageSystemAttributeValue{
			string(types.MessageSystemAttributeNameForSendsAWSTraceHeader): {DataType: sdk.String(typeString), StringValue: &trace}}
	}
	return ask(ctx, p, 0, func(ctx context.Context, s *session) (*sqs.SendMessageOutput, error) {
		return s.sqs.SendMessage(ctx, in, oncePerQueue)
	})
}
