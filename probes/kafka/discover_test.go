package kafka

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

func findNode(s probes.Snapshot, kind probes.NodeKind, name string) (probes.Claim, bool) {
	i := slices.IndexFunc(s.Claims, func(c probes.Claim) bool { return c.Node != nil && c.Node.Kind == kind && c.Node.Name == name })
	if i < 0 {
		return probes.Claim{}, false
	}
	return s.Claims[i], true
}

func mustNode(t *testing.T, s probes.Snapshot, kind probes.NodeKind, name string) probes.Claim {
	t.Helper()
	c, ok := findNode(s, kind, name)
	if !ok {
		t.Fatalf("no %s %s", kind, name)
	}
	return c
}

func findEdge(s probes.Snapshot, topic, group string) (probes.Claim, bool) {
	i := slices.IndexFunc(s.Claims, func(c probes.Claim) bool {
		return c.Edge != nil && c.Edge.From == probes.NodeID(probes.NodeTopic, "test", topic) && c.Edge.To == probes.NodeID(probes.NodeGroup, "test", group)
	})
	if i < 0 {
		return probes.Claim{}, false
	}
	return s.Claims[i], true
}

func metric(c probes.Claim, name string) (float64, bool) {
	for _, m := range c.Edge.Metrics {
		if m.Name == name {
			return m.Value, true
		}
	}
	return 0, false
}

func attr(c probes.Claim, name string) string {
	v, _ := probes.FindAttr(c.Node.Attrs, name)
	return v
}

func TestDiscoverDescribesATopic(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic, other := b.topic(t, 3, "retention.ms", "7200000"), b.topic(t, 1)
		b.numbered(t, topic, 3, 0, 10)
		group := name(t)
		b.commit(t, group, topic, 0, 1)
		b.commit(t, group, topic, 1, 3)
		p := b.open(t, nil)
		s := snapshot(t, p, probes.DiscoverQuery{Subject: topic, Detail: true})
		if !s.Complete || len(s.Missing) > 0 {
			t.Errorf("missing %q", s.Missing)
		}
		n := mustNode(t, s, probes.NodeTopic, topic)
		if attr(n, attrPartitions) != "3" || attr(n, attrConfig+"retention.ms") != "7200000" || n.Node.Health != probes.HealthOK {
			t.Errorf("%+v", n.Node)
		}
		for i, end := range []string{"4", "3", "3"} {
			pn := mustNode(t, s, probes.NodePartition, part{topic, int32(i)}.String())
			if attr(pn, attrEnd) != end || attr(pn, attrStart) != "0" || attr(pn, attrLeader) == "" || pn.Node.Parent != n.Node.ID {
				t.Errorf("%+v", pn.Node)
			}
		}
		e, ok := findEdge(s, topic, group)
		lag, known := metric(e, probes.MetricLag)
		if !ok || !known || lag != 3 || e.Class != probes.Declared || e.Edge.Kind != probes.EdgeConsumes {
			t.Errorf("edge %+v, lag %v", e, lag)
		}
		if v, _ := probes.FindAttr(e.Edge.Attrs, attrLag+".0"); v != "3" {
			t.Errorf("lag of partition 0 is %q", v)
		}
		if _, there := findNode(s, probes.NodeTopic, other); there {
			t.Error("another topic is there too")
		}
		all := snapshot(t, p, probes.DiscoverQuery{})
		mustNode(t, all, probes.NodeTopic, other)
		mustNode(t, all, probes.NodeGroup, group)
		if _, there := findNode(all, probes.NodeTopic, "__consumer_offsets"); there {
			t.Error("an internal topic is listed")
		}
	})
}

func TestDiscoverNamesWhatThereIs(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 1)
		group := b.group(t, topic)
		p := b.open(t, nil)
		for subject, words := range map[string]string{topic + "y": "did you mean", group + "y": "did you mean", "zzzz": "no topic, group or broker"} {
			for _, err := range p.Discover(limit(t), probes.DiscoverQuery{Subject: subject}) {
				wantError(t, err, probes.ErrNotFound, words)
			}
		}
		s := snapshot(t, p, probes.DiscoverQuery{Subject: group})
		if n := mustNode(t, s, probes.NodeGroup, group); attr(n, attrState) != "Empty" || n.Class != probes.Declared {
			t.Errorf("%+v", n)
		}
		if _, ok := findEdge(s, topic, group); !ok {
			t.Error("no edge from its topic")
		}
	})
}

