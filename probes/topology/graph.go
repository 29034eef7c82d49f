// Package topology puts together one graph from what all sources claim.
//
// Claims stay: every node and edge lists who said it, how and when. What is
// computed (one identity for several names, the worst verdict, findings) names
// the claims it rests on, so that a person can disagree with it.
package topology

import (
	"time"

	"iscope/probes"
)

// Graph is what is known at one moment, sorted: the same claims in any order
// give the same graph.
type Graph struct {
	Nodes    []Node        `json:"nodes"`
	Edges    []Edge        `json:"edges"`
	Findings []Finding     `json:"findings"`
	Sources  []SourceState `json:"sources"`
	// Gone lists what a source stopped naming a short while ago.
	Gone []Gone `json:"gone,omitempty"`
}

// Node is one thing, whatever the names its sources know it by.
type Node struct {
	ID     string          `json:"id"`
	Kind   probes.NodeKind `json:"kind"`
	Name   string          `json:"name"`
	Parent string          `json:"parent,omitempty"`
	Parts  []string        `json:"parts,omitempty"` // IDs of instances, partitions, members
	Addr   string          `json:"addr,omitempty"`
	// Health is the worst of Verdicts and Reason why.
	Health   probes.Health `json:"health"`
	Reason   string        `json:"reason,omitempty"`
	Verdicts []Verdict     `json:"verdicts,omitempty"`
	Attrs    []Attr        `json:"attrs,omitempty"`
	// IDs are all identities that were found to be this node, if several.
	IDs []string `json:"ids,omitempty"`
	// Mentioned: only an edge names it, no source lists it.
	Mentioned bool `json:"mentioned,omitempty"`
	// Stale: every source that named it has failed since.
	Stale  bool    `json:"stale,omitempty"`
	Claims []Basis `json:"claims"`
}

// Edge is one relation. Class is the best evidence of its claims.
type Edge struct {
	From     string          `json:"from"`
	To       string          `json:"to"`
	Kind     probes.EdgeKind `json:"kind"`
	Protocol string          `json:"protocol,omitempty"`
	Class    probes.Evidence `json:"class"`
	Metrics  []Metric        `json:"metrics,omitempty"`
	Attrs    []Attr          `json:"attrs,omitempty"`
	Stale    bool            `json:"stale,omitempty"`
	Claims   []Basis         `json:"claims"`
}

// Basis is where a claim comes from.
type Basis struct {
	By    string          `json:"by"`
	Call  string          `json:"call,omitempty"`
	Class probes.Evidence `json:"class"`
	AsOf  string          `json:"as_of,omitempty"`
	Seen  time.Time       `json:"seen"`
}

// Verdict is what one source says of a node's health.
type Verdict struct {
	By     string        `json:"by"`
	Health probes.Health `json:"health"`
	Reason string        `json:"reason,omitempty"`
}

// Metric is one number of one source. Numbers of different sources are kept
// side by side: their average would be nobody's.
type Metric struct {
	probes.Metric
	By string `json:"by"`
}

// Attr is one fact with the source that says so.
type Attr struct {
	probes.Attr
	By string `json:"by"`
}

// SourceState is how well a source is doing.
type SourceState struct {
	Target   string    `json:"target"`
	Complete bool      `json:"complete"` // the last answer left nothing out
	Missing  []string  `json:"missing,omitempty"`
	Seen     time.Time `json:"seen,omitzero"` // of the last good answer
	// Err is set while the source fails; its claims are kept as they were.
	Err   string    `json:"error,omitempty"`
	Since time.Time `json:"since,omitzero"` // failing since
}

// Gone is a node (Node, Name, Kind) or an edge (From, To, EdgeKind) that a
// complete answer no longer holds.
type Gone struct {
	Node     string          `json:"node,omitempty"`
	Name     string          `json:"name,omitempty"`
	Kind     probes.NodeKind `json:"kind,omitempty"`
	From     string          `json:"from,omitempty"`
	To       string          `json:"to,omitempty"`
	EdgeKind probes.EdgeKind `json:"edge_kind,omitempty"`
	By       string          `json:"by"`
	At       time.Time       `json:"at"`
}

// Lag returns the largest consumer lag any source reports for the edge.
func (e *Edge) Lag() (Metric, bool) {
	var worst Metric
	found := false
	for _, m := range e.Metrics {
		if m.Name == probes.MetricLag && (!found || m.Value > worst.Value) {
			worst, found = m, true
		}
	}
	return worst, found
}

// Attr returns the first attribute of that name.
func (n *Node) Attr(name string) (string, bool) {
	for _, a := range n.Attrs {
		if a.Name == name {
			return a.Value, true
		}
	}
	return "", false
}
