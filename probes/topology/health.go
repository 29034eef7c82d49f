package topology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"iscope/probes"
)

// ByParts is the source of a verdict that was computed from a node's parts.
const ByParts = "iscope"

// judge sets every node's health to the worst verdict. A node whose parts are
// worse than its sources say is a warning: something is wrong there, but only
// its sources can say that it fails.
func (b *builder) judge() {
	done := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(b.nodes)) {
		b.judgeNode(id, done)
	}
}

func (b *builder) judgeNode(id string, done map[string]bool) {
	if done[id] {
		return
	}
	done[id] = true
	n := b.nodes[id]
	slices.SortFunc(n.Verdicts, func(a, b Verdict) int { return cmp.Compare(a.By, b.By) })
	for _, v := range n.Verdicts {
		if v.Health > n.Health {
			n.Health, n.Reason = v.Health, v.Reason
		}
	}
	bad, first := 0, ""
	for _, part := range n.Parts {
		b.judgeNode(part, done)
		if p := b.nodes[part]; p.Health > probes.HealthOK {
			bad++
			if first == "" {
				first = p.Name + ": " + cmp.Or(p.Reason, p.Health.String())
			}
		}
	}
	if bad > 0 && n.Health <= probes.HealthOK {
		n.Health, n.Reason = probes.HealthWarn, fmt.Sprintf("%d of %d parts; %s", bad, len(n.Parts), first)
		n.Verdicts = append(n.Verdicts, Verdict{By: ByParts, Health: n.Health, Reason: n.Reason})
	}
}
