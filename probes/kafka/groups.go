package kafka

import (
	"context"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go/protocol/describegroups"
	"github.com/segmentio/kafka-go/protocol/listgroups"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// group is a consumer group as its coordinator describes it.
type group struct {
	id, protocol, state string
	kind                string // "classic", "consumer" (KIP-848), "share", "streams"
	assignor            string
	coordinator         string // address
	members             []member
	committed           map[part]int64
	// hidden says why there is nothing more to say of it; "" if there is.
	hidden string
	gone   bool // listed, and deleted before it could be described
}

// member is one consumer of a group.
type member struct {
	id, client, host string
	subscribed       []string
	assigned         []part
}

// consumes reports whether a member reads the topic now.
func (g *group) consumes(topic string) bool {
	return slices.ContainsFunc(g.members, func(m member) bool {
		return slices.ContainsFunc(m.assigned, func(pt part) bool { return pt.topic == topic })
	})
}

// topics are those the group has committed offsets for or is assigned to.
func (g *group) topics() []string {
	set := map[string]bool{}
	for pt, off := range g.committed {
		if off >= 0 {
			set[pt.topic] = true
		}
	}
	for _, m := range g.members {
		for _, pt := range m.assigned {
			set[pt.topic] = true
		}
	}
	return sortedKeys(set)
}

// coordinated asks one broker for the groups it coordinates. Only groups that
// pick lets through are looked into. Without any group joined or changed.
func (p *probe) coordinated(ctx context.Context, addr string, pick func(id string) bool) ([]*group, error) {
	list, err := ask[*listgroups.Response](ctx, p, addr, &listgroups.Request{})
	if err == nil && list.ErrorCode != 0 {
		err = brokerError(list.ErrorCode, "")
	}
	if err != nil {
		return nil, err
	}
	var groups []*group
	for _, g := range list.Groups {
		if pick(g.GroupID) {
			groups = append(groups, &group{id: g.GroupID, protocol: g.ProtocolType, coordinator: addr})
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	if err := p.describe(ctx, addr, groups); err != nil {
		return nil, err
	}
	for _, g := range groups {
		if err := p.commits(ctx, addr, g); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(groups, func(g *group) bool { return g.gone }), nil
}

// describe asks a coordinator for its groups' members, each kind by an API of its
// own.
func (p *probe) describe(ctx context.Context, addr string, groups []*group) error {
	var shared, others []*group
	for _, g := range groups {
		switch g.protocol {
		case "share":
			shared = append(shared, g)
		case "streams": // KIP-1071
			g.kind, g.hidden = "streams", "members and offsets of streams groups cannot be asked for yet"
		default:
			others = append(others, g)
		}
	}
	if err := p.describeShare(ctx, addr, shared); err != nil {
		return err
	}
	return p.describeConsumers(ctx, addr, others)
}

func (p *probe) describeConsumers(ctx context.Context, addr string, groups []*group) error {
	if len(groups) == 0 {
		return nil
	}
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.id
	}
	res, err := ask[*describegroups.Response](ctx, p, addr, &describegroups.Request{Groups: ids})
	if err != nil {
		return err
	}
	var modern []*group
	for i := range res.Groups {
		rg := &res.Groups[i]
		at := slices.Index(ids, rg.GroupID)
		if at < 0 {
			continue
		}
		g := groups[at]
		switch {
		case rg.ErrorCode == codeGroupNotFound, rg.ErrorCode == 0 && len(rg.Members) == 0 && (rg.GroupState == "Dead" || rg.ProtocolType == "" && rg.GroupState != "Empty"):
			// It was listed, so it is not gone but of the newer kind.
			modern = append(modern, g)
			g.state = rg.GroupState
		case rg.ErrorCode != 0:
			g.hidden = brokerError(rg.ErrorCode, "").Error()
		default:
			g.kind, g.state, g.protocol, g.assignor = "classic", rg.GroupState, rg.ProtocolType, rg.ProtocolData
			g.classicMembers(rg.Members)
		}
	}
	return p.describeModern(ctx, addr, modern)
}

func (g *group) classicMembers(members []describegroups.ResponseGroupMember) {
	for i := range members {
		rm := &members[i]
		m := member{id: rm.MemberID, client: rm.ClientID, host: strings.TrimPrefix(rm.ClientHost, "/")}
		if g.protocol == "consumer" || g.protocol == "" {
			m.subscribed = subscription(rm.MemberMetadata)
			m.assigned = assignment(rm.MemberAssignment)
		}
		g.members = append(g.members, m)
	}
}

// subscription reads the topics of a consumer's metadata. What follows them
// differs by version and is not needed (KIP-429, ConsumerProtocolSubscription).
func subscription(b []byte) (topics []string) {
	w := &wire{b: b}
	w.skip(2) // version
	for range w.count(2) {
		topics = append(topics, w.string())
	}
	return topics
}

// assignment reads which partitions a consumer was given
// (ConsumerProtocolAssignment).
func assignment(b []byte) (parts []part) {
	w := &wire{b: b}
	w.skip(2) // version
	for range w.count(6) {
		topic := w.string()
		for range w.count(4) {
			parts = append(parts, part{topic, w.int32()})
		}
	}
	return parts
}

// commits asks for all offsets the group has committed.
func (p *probe) commits(ctx context.Context, addr string, g *group) error {
	if g.hidden != "" || g.gone {
		return nil
	}
	if g.kind == "share" {
		return p.shareStarts(ctx, addr, g)
	}
	res, err := ask[*offsetfetch.Response](ctx, p, addr, &offsetfetch.Request{GroupID: g.id, Topics: nil})
	if err != nil {
		return err
	}
	if res.ErrorCode == codeGroupNotFound {
		g.gone = true
		return nil
	}
	if res.ErrorCode != 0 {
		g.hidden = brokerError(res.ErrorCode, "").Error()
		return nil
	}
	g.committed = map[part]int64{}
	for _, t := range res.Topics {
		for _, rp := range t.Partitions {
			if rp.ErrorCode == 0 {
				g.committed[part{t.Name, rp.PartitionIndex}] = rp.CommittedOffset
			}
		}
	}
	return nil
}
