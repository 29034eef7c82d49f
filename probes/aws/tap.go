package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"regexp"
	"strconv"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"iscope/probes"
)

const (
	// tapPrefix begins the name of every queue we create.
	tapPrefix = "iscope-tap-"
	// tapKeeps is how long SQS keeps what a slow reader has not taken.
	tapKeeps = time.Hour
	// tapLives is how far in the future a tap's expiry is set, and tapRenews how
	// often. A sweep leaves another tapGrace for clocks that differ.
	tapLives, tapRenews, tapGrace = time.Hour, 15 * time.Minute, 10 * time.Minute

	tagOwner   = "iscope:owner"
	tagExpires = "iscope:expires" // RFC 3339
	tagTopic   = "iscope:topic"   // ARN
)

const (
	// appears is how long a new queue may take to be found, settling the pause
	// between looking.
	appears, settling = 15 * time.Second, 250 * time.Millisecond
)

var errTapGone = errors.New("the tap was taken away by someone else")

// tap is an own queue, subscribed to a topic.
type tap struct {
	owner *topics
	leftover
	name   string
	made   time.Time // when SQS said that the queue is created
	ledger *probes.Ledger
	entry  *stateEntry // nil where the state folder cannot be written

	mu      sync.Mutex
	backlog []types.Message // received and deleted, not yet shown
	recent  recent
	read    bool      // SQS has answered a receive
	told    time.Time // when it was last said that the tail is behind
}

// attach creates the queue, lets the topic send to it and subscribes it. What it
// did is undone if it fails.
func (t *topics) attach(ctx context.Context, l *probes.Ledger, topic string) (*tap, error) {
	s, err := t.open(ctx)
	if err != nil {
		return nil, err
	}
	b := &tap{owner: t, name: tapPrefix + randomID(6), ledger: l, leftover: leftover{Endpoint: t.set.endpoint + t.set.sqsEndpoint, Region: s.region, Topic: topic}}
	if isFIFO(topic) {
		b.name += fifoSuffix
	}
	b.Queue = b.name
	b.entry = t.state.write(b.leftover)
	if err := b.make(ctx); err != nil {
		b.remove(ctx)
		return nil, err
	}
	return b, nil
}

func (b *tap) make(ctx context.Context) error {
	b.ledger.Note(probes.DeedCreated, fmt.Sprintf("queue %s in %s, to which only topic %s may send", b.name, b.Region, b.Topic), b.until())
	if err := b.create(ctx); err != nil {
		return b.needs(err)
	}
	b.ledger.Note(probes.DeedCreated, fmt.Sprintf("subscription of queue %s to topic %s", b.name, b.Topic), b.until())
	return b.needs(b.subscribe(ctx))
}

func (b *tap) until() string {
	killed := "by any tail that starts an hour later"
	if b.entry != nil {
		killed = "by the next tail on this machine, or " + killed
	}
	return "removed when the tail ends; if this is killed, " + killed
}

func (b *tap) create(ctx context.Context) error {
	attrs := map[string]string{
		string(types.QueueAttributeNameMessageRetentionPeriod): strconv.Itoa(int(tapKeeps / time.Second)),
		string(types.QueueAttributeNameVisibilityTimeout):      strconv.Itoa(int(tapHides / time.Second)),
	}
	if isFIFO(b.name) {
		attrs[string(types.QueueAttributeNameFifoQueue)] = "true"
	}
	// In the request that creates it: a policy set later takes up to a minute to be
	// in force, and what SNS may not deliver is lost.
	policy, err := tapPolicy(b.Topic)
	if err != nil {
		return err
	}
	attrs[string(types.QueueAttributeNamePolicy)] = policy
	tags := map[string]string{tagOwner: ownerTag(), tagExpires: expiryTag(time.Now()), tagTopic: b.Topic}
	b.URL, err = ask(ctx, b.owner.probe, 0, func(ctx context.Context, s *session) (string, error) {
		out, err := s.sqs.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &b.name, Attributes: attrs, Tags: tags})
		if err != nil {
			return "", err
		}
		return sdk.ToString(out.QueueUrl), nil
	})
	if err != nil {
		return err
	}
	b.made = time.Now()
	one, err := look(ctx, b.owner.probe, b.URL)
	for b.young(err) && pause(ctx, settling) {
		one, err = look(ctx, b.owner.probe, b.URL)
	}
	if err != nil {
		return err
	}
	b.QueueARN = one.arn
	b.entry.update(b.leftover)
	return nil
}

// young forgives a new queue that SQS does not find yet: it may need a second and
// more.
func (b *tap) young(err error) bool {
	return errors.Is(err, probes.ErrNotFound) && !b.used() && time.Since(b.made) < appears
}

