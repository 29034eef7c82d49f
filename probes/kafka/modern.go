package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/protocol"

	"iscope/probes"
)

// consumerGroupDescribe is the API of groups of the newer consumer protocol
// (KIP-848), which DescribeGroups does not know. The library has no types for it
// and no room for its key, so it is written and read here.
const consumerGroupDescribe protocol.ApiKey = 69

// describeModern fills in groups of the newer kind. A broker that does not speak
// of them leaves them with what is known.
func (p *probe) describeModern(ctx context.Context, addr string, groups []*group) error {
	if len(groups) == 0 {
		return nil
	}
	body, err := askRaw(ctx, p, addr, rawCall{key: consumerGroupDescribe, body: modernRequest(groups)})
	if kindOf(err) == probes.ErrUnsupported {
		for _, g := range groups {
			g.hidden = "the broker does not describe its members"
		}
		return nil
	}
	if err != nil {
		return err
	}
	return readModern(body, groups)
}

func modernRequest(groups []*group) []byte {
	b := appendCompactCount(nil, len(groups))
	for _, g := range groups {
		b = appendCompact(b, g.id)
	}
	return append(b, 0) // no authorized operations
}

// readModern reads ConsumerGroupDescribe v0.
func readModern(b []byte, groups []*group) error {
	r := &wire{b: b}
	r.skip(4) // throttle time
	for range r.compactCount() {
		code, detail, id := r.int16(), r.compactString(), r.compactString()
		found := &group{id: id, state: r.compactString(), protocol: "consumer", kind: "consumer"}
		r.skip(8) // group epoch, assignment epoch
		found.assignor = r.compactString()
		for range r.compactCount() {
			found.members = append(found.members, readModernMember(r))
		}
		r.skip(4) // authorized operations
		r.tags()
		at := slices.IndexFunc(groups, func(g *group) bool { return g.id == id })
		switch {
		case at < 0 || r.err != nil:
		case code == codeGroupNotFound:
			if g := groups[at]; g.state == "" || g.state == "Dead" {
				g.gone = true // listed, and deleted since
			}
		case code != 0:
			groups[at].hidden = brokerError(code, detail).Error()
		default:
			g := groups[at]
			g.state, g.protocol, g.kind, g.assignor, g.members = found.state, found.protocol, found.kind, found.assignor, found.members
		}
	}
	if r.err != nil {
		return protocolFault(fmt.Errorf("reading the description of groups: %w", r.err))
	}
	return nil
}

func readModernMember(r *wire) member {
	m := member{id: r.compactString()}
	r.compactString() // instance id
	r.compactString() // rack
	r.skip(4)         // member epoch
	m.client, m.host = r.compactString(), strings.TrimPrefix(r.compactString(), "/")
	for range r.compactCount() {
		m.subscribed = append(m.subscribed, r.compactString())
	}
	r.compactString() // subscribed regex
	m.assigned = readModernAssignment(r)
	readModernAssignment(r) // the target, not yet reached
	r.tags()
	return m
}

func readModernAssignment(r *wire) (parts []part) {
	for range r.compactCount() {
		r.skip(16) // topic id
		topic := r.compactString()
		for range r.compactCount() {
			if id := r.int32(); topic != "" {
				parts = append(parts, part{topic, id})
			}
		}
		r.tags()
	}
	r.tags()
	return parts
}
