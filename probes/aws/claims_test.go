package aws

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"iscope/probes"
	"iscope/probes/topology"
)

func snapshot(t *testing.T, conn *probes.Conn, q probes.DiscoverQuery) probes.Snapshot {
	t.Helper()
	d, err := conn.Discoverer()
	must(t, 0, err)
	for snap, err := range d.Discover(within(t), q) {
		must(t, 0, err)
		return snap
	}
	t.Fatal("no snapshot")
	return probes.Snapshot{}
}

func nodeOf(s probes.Snapshot, id string) *probes.Node {
	for _, c := range s.Claims {
		if c.Node != nil && c.Node.ID == id {
			return c.Node
		}
	}
	return &probes.Node{}
}

// edges as "from > to: attributes", those of a part only.
func edgesOf(s probes.Snapshot, part string) (out []string) {
	for _, c := range s.Claims {
		if c.Edge == nil || !strings.Contains(c.Edge.From+c.Edge.To, part) {
			continue
		}
		relation, _ := probes.FindAttr(c.Edge.Attrs, attrRelation)
		out = append(out, fmt.Sprintf("%s > %s: %s, %s", c.Edge.From, c.Edge.To, relation, c.Class))
	}
	return out
}

func TestQueueClaims(t *testing.T) {
	twoServers(t, func(t *testing.T, b *bed) {
		name, dead, url, deadURL := b.pair(t, "", 1)
		topic := "arn:aws:sns:us-east-1:123456789012:" + name + "-events"
		policy, err := tapPolicy(topic)
		must(t, 0, err)
		b.set(t, url, "Policy", policy)
		b.send(t, url, "one")
		b.fail(t, url, deadURL, 1)
		b.send(t, url, "two", "three")
		b.receive(t, url, 1, 0)
		conn := b.open(t, "sqs", nil)
		for _, q := range []probes.DiscoverQuery{{}, {Subject: name, Detail: true}, {Subject: b.arnOf(t, url)}} {
			s := snapshot(t, conn, q)
			id := "queue:sqs-test/" + name
			n := nodeOf(s, id)
			depth, _ := probes.FindAttr(n.Attrs, attrVisible)
			limit, _ := probes.FindAttr(n.Attrs, attrMaxReceives)
			if n.Name != name || depth != "2" || limit != "1" || n.Health != probes.HealthOK || len(n.Aliases) != 1 {
				t.Errorf("%+v: %+v", q, n)
			}
			d := nodeOf(s, "queue:sqs-test/"+dead)
			if d.Health != probes.HealthWarn || d.Reason != "1 dead letters of "+name {
				t.Errorf("%+v: %+v", q, d)
			}
			want := []string{id + " > queue:sqs-test/" + dead + ": dead-letter, declared"}
			if b.Addresses["http"] == newBed(t, "aws").Addresses["http"] { // ElasticMQ keeps no policies
				want = append(want, "topic:sqs-test/"+name+"-events > "+id+": may send, permitted")
			}
			if d := cmp.Diff(want, edgesOf(s, id)); d != "" {
				t.Errorf("%+v: %s", q, d)
			}
			if age, _ := probes.FindAttr(n.Attrs, attrOldest); q.Detail != strings.Contains(age, "CloudWatch") {
				t.Errorf("%+v: %q", q, age)
			}
		}
	})
}

