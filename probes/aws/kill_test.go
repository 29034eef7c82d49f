package aws

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"iscope/probes"
)

// envVictim holds the target of a process that tails, or peeks, until it is killed,
// as JSON.
const envVictim = "ISCOPE_TEST_VICTIM"

type victimTarget struct{ Address, Region, Key, Secret, Topic, Queue string }

// victim tails and prints a line when it shows something, or peeks.
func victim() {
	var v victimTarget
	if err := json.Unmarshal([]byte(os.Getenv(envVictim)), &v); err != nil {
		log.Fatal(err)
	}
	if v.Queue != "" {
		victimPeeks(&v)
	}
	conn, err := probes.Open(context.Background(), []probes.Driver{SNS()}, probes.Target{Name: "victim", Driver: "sns", Address: v.Address,
		Options: map[string]string{optRegion: v.Region, optTap: "true"}, Auth: probes.Auth{Username: v.Key, Password: probes.NewSecret(v.Secret)}})
	if err != nil {
		log.Fatal(err)
	}
	tailer, err := conn.Tailer()
	if err != nil {
		log.Fatal(err)
	}
	for r, err := range tailer.Tail(context.Background(), probes.TailQuery{Subject: v.Topic}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(r.Body))
	}
}

func victimPeeks(v *victimTarget) {
	conn, err := probes.Open(context.Background(), []probes.Driver{SQS()}, probes.Target{Name: "victim", Driver: "sqs", Address: v.Address,
		Environment: probes.Environment{Write: true}, Options: map[string]string{optRegion: v.Region}, Auth: probes.Auth{Username: v.Key, Password: probes.NewSecret(v.Secret)}})
	if err != nil {
		log.Fatal(err)
	}
	p, err := conn.Peeker()
	if err != nil {
		log.Fatal(err)
	}
	for {
		for _, err := range p.Peek(context.Background(), probes.PeekQuery{Subject: v.Queue, Limit: maxPeek}) {
			if err != nil {
				log.Fatal(err)
			}
		}
	}
}

// victim is a process that does something to be killed in.
func (b *bed) victim(t *testing.T, v victimTarget) *exec.Cmd {
	t.Helper()
	v.Address, v.Region, v.Key, v.Secret = b.Addresses["http"], b.Addresses["region"], b.Addresses["access_key"], b.Addresses["secret_key"]
	env, err := json.Marshal(v)
	must(t, 0, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envVictim+"="+string(env))
	cmd.Stderr = os.Stderr
	return cmd
}

// TestPeekKilled kills a look with SIGKILL while it holds messages: their consumer
// has them all when the time is up for which they were hidden.
func TestPeekKilled(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, _, url, deadURL := b.pair(t, "", 100)
		want := (&counter{}).bodies(60)
		b.send(t, url, want...)
		cmd := b.victim(t, victimTarget{Queue: name})
		must(t, 0, cmd.Start())
		for ctx := within(t); atoi(t, b.attributes(t, url)["ApproximateNumberOfMessagesNotVisible"]) == 0; {
			if ctx.Err() != nil {
				t.Error("the victim takes nothing")
				break
			}
		}
		must(t, 0, cmd.Process.Kill()) // SIGKILL
		if err := cmd.Wait(); err == nil {
			t.Fatal("the victim was not killed")
		}
		ctx, stop := context.WithTimeout(t.Context(), 2*hold)
		defer stop()
		var got []string
		for len(got) < len(want) && ctx.Err() == nil {
			for _, m := range b.receive(t, url, 10, time.Minute) {
				got = append(got, *m.Body)
				_, err := b.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
				must(t, 0, err)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("the consumer got %d of %d messages: %v", len(got), len(want), got)
		}
		if n := b.visible(t, deadURL); n != 0 {
			t.Errorf("%d dead letters", n)
		}
	})
}

// killed runs a victim on a topic until it shows something, and kills it.
func (b *bed) killed(t *testing.T, name, arn string) {
	t.Helper()
	cmd := b.victim(t, victimTarget{Topic: name})
	out, err := cmd.StdoutPipe()
	must(t, 0, err)
	must(t, 0, cmd.Start())
	shown := make(chan bool, 1)
	go func() { shown <- bufio.NewScanner(out).Scan() }()
	for ctx, ready := within(t), false; !ready; {
		b.publish(t, arn, "begin")
		select {
		case ready = <-shown:
			if !ready {
				t.Fatal("the victim ended by itself")
			}
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			cmd.Process.Kill()
			t.Fatal("the victim shows nothing")
		}
	}
	must(t, 0, cmd.Process.Kill()) // SIGKILL
	if err := cmd.Wait(); err == nil {
		t.Fatal("the victim was not killed")
	}
}

