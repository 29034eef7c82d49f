package kafka

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
)

// TestLagInSeconds: how long ago the first unread message was written.
func TestLagInSeconds(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic, group := b.topic(t, 3), name(t)
		now := time.Now()
		fill := func(partition int32, codec kgo.CompressionCodec) {
			var recs []*kgo.Record
			for i := range 60 {
				// Larger than what is asked of a partition, so that it comes cut off.
				recs = append(recs, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(strings.Repeat("x", 400)),
					Timestamp: now.Add(time.Duration(i-3600) * time.Second)})
			}
			newBed(t, b.addr, kgo.ProducerBatchCompression(codec)).produce(t, recs...)
		}
		fill(0, kgo.NoCompression())
		fill(1, kgo.ZstdCompression())
		b.commit(t, group, topic, 0, 10)
		b.commit(t, group, topic, 1, 60)
		p := b.open(t, nil)
		describe := func() (probes.Claim, probes.Claim) {
			s := snapshot(t, p, probes.DiscoverQuery{Subject: group, Detail: true})
			e, ok := findEdge(s, topic, group)
			if !ok {
				t.Fatal("no edge")
			}
			return mustNode(t, s, probes.NodeGroup, group), e
		}
		g, e := describe()
		late := func(c probes.Claim, least time.Duration) {
			t.Helper()
			got, ok := metric(c, attrLagSeconds)
			most := least + time.Since(now) + time.Second
			if !ok || got < least.Seconds()-1 || got > most.Seconds() {
				t.Errorf("%v seconds late, want %v to %v", got, least, most)
			}
		}
		late(e, 3590*time.Second)
		if attr(g, attrLag) != "50" || !strings.HasPrefix(attr(g, attrLagSeconds), "359") || attr(g, attrLagUnknown) != "" ||
			attr(g, attrKind) != "classic" || attr(g, attrCoordinator) == "" {
			t.Errorf("%+v", g.Node.Attrs)
		}
		if v, _ := probes.FindAttr(e.Edge.Attrs, attrLagSeconds+".1"); v != "0.0" {
			t.Errorf("caught up, and %q seconds late", v)
		}
		// All caught up.
		b.commit(t, group, topic, 0, 60)
		if g, e = describe(); attr(g, attrLagSeconds) != "0.0" || attr(g, attrLag) != "0" {
			t.Errorf("%+v", g.Node.Attrs)
		}
		// In the middle of a compressed batch, the batch's start is the best there is.
		b.commit(t, group, topic, 1, 30)
		_, e = describe()
		late(e, 3600*time.Second)
		// Retention took what comes next.
		b.commit(t, group, topic, 1, 60)
		b.commit(t, group, topic, 0, 5)
		b.deleteBefore(t, topic, 20)
		g, _ = describe()
		if attr(g, attrLagUnknown) != whyRetention || attr(g, attrLag) != "55" {
			t.Errorf("%+v", g.Node.Attrs)
		}
	})
}

func TestStampsOfCutBatches(t *testing.T) {
	f := forged{base: 100, newest: 1009}
	for i := range 10 {
		f.records = append(f.records, forgedRecord{delta: int64(i), time: int64(i), value: make([]byte, 50)})
	}
	set := f.bytes(t)
	for _, c := range []struct {
		cut    int
		offset int64
		want   int64
		ok     bool
	}{
		{len(set), 100, 1000, true}, {len(set), 107, 1007, true}, {len(set), 110, 0, false},
		{batchHead + 130, 101, 1001, true}, // cut within the third
		{batchHead + 130, 109, 1001, true}, // the nearest before
		{batchHead, 105, 1000, true},
		{batchHead - 1, 100, 0, false}, {0, 100, 0, false},
	} {
		if got, ok := stampIn(set[:c.cut], c.offset); got != c.want || ok != c.ok {
			t.Errorf("%d bytes, offset %d: %d %v, want %d %v", c.cut, c.offset, got, ok, c.want, c.ok)
		}
	}
}

// TestStampsAreRemembered: a group that stands still costs one fetch, whatever the
// number of rounds.
func TestStampsAreRemembered(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 1)
	f.numbered(t, topic, 1, 0, 5)
	f.group(t, topic)
	var fetches atomic.Int64
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		fetches.Add(1)
		return nil, nil, false
	})
	p := f.open(t, nil)
	for range 3 {
		snapshot(t, p, probes.DiscoverQuery{})
	}
	if n := fetches.Load(); n != 1 {
		t.Errorf("%d fetches in three rounds", n)
	}
}

