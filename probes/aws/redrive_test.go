package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

func (b *bed) delete(ctx context.Context, url string, m types.Message) error {
	_, err := b.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
	return err
}

func (b *bed) set(t testing.TB, url, name, value string) {
	t.Helper()
	_, err := b.sqs.SetQueueAttributes(within(t), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{name: value}})
	must(t, 0, err)
}

// take receives and deletes until n messages have come.
func (b *bed) take(t testing.TB, url string, n int) (out []types.Message) {
	t.Helper()
	for ctx := within(t); len(out) < n; {
		for _, m := range b.receive(t, url, 10, 20*time.Second) {
			out = append(out, m)
			must(t, 0, b.delete(ctx, url, m))
		}
		if ctx.Err() != nil {
			t.Fatalf("%d of %d messages are there", len(out), n)
		}
	}
	return out
}

func redriveAll(t *testing.T, conn *probes.Conn, q probes.RedriveQuery) ([]probes.Record, error) {
	t.Helper()
	d, err := conn.DeadLetterer()
	must(t, 0, err)
	return drained(t, d.Redrive(within(t), q))
}

func TestDeadLetters(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, dead, url, deadURL := b.pair(t, "", 1)
		b.queue(t, name+"-dlq", nil)
		b.send(t, url, "one", "two")
		b.fail(t, url, deadURL, 2)
		conn := b.open(t, "sqs", nil)
		d, err := conn.DeadLetterer()
		must(t, 0, err)
		all, err := d.DeadLetters(within(t))
		must(t, 0, err)
		var found []probes.DeadLetter
		for _, one := range all {
			if strings.HasPrefix(one.Subject, name) {
				found = append(found, one)
			}
		}
		want := []probes.DeadLetter{{Subject: name + "-dlq", Because: "named like one"},
			{Subject: dead, Origins: []string{name}, Count: 2, Because: "redrive policy of queue " + name}}
		if d := cmp.Diff(want, found); d != "" {
			t.Error(d)
		}
		recs, err := drained(t, d.ShowDead(within(t), probes.PeekQuery{Subject: dead}))
		must(t, 0, err)
		for _, r := range recs {
			origin, _ := r.Attr(probes.AttrDeadOrigin)
			reason, _ := r.Attr(probes.AttrDeadReason)
			if count, _ := r.Attr(probes.AttrDeadCount); origin != name || reason != "delivery_limit" || count == "" {
				t.Errorf("%+v", r.Attrs)
			}
		}
		readOnly := b.open(t, "sqs", func(p *probes.Target) { p.Environment.Write = false })
		d, err = readOnly.DeadLetterer()
		must(t, 0, err)
		if _, err := drained(t, d.ShowDead(within(t), probes.PeekQuery{Subject: dead})); !errors.Is(err, probes.ErrRefused) {
			t.Errorf("where nothing may be written: %v", err)
		}
		if len(recs) != 2 || b.visible(t, deadURL) != 2 {
			t.Errorf("%d shown, %d there", len(recs), b.visible(t, deadURL))
		}
	})
}

