package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
	"iscope/probes/probetest"
)

// bed is a cluster to test on, real or kfake, with an independent client
// (franz-go) to make traffic and to look at what was left behind.
type bed struct {
	addr string
	*kgo.Client
}

// eachBed runs a test on kfake and, where there is one, on a real Kafka.
func eachBed(t *testing.T, f func(t *testing.T, b *bed)) {
	t.Run("kfake", func(t *testing.T) { f(t, fakeBed(t).bed) })
	t.Run("real", func(t *testing.T) { f(t, realBed(t)) })
}

func realBed(t *testing.T) *bed {
	return newBed(t, probetest.Need(t, "kafka").Addresses["bootstrap"])
}

type fake struct {
	*bed
	cluster *kfake.Cluster
}

func fakeBed(t testing.TB, opts ...kfake.Opt) fake {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.AllowAutoTopicCreation(),
		kfake.BrokerConfigs(map[string]string{"message.max.bytes": "20971520"})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return fake{bed: newBed(t, c.ListenAddrs()[0]), cluster: c}
}

func newBed(t testing.TB, addr string, opts ...kgo.Opt) *bed {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(16 << 20), kgo.MaxBufferedBytes(64 << 20), kgo.DisableClientMetrics(), kgo.MetadataMinAge(10 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return &bed{addr: addr, Client: cl}
}

var unique atomic.Int64

// name is used by no other test, in this run or another.
func name(t testing.TB) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, t.Name())
	return fmt.Sprintf("t-%s-%s-%d", clean[:min(len(clean), 60)], strconv.FormatInt(time.Now().UnixNano(), 36), unique.Add(1))
}

func limit(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(stop)
	return ctx
}

// topic creates a topic; config is name, value, name, value…
func (b *bed) topic(t testing.TB, partitions int32, config ...string) string {
	t.Helper()
	topic := name(t)
	b.create(t, topic, partitions, config...)
	t.Cleanup(func() { b.drop(t, topic) })
	return topic
}

func (b *bed) create(t testing.TB, topic string, partitions int32, config ...string) {
	t.Helper()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, partitions, 1
	for i := 0; i < len(config); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = config[i], &config[i+1]
		rt.Configs = append(rt.Configs, c)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 30_000
	// One that was just deleted may still be there for a moment.
	for ctx := limit(t); ; {
		res, err := req.RequestWith(ctx, b.Client)
		if err == nil {
			err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
		}
		if err == nil {
			break
		}
		if err != kerr.TopicAlreadyExists || ctx.Err() != nil {
			t.Fatalf("creating %s: %v", topic, err)
		}
	}
	b.settled(t, topic, partitions)
}

// settled waits until brokers know a new topic's leaders.
func (b *bed) settled(t testing.TB, topic string, partitions int32) {
	for ctx := limit(t); ctx.Err() == nil; {
		req := kmsg.NewPtrMetadataRequest()
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &topic
		req.Topics = append(req.Topics, rt)
		res, err := req.RequestWith(ctx, b.Client)
		if err == nil && res.Topics[0].ErrorCode == 0 && len(res.Topics[0].Partitions) == int(partitions) {
			return
		}
	}
	t.Fatalf("%s never appeared", topic)
}

func (b *bed) drop(t testing.TB, topic string) {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TopicNames, req.TimeoutMillis = []string{topic}, 30_000
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.Topic = &topic
	req.Topics = append(req.Topics, rt)
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	if _, err := req.RequestWith(ctx, b.Client); err != nil {
		t.Logf("deleting %s: %v", topic, err)
	}
}

func (b *bed) produce(t testing.TB, recs ...*kgo.Record) {
	t.Helper()
	if err := b.ProduceSync(limit(t), recs...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// numbered produces n records "0", "1"… round robin over the partitions, a
// second apart.
func (b *bed) numbered(t testing.TB, topic string, partitions, from, to int) {
	t.Helper()
	var recs []*kgo.Record
	for i := from; i < to; i++ {
		recs = append(recs, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: []byte(strconv.Itoa(i)), Timestamp: clock(i)})
	}
	b.produce(t, recs...)
}

// clock gives record i its time.
func clock(i int) time.Time {
	return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
}

func (b *bed) target() probes.Target {
	return probes.Target{Name: "test", Driver: "kafka", Address: b.addr,
		Environment: probes.Environment{Name: "test", Class: probes.ClassLocal, Write: true}}
}

// open opens the bed as a target, changed by edit.
func (b *bed) open(t testing.TB, edit func(*probes.Target)) *probe {
	t.Helper()
	target := b.target()
	if edit != nil {
		edit(&target)
	}
	p, err := open(limit(t), target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p.(*probe)
}

// read runs a tail to its end.
func read(t testing.TB, p *probe, q probes.TailQuery) []probes.Record {
	t.Helper()
	var out []probes.Record
	for r, err := range p.Tail(limit(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func bodies(recs []probes.Record) []string {
	var out []string
	for _, r := range recs {
		if r.Kind != probes.Message {
			out = append(out, r.Kind.String())
			continue
		}
		out = append(out, string(r.Body))
	}
	return out
}

func numbers(from, to int) []string {
	var out []string
	for i := from; i < to; i++ {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

var (
	earliest = probes.Position{Kind: probes.PosEarliest}
	latest   = probes.Position{Kind: probes.PosLatest}
)

// group makes a consumer group that has committed offset 0 of a topic's
// partition 0, and returns its name.
func (b *bed) group(t testing.TB, topic string) string {
	t.Helper()
	group := name(t)
	b.commit(t, group, topic, 0, 0)
	return group
}

// commit stores an offset for a group without members.
func (b *bed) commit(t testing.TB, group, topic string, partition int32, offset int64) {
	t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic, rt.TopicID = topic, b.topicID(t, topic)
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	// The coordinator of a new group may still be loading.
	for ctx := limit(t); ; {
		res, err := req.RequestWith(ctx, b.Client)
		if err == nil {
			err = kerr.ErrorForCode(res.Topics[0].Partitions[0].ErrorCode)
		}
		if err == nil {
			return
		}
		if !kerr.IsRetriable(err) || ctx.Err() != nil {
			t.Fatalf("committing for %s: %v", group, err)
		}
	}
}

func (b *bed) metadata(t testing.TB) *kmsg.MetadataResponse {
	t.Helper()
	res, err := kmsg.NewPtrMetadataRequest().RequestWith(limit(t), b.Client)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (b *bed) topicID(t testing.TB, topic string) [16]byte {
	t.Helper()
	for _, rt := range b.metadata(t).Topics {
		if rt.Topic != nil && *rt.Topic == topic {
			return rt.TopicID
		}
	}
	t.Fatalf("no topic %s", topic)
	return [16]byte{}
}

// absent checks that none of the topics has come to be.
func (b *bed) absent(t testing.TB, topics ...string) {
	t.Helper()
	for _, rt := range b.metadata(t).Topics {
		if slices.Contains(topics, *rt.Topic) {
			t.Errorf("topic %s was created", *rt.Topic)
		}
	}
}

func clockMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
