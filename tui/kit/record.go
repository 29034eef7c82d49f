package kit

import (
	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// RecordPane lays out one record at a time: its body, its headers, what else is
// known of it, its bytes. While it has the focus, movement scrolls it.
type RecordPane struct {
	theme theme.Theme
	chain inspectors.Chain

	tab    int
	focus  bool
	scroll Scroll
	height int
	rows   []paneRow
	schema string  // by which the body was decoded, where the tab tells
	of     paneKey // what rows were made of
}

type paneKey struct {
	id      uint64
	tab, w  int
	deeds   int
	reading *session.Reading
	version uint64 // of the reading: schemas may have come
}

// paneRow is one row, drawn when it is visible.
type paneRow func(w int) string

var paneTabs = [...]string{"Payload", "Headers", "Meta", "Schema", "Hex"}

// NewRecordPane makes a pane.
func NewRecordPane(t theme.Theme, chain inspectors.Chain) RecordPane {
	return RecordPane{theme: t, chain: chain}
}

// Reset goes back to the first tab, and gives the focus away.
func (p *RecordPane) Reset() { p.tab, p.scroll, p.focus, p.rows = 0, Scroll{}, false, nil }

// Rewind scrolls to the top, as for another record.
func (p *RecordPane) Rewind() { p.scroll = Scroll{} }

// Focused reports whether movement scrolls the pane.
func (p *RecordPane) Focused() bool { return p.focus }

// Nav takes the keys that are the pane's while it is open, and reports whether it
// did.
func (p *RecordPane) Nav(n Nav) bool {
	switch n {
	case NextTab, Right:
		p.turn(1)
	case PrevTab, Left:
		p.turn(len(paneTabs) - 1)
	case NextPane, PrevPane:
		p.focus = !p.focus
	case Back:
		was := p.focus
		p.focus = false
		return was
	default:
		return p.focus && p.scroll.Nav(n, len(p.rows), max(1, p.height))
	}
	return true
}

func (p *RecordPane) turn(by int) {
	p.tab, p.scroll = (p.tab+by)%len(paneTabs), Scroll{}
}

// Origin is what a pane says of where a record came from.
type Origin struct {
	Impact  string // what reading it does, in the driver's words
	Deeds   []probes.Deed
	Reading *session.Reading // how it is decoded; nil: without schemas
	Stored  bool             // it comes from a file: no system was read
}

// View draws a record, which id tells apart from the others; nil for none.
func (p *RecordPane) View(r *probes.Record, id uint64, from Origin, w, h int) string {
	head := NewLine(p.theme, w).Say(theme.Plain, " ")
	for i, name := range paneTabs {
		switch {
		case i != p.tab:
			head.Say(theme.Dim, name+"  ")
		case p.focus:
			head.Say(theme.Reverse, "["+name+"]").Say(theme.Accent, "tab ")
		default:
			head.Say(theme.Reverse, "["+name+"]").Say(theme.Plain, " ")
		}
	}
	key := paneKey{id, p.tab, w, len(from.Deeds), from.Reading, from.Reading.Version()}
	if p.rows == nil || p.of != key {
		p.rows, p.of = p.make(r, from, w), key
	}
	if r != nil {
		head.Put(theme.Dim, safe.Line(r.ID, 40))
		if p.schema != "" {
			head.Put(theme.Dim, safe.Line("  "+p.schema, safe.Wide))
		}
	}
	p.height = h - 1
	rows := []string{head.String()}
	top, end := p.scroll.Window(len(p.rows), h-1)
	for _, row := range p.rows[top:end] {
		rows = append(rows, row(w))
	}
	return Lay(rows, w, h)
}

func (p *RecordPane) make(r *probes.Record, from Origin, w int) []paneRow {
	p.schema = ""
	if r == nil {
		return append([]paneRow{p.say(theme.Dim, "no record here"), p.say(theme.Plain, "")}, p.ledger(from, w)...)
	}
	switch paneTabs[p.tab] {
	case "Headers":
		return p.headers(r)
	case "Meta":
		return append(p.ledger(from, w), p.meta(r, from.Reading, w)...)
	case "Schema":
		return p.contract(r, from.Reading, w)
	case "Hex":
		return p.hex(r)
	}
	return p.payload(r, from.Reading, w)
}