// consume joins a group and waits until it has an assignment.
func consume(t *testing.T, b *bed, group, topic string, opts ...kgo.Opt) {
	t.Helper()
	assigned := make(chan struct{}, 10)
	c := newBed(t, b.addr, append([]kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ClientID("shop-billing"), kgo.DisableAutoCommit(),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, m map[string][]int32) {
			if len(m[topic]) > 0 {
				assigned <- struct{}{}
			}
		})}, opts...)...)
	c.PollFetches(limit(t))
	select {
	case <-assigned:
	case <-limit(t).Done():
		t.Fatal("never got a partition")
	}
}

func TestDiscoverShowsMembers(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) { testMembers(t, b) })
}

// TestDiscoverShowsMembersOfNewerGroups needs the real thing: kfake leaves the
// topics' names out of its descriptions.
func TestDiscoverShowsMembersOfNewerGroups(t *testing.T) {
	//lint:ignore SA1029 the key is the client library's own
	ctx := context.WithValue(t.Context(), "opt_in_kafka_next_gen_balancer_beta", true)
	testMembers(t, realBed(t), kgo.WithContext(ctx))
}

func testMembers(t *testing.T, b *bed, opts ...kgo.Opt) {
	topic, group := b.topic(t, 2), name(t)
	b.numbered(t, topic, 2, 0, 4)
	consume(t, b, group, topic, opts...)
	s, m := settledMember(t, b.open(t, nil), group)
	g := mustNode(t, s, probes.NodeGroup, group)
	if attr(g, attrState) != "Stable" || attr(g, attrMembers) != "1" || g.Class != probes.Attached || g.Node.Health != probes.HealthOK {
		t.Errorf("%+v, missing %q", g, s.Missing)
	}
	e, ok := findEdge(s, topic, group)
	if !ok || e.Class != probes.Attached {
		t.Fatalf("edge %+v", e)
	}
	if _, known := metric(e, probes.MetricLag); known {
		t.Error("a lag without a commit")
	}
	want := part{topic, 0}.String() + "," + part{topic, 1}.String()
	if attr(m, attrClient) != "shop-billing" || !strings.HasPrefix(attr(m, attrHost), "127.0.0.1") || attr(m, attrAssigned) != want || m.Node.Parent != g.Node.ID {
		t.Errorf("%+v", m.Node)
	}
}

// settledMember describes the group until its member has its partitions: one of
// the newer kind has them a moment before its coordinator knows.
func settledMember(t *testing.T, p *probe, group string) (probes.Snapshot, probes.Claim) {
	t.Helper()
	for ctx := limit(t); ctx.Err() == nil; {
		s := snapshot(t, p, probes.DiscoverQuery{Subject: group, Detail: true})
		for _, c := range s.Claims {
			if c.Node != nil && c.Node.Kind == probes.NodeMember && attr(c, attrAssigned) != "" && attr(mustNode(t, s, probes.NodeGroup, group), attrState) == "Stable" {
				return s, c
			}
		}
	}
	t.Fatal("no member with partitions")
	return probes.Snapshot{}, probes.Claim{}
}

// TestDiscoverWatches waits for a topic to appear, and for rates.
func TestDiscoverWatches(t *testing.T) {
	b := fakeBed(t).bed
	first := b.topic(t, 1)
	p := b.open(t, nil)
	rounds, second := 0, ""
	for s, err := range p.Discover(limit(t), probes.DiscoverQuery{Watch: true}) {
		if err != nil {
			t.Fatal(err)
		}
		rounds++
		n := mustNode(t, s, probes.NodeTopic, first)
		switch rate := attr(n, probes.MetricRate); {
		case rounds == 1:
			if rate != "" {
				t.Errorf("rate %s after one round", rate)
			}
			second = b.topic(t, 1)
			b.numbered(t, first, 1, 0, 100)
		default:
			mustNode(t, s, probes.NodeTopic, second)
			if r, err := strconv.ParseFloat(rate, 64); err != nil || r <= 0 {
				t.Errorf("rate %q", rate)
			}
			return
		}
	}
}

