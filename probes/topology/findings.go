package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"iscope/probes"
)

// Severity says how bad a finding is.
type Severity string

const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// Kinds of findings.
const (
	FindingGhost      = "ghost"      // registered, but nothing listens there
	FindingUnhealthy  = "unhealthy"  // a source says so
	FindingSplit      = "split"      // sources disagree
	FindingIncomplete = "incomplete" // a source left something out or does not answer
	FindingLag        = "lag"        // a consumer group is behind
)

// Finding is something a person should look at, with the claims it rests on.
type Finding struct {
	Kind     string   `json:"kind"`
	Severity Severity `json:"severity"`
	Node     string   `json:"node,omitempty"`   // ID of the node it is about
	Target   string   `json:"target,omitempty"` // or the source it is about
	Text     string   `json:"text"`
	Claims   []Basis  `json:"claims,omitempty"`
}

// findings looks at a finished graph.
func findings(g *Graph, o BuildOptions) []Finding {
	out := []Finding{}
	for _, s := range o.Sources {
		out = append(out, ofSource(&s, o)...)
	}
	byID := g.index()
	worseParts := map[string]bool{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		found := slices.Concat(ghost(n), split(n), unhealthy(n))
		if len(found) > 0 {
			worseParts[n.Parent] = true
		}
		out = append(out, found...)
	}
	// That a service is so so because of an instance is said of the instance.
	out = slices.DeleteFunc(out, func(f Finding) bool {
		return f.Kind == FindingUnhealthy && f.Severity == SeverityWarning && worseParts[f.Node]
	})
	out = append(out, lagging(g, byID, cmp.Or(o.Lag, DefaultLag))...)
	slices.SortStableFunc(out, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Target, b.Target), cmp.Compare(a.Node, b.Node), cmp.Compare(a.Text, b.Text))
	})
	return out
}

func rank(s Severity) int {
	return slices.Index([]Severity{SeverityError, SeverityWarning, SeverityInfo}, s)
}

func ofSource(s *SourceState, o BuildOptions) []Finding {
	f := Finding{Kind: FindingIncomplete, Target: s.Target, Severity: SeverityError}
	switch {
	case s.Err != "" && s.Seen.IsZero():
		f.Text = fmt.Sprintf("%s does not answer: %s", s.Target, s.Err)
	case s.Err != "":
		age := max(0, o.Now.Sub(s.Seen)).Round(1e9)
		f.Text = fmt.Sprintf("%s does not answer, what it said is %s old: %s", s.Target, age, s.Err)
	case !s.Complete && !s.Seen.IsZero():
		f.Severity = SeverityWarning
		f.Text = fmt.Sprintf("%s does not show everything: %s", s.Target, cmp.Or(strings.Join(s.Missing, "; "), "it does not say what is left out"))
	default:
		return nil
	}
	return []Finding{f}
}

// ghost: a source lists it and does not call it ill, yet a dial fails.
func ghost(n *Node) []Finding {
	dial, ok := verdictBy(n, ByDial)
	if !ok || dial.Health != probes.HealthFail {
		return nil
	}
	f := Finding{Kind: FindingGhost, Severity: SeverityWarning, Node: n.ID, Claims: n.Claims}
	var says []string
	for _, c := range n.Claims {
		if c.By == ByDial {
			continue
		}
		word := "registered"
		if v, ok := verdictBy(n, c.By); ok && v.Health > probes.HealthOK {
			continue // the source knows
		} else if ok {
			word, f.Severity = "healthy", SeverityError
		}
		if said := word + " in " + c.By; !slices.Contains(says, said) {
			says = append(says, said)
		}
	}
	if len(says) == 0 {
		return nil
	}
	f.Text = fmt.Sprintf("%s is %s, but from here %s answers: %s", n.Name, strings.Join(says, " and "), n.Addr, dial.Reason)
	return []Finding{f}
}

func verdictBy(n *Node, by string) (Verdict, bool) {
	i := slices.IndexFunc(n.Verdicts, func(v Verdict) bool { return v.By == by })
	if i < 0 {
		return Verdict{}, false
	}
	return n.Verdicts[i], true
}

// split: one source calls it well and another one ill. A failed dial against a
// registry is a ghost.
func split(n *Node) []Finding {
	var good, bad []string
	for _, v := range n.Verdicts {
		switch {
		case v.By == ByDial || v.By == ByParts:
		case v.Health == probes.HealthOK:
			good = append(good, v.By)
		case v.Health == probes.HealthFail:
			bad = append(bad, v.By)
		}
	}
	if len(good) == 0 || len(bad) == 0 {
		return nil
	}
	return []Finding{{Kind: FindingSplit, Severity: SeverityWarning, Node: n.ID, Claims: n.Claims,
		Text: fmt.Sprintf("%s is well according to %s, but not according to %s: %s",
			n.Name, strings.Join(good, " and "), strings.Join(bad, " and "), n.Reason)}}
}

// unhealthy repeats what sources say.
func unhealthy(n *Node) []Finding {
	var out []Finding
	for _, v := range n.Verdicts {
		if v.Health <= probes.HealthOK || v.By == ByDial || v.By == ByParts {
			continue
		}
		f := Finding{Kind: FindingUnhealthy, Severity: SeverityWarning, Node: n.ID}
		if v.Health == probes.HealthFail {
			f.Severity = SeverityError
		}
		f.Text = fmt.Sprintf("%s: %s says %s", n.Name, v.By, v.Health)
		if v.Reason != "" {
			f.Text += ": " + v.Reason
		}
		for _, c := range n.Claims {
			if c.By == v.By {
				f.Claims = append(f.Claims, c)
			}
		}
		out = append(out, f)
	}
	return out
}
