package aws

import (
	"context"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"iscope/probes"
)

// Publish publishes one message to a topic and returns it with the id that SNS
// gave it.
func (t *topics) Publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	op := "publishing to " + r.Source.Subject
	ctx, end, err := t.begin(ctx)
	if err != nil {
		return r, t.fail(op, err)
	}
	defer end()
	out, err := t.publish(ctx, r)
	if err != nil {
		return r, t.fail(op, err)
	}
	return out, nil
}

func (t *topics) publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	o, err := compose(&r, "sns")
	if err != nil {
		return r, err
	}
	arn, err := t.arn(ctx, r.Source.Subject)
	if err != nil {
		return r, err
	}
	if err := o.ordered(isFIFO(nameOfARN(arn))); err != nil {
		return r, err
	}
	in := &sns.PublishInput{TopicArn: &arn, Message: &o.body, Subject: optional(o.subject), MessageAttributes: o.topicAttributes(),
		MessageGroupId: optional(o.group), MessageDeduplicationId: optional(o.dedup)}
	sent, err := ask(ctx, t.probe, 0, func(ctx context.Context, s *session) (*sns.PublishOutput, error) {
		return s.sns.Publish(ctx, in, oncePerTopic)
	})
	if err != nil {
		return r, o.tooLong(err)
	}
	return stored(r, probes.Ref{Target: t.target.Name, Subject: r.Source.Subject}, sdk.ToString(sent.MessageId), sdk.ToString(sent.SequenceNumber), o), nil
}
