package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/protocol"

	"iscope/probes"
)

// The APIs of share groups (KIP-932), where many consumers read one partition and
// acknowledge messages singly.
const (
	shareGroupDescribe        protocol.ApiKey = 77
	shareGroupDescribeVersion                 = 1 // 0 was Kafka 4.0's preview
	describeShareGroupOffsets protocol.ApiKey = 90
)

// describeShare fills in share groups.
func (p *probe) describeShare(ctx context.Context, addr string, groups []*group) error {
	if len(groups) == 0 {
		return nil
	}
	ids := appendCompactCount(nil, len(groups))
	for _, g := range groups {
		g.kind = "share"
		ids = appendCompact(ids, g.id)
	}
	body, err := askRaw(ctx, p, addr, rawCall{key: shareGroupDescribe, version: shareGroupDescribeVersion, body: append(ids, 0)})
	if kindOf(err) == probes.ErrUnsupported {
		for _, g := range groups {
			g.hidden = "the broker does not describe its members"
		}
		return nil
	}
	if err != nil {
		return err
	}
	return readShare(body, groups)
}

// readShare reads ShareGroupDescribe v1.
func readShare(b []byte, groups []*group) error {
	r := &wire{b: b}
	r.skip(4) // throttle time
	for range r.compactCount() {
		code, detail, id, state := r.int16(), r.compactString(), r.compactString(), r.compactString()
		r.skip(8) // group epoch, assignment epoch
		assignor := r.compactString()
		var members []member
		for range r.compactCount() {
			members = append(members, readShareMember(r))
		}
		r.skip(4) // authorized operations
		r.tags()
		at := slices.IndexFunc(groups, func(g *group) bool { return g.id == id })
		if at < 0 || r.err != nil {
			continue
		}
		switch g := groups[at]; {
		case code == codeGroupNotFound:
			g.gone = true
		case code != 0:
			g.hidden = brokerError(code, detail).Error()
		default:
			g.state, g.assignor, g.members = state, assignor, members
		}
	}
	if r.err != nil {
		return protocolFault(fmt.Errorf("reading the description of share groups: %w", r.err))
	}
	return nil
}

func readShareMember(r *wire) member {
	m := member{id: r.compactString()}
	r.compactString() // rack
	r.skip(4)         // member epoch
	m.client, m.host = r.compactString(), strings.TrimPrefix(r.compactString(), "/")
	for range r.compactCount() {
		m.subscribed = append(m.subscribed, r.compactString())
	}
	m.assigned = readModernAssignment(r)
	r.tags()
	return m
}

// shareStarts asks for the place in each partition before which all is done with:
// what a share group has in place of committed offsets.
func (p *probe) shareStarts(ctx context.Context, addr string, g *group) error {
	b := appendCompact(appendCompactCount(nil, 1), g.id)
	b = append(b, 0, 0) // null: all topics; no tagged fields
	body, err := askRaw(ctx, p, addr, rawCall{key: describeShareGroupOffsets, body: b})
	if kindOf(err) == probes.ErrUnsupported {
		return nil // members are known all the same
	}
	if err != nil {
		return err
	}
	return readShareStarts(body, g)
}

// readShareStarts reads DescribeShareGroupOffsets v0.
func readShareStarts(b []byte, g *group) error {
	r := &wire{b: b}
	g.committed = map[part]int64{}
	r.skip(4) // throttle time
	for range r.compactCount() {
		r.compactString() // the group
		for range r.compactCount() {
			topic := r.compactString()
			r.skip(16) // topic id
			for range r.compactCount() {
				pt, start := part{topic, r.int32()}, r.int64()
				r.skip(4) // leader epoch
				code := r.int16()
				r.compactString() // its message
				r.tags()
				if code == 0 && r.err == nil {
					g.committed[pt] = start
				}
			}
			r.tags()
		}
		code, detail := r.int16(), r.compactString()
		r.tags()
		if code != 0 && r.err == nil {
			g.hidden = brokerError(code, detail).Error()
		}
	}
	if r.err != nil {
		return protocolFault(fmt.Errorf("reading the offsets of share group %s: %w", g.id, r.err))
	}
	return nil
}
