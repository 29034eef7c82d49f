package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"iscope/probes"
)

// part names one partition.
type part struct {
	topic string
	id    int32
}

func (p part) String() string { return fmt.Sprintf("%s/%d", p.topic, p.id) }

// cluster is one Metadata answer.
type cluster struct {
	id         string
	controller int32
	brokers    map[int32]broker
	topics     []metadata.ResponseTopic
	operations int32 // what we may do to the cluster; see mayList
}

type broker struct {
	id         int32
	addr, rack string
}

// cluster asks for metadata. nil asks for all topics, an empty list for none.
// Topics are never created by asking.
func (p *probe) cluster(ctx context.Context, topics []string) (*cluster, error) {
	res, err := askAny[*metadata.Response](ctx, p, &metadata.Request{TopicNames: topics,
		AllowAutoTopicCreation: false, IncludeClusterAuthorizedOperations: true})
	if err != nil {
		return nil, err
	}
	c := &cluster{id: res.ClusterID, controller: res.ControllerID, brokers: map[int32]broker{}, topics: res.Topics,
		operations: res.ClusterAuthorizedOperations}
	for _, b := range res.Brokers {
		c.brokers[b.NodeID] = broker{id: b.NodeID, addr: hostPort(b.Host, b.Port), rack: b.Rack}
	}
	for i := range c.topics {
		slices.SortFunc(c.topics[i].Partitions, func(a, b metadata.ResponsePartition) int {
			return int(a.PartitionIndex) - int(b.PartitionIndex)
		})
	}
	return c, nil
}

// leader is the address of a partition's leader; not ok while there is none.
func (c *cluster) leader(pt part) (addr string, ok bool) {
	t := c.topic(pt.topic)
	if t == nil {
		return "", false
	}
	for i := range t.Partitions {
		if t.Partitions[i].PartitionIndex == pt.id {
			b, ok := c.brokers[t.Partitions[i].LeaderID]
			return b.addr, ok
		}
	}
	return "", false
}