// TestRedrive sends the chosen ones back, marked, and leaves the others.
func TestRedrive(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, dead, url, deadURL := b.pair(t, "", 1)
		ten := map[string]types.MessageAttributeValue{}
		for i := range 10 {
			ten[fmt.Sprintf("a%d", i)] = types.MessageAttributeValue{DataType: sdk.String("Number"), StringValue: sdk.String("7")}
		}
		_, err := b.sqs.SendMessage(within(t), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: sdk.String("full"), MessageAttributes: ten})
		must(t, 0, err)
		var bodies []string
		for i := range 24 {
			bodies = append(bodies, fmt.Sprintf("%d", i))
		}
		b.send(t, url, bodies...)
		b.fail(t, url, deadURL, 25)
		conn := b.open(t, "sqs", nil)
		led := &probes.Ledger{}
		recs, err := redriveAll(t, conn, probes.RedriveQuery{Subject: dead, Ledger: led, Select: func(r *probes.Record) bool { return len(r.Body) != 1 }})
		must(t, 0, err)
		want := append([]string{"full"}, bodies[10:]...)
		got := bodiesOf(recs)
		slices.Sort(got)
		slices.Sort(want)
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		ids := map[string]string{}
		for _, r := range recs {
			if r.Kind == probes.Notice {
				if !strings.Contains(r.Err, "1 copies have no") {
					t.Errorf("notice %q", r.Err)
				}
				continue
			}
			if r.Err != "" || r.Source.Subject != name {
				t.Errorf("%+v", r)
			}
			ids[r.ID] = string(r.Body)
		}
		for _, m := range b.take(t, url, 15) {
			mark := sdk.ToString(m.MessageAttributes[probes.HeaderRedriven].StringValue)
			switch {
			case ids[*m.MessageId] != *m.Body:
				t.Errorf("%s %q is not the copy that was reported", *m.MessageId, *m.Body)
			case *m.Body == "full" && (len(m.MessageAttributes) != 10 || *m.MessageAttributes["a3"].DataType != "Number"):
				t.Errorf("%+v", m.MessageAttributes)
			case *m.Body != "full" && mark != "1 from "+dead:
				t.Errorf("the mark is %q", mark)
			}
		}
		if n, m := b.visible(t, url), b.visible(t, deadURL); n != 0 || m != 10 {
			t.Errorf("%d messages and %d dead letters are there", n, m)
		}
		if d := led.Deeds(); len(d) != 1 || d[0].Kind != probes.DeedChanged {
			t.Errorf("%+v", d)
		}
	})
}

// TestRedriveElsewhere: to a named queue, a limited number, and marked a second
// time.
func TestRedriveElsewhere(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		dead, to := unique(t, "-dlq"), unique(t, "")
		deadURL, toURL := b.queue(t, dead, nil), b.queue(t, to, nil)
		for i := range 5 {
			_, err := b.sqs.SendMessage(within(t), &sqs.SendMessageInput{QueueUrl: &deadURL, MessageBody: sdk.String(fmt.Sprint(i)), MessageAttributes: map[string]types.MessageAttributeValue{
				probes.HeaderRedriven: {DataType: sdk.String("String"), StringValue: sdk.String("2 from elsewhere")}}})
			must(t, 0, err)
		}
		conn := b.open(t, "sqs", nil)
		recs, err := redriveAll(t, conn, probes.RedriveQuery{Subject: dead, To: to, Limit: 3})
		if err != nil || len(bodiesOf(recs)) != 3 {
			t.Fatal(recs, err)
		}
		for _, m := range b.take(t, toURL, 3) {
			if mark := *m.MessageAttributes[probes.HeaderRedriven].StringValue; mark != "3 from "+dead {
				t.Errorf("the mark is %q", mark)
			}
		}
		if n := b.visible(t, deadURL); n != 2 {
			t.Errorf("%d dead letters are left", n)
		}
		// Without a place to go to, each is reported as failed and stays.
		recs, err = redriveAll(t, conn, probes.RedriveQuery{Subject: dead})
		if err != nil || len(recs) != 2 || !strings.Contains(recs[0].Err, "does not say which queue") {
			t.Errorf("%+v %v", recs, err)
		}
		for _, q := range []string{dead, to + "x"} {
			if _, err := redriveAll(t, conn, probes.RedriveQuery{Subject: dead, To: q}); !errors.Is(err, probes.ErrUsage) && !errors.Is(err, probes.ErrNotFound) {
				t.Errorf("to %s: %v", q, err)
			}
		}
		if n := b.visible(t, deadURL); n != 2 {
			t.Errorf("%d dead letters are left", n)
		}
	})
}

func TestRedriveKeepsOrderOfFIFO(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		_, dead, url, deadURL := b.pair(t, fifoSuffix, 1)
		want := (&counter{}).bodies(12)
		b.send(t, url, want...)
		b.fail(t, url, deadURL, 12)
		recs, err := redriveAll(t, b.open(t, "sqs", nil), probes.RedriveQuery{Subject: dead})
		must(t, 0, err)
		if d := cmp.Diff(want, bodiesOf(recs)); d != "" {
			t.Error(d)
		}
		var got []string
		for _, m := range b.take(t, url, 12) {
			got = append(got, *m.Body)
			if m.Attributes["MessageGroupId"] != "g" {
				t.Errorf("%v", m.Attributes)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}
