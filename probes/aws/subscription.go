package aws

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// topic is what SNS says of one.
type topic struct {
	arn                string
	confirmed, pending int64
	displayName        string
	encryption         string // KMS key, "" for none
}

func lookTopic(ctx context.Context, p *probe, arn string) (*topic, error) {
	return ask(ctx, p, 0, func(ctx context.Context, s *session) (*topic, error) {
		out, err := s.sns.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &arn})
		if err != nil {
			return nil, err
		}
		number := func(name string) int64 {
			n, _ := strconv.ParseInt(out.Attributes[name], 10, 64) // absent where a stand-in has not got it
			return n
		}
		return &topic{arn: arn, confirmed: number("SubscriptionsConfirmed"), pending: number("SubscriptionsPending"),
			displayName: out.Attributes["DisplayName"], encryption: out.Attributes["KmsMasterKeyId"]}, nil
	})
}

// subscription is one receiver of a topic.
type subscription struct {
	arn, topic, protocol, endpoint string
	attrs                          map[string]string // nil if they were not asked for
}

// isPending: such a subscription has a word instead of an ARN.
func (s *subscription) isPending() bool {
	return !strings.HasPrefix(s.arn, "arn:") || s.attrs["PendingConfirmation"] == "true"
}

// deadTo is the ARN of the queue for what could not be delivered.
func (s *subscription) deadTo() string {
	var doc struct {
		To string `json:"deadLetterTargetArn"`
	}
	if json.Unmarshal([]byte(s.attrs["RedrivePolicy"]), &doc) != nil {
		return ""
	}
	return doc.To
}

// subscriptions lists those of a topic, or all if it is "".
func subscriptions(ctx context.Context, p *probe, topic string) (out []*subscription, err error) {
	var next *string
	for {
		page, token, err := subscriptionPage(ctx, p, topic, next)
		if err != nil {
			return nil, err
		}
		for i := range page {
			s := &page[i]
			out = append(out, &subscription{arn: sdk.ToString(s.SubscriptionArn), topic: sdk.ToString(s.TopicArn), protocol: sdk.ToString(s.Protocol), endpoint: sdk.ToString(s.Endpoint)})
		}
		if token == nil || *token == "" || len(page) == 0 {
			return out, nil
		}
		next = token
	}
}

func subscriptionPage(ctx context.Context, p *probe, topic string, next *string) (page []types.Subscription, token *string, err error) {
	_, err = ask(ctx, p, 0, func(ctx context.Context, s *session) (struct{}, error) {
		if topic == "" {
			out, err := s.sns.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{NextToken: next})
			if err == nil {
				page, token = out.Subscriptions, out.NextToken
			}
			return struct{}{}, err
		}
		out, err := s.sns.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic, NextToken: next})
		if err == nil {
			page, token = out.Subscriptions, out.NextToken
		}
		return struct{}{}, err
	})
	return page, token, err
}

func subscriptionAttributes(ctx context.Context, p *probe, arn string) (map[string]string, error) {
	return ask(ctx, p, 0, func(ctx context.Context, s *session) (map[string]string, error) {
		out, err := s.sns.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	})
}
