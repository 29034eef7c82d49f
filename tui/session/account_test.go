package session

import (
	"testing"

	"iscope/probes"
)

func TestAccountInAFewWords(t *testing.T) {
	deed := func(kind probes.DeedKind, what string) probes.Deed { return probes.Deed{Kind: kind, What: what} }
	queue, binding := deed(probes.DeedCreated, "queue a on vhost /"), deed(probes.DeedCreated, "binding of a to x")
	several := deed(probes.DeedCreated, "queues a.lost and a.more")
	trace, back := deed(probes.DeedChanged, "firehose of vhost / switched on"), deed(probes.DeedUndone, "firehose of vhost / switched off again")
	gone, left := deed(probes.DeedRemoved, "queue a and what belongs to it"), deed(probes.DeedLeft, "queue a")
	for _, c := range []struct {
		deeds []probes.Deed
		over  bool
		want  string
		bad   bool
	}{
		{nil, false, "reads only", false},
		{[]probes.Deed{deed(probes.DeedRead, "records of orders")}, true, "reads only", false},
		{[]probes.Deed{queue}, false, "1 queue of ours", false},
		{[]probes.Deed{queue, binding, binding}, false, "1 queue, 2 bindings of ours", false},
		{[]probes.Deed{queue, several}, false, "3 queues of ours", false},
		{[]probes.Deed{queue, binding, gone}, true, "what was ours is removed", false},
		{[]probes.Deed{queue, binding, gone, queue, binding}, false, "1 queue, 1 binding of ours", false}, // made anew after a restart
		{[]probes.Deed{gone, queue, gone}, true, "what was ours is removed, 1 leftover removed", false},
		{[]probes.Deed{trace, back, trace}, false, "1 change", false},
		{[]probes.Deed{trace, queue}, false, "1 queue of ours, 1 change", false},
		{[]probes.Deed{trace, queue, gone, back}, true, "what was ours is removed, changed back", false},
		{[]probes.Deed{queue, left}, true, "1 left behind", true},
		{[]probes.Deed{gone}, false, "reads only, 1 leftover removed", false},
	} {
		if text, bad := account(c.deeds, c.over); text != c.want || bad != c.bad {
			t.Errorf("%v is %q, %v; want %q", c.deeds, text, bad, c.want)
		}
	}
}
