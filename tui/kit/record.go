package kit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
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
	of     paneKey // what rows were made of
}

type paneKey struct {
	id     uint64
	tab, w int
	deeds  int
}

// paneRow is one row, drawn when it is visible.
type paneRow func(w int) string

var paneTabs = [...]string{"Payload", "Headers", "Meta", "Hex"}

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
	Impact string // what reading it does, in the driver's words
	Deeds  []probes.Deed
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
	if r != nil {
		head.Put(theme.Dim, safe.Line(r.ID, 40))
	}
	if key := (paneKey{id, p.tab, w, len(from.Deeds)}); p.rows == nil || p.of != key {
		p.rows, p.of = p.make(r, from, w), key
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
	if r == nil {
		return append([]paneRow{p.say(theme.Dim, "no record here"), p.say(theme.Plain, "")}, p.ledger(from, w)...)
	}
	switch paneTabs[p.tab] {
	case "Headers":
		return p.headers(r)
	case "Meta":
		return append(p.ledger(from, w), p.meta(r)...)
	case "Hex":
		return p.hex(r)
	}
	return p.payload(r)
}

func (p *RecordPane) payload(r *probes.Record) []paneRow {
	v := p.chain.Inspect(context.Background(), r, inspectors.Env{})
	var rows []paneRow
	if r.Err != "" {
		rows = append(rows, p.say(theme.Bad, r.Err))
	}
	for i := range v.Problems {
		rows = append(rows, p.say(theme.Warn, p.theme.Glyph(theme.Warning)+" "+v.Problems[i].Message))
	}
	for _, line := range v.Lines {
		rows = append(rows, func(w int) string { return Spans(p.theme, line, w) })
	}
	if v.Truncated {
		rows = append(rows, p.say(theme.Dim, fmt.Sprintf("… the beginning of %d bytes; Hex has the rest", len(r.Body))))
	}
	return rows
}

func (p *RecordPane) say(s theme.Style, text string) paneRow {
	return func(w int) string {
		return NewLine(p.theme, w).Say(theme.Plain, " ").Put(s, safe.Line(text, max(0, w-2))).String()
	}
}

func (p *RecordPane) headers(r *probes.Record) (rows []paneRow) {
	for i := range r.Header {
		f := &r.Header[i]
		rows = append(rows, func(w int) string {
			l := NewLine(p.theme, w).Say(theme.Plain, " ").Put(theme.JSONKey, safe.Line(f.Name, 40)).Say(theme.Plain, "  ")
			if f.Value == nil {
				return l.Say(theme.Dim, "(no value)").String()
			}
			return l.Put(theme.Plain, safe.LineBytes(f.Value, l.Left())).String()
		})
	}
	if len(rows) == 0 {
		rows = append(rows, p.say(theme.Dim, "no headers"))
	}
	return rows
}

// ledger is what reading has done to the system.
func (p *RecordPane) ledger(from Origin, w int) (rows []paneRow) {
	page := Page{Theme: p.theme, W: w}
	page.Add(theme.Heading, "LEDGER")
	if from.Impact != "" {
		page.Wrap(theme.Dim, "", from.Impact)
	}
	page.Deeds(from.Deeds)
	if len(from.Deeds) == 0 {
		page.Add(theme.Dim, "nothing was created or changed")
	}
	for _, row := range page.Rows {
		rows = append(rows, func(int) string { return row })
	}
	return append(rows, p.say(theme.Plain, ""))
}

func (p *RecordPane) meta(r *probes.Record) (rows []paneRow) {
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, p.say(theme.Plain, fmt.Sprintf("%-34s %s", name, value)))
		}
	}
	add("source", r.Source.String())
	add("id", r.ID)
	add("call", r.Call)
	add("kind", r.Kind.String())
	add("time (the peer's)", stamp(r.Time))
	add("seen (ours)", stamp(r.Seen))
	if r.Key == nil {
		add("key", "(null)")
	} else {
		add("key", string(r.Key))
	}
	size := fmt.Sprintf("%d bytes", len(r.Body))
	if r.Body == nil {
		size = "(null)"
	}
	add("value", size)
	if r.Cut > 0 {
		add("left out", fmt.Sprintf("%d bytes", r.Cut))
	}
	add("schema", r.Schema)
	for _, a := range r.Attrs {
		add(a.Name, a.Value)
	}
	if len(r.Native) > 0 {
		add("native", strings.TrimSpace(string(r.Native)))
	}
	return rows
}

func stamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}

// hex makes a row when it is drawn, so that a body of any size scrolls.
func (p *RecordPane) hex(r *probes.Record) []paneRow {
	rows := make([]paneRow, inspectors.HexRows(len(r.Body)))
	for i := range rows {
		rows[i] = func(w int) string { return Spans(p.theme, inspectors.Hex(r.Body, i, 1)[0], w) }
	}
	return rows
}
