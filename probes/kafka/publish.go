package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"

	"iscope/probes"
)

// Publish writes one message and waits until all in-sync replicas have it
// (acks=all). The partition is the record's, if an attribute says so (its Native
// does not count: a replay leaves the attribute out to let the key decide); else
// the key's, as the Java client places it; without a key, one for a while, then
// another. The time is the record's or now.
func (p *probe) Publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	ctx, stop := p.scope(ctx)
	defer stop()
	stored, err := p.publish(ctx, r)
	if err != nil {
		return r, p.fail("publishing to "+r.Source.Subject, err)
	}
	return stored, nil
}

func (p *probe) publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	if r.Source.Subject == "" {
		_, err := parseSubject("")
		return r, p.suggest(ctx, "", err)
	}
	if r.Cut > 0 {
		return r, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%d bytes of the message's body are missing", r.Cut),
			hint: "capture or tail it again without a limit on the body"}
	}
	wanted, err := wantedPartition(&r)
	if err != nil {
		return r, err
	}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	for wait := firstWait; ; wait *= 2 {
		h, err := p.home(ctx, &r, wanted)
		if err != nil {
			return r, err
		}
		res, err := p.store(ctx, h, &r)
		if err == nil {
			return accepted(p, r, h, res), nil
		}
		p.homes.forget(h.topic)
		if !movedAway(err) || wait > p.target.RequestTimeout()/2 {
			return r, err
		}
		if err := pause(ctx, wait); err != nil {
			return r, err
		}
	}
}

// movedAway reports that the broker refused because the partition's leader is
// another one by now: nothing was stored.
func movedAway(err error) bool {
	var code brokerCode
	if !errors.As(err, &code) {
		return false
	}
	return code == notLeaderForPartition || code == leaderNotAvailable ||
		code == unknownTopicOrPartition || code == fencedLeaderEpoch
}

// wantedPartition is the partition that the record insists on, or -1.
func wantedPartition(r *probes.Record) (int32, error) {
	text, ok := r.Attr(probes.AttrPartition)
	if !ok {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 0 {
		return -1, &fault{kind: probes.ErrUsage, err: fmt.Errorf("%q is no partition", text)}
	}
	return int32(n), nil
}

// store sends one message to its partition's leader. It is never sent twice: a
// connection that dies after sending leaves the outcome unknown, and says so.
func (p *probe) store(ctx context.Context, h home, r *probes.Record) (*produce.ResponsePartition, error) {
	l, err := p.proven(ctx, h.leader)
	if err != nil {
		return nil, advertised(p, h.leader, err)
	}
	var msg protocol.Message
	err = p.using(ctx, l, func(ctx context.Context, l *link) error {
		msg, err = l.call(ctx, produceRequest(h.part, r, p.target.RequestTimeout()))
		return err
	})
	if err != nil {
		if isGone(err) || isTimeout(err) {
			return nil, fmt.Errorf("the message may or may not be stored: %w", err)
		}
		return nil, err
	}
	for _, t := range msg.(*produce.Response).Topics {
		for i := range t.Partitions {
			res := &t.Partitions[i]
			if t.Topic != h.topic || res.Partition != h.id {
				continue
			}
			if res.ErrorCode != 0 {
				return nil, brokerError(res.ErrorCode, detailOf(res))
			}
			return res, nil
		}
	}
	return nil, protocolFault(errors.New("the broker's answer does not speak of the message"))
}

func detailOf(res *produce.ResponsePartition) string {
	for _, e := range res.RecordErrors {
		if e.BatchIndexErrorMessage != "" {
			return e.BatchIndexErrorMessage
		}
	}
	return res.ErrorMessage
}

func produceRequest(pt part, r *probes.Record, timeout time.Duration) *produce.Request {
	rec := protocol.Record{Time: r.Time, Key: protocol.NewBytes(r.Key), Value: protocol.NewBytes(r.Body)}
	for _, f := range r.Header {
		rec.Headers = append(rec.Headers, protocol.Header{Key: f.Name, Value: f.Value})
	}
	return &produce.Request{Acks: -1, Timeout: int32(timeout / time.Millisecond),
		Topics: []produce.RequestTopic{{Topic: pt.topic, Partitions: []produce.RequestPartition{{Partition: pt.id,
			RecordSet: protocol.RecordSet{Version: 2, Records: protocol.NewRecordReader(rec)}}}}}}
}

// accepted is the record as stored.
func accepted(p *probe, r probes.Record, h home, res *produce.ResponsePartition) probes.Record {
	id, offset := strconv.Itoa(int(h.id)), strconv.FormatInt(res.BaseOffset, 10)
	r.ID, r.Kind = id+"/"+offset, probes.Message
	r.Source = probes.Ref{Target: p.target.Name, Subject: h.topic}
	r.Attrs = slices.DeleteFunc(slices.Clone(r.Attrs), func(a probes.Attr) bool {
		return a.Name == probes.AttrPartition || a.Name == probes.AttrOffset || a.Name == probes.AttrTombstone
	})
	r.Attrs = slices.Insert(r.Attrs, 0, probes.Attr{Name: probes.AttrPartition, Value: id}, probes.Attr{Name: probes.AttrOffset, Value: offset})
	if r.Body == nil {
		r.Attrs = append(r.Attrs, probes.Attr{Name: probes.AttrTombstone, Value: "true"})
	}
	n := native{Partition: h.id, TimestampType: "CreateTime"}
	r.Time = time.UnixMilli(r.Time.UnixMilli()).UTC()
	if res.LogAppendTime >= 0 {
		r.Time, n.TimestampType = time.UnixMilli(res.LogAppendTime).UTC(), "LogAppendTime"
	}
	// What a replayed record brought along was true of the original.
	r.Native, _ = json.Marshal(n) // no field of native can fail
	return r
}

// proven borrows a link that is known to be alive: a message lost on a dead one
// could not be told from one that was stored.
func (p *probe) proven(ctx context.Context, addr string) (*link, error) {
	const recently = 5 * time.Second
	for {
		l, fresh, err := p.borrow(ctx, addr)
		if err != nil || fresh || time.Since(l.used) < recently {
			return l, err
		}
		if l.negotiate(ctx) == nil {
			return l, nil
		}
		l.close()
	}
}