// TestTrendOfALag watches a lag grow and shrink.
func TestTrendOfALag(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic, group := b.topic(t, 1), name(t)
		b.put(t, topic, 0, "a", "b", "c")
		b.commit(t, group, topic, 0, 1)
		round := 0
		for s, err := range b.open(t, nil).Discover(limit(t), probes.DiscoverQuery{Subject: group, Watch: true}) {
			if err != nil {
				t.Fatal(err)
			}
			e, _ := findEdge(s, topic, group)
			trend, known := metric(e, attrLagTrend)
			lag, _ := metric(e, probes.MetricLag)
			switch {
			case round == 0 && (known || lag != 2), round == 1 && (trend <= 0 || lag != 12), round == 2 && (trend >= 0 || lag != 0):
				t.Fatalf("round %d: lag %v, trend %v", round, lag, trend)
			case round == 0:
				b.put(t, topic, 0, numbers(0, 10)...)
			case round == 1:
				b.commit(t, group, topic, 0, 13)
			case round == 2:
				return
			}
			// A round in between may find the lag as it was, and the seconds grown.
			if next := map[float64]int{2: 1, 12: 2}[lag]; next > round {
				round = next
			}
		}
	})
}

// TestShareGroups needs the real thing, with share groups enabled.
func TestShareGroups(t *testing.T) {
	b := realBed(t)
	b.enableShareGroups(t)
	topic, group := b.topic(t, 2), name(t)
	b.numbered(t, topic, 2, 0, 6)
	c := newBed(t, b.addr, kgo.ShareGroup(group), kgo.ConsumeTopics(topic), kgo.ClientID("sharer"))
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			c.PollFetches(ctx)
		}
	}()
	p := b.open(t, nil)
	for found := false; !found; { // the group comes to be with its first member
		_, found = findNode(snapshot(t, p, probes.DiscoverQuery{}), probes.NodeGroup, group)
	}
	s, m := settledMember(t, p, group)
	stop()
	<-done
	g := mustNode(t, s, probes.NodeGroup, group)
	if attr(g, attrKind) != "share" || attr(g, attrProtocol) != "share" || g.Call != "ShareGroupDescribe" {
		t.Errorf("%+v", g)
	}
	if attr(m, attrClient) != "sharer" || !strings.Contains(attr(m, attrAssigned), topic+"/") || attr(m, attrSubscribed) != topic {
		t.Errorf("%+v", m.Node)
	}
	if e, ok := findEdge(s, topic, group); !ok {
		t.Error("no edge")
	} else if lag, known := metric(e, probes.MetricLag); known && (lag < 0 || lag > 6) {
		t.Errorf("lag %v", lag)
	}
}

// enableShareGroups turns on a feature that Kafka 4.1 ships as a preview.
func (b *bed) enableShareGroups(t *testing.T) {
	t.Helper()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	f.Feature, f.MaxVersionLevel, f.UpgradeType = "share.version", 1, 1
	req.FeatureUpdates, req.TimeoutMillis = append(req.FeatureUpdates, f), 10_000
	res, err := req.RequestWith(limit(t), b.Client)
	if err != nil || res.ErrorCode != 0 {
		t.Fatal(err, fmt.Sprintf("%+v", res))
	}
}

// TestSizes compares with what was written.
func TestSizes(t *testing.T) {
	eachBed(t, func(t *testing.T, b *bed) {
		topic := b.topic(t, 2, "retention.ms", "7200000")
		newBed(t, b.addr, kgo.ProducerBatchCompression(kgo.NoCompression())).produce(t, &kgo.Record{Topic: topic, Partition: 1, Value: []byte(strings.Repeat("x", 100_000))})
		s := snapshot(t, b.open(t, nil), probes.DiscoverQuery{Subject: topic, Detail: true})
		if !s.Complete {
			t.Fatalf("missing %q", s.Missing)
		}
		n := mustNode(t, s, probes.NodeTopic, topic)
		size, all := atoi(t, attr(n, attrSize)), atoi(t, attr(n, attrSizeAll))
		full, empty := mustNode(t, s, probes.NodePartition, topic+"/1"), mustNode(t, s, probes.NodePartition, topic+"/0")
		if size < 100_000 || size > 110_000 || all != size || atoi(t, attr(full, attrSize)) != size || attr(empty, attrSize) != "0" {
			t.Errorf("%d, %d; %+v", size, all, full.Node.Attrs)
		}
		if !strings.HasSuffix(attr(full, attrSizeAll), ":"+strconv.Itoa(size)) {
			t.Errorf("replicas %s", attr(full, attrSizeAll))
		}
		if attr(n, attrConfig+"retention.ms.source") != "topic" || attr(n, attrUnder) != "0" || attr(n, attrOffline) != "0" || attr(n, attrUnderMin) != "0" {
			t.Errorf("%+v", n.Node.Attrs)
		}
	})
}
