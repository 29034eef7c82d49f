package aws

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"iscope/probes"
)

// aQueue scripts one queue of two messages.
func aQueue(redrive string, more map[string]func(call, http.ResponseWriter)) map[string]func(call, http.ResponseWriter) {
	attrs := map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:1:orders", "ApproximateNumberOfMessages": "2"}
	if redrive != "" {
		attrs["RedrivePolicy"] = redrive
	}
	message := func(id string) map[string]any {
		return map[string]any{"MessageId": id, "ReceiptHandle": "r-" + id, "Body": "b", "Attributes": map[string]string{"ApproximateReceiveCount": "1",
			"DeadLetterQueueSourceArn": "arn:aws:sqs:us-east-1:1:origin", "SentTimestamp": "1795374896666"}}
	}
	out := map[string]func(call, http.ResponseWriter){
		"GetQueueUrl": func(c call, w http.ResponseWriter) {
			answers(map[string]any{"QueueUrl": fmt.Sprintf("http://no-such-host.invalid/1/%v", c.JSON["QueueName"])})(c, w)
		},
		"GetQueueAttributes": answers(map[string]any{"Attributes": attrs}),
		"ReceiveMessage":     first(1, answers(map[string]any{"Messages": []any{message("m1"), message("m2")}}), answers(map[string]any{})),
	}
	for op, do := range more {
		out[op] = do
	}
	return out
}

func TestPeekSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	s := newScript(t, aQueue("", map[string]func(call, http.ResponseWriter){"ChangeMessageVisibilityBatch": refuses(403, "AccessDenied", "not authorized to perform: sqs:changemessagevisibility")}))
	led := &probes.Ledger{}
	recs, err := peekAt(t, s.open(t, "sqs"), probes.PeekQuery{Subject: "orders", Ledger: led})
	wants(t, err, probes.ErrDenied, "SQS does itself within 30s", "")
	if d := kinds(led); len(bodiesOf(recs)) != 2 || !slices.Equal(d, []probes.DeedKind{probes.DeedChanged, probes.DeedLeft}) {
		t.Errorf("%d messages, ledger %v", len(recs), led.Deeds())
	}
}