func TestKilledTapIsSwept(t *testing.T) {
	b := newBed(t, "aws")
	name, other := unique(t, ""), unique(t, "")
	arn := b.topic(t, name)
	b.topic(t, other)
	url := b.queue(t, unique(t, ""), nil) // its consumer's
	b.subscribe(t, arn, url, nil)
	b.killed(t, name, arn)
	if taps, ends := b.tapsOf(t, arn), b.endpoints(t, arn); len(taps) != 1 || len(ends) != 2 {
		t.Fatalf("the victim has left %v %v: it should have left one of each", taps, ends)
	}
	want := (&counter{}).bodies(30)
	b.publish(t, arn, want[:15]...)
	// The next start need not be on the same topic.
	led := &probes.Ledger{}
	follow(t, b, b.open(t, "sns", nil), other, strings.Replace(arn, name, other, 1), probes.TailQuery{Ledger: led}).end(t)
	if taps, ends := b.tapsOf(t, arn), b.endpoints(t, arn); len(taps) > 0 || len(ends) != 1 {
		t.Errorf("left behind: %v %v", taps, ends)
	}
	b.publish(t, arn, want[15:]...)
	var got []string
	for ctx := within(t); len(got) < len(want) && ctx.Err() == nil; {
		for _, m := range b.receive(t, url, 10, time.Minute) {
			var envelope struct{ Message string }
			must(t, 0, json.Unmarshal([]byte(*m.Body), &envelope))
			if envelope.Message != "begin" {
				got = append(got, envelope.Message)
			}
		}
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("the consumer beside got %d of %d messages: %v", len(got), len(want), got)
	}
	if d := led.Deeds(); d[0].Kind != probes.DeedRemoved || !strings.Contains(d[0].What, "killed") {
		t.Errorf("the ledger says %+v", d)
	}
}

// TestSweepSpares: only what is certainly a tap that nobody reads is removed.
func TestSweepSpares(t *testing.T) {
	b := newBed(t, "aws")
	name := unique(t, "")
	arn := b.topic(t, name)
	at := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	queues := map[string]map[string]string{
		"expired":    {tagOwner: "x@y pid 1", tagTopic: arn, tagExpires: at(-time.Hour)},
		"just now":   {tagOwner: "x@y pid 1", tagTopic: arn, tagExpires: at(-time.Minute)},
		"alive":      {tagOwner: "x@y pid 1", tagTopic: arn, tagExpires: at(time.Minute)},
		"no owner":   {tagTopic: arn, tagExpires: at(-time.Hour)},
		"no expiry":  {tagOwner: "x@y pid 1", tagTopic: arn},
		"no tags":    nil,
		"other name": {tagOwner: "x@y pid 1", tagTopic: arn, tagExpires: at(-time.Hour)},
	}
	urls := map[string]string{}
	for what, tags := range queues {
		prefix := tapPrefix
		if what == "other name" {
			prefix = "my-"
		}
		urls[what] = b.queue(t, prefix+unique(t, ""), nil)
		if tags != nil {
			_, err := b.sqs.TagQueue(within(t), &sqs.TagQueueInput{QueueUrl: sdk.String(urls[what]), Tags: tags})
			must(t, 0, err)
		}
	}
	sub := b.subscribe(t, arn, urls["expired"], nil)
	other := unique(t, "")
	follow(t, b, b.open(t, "sns", nil), other, b.topic(t, other), probes.TailQuery{}).end(t)
	for what, url := range urls {
		_, err := b.sqs.GetQueueAttributes(within(t), &sqs.GetQueueAttributesInput{QueueUrl: &url})
		if gone := err != nil; gone != (what == "expired") {
			t.Errorf("%s: gone %v (%v)", what, gone, err)
		}
	}
	if _, err := b.sns.GetSubscriptionAttributes(within(t), &sns.GetSubscriptionAttributesInput{SubscriptionArn: &sub}); err == nil {
		t.Error("the subscription of the expired one is still there")
	}
}
