// Package change is what comparing two contracts yields, whatever their kind.
package change

import (
	"cmp"
	"fmt"
	"slices"
)

// Change is one difference between an old contract and a new one.
//
// All texts hold names and values of the contracts, which come from outside:
// who prints them takes them through inspectors/safe.
type Change struct {
	// Rule is the name that the field's established tools use for it: buf's,
	// oasdiff's, graphql-js's, Avro's, Confluent's. Additions that those do not
	// name have names made alike.
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	// Path is where: "shop.v1.Order.total", "GET /orders/{id} 200
	// application/json /items/*/price", "Query.order(id:)", "/fields/total".
	Path string `json:"path"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	Text string `json:"text"`
	// Line is in the new contract, OldLine in the old one, from 1; 0 where the
	// contract has no lines or the place does not exist.
	Line    int `json:"line,omitempty"`
	OldLine int `json:"old_line,omitempty"`
}

// Severity is what a change does to those who rely on the old contract.
type Severity uint8

const (
	Compatible Severity = iota + 1 // nothing
	Dangerous                      // it depends on what they do
	Breaking                       // they fail
)

func (s Severity) String() string {
	switch s {
	case Compatible:
		return "compatible"
	case Dangerous:
		return "dangerous"
	case Breaking:
		return "breaking"
	}
	return fmt.Sprintf("severity(%d)", uint8(s))
}

// MarshalText writes the name used in JSON output.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads what MarshalText writes.
func ParseSeverity(text string) (Severity, error) {
	for _, s := range []Severity{Compatible, Dangerous, Breaking} {
		if s.String() == text {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is none of breaking, dangerous, compatible", text)
}

// Sort puts the worst first, then by path and rule, and leaves out what is said
// twice.
func Sort(all []Change) []Change {
	slices.SortStableFunc(all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return slices.Compact(all)
}
