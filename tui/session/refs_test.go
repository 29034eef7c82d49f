package session_test

import (
	"testing"

	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/session"
)

// What is read of a node is asked of who has it, not of who only delivers into it.
func TestANodeIsReadWhereItIs(t *testing.T) {
	states := []session.State{{Name: "sns", Can: []string{"tail", "publish"}}, {Name: "sqs", Can: []string{"tail", "peek"}},
		{Name: "rabbit", Can: []string{"tail", "peek"}}, {Name: "kafka", Can: []string{"tail"}}, {Name: "api", Can: []string{"invoke"}}}
	for _, c := range []struct {
		kind         probes.NodeKind
		ids          []string
		stream, peek string
	}{
		{probes.NodeQueue, []string{"queue:sns/jobs", "queue:sqs/jobs"}, "sqs/jobs", "sqs/jobs"},
		{probes.NodeQueue, []string{"queue:sns/jobs"}, "", ""},
		{probes.NodeQueue, []string{"queue:rabbit/queue/orders"}, "rabbit/queue/orders", "rabbit/queue/orders"},
		{probes.NodeExchange, []string{"exchange:rabbit/exchange/orders"}, "rabbit/exchange/orders", ""},
		{probes.NodeTopic, []string{"topic:sns/events"}, "sns/events", ""},
		{probes.NodeTopic, []string{"topic:kafka/orders"}, "kafka/orders", ""},
		{probes.NodeTopic, []string{"topic:api/orders"}, "", ""},
		{probes.NodeGroup, []string{"group:kafka/billing"}, "", ""},
	} {
		n := &topology.Node{ID: c.ids[0], Kind: c.kind, IDs: c.ids}
		said := func(ref probes.Ref, ok bool) string {
			if !ok {
				return ""
			}
			return ref.String()
		}
		if got := said(session.Stream(states, n)); got != c.stream {
			t.Errorf("%v is read as %q, not %q", c.ids, got, c.stream)
		}
		if got := said(session.Queue(states, n)); got != c.peek {
			t.Errorf("%v is looked into as %q, not %q", c.ids, got, c.peek)
		}
	}
}
