package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/protocol"
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
	l, _, err := p.borrow(ctx, addr)
	if err != nil {
		return err
	}
	if _, ok := l.versions[consumerGroupDescribe]; !ok {
		p.release(l)
		for _, g := range groups {
			g.hidden = "the broker does not describe its members"
		}
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, p.target.RequestTimeout())
	defer stop()
	frame, err := l.exchangeRaw(ctx, consumerGroupDescribe, modernRequest(groups))
	if err != nil {
		l.close()
		return fmt.Errorf("asking %s for members: %w", addr, err)
	}
	p.release(l)
	return readModern(frame[frameHead:], groups)
}

func modernRequest(groups []*group) []byte {
	b := binary.AppendUvarint(nil, uint64(len(groups))+1)
	for _, g := range groups {
		b = append(binary.AppendUvarint(b, uint64(len(g.id))+1), g.id...)
	}
	return append(b, 0, 0) // no authorized operations, no tagged fields
}

// readModern reads ConsumerGroupDescribe v0.
func readModern(b []byte, groups []*group) error {
	r := &wire{b: b}
	r.tags()  // of the header
	r.skip(4) // throttle time
	for range r.compactCount() {
		code, detail, id := r.int16(), r.compactString(), r.compactString()
		found := &group{id: id, state: r.compactString(), protocol: "consumer"}
		r.skip(8)         // group epoch, assignment epoch
		r.compactString() // assignor
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
				g.lost()
			}
		case code != 0:
			groups[at].hidden = brokerError(code, detail).Error()
		default:
			groups[at].state, groups[at].protocol, groups[at].members = found.state, found.protocol, found.members
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

func (r *wire) uvarint() int {
	n, size := binary.Uvarint(r.b)
	if r.err != nil || size <= 0 || n > maxFrame {
		r.err = errShort
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

// compactString is "" for null.
func (r *wire) compactString() string { return string(r.take(max(r.uvarint()-1, 0))) }

// compactCount reads an array's length; its elements take a byte at least.
func (r *wire) compactCount() int {
	n := r.uvarint() - 1
	if n > len(r.b) {
		r.err = errShort
		return 0
	}
	return max(n, 0)
}

// tags skips tagged fields (KIP-482).
func (r *wire) tags() {
	for range r.uvarint() {
		r.uvarint()
		r.skip(r.uvarint())
		if r.err != nil {
			return
		}
	}
}
