package main

import (
	"context"

	"iscope/probes"
	"iscope/probes/tap"
)

// Attributes of the notices that tell what was done to a system.
const (
	attrDeed      = "iscope.deed"       // read, created, changed, removed, restored, left
	attrDeedWhat  = "iscope.deed.what"  // the thing, as the system names it
	attrDeedUntil = "iscope.deed.until" // when it ends
)

// ledger tells what a look does to the system, as it is done: a line on stderr
// for each deed and, where records are JSON lines, a notice among them for each
// that is more than reading.
func (a *app) ledger(source probes.Ref, sink tap.Sink) *probes.Ledger {
	return &probes.Ledger{OnDeed: func(d probes.Deed) {
		a.warn("%s", deedText(d))
		if !a.json() || d.Kind == probes.DeedRead {
			return
		}
		attrs := []probes.Attr{{Name: attrDeed, Value: d.Kind.String()}, {Name: attrDeedWhat, Value: d.What}}
		if d.Until != "" {
			attrs = append(attrs, probes.Attr{Name: attrDeedUntil, Value: d.Until})
		}
		// A sink that fails fails again with the next record, where it is heard.
		_ = sink.Write(context.Background(), probes.Record{Kind: probes.Notice, Source: source, Seen: d.Time, Attrs: attrs})
	}}
}

func deedText(d probes.Deed) string {
	text := d.Kind.String() + " " + d.What
	if d.Until != "" {
		text += " (" + d.Until + ")"
	}
	return text
}