func TestTopicClaims(t *testing.T) {
	t.Parallel()
	b := newBed(t, "aws")
	name := unique(t, "")
	arn := b.topic(t, name)
	url, dead := b.queue(t, unique(t, ""), nil), b.queue(t, unique(t, ""), nil)
	queue := nameOfURL(url)
	b.subscribe(t, arn, url, map[string]string{"FilterPolicy": `{"kind":["order"]}`, "RawMessageDelivery": "true",
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q}`, b.arnOf(t, dead))})
	_, err := b.sns.Subscribe(within(t), &sns.SubscribeInput{TopicArn: &arn, Protocol: sdk.String("https"), Endpoint: sdk.String("https://user:pw@hooks.test/in?key=k")})
	must(t, 0, err)
	topics := b.open(t, "sns", nil)
	for _, q := range []probes.DiscoverQuery{{}, {Subject: name, Detail: true}} {
		s := snapshot(t, topics, q)
		id := "topic:sns-test/" + name
		want := []string{id + " > external:sns-test/https://hooks.test/in: subscription, attached", id + " > queue:sns-test/" + queue + ": subscription, attached",
			id + " > queue:sns-test/" + nameOfURL(dead) + ": dead-letter, declared"}
		got := edgesOf(s, id)
		if len(got) == 3 && strings.Contains(got[0], "queue:") { // sorted by receiver, whose name is random
			got = []string{got[2], got[0], got[1]}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%+v: %s", q, d)
		}
		for _, c := range s.Claims {
			if c.Edge == nil || c.Edge.To != "queue:sns-test/"+queue {
				continue
			}
			filter, _ := probes.FindAttr(c.Edge.Attrs, attrFilter)
			raw, _ := probes.FindAttr(c.Edge.Attrs, attrRaw)
			if filter != `{"kind":["order"]}` || raw != "true" {
				t.Errorf("filter %q, raw %q", filter, raw)
			}
		}
	}
	// Both targets in one graph: the queue is one node.
	graph := topology.Build(append(snapshot(t, topics, probes.DiscoverQuery{Subject: name}).Claims,
		snapshot(t, b.open(t, "sqs", nil), probes.DiscoverQuery{Subject: queue}).Claims...), topology.BuildOptions{Now: time.Now()})
	n := 0
	for _, node := range graph.Nodes {
		if node.Name == queue {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the queue is %d nodes", n)
	}
}

// TestHealth scripts what no stand-in gets into.
func TestHealth(t *testing.T) {
	t.Parallel()
	const prefix = "arn:aws:sqs:us-east-1:1:"
	attrs := map[string]map[string]string{
		"full":   {"QueueArn": prefix + "full", "ApproximateNumberOfMessagesNotVisible": "120000"},
		"nearly": {"QueueArn": prefix + "nearly", "ApproximateNumberOfMessagesNotVisible": "110000"},
		"orphan": {"QueueArn": prefix + "orphan", "RedrivePolicy": `{"deadLetterTargetArn":"` + prefix + `gone","maxReceiveCount":"3"}`},
		"fine":   {"QueueArn": prefix + "fine", "KmsMasterKeyId": "alias/k", "CreatedTimestamp": "1795374895.5"},
	}
	pages := [][]string{{"http://h/1/full", "http://h/1/nearly"}, {"http://h/1/orphan"}, {"http://h/1/fine", "http://h/1/hidden"}}
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"ListQueues": func(c call, w http.ResponseWriter) {
			doc := map[string]any{"QueueUrls": pages[c.Nth-1]}
			if c.Nth < len(pages) {
				doc["NextToken"] = fmt.Sprint(c.Nth)
			}
			if c.Nth > 1 && c.JSON["NextToken"] != fmt.Sprint(c.Nth-1) {
				t.Errorf("page %d is asked for by %v", c.Nth, c.JSON)
			}
			answers(doc)(c, w)
		},
		"GetQueueAttributes": func(c call, w http.ResponseWriter) {
			name := nameOfURL(c.JSON["QueueUrl"].(string))
			if name == "hidden" {
				refuses(403, "AccessDenied", "no")(c, w)
				return
			}
			answers(map[string]any{"Attributes": attrs[name]})(c, w)
		},
	})
	snap := snapshot(t, s.open(t, "sqs"), probes.DiscoverQuery{})
	for name, want := range map[string]string{"full": "fail 120000 messages are in flight", "nearly": "warn 110000 of at most 120000", "orphan": "ok ", "fine": "ok "} {
		n := nodeOf(snap, "queue:scripted/"+name)
		if got := n.Health.String() + " " + n.Reason; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if snap.Complete || len(snap.Missing) != 1 || !strings.Contains(snap.Missing[0], "hidden") {
		t.Errorf("complete %v, missing %v", snap.Complete, snap.Missing)
	}
	// Only a listing of everything shows that a dead-letter queue is not there.
	v := &survey{whole: true, queues: []*queue{readQueue("http://h/1/orphan", attrs["orphan"])}}
	if h, why := v.health(v.queues[0]); h != probes.HealthFail || !strings.Contains(why, "gone does not exist") {
		t.Errorf("%s %s", h, why)
	}
	if !exposed("http://queues.example:9324") || exposed("http://127.0.0.1:1") || exposed("https://queues.example") {
		t.Error("plaintext over a network is not told from what is harmless")
	}
}

func TestPendingSubscription(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:sns:us-east-1:1:news"
	xml := func(op, inner string) func(call, http.ResponseWriter) {
		return func(_ call, w http.ResponseWriter) {
			fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", op, inner)
		}
	}
	s := newScript(t, map[string]func(call, http.ResponseWriter){
		"ListTopics":         xml("ListTopics", "<Topics><member><TopicArn>"+arn+"</TopicArn></member></Topics>"),
		"GetTopicAttributes": xml("GetTopicAttributes", "<Attributes><entry><key>SubscriptionsPending</key><value>1</value></entry></Attributes>"),
		"ListSubscriptions": xml("ListSubscriptions", "<Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn><TopicArn>"+arn+
			"</TopicArn><Protocol>email</Protocol><Endpoint>a@b.test</Endpoint></member></Subscriptions>"),
	})
	snap := snapshot(t, s.open(t, "sns"), probes.DiscoverQuery{})
	if n := nodeOf(snap, "topic:scripted/news"); n.Health != probes.HealthWarn || !strings.Contains(n.Reason, "1 subscriptions wait") {
		t.Errorf("%+v", n)
	}
	if d := cmp.Diff([]string{"topic:scripted/news > external:scripted/a@b.test: subscription, declared"}, edgesOf(snap, "news")); d != "" || !snap.Complete {
		t.Error(d, snap.Missing)
	}
}
