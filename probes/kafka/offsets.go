package kafka

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"iscope/probes"
)

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