func TestDiscoverSaysWhatItCouldNotAsk(t *testing.T) {
	f := fakeBed(t, kfake.NumBrokers(2))
	topic := f.topic(t, 2)
	p := f.open(t, func(t *probes.Target) { t.Timeout = time.Second })
	down := f.cluster.LeaderFor(topic, 0)
	f.cluster.ControlKey(int16(kmsg.ListGroups), func(r kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		if f.cluster.CurrentNode() != down {
			return nil, nil, false
		}
		res := r.ResponseKind().(*kmsg.ListGroupsResponse)
		res.ErrorCode = 15
		return res, nil, true
	})
	s := snapshot(t, p, probes.DiscoverQuery{})
	if s.Complete || !strings.Contains(strings.Join(s.Missing, "\n"), "groups of broker "+strconv.Itoa(int(down))) {
		t.Errorf("complete %v, missing %q", s.Complete, s.Missing)
	}
	bad := 0
	for _, c := range s.Claims {
		if c.Node != nil && c.Node.Kind == probes.NodeBroker && c.Node.Health == probes.HealthFail {
			bad++
		}
	}
	if bad != 1 {
		t.Errorf("%d brokers are unwell", bad)
	}
}

func TestMemberMetadataOfAnyVersion(t *testing.T) {
	meta := []byte("\x00\x03\x00\x00\x00\x01\x00\x06orders\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x07\x00\x01r")
	if d := cmp.Diff([]string{"orders"}, subscription(meta)); d != "" {
		t.Error(d)
	}
	given := []byte("\x00\x00\x00\x00\x00\x01\x00\x06orders\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x05\xff\xff\xff\xff")
	if got := assignment(given); !slices.Equal(got, []part{{"orders", 0}, {"orders", 5}}) {
		t.Errorf("%v", got)
	}
	for i := range given {
		assignment(given[:i])
		subscription(meta[:min(i, len(meta))])
	}
}

// recorded is what Apache Kafka 4.1.0 answered to a ConsumerGroupDescribe v0.
const recorded = "\x00\x00\x00\x00\x02\x00\x00\x007t-TestDiscoverShowsMembersOfNewerGroups-dn23qbzdx05w-6\aStable\x00\x00\x00\x01\x00\x00\x00\x01\buniform\x02\x192Q2W_EUTkY8au1rUJY2MMA==\x00\x00\x00\x00\x00\x01\rshop-billing\v/127.0.0.1\x027t-TestDiscoverShowsMembersOfNewerGroups-dn23qbytqx0g-5\x01\x02\xff\x0e\xc8ϋ5N0\xa3[\xe4\xf5\xb6\x8f+\xc97t-TestDiscoverShowsMembersOfNewerGroups-dn23qbytqx0g-5\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x02\xff\x0e\xc8ϋ5N0\xa3[\xe4\xf5\xb6\x8f+\xc97t-TestDiscoverShowsMembersOfNewerGroups-dn23qbytqx0g-5\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x80\x00\x00\x00\x00\x00"

func TestReadModernGroups(t *testing.T) {
	const topic = "t-TestDiscoverShowsMembersOfNewerGroups-dn23qbytqx0g-5"
	g := &group{id: "t-TestDiscoverShowsMembersOfNewerGroups-dn23qbzdx05w-6"}
	if err := readModern([]byte(recorded), []*group{g}); err != nil {
		t.Fatal(err)
	}
	want := &group{id: g.id, state: "Stable", protocol: "consumer", kind: "consumer", assignor: "uniform", members: []member{{id: "2Q2W_EUTkY8au1rUJY2MMA==", client: "shop-billing",
		host: "127.0.0.1", subscribed: []string{topic}, assigned: []part{{topic, 0}, {topic, 1}}}}}
	if d := cmp.Diff(want, g, cmp.AllowUnexported(group{}, member{}, part{})); d != "" {
		t.Error(d)
	}
	for i := range len(recorded) - 1 {
		if err := readModern([]byte(recorded[:i]), []*group{{id: g.id}}); err == nil {
			t.Fatalf("the first %d bytes alone are no error", i)
		}
	}
}

// TestGroupsThatVanishAreNotMissed: between the list and the description.
func TestGroupsThatVanishAreNotMissed(t *testing.T) {
	b := fakeBed(t)
	topic := b.topic(t, 1)
	kept, gone := b.group(t, topic), b.group(t, topic)
	b.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups, kmsg.ConsumerGroupDescribe}, Group: gone, Err: kerr.GroupIDNotFound, Count: -1})
	s := snapshot(t, b.open(t, nil), probes.DiscoverQuery{})
	mustNode(t, s, probes.NodeGroup, kept)
	if _, there := findNode(s, probes.NodeGroup, gone); there || !s.Complete {
		t.Errorf("still there: %v, missing %q", there, s.Missing)
	}
}

// FuzzReadModern: a forged description is an error, never a panic.
func FuzzReadModern(f *testing.F) {
	f.Add([]byte(recorded))
	f.Fuzz(func(t *testing.T, b []byte) {
		readModern(b, []*group{{id: "g"}})
		assignment(b)
		subscription(b)
	})
}
