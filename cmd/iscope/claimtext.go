package main

import (
	"time"

	"iscope/probes"
)

// claimText is a claim as describe prints it in JSON. Its members are named as
// those of list are, and do not change.
type claimText struct {
	Node  *nodeText       `json:"node,omitempty"`
	Edge  *edgeText       `json:"edge,omitempty"`
	By    string          `json:"by"`
	Call  string          `json:"call,omitempty"` // how the source knows
	Class probes.Evidence `json:"class"`
	AsOf  string          `json:"as_of,omitempty"`
	Seen  time.Time       `json:"seen,omitzero"`
}

type nodeText struct {
	ID         string        `json:"id"`
	Kind       string        `json:"kind"`
	Name       string        `json:"name"`
	Parent     string        `json:"parent,omitempty"` // an id
	Address    string        `json:"address,omitempty"`
	Health     string        `json:"health,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	Aliases    []string      `json:"aliases,omitempty"`
	Attributes []probes.Attr `json:"attributes,omitempty"`
}

type edgeText struct {
	From       string          `json:"from"` // ids
	To         string          `json:"to"`
	Kind       string          `json:"kind"`
	Protocol   string          `json:"protocol,omitempty"`
	Metrics    []probes.Metric `json:"metrics,omitempty"`
	Attributes []probes.Attr   `json:"attributes,omitempty"`
}

func claimTexts(claims []probes.Claim) []claimText {
	out := make([]claimText, len(claims))
	for i, c := range claims {
		out[i] = claimText{By: c.By, Call: c.Call, Class: c.Class, AsOf: c.AsOf, Seen: c.Seen}
		if n := c.Node; n != nil {
			out[i].Node = &nodeText{ID: n.ID, Kind: string(n.Kind), Name: n.Name, Parent: n.Parent, Address: n.Addr,
				Health: healthWord(n.Health), Reason: n.Reason, Aliases: n.Aliases, Attributes: n.Attrs}
		}
		if e := c.Edge; e != nil {
			out[i].Edge = &edgeText{From: e.From, To: e.To, Kind: string(e.Kind), Protocol: e.Protocol,
				Metrics: e.Metrics, Attributes: e.Attrs}
		}
	}
	return out
}
