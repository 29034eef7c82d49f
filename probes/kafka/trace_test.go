package kafka

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
	"iscope/probes/probetest"
)

// state is everything of a cluster that somebody could have left something in.
func (b *bed) state(t *testing.T) (out []string) {
	t.Helper()
	for _, topic := range b.metadata(t).Topics {
		out = append(out, fmt.Sprintf("topic %s with %d partitions", *topic.Topic, len(topic.Partitions)))
	}
	groups, err := kmsg.NewPtrListGroupsRequest().RequestWith(limit(t), b.Client)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.Groups {
		out = append(out, "group "+g.Group)
	}
	acls := kmsg.NewPtrDescribeACLsRequest()
	acls.ResourceType, acls.ResourcePatternType, acls.Operation, acls.PermissionType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny,
		kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	found, err := acls.RequestWith(limit(t), b.Client)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range found.Resources {
		out = append(out, fmt.Sprintf("ACL on %s", r.ResourceName))
	}
	configs := kmsg.NewPtrDescribeConfigsRequest()
	for _, topic := range b.metadata(t).Topics {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeTopic, *topic.Topic
		configs.Resources = append(configs.Resources, r)
	}
	set, err := configs.RequestWith(limit(t), b.Client)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range set.Resources {
		for _, c := range r.Configs {
			if c.Source == kmsg.ConfigSourceDynamicTopicConfig {
				out = append(out, fmt.Sprintf("config %s %s", r.ResourceName, c.Name))
			}
		}
	}
	slices.Sort(out)
	return out
}

// offsets are what a group has committed.
func (b *bed) offsets(t *testing.T, group string) (out []string) {
	t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = group
	req.Groups, req.Group = append(req.Groups, g), group
	res, err := req.RequestWith(limit(t), b.Client)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range res.Groups {
		for _, topic := range g.Topics {
			for _, p := range topic.Partitions {
				out = append(out, fmt.Sprintf("%v/%d at %d", topic.TopicID, p.Partition, p.Offset))
			}
		}
	}
	slices.Sort(out)
	return out
}

// application is a real consumer, as a service has one. It counts what it gets.
type application struct {
	client *kgo.Client
	done   chan struct{}
	mu     sync.Mutex
	seen   map[string]int
}

func startApplication(t *testing.T, addr, group string, topics ...string) *application {
	a := &application{done: make(chan struct{}), seen: map[string]int{}}
	a.client = newBed(t, addr, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topics...), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())).Client
	ctx, stop := context.WithCancel(limit(t))
	go func() {
		defer close(a.done)
		for ctx.Err() == nil {
			a.client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				a.mu.Lock()
				a.seen[fmt.Sprintf("%s/%d/%d", r.Topic, r.Partition, r.Offset)]++
				a.mu.Unlock()
			})
		}
	}()
	t.Cleanup(func() { stop(); <-a.done })
	return a
}

// got waits until the application has n different records and checks that none
// came twice.
func (a *application) got(t *testing.T, n int) {
	t.Helper()
	for ctx := limit(t); ; {
		a.mu.Lock()
		have, twice := len(a.seen), 0
		for _, times := range a.seen {
			if times > 1 {
				twice++
			}
		}
		a.mu.Unlock()
		if have >= n || ctx.Err() != nil {
			if have != n || twice > 0 {
				t.Errorf("the application got %d records of %d, %d of them more than once", have, n, twice)
			}
			return
		}
	}
}

// TestNobodyNotices: beside tails of every kind, a service receives every record
// once, and the cluster stays as it was. The broker is a private one, so that
// whatever appears in it was ours.
func TestNobodyNotices(t *testing.T) {
	b := newBed(t, probetest.Own(t, "kafka").Addresses["bootstrap"])
	topic, second, dlq := b.topic(t, 3), b.topic(t, 2), name(t)+".DLT"
	b.create(t, dlq, 1)
	b.produce(t, springDead(dlq, topic, "dead", 1))
	const group, n = "shop-billing", 600
	app := startApplication(t, b.addr, group, topic, second)
	b.numbered(t, topic, 3, 0, n)
	b.numbered(t, second, 2, 0, n)
	app.got(t, 2*n)
	if err := app.client.CommitUncommittedOffsets(limit(t)); err != nil {
		t.Fatal(err)
	}
	before, committed := b.state(t), b.offsets(t, group)

	p := b.quick(t)
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	var tails sync.WaitGroup
	for _, q := range []probes.TailQuery{
		{Subject: topic}, {Subject: topic, From: earliest}, {Subject: topic + "," + second, Last: 50, Follow: true}, {Subject: "t-*", From: earliest, Follow: true},
		{Subject: topic + "/1", From: at(7)}, {Subject: "__consumer_offsets", From: earliest},
	} {
		tails.Go(func() {
			for range p.Tail(ctx, q) {
			}
		})
	}
	for _, q := range []probes.TailQuery{{Subject: topic, From: earliest, Until: latest}, {Subject: topic, Last: 9}, {Subject: topic, From: when(3), Until: when(9)},
		{Subject: "no-such-topic"}, {Subject: "no-such-*"}, {Subject: topic, From: at(1 << 40)}} {
		for range p.Tail(ctx, q) {
		}
	}
	if _, err := p.DeadLetters(ctx); err != nil {
		t.Error(err)
	}
	for range p.ShowDead(ctx, probes.PeekQuery{Subject: dlq}) {
	}
	for _, q := range []probes.DiscoverQuery{{}, {Detail: true}, {Subject: group, Detail: true}, {Subject: "no-such-topic"}} {
		for range p.Discover(ctx, q) {
		}
	}
	if d := cmp.Diff(committed, b.offsets(t, group)); d != "" {
		t.Errorf("committed offsets: %s", d)
	}
	b.numbered(t, topic, 3, n, 2*n)
	app.got(t, 3*n)
	stop()
	tails.Wait()
	if d := cmp.Diff(before, b.state(t)); d != "" {
		t.Errorf("the cluster has changed: %s", d)
	}

	// The same when nothing of ours gets to clean up.
	killTail(t, b.addr, "t-*")
	b.numbered(t, topic, 3, 2*n, 3*n)
	app.got(t, 4*n)
	if d := cmp.Diff(before, b.state(t)); d != "" {
		t.Errorf("after a kill, the cluster has changed: %s", d)
	}
}

// tailForTest makes TestMain tail "address subject" and print what it reads.
const tailForTest = "ISCOPE_TEST_TAIL"

// killTail starts a tail in a process of its own and kills it when it has read
// something.
func killTail(t *testing.T, addr, subject string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), tailForTest+"="+addr+" "+subject)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "read ") {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	io.Copy(io.Discard, out)
	cmd.Wait() // says that it was killed
}

func tailAndPrint(args string) {
	addr, subject, _ := strings.Cut(args, " ")
	p, err := open(context.Background(), (&bed{addr: addr}).target())
	if err != nil {
		fmt.Println(err)
		return
	}
	for r, err := range p.(*probe).Tail(context.Background(), probes.TailQuery{Subject: subject, From: earliest, Follow: true}) {
		fmt.Println("read", r.ID, err)
	}
}
