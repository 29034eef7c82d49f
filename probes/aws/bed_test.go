package aws

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"iscope/probes"
	"iscope/probes/probetest"
)

// TestMain keeps the tests away from the person's own credentials and state. Run
// again by a test, the binary is a tail that waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv(envVictim) != "" {
		victim()
	}
	dir, err := os.MkdirTemp("", "iscope-aws")
	if err != nil {
		log.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_CONFIG_FILE": dir + "/config", "AWS_SHARED_CREDENTIALS_FILE": dir + "/credentials",
		"AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
		"AWS_ENDPOINT_URL": "", "AWS_CA_BUNDLE": "", "AWS_ROLE_ARN": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "", "XDG_STATE_HOME": dir} {
		os.Setenv(name, value)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// bed is a real server with clients that are none of ours.
type bed struct {
	probetest.Server
	sqs  *sqs.Client
	sns  *sns.Client
	sent map[string][]string // bodies by queue
}

// newBed needs the server of that name: "aws" (moto) or "elasticmq".
func newBed(t testing.TB, name string) *bed {
	t.Helper()
	return bedOf(probetest.Need(t, name))
}

func bedOf(s probetest.Server) *bed {
	url := s.Addresses["http"]
	cfg := sdk.Config{Region: s.Addresses["region"], BaseEndpoint: &url,
		Credentials: credentials.NewStaticCredentialsProvider(s.Addresses["access_key"], s.Addresses["secret_key"], "")}
	return &bed{Server: s, sqs: sqs.NewFromConfig(cfg), sns: sns.NewFromConfig(cfg), sent: map[string][]string{}}
}

func (b *bed) target(driver string) probes.Target {
	return probes.Target{Name: driver + "-test", Driver: driver, Address: b.Addresses["http"],
		Auth:    probes.Auth{Username: b.Addresses["access_key"], Password: probes.NewSecret(b.Addresses["secret_key"])},
		Options: map[string]string{optRegion: b.Addresses["region"]}, Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
}

// open opens a target of the bed; edit may be nil.
func (b *bed) open(t testing.TB, driver string, edit func(*probes.Target)) *probes.Conn {
	t.Helper()
	target := b.target(driver)
	if edit != nil {
		edit(&target)
	}
	return openTarget(t, target)
}

func openTarget(t testing.TB, target probes.Target) *probes.Conn {
	t.Helper()
	conn, err := probes.Open(t.Context(), []probes.Driver{SQS(), SNS()}, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn
}

func within(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

// unique is a name that no other test and no other run has.
func unique(t testing.TB, suffix string) string {
	t.Helper()
	return "t" + randomID(5) + suffix
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// queue makes a queue that is removed with the test, and returns its URL.
func (b *bed) queue(t testing.TB, name string, attrs map[string]string) string {
	t.Helper()
	if isFIFO(name) {
		if attrs == nil {
			attrs = map[string]string{}
		}
		attrs["FifoQueue"] = "true"
	}
	out, err := b.sqs.CreateQueue(within(t), &sqs.CreateQueueInput{QueueName: &name, Attributes: attrs})
	url := *must(t, out, err).QueueUrl
	t.Cleanup(func() { b.sqs.DeleteQueue(context.Background(), &sqs.DeleteQueueInput{QueueUrl: &url}) })
	return url
}

// pair makes a queue and its dead-letter queue; names and URLs.
func (b *bed) pair(t testing.TB, suffix string, maxReceives int) (name, dead, url, deadURL string) {
	t.Helper()
	base := unique(t, "")
	name, dead = base+suffix, base+"-failed"+suffix
	deadURL = b.queue(t, dead, nil)
	url = b.queue(t, name, map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, b.arnOf(t, deadURL), maxReceives)})
	return name, dead, url, deadURL
}

func (b *bed) attributes(t testing.TB, url string) map[string]string {
	t.Helper()
	out, err := b.sqs.GetQueueAttributes(within(t), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	return must(t, out, err).Attributes
}

func (b *bed) arnOf(t testing.TB, url string) string { return b.attributes(t, url)["QueueArn"] }

// visible is how many messages can be received.
func (b *bed) visible(t testing.TB, url string) int {
	t.Helper()
	return atoi(t, b.attributes(t, url)["ApproximateNumberOfMessages"])
}

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	return must(t, n, err)
}

// send sends messages with these bodies, to a FIFO queue in one group.
func (b *bed) send(t testing.TB, url string, bodies ...string) {
	t.Helper()
	b.sent[url] = append(b.sent[url], bodies...)
	for once := b.sendEach(t, url, bodies); !once; once = b.sendEach(t, url, b.sent[url]) {
		t.Log("the server hung up: all is sent again")
		_, err := b.sqs.PurgeQueue(within(t), &sqs.PurgeQueueInput{QueueUrl: &url})
		must(t, 0, err)
	}
}

// sendEach reports whether each body is there once. Where moto hung up (see
// resumed), the library has sent one again, and it may be there twice.
func (b *bed) sendEach(t testing.TB, url string, bodies []string) (once bool) {
	t.Helper()
	once = true
	for _, body := range bodies {
		in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
		if isFIFO(nameOfURL(url)) {
			in.MessageGroupId, in.MessageDeduplicationId = sdk.String("g"), sdk.String(randomID(8))
		}
		out, err := b.sqs.SendMessage(within(t), in)
		tries, _ := retry.GetAttemptResults(must(t, out, err).ResultMetadata)
		once = once && len(tries.Results) == 1
	}
	return once
}

// receive takes up to n messages, hidden for that long.
func (b *bed) receive(t testing.TB, url string, n int, hidden time.Duration) []types.Message {
	t.Helper()
	in := &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: int32(n), VisibilityTimeout: int32(hidden / time.Second), WaitTimeSeconds: 1,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll}}
	var options []func(*sqs.Options)
	if hidden == 0 {
		options = append(options, stayVisible)
	}
	out, err := b.sqs.ReceiveMessage(within(t), in, options...)
	return must(t, out, err).Messages
}

// fail receives each message of a queue until it becomes a dead letter.
func (b *bed) fail(t testing.TB, url, deadURL string, want int) {
	t.Helper()
	ctx := within(t)
	for b.visible(t, deadURL) < want {
		if ctx.Err() != nil {
			t.Fatal("the messages do not become dead letters")
		}
		for _, m := range b.receive(t, url, 10, 10*time.Second) {
			_, err := b.sqs.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			must(t, 0, err)
		}
	}
}

// topic makes a topic that is removed with the test, and returns its ARN.
func (b *bed) topic(t testing.TB, name string) string {
	t.Helper()
	in := &sns.CreateTopicInput{Name: &name}
	if isFIFO(name) {
		in.Attributes = map[string]string{"FifoTopic": "true"}
	}
	out, err := b.sns.CreateTopic(within(t), in)
	arn := *must(t, out, err).TopicArn
	t.Cleanup(func() { b.sns.DeleteTopic(context.Background(), &sns.DeleteTopicInput{TopicArn: &arn}) })
	return arn
}

func (b *bed) subscribe(t testing.TB, topic, queueURL string, attrs map[string]string) string {
	t.Helper()
	out, err := b.sns.Subscribe(within(t), &sns.SubscribeInput{TopicArn: &topic, Protocol: sdk.String("sqs"), Endpoint: sdk.String(b.arnOf(t, queueURL)), Attributes: attrs, ReturnSubscriptionArn: true})
	return *must(t, out, err).SubscriptionArn
}

func (b *bed) publish(t testing.TB, topic string, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		in := &sns.PublishInput{TopicArn: &topic, Message: &body}
		if isFIFO(topic) {
			in.MessageGroupId, in.MessageDeduplicationId = sdk.String("g"), sdk.String(randomID(8))
		}
		out, err := b.sns.Publish(within(t), in)
		must(t, out, err)
	}
}

// counter numbers bodies over a test run.
type counter struct{ n atomic.Int64 }

func (c *counter) bodies(n int) []string {
	var out []string
	for range n {
		out = append(out, fmt.Sprintf("message %d", c.n.Add(1)))
	}
	return out
}

// drained reads all of a sequence.
func drained(t testing.TB, seq func(func(probes.Record, error) bool)) (recs []probes.Record, err error) {
	t.Helper()
	for r, err := range seq {
		if err != nil {
			return recs, err
		}
		recs = append(recs, r)
	}
	return recs, nil
}

func bodiesOf(recs []probes.Record) []string {
	out := []string{}
	for _, r := range recs {
		if r.Kind == probes.Message {
			out = append(out, string(r.Body))
		}
	}
	return out
}