// tapPolicy lets one topic send, and nobody else
// (https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html).
// The resource is the queue that has the policy, whose account is not known yet.
func tapPolicy(topic string) (string, error) {
	b, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
		"Effect": "Allow", "Principal": map[string]string{"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "*",
		"Condition": map[string]any{"ArnEquals": map[string]string{"aws:SourceArn": topic}}}}})
	return string(b), err
}

func (b *tap) subscribe(ctx context.Context) error {
	arn, err := ask(ctx, b.owner.probe, 0, func(ctx context.Context, s *session) (string, error) {
		out, err := s.sns.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &b.Topic, Protocol: sdk.String("sqs"), Endpoint: &b.QueueARN, ReturnSubscriptionArn: true})
		if err != nil {
			return "", err
		}
		return sdk.ToString(out.SubscriptionArn), nil
	})
	if err != nil {
		return err
	}
	b.Subscription = arn
	b.entry.update(b.leftover)
	return nil
}

// needs says what permissions a tap takes.
func (b *tap) needs(err error) error {
	var a *answer
	if !errors.Is(err, probes.ErrDenied) || !errors.As(err, &a) {
		return err
	}
	return &fault{kind: probes.ErrDenied, err: a, hint: "a tail needs, on queues named " + tapPrefix + "*: sqs:CreateQueue, TagQueue, GetQueueAttributes, " +
		"ReceiveMessage, DeleteMessage, DeleteQueue; and sns:Subscribe, sns:Unsubscribe"}
}

// remove takes everything away, also when the caller's context has ended.
func (b *tap) remove(ctx context.Context) {
	ctx, stop := leaving(ctx)
	defer stop()
	b.ledger.Note(probes.DeedRemoved, fmt.Sprintf("queue %s and its subscription to topic %s", b.name, b.Topic), "")
	if err := b.owner.dismantle(ctx, b.leftover); err != nil {
		b.ledger.Note(probes.DeedLeft, fmt.Sprintf("queue %s and its subscription to topic %s: %v", b.name, b.Topic, err), b.until())
		b.entry.release()
		return
	}
	b.entry.remove()
}

// dismantle removes the subscription, then the queue. In that order: a queue
// carries what is needed to find its subscription, and not the other way round.
func (t *topics) dismantle(ctx context.Context, l leftover) error {
	sub := l.Subscription
	if sub == "" && l.QueueARN != "" {
		list, err := subscriptions(ctx, t.probe, l.Topic)
		if err != nil && !isGone(err) {
			return err
		}
		for _, s := range list {
			if s.endpoint == l.QueueARN && !s.isPending() {
				sub = s.arn
			}
		}
	}
	if sub != "" {
		_, err := ask(ctx, t.probe, 0, func(ctx context.Context, s *session) (*sns.UnsubscribeOutput, error) {
			return s.sns.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: &sub})
		})
		if err != nil && !isGone(err) {
			return err
		}
	}
	url := l.URL
	if url == "" {
		var err error
		if url, err = queueURL(ctx, t.probe, identity{name: l.Queue}); err != nil {
			return unlessGone(err)
		}
	}
	_, err := ask(ctx, t.probe, 0, func(ctx context.Context, s *session) (*sqs.DeleteQueueOutput, error) {
		return s.sqs.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &url})
	})
	return unlessGone(err)
}

// isGone reports that a thing is not there: of a deleted topic's subscriptions SNS
// says either.
func isGone(err error) bool {
	var api smithy.APIError
	return errors.Is(err, probes.ErrNotFound) || errors.As(err, &api) && api.ErrorCode() == "InvalidParameter"
}

func unlessGone(err error) error {
	if isGone(err) {
		return nil
	}
	return err
}

func expiryTag(now time.Time) string { return now.Add(tapLives).UTC().Format(time.RFC3339) }

// ownerTag tells people whose tap it is. Tags take few characters
// (https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html).
func ownerTag() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text := regexp.MustCompile(`[^A-Za-z0-9 _.:/=+@-]`).ReplaceAllString(name+"@"+host, "_")
	return text[:min(len(text), 200)] + " pid " + strconv.Itoa(os.Getpid())
}

// renew puts the expiry off.
func (b *tap) renew(ctx context.Context) error {
	_, err := ask(ctx, b.owner.probe, 0, func(ctx context.Context, s *session) (*sqs.TagQueueOutput, error) {
		return s.sqs.TagQueue(ctx, &sqs.TagQueueInput{QueueUrl: &b.URL, Tags: map[string]string{tagExpires: expiryTag(time.Now())}})
	})
	return err
}

// used reports that the tap has worked: one that never did is not made anew again
// and again.
func (b *tap) used() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}