func (c *cluster) topic(name string) *metadata.ResponseTopic {
	i := slices.IndexFunc(c.topics, func(t metadata.ResponseTopic) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &c.topics[i]
}

// known asks for topics by name and insists that each exists.
func (p *probe) known(ctx context.Context, names []string) (*cluster, error) {
	for wait := firstWait; ; wait *= 2 {
		c, err := p.cluster(ctx, names)
		if err != nil {
			return nil, err
		}
		retry, err := p.judge(ctx, c, names)
		if err == nil {
			return c, nil
		}
		if !retry || wait > p.target.RequestTimeout()/2 {
			return nil, err
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// firstWait is where waiting for a leader's election starts from; it doubles.
const firstWait = 50 * time.Millisecond

// judge finds what is wrong with the named topics, and whether that may pass.
func (p *probe) judge(ctx context.Context, c *cluster, names []string) (retry bool, err error) {
	for _, name := range names {
		t := c.topic(name)
		switch {
		case t == nil || t.ErrorCode == codeUnknownTopic || t.ErrorCode == codeInvalidTopic:
			return false, p.unknownTopic(ctx, name)
		case t.ErrorCode == codeTopicDenied:
			return false, fmt.Errorf("topic %s: %w", name, brokerError(t.ErrorCode, ""))
		case t.ErrorCode != 0:
			return true, fmt.Errorf("topic %s: %w", name, brokerError(t.ErrorCode, ""))
		case len(t.Partitions) == 0:
			return true, &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("topic %s has no partitions yet", name)}
		}
	}
	return false, nil
}

// unknownTopic says what there is instead.
func (p *probe) unknownTopic(ctx context.Context, name string) error {
	f := &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no topic %q", name)}
	if c, err := p.cluster(ctx, nil); err == nil {
		f.hint = probes.NearestHint(name, c.names())
	}
	return f
}

// names lists the topics that people made.
func (c *cluster) names() []string {
	var out []string
	for i := range c.topics {
		if !c.topics[i].IsInternal {
			out = append(out, c.topics[i].Name)
		}
	}
	slices.Sort(out)
	return out
}

// Timestamps with a meaning of their own in ListOffsets.
const (
	atEnd   = -1
	atStart = -2
)

const (
	uncommitted = 0 // isolation levels: up to the high watermark
	committed   = 1 // up to the last stable offset
)

// offsetsQuery asks where in each partition something is.
type offsetsQuery struct {
	parts     []part
	timestamp int64 // milliseconds, atEnd or atStart
	isolation int8
}

// offsets asks the partitions' leaders. What it could not learn is in failed.
// A time after the last record has the answer -1.
func (p *probe) offsets(ctx context.Context, c *cluster, q offsetsQuery) (found map[part]int64, failed map[part]error) {
	found, failed = make(map[part]int64, len(q.parts)), map[part]error{}
	byLeader := map[string][]part{}
	for _, pt := range q.parts {
		addr, ok := c.leader(pt)
		if !ok {
			failed[pt] = &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("partition %s has no leader", pt)}
			continue
		}
		byLeader[addr] = append(byLeader[addr], pt)
	}
	for addr, parts := range byLeader {
		res, err := ask[*listoffsets.Response](ctx, p, addr, listRequest(parts, q))
		if err != nil {
			for _, pt := range parts {
				failed[pt] = advertised(p, addr, err)
			}
			continue
		}
		for _, t := range res.Topics {
			for _, rp := range t.Partitions {
				pt := part{t.Topic, rp.Partition}
				if rp.ErrorCode != 0 {
					failed[pt] = fmt.Errorf("partition %s: %w", pt, brokerError(rp.ErrorCode, ""))
					continue
				}
				found[pt] = rp.Offset
			}
		}
	}
	for _, pt := range q.parts {
		if _, ok := found[pt]; !ok && failed[pt] == nil {
			failed[pt] = protocolFault(fmt.Errorf("the broker left partition %s out of its answer", pt))
		}
	}
	return found, failed
}

func listRequest(parts []part, q offsetsQuery) *listoffsets.Request {
	byTopic := map[string][]listoffsets.RequestPartition{}
	for _, pt := range parts {
		byTopic[pt.topic] = append(byTopic[pt.topic],
			listoffsets.RequestPartition{Partition: pt.id, CurrentLeaderEpoch: -1, Timestamp: q.timestamp})
	}
	req := &listoffsets.Request{ReplicaID: -1, IsolationLevel: q.isolation}
	for topic, ps := range byTopic {
		req.Topics = append(req.Topics, listoffsets.RequestTopic{Topic: topic, Partitions: ps})
	}
	return req
}

// allOffsets is offsets for those who need every answer. It waits for leaders
// that are being elected, asking for metadata again.
func (p *probe) allOffsets(ctx context.Context, q offsetsQuery, topics []string) (map[part]int64, error) {
	out := make(map[part]int64, len(q.parts))
	for wait := firstWait; ; wait *= 2 {
		c, err := p.cluster(ctx, topics)
		if err != nil {
			return nil, err
		}
		found, failed := p.offsets(ctx, c, q)
		q.parts = q.parts[:0:0]
		var last error
		for pt, off := range found {
			out[pt] = off
		}
		for pt, err := range failed {
			q.parts, last = append(q.parts, pt), err
			if isFinal(ctx, err) {
				return nil, err
			}
		}
		if last == nil {
			return out, nil
		}
		if wait > p.target.RequestTimeout()/2 || isGone(last) {
			return nil, last
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// advertised adds to a failed connection where the address came from: brokers
// are reached under the name they give themselves.
func advertised(p *probe, addr string, err error) error {
	if slices.Contains(p.boot, addr) {
		return err
	}
	k := kindOf(err)
	if k != probes.ErrUnreachable && k != probes.ErrTimeout {
		return err
	}
	return &fault{kind: k, err: err,
		hint: "the cluster names this broker " + addr + "; if that cannot be reached from here, its advertised.listeners are wrong for you"}
}

// pause waits, or returns ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// joinOr joins for a sentence.
func joinOr(words []string) string {
	if len(words) == 0 {
		return "(it does not say what)"
	}
	return strings.Join(words, " or ")
}