// TestPeekOfFIFOHidesNothing holds the library to what visible.go makes of it.
func TestPeekOfFIFOHidesNothing(t *testing.T) {
	t.Parallel()
	on := aQueue("", nil)
	on["GetQueueAttributes"] = answers(map[string]any{"Attributes": map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:1:orders.fifo"}})
	s := newScript(t, on)
	_, err := peekAt(t, s.open(t, "sqs"), probes.PeekQuery{Subject: "orders.fifo"})
	must(t, 0, err)
	for _, c := range s.calls {
		if hidden, ok := c.JSON["VisibilityTimeout"]; c.Op == "ReceiveMessage" && (!ok || hidden != 0.0) {
			t.Errorf("the request is %v", c.JSON)
		}
	}
	if s.count("ReceiveMessage") != 1 || s.count("ChangeMessageVisibilityBatch") != 0 {
		t.Errorf("%v", s.ops())
	}
}

// TestRedriveDeletesWhatIsConfirmed: one of two copies is refused.
func TestRedriveDeletesWhatIsConfirmed(t *testing.T) {
	t.Parallel()
	sent := first(1, answers(map[string]string{"MessageId": "c1"}), refuses(400, "InvalidMessageContents", "no"))
	s := newScript(t, aQueue("", map[string]func(call, http.ResponseWriter){"SendMessage": sent}))
	recs, err := redriveAll(t, s.open(t, "sqs"), probes.RedriveQuery{Subject: "orders"})
	if err != nil || len(recs) != 2 {
		t.Fatal(recs, err)
	}
	failed := slices.IndexFunc(recs, func(r probes.Record) bool { return r.Err != "" })
	if failed < 0 || recs[1-failed].ID != "c1" || recs[1-failed].Source.Subject != "origin" {
		t.Fatalf("%+v", recs)
	}
	deleted, back := "", ""
	order := []string{}
	for _, c := range s.calls {
		switch c.Op {
		case "SendMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch":
			order = append(order, c.Op)
		}
		if entries, ok := c.JSON["Entries"].([]any); ok {
			handle := fmt.Sprint(entries[0].(map[string]any)["ReceiptHandle"])
			if c.Op == "DeleteMessageBatch" {
				deleted += handle
			} else {
				back += handle
			}
		}
	}
	if d := cmp.Diff([]string{"SendMessage", "SendMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}, order); d != "" {
		t.Error(d)
	}
	if id := recs[failed].ID; back != "r-"+id || deleted == back || !strings.HasPrefix(deleted, "r-m") {
		t.Errorf("%s could not be sent; deleted %s, given back %s", id, deleted, back)
	}
}

func TestRedriveSaysWhatIsThereTwice(t *testing.T) {
	t.Parallel()
	s := newScript(t, aQueue("", map[string]func(call, http.ResponseWriter){"SendMessage": answers(map[string]string{"MessageId": "c"}),
		"DeleteMessageBatch": answers(map[string]any{"Failed": []any{map[string]any{"Id": "0", "Code": "AccessDenied", "Message": "no", "SenderFault": true}}})}))
	recs, err := redriveAll(t, s.open(t, "sqs"), probes.RedriveQuery{Subject: "orders"})
	if !errors.Is(err, probes.ErrDenied) || !strings.Contains(err.Error(), "still in orders too") || len(recs) != 2 {
		t.Errorf("%v, %d records", err, len(recs))
	}
}

// TestTapDenied leaves nothing of a tap that could not be made.
func TestTapDenied(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:sns:us-east-1:1:news"
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"CreateQueue":        answers(map[string]string{"QueueUrl": "http://no-such-host.invalid/1/q"}),
		"GetQueueAttributes": answers(map[string]any{"Attributes": map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:1:q"}}),
		"Subscribe":          refuses(403, "AuthorizationError", "not authorized to perform: SNS:Subscribe"),
	})
	tailer, err := s.open(t, "sns").Tailer()
	must(t, 0, err)
	led := &probes.Ledger{}
	_, err = drained(t, tailer.Tail(within(t), probes.TailQuery{Subject: arn, Ledger: led}))
	wants(t, err, probes.ErrDenied, "SNS:Subscribe", "sqs:CreateQueue")
	if s.count("DeleteQueue") != 1 || !slices.Equal(kinds(led), []probes.DeedKind{probes.DeedCreated, probes.DeedCreated, probes.DeedRemoved}) {
		t.Errorf("%v, ledger %v", s.ops(), led.Deeds())
	}
}

// TestTapLeftBehind says so when it cannot be removed, and the next start tries
// again.
func TestTapLeftBehind(t *testing.T) {
	const arn = "arn:aws:sns:us-east-1:1:news"
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	on := map[string]func(call, http.ResponseWriter){
		"CreateQueue":        answers(map[string]string{"QueueUrl": "http://no-such-host.invalid/1/q"}),
		"GetQueueAttributes": answers(map[string]any{"Attributes": map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:1:q"}}),
		"ReceiveMessage":     refuses(403, "AccessDenied", "no"),
		"DeleteQueue":        first(1, refuses(403, "AccessDenied", "no"), answers(map[string]any{})),
	}
	s := newScript(t, on)
	for _, want := range [][]probes.DeedKind{
		{probes.DeedCreated, probes.DeedCreated, probes.DeedRemoved, probes.DeedLeft},
		{probes.DeedRemoved, probes.DeedCreated, probes.DeedCreated, probes.DeedRemoved},
		{probes.DeedCreated, probes.DeedCreated, probes.DeedRemoved},
	} {
		tailer, err := s.open(t, "sns").Tailer()
		must(t, 0, err)
		led := &probes.Ledger{}
		if _, err := drained(t, tailer.Tail(within(t), probes.TailQuery{Subject: arn, Ledger: led})); !errors.Is(err, probes.ErrDenied) {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, kinds(led)); d != "" {
			t.Errorf("%s%v", d, led.Deeds())
		}
	}
}

// TestTapSaysThatItIsBehind: what is nearly as old as the queue keeps messages may
// not have been the oldest.
func TestTapSaysThatItIsBehind(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:sns:us-east-1:1:news"
	at := func(age time.Duration) string { return fmt.Sprint(time.Now().Add(-age).UnixMilli()) }
	message := func(id string, age time.Duration) map[string]any {
		return map[string]any{"MessageId": id, "ReceiptHandle": id, "Body": `{"Type":"Notification","MessageId":"` + id + `","Message":"b"}`,
			"Attributes": map[string]string{"SentTimestamp": at(age)}}
	}
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"CreateQueue":        answers(map[string]string{"QueueUrl": "http://no-such-host.invalid/1/q"}),
		"GetQueueAttributes": answers(map[string]any{"Attributes": map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:1:q"}}),
		"ReceiveMessage": first(1, answers(map[string]any{"Messages": []any{message("a", 58*time.Minute), message("b", 58*time.Minute), message("a", 58*time.Minute), message("c", time.Minute)}}),
			func(c call, w http.ResponseWriter) {
				time.Sleep(10 * time.Millisecond)
				answers(map[string]any{})(c, w)
			}),
	})
	tailer, err := s.open(t, "sns").Tailer()
	must(t, 0, err)
	var got []string
	for r, err := range tailer.Tail(within(t), probes.TailQuery{Subject: arn}) {
		must(t, 0, err)
		got = append(got, r.Kind.String()+" "+r.ID)
		if r.ID == "c" {
			break
		}
	}
	if d := cmp.Diff([]string{"gap ", "message a", "message b", "message c"}, got); d != "" {
		t.Error(d)
	}
}

// TestTapWaitsForItsQueue: SQS may not find a new queue for a moment.
func TestTapWaitsForItsQueue(t *testing.T) {
	t.Parallel()
	unknown := refuses(400, "QueueDoesNotExist", "The specified queue does not exist.")
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"CreateQueue":        answers(map[string]string{"QueueUrl": "http://no-such-host.invalid/1/q"}),
		"GetQueueAttributes": first(2, unknown, answers(map[string]any{"Attributes": map[string]string{"QueueArn": "arn:aws:sqs:us-east-1:1:q"}})),
		"ReceiveMessage": first(1, unknown, answers(map[string]any{"Messages": []any{map[string]any{"MessageId": "m", "ReceiptHandle": "r",
			"Body": `{"Type":"Notification","MessageId":"n","Message":"b"}`}}})),
	})
	tailer, err := s.open(t, "sns").Tailer()
	must(t, 0, err)
	for r, err := range tailer.Tail(within(t), probes.TailQuery{Subject: "arn:aws:sns:us-east-1:1:news"}) {
		if err != nil || r.ID != "n" {
			t.Errorf("%+v %v", r, err)
		}
		break
	}
}

func BenchmarkNotification(b *testing.B) {
	body := fmt.Sprintf(`{"Type":"Notification","MessageId":"38122ef1-e3dc-4314-8fc8-651cc897202e","TopicArn":"arn:aws:sns:us-east-1:1:news","Message":%q,`+
		`"Timestamp":"2026-11-23T02:03:29.817Z","MessageAttributes":{"kind":{"Type":"String","Value":"order"}}}`, strings.Repeat("x", 500))
	m := &types.Message{Body: &body}
	b.ReportAllocs()
	for b.Loop() {
		notification(m, probes.Ref{Target: "t", Subject: "news"}, 0)
	}
}
