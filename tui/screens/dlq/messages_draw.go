package dlq

import (
	"errors"
	"fmt"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// columns are those of dead letters, whatever system they are in.
func columns() []probes.Column {
	return []probes.Column{
		{Title: "REASON", Attr: probes.AttrDeadReason, Width: 14},
		{Title: "ORIGIN", Attr: probes.AttrDeadOrigin, Width: 16},
		{Title: "COUNT", Attr: probes.AttrDeadCount, Width: 5, Right: true},
		{Title: "KEY", Attr: "key", Width: 14},
		{Title: "SIZE", Attr: "size", Width: 6, Right: true},
	}
}

func (d *screen) View(w, h int) string {
	switch d.level {
	case onMessages:
		return d.messagesView(w, h)
	case onPlan:
		return d.planView(w, h)
	}
	return d.placesView(w, h)
}

func (d *screen) messagesView(w, h int) string {
	m := &d.messages
	m.rows.Reading(m.reads(d.s))
	rows := append([]string{d.messagesHead(w)}, m.filter.Head(d.o.Theme, m.sifted.String(), w)...)
	rows = append(rows, kit.Unjudged(d.o.Theme, m.sifted.Unjudged, m.sifted.Why, "messages", w)...)
	rows = append(rows, kit.WithDetail(d.o.Theme, d.messages.detail, w, h-len(rows), d.messageList, d.messagePane)...)
	return kit.Lay(rows, w, h)
}

func (d *screen) messagesHead(w int) string {
	m, th := &d.messages, d.o.Theme
	l := kit.NewLine(th, w).Say(theme.Plain, " ").Put(theme.Bold, safe.Line(m.place.ref.String(), max(0, w/2)))
	read := fmt.Sprintf("  %d read", m.count())
	if m.place.Count >= int64(m.count()) { // more may have come since they were counted
		read += fmt.Sprintf(" of %d", m.place.Count)
	}
	l.Say(theme.Plain, read)
	if n := len(m.marked); n > 0 {
		l.Say(theme.Accent, fmt.Sprintf("  %s %d marked", th.Glyph(theme.Marked), n))
	}
	switch {
	case d.running():
		l.Say(theme.Accent, "  "+th.Glyph(theme.Follow)+" a redrive is running; r shows it")
	case m.reading():
		l.Say(theme.Dim, "  reading "+th.Glyph(theme.Ellipsis))
	case m.stale:
		l.Say(theme.Warn, "  "+th.Glyph(theme.Warning)+" read before the redrive; R reads again")
	}
	if lost := m.feed.Ring.Stats().Lost; lost > 0 {
		l.Say(theme.Warn, fmt.Sprintf("  the first %d are not kept", lost))
	}
	kit.Account(l, th, m.feed)
	return l.String()
}

func (d *screen) messageList(w, h int) string {
	m, th := &d.messages, d.o.Theme
	m.rows.Fit(columns(), w)
	d.height = max(1, h-1)
	rows := []string{m.rows.Head(w)}
	from, to := m.list.Window(len(m.shown), h-1)
	for i := from; i < to; i++ {
		at := m.shown[i]
		mark := " "
		if m.marked[m.seq(at)] {
			mark = th.Glyph(theme.Marked)
		}
		l := m.rows.Row(&m.recs[at], mark, theme.Accent, w)
		if i == m.list.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	if len(m.shown) == 0 {
		rows = append(rows, d.noMessages(w)...)
	}
	return kit.Lay(rows, w, h)
}

func (d *screen) noMessages(w int) []string {
	m := &d.messages
	p := &kit.Page{Theme: d.o.Theme, W: w}
	p.Add(theme.Plain, "")
	err, hint := m.feed.Trouble()
	switch {
	case m.filter.Text != "" && len(m.recs) > 0:
		p.NoMatch(m.judged, m.filter.Open(), m.sifted.All, m.sifted.Unjudged)
		return p.Rows
	case m.reading():
		p.Add(theme.Dim, "Reading %s", d.o.Theme.Glyph(theme.Ellipsis))
	case err != "":
		p.Failure(err, hint)
		if errors.Is(m.feed.State().Err, probes.ErrRefused) {
			p.Wrap(theme.Plain, "R  ", "asks whether to look all the same")
		}
	default:
		p.Add(theme.Plain, "No dead letter is there.")
	}
	p.Ledger(m.feed.Deeds())
	return p.Rows
}

func (d *screen) messagePane(w, h int) string {
	m := &d.messages
	_, impact := m.feed.Look()
	from := kit.Origin{Impact: impact, Deeds: m.feed.Deeds(), Reading: m.reads(d.s)}
	r, ok := m.current()
	if !ok {
		return m.pane.View(nil, 0, from, w, h)
	}
	return m.pane.View(&r, m.seq(m.shown[m.list.Cursor]), from, w, h)
}

// ended reports whether reading failed after some messages.
func (m *messages) failed() (err, hint string) {
	if m.feed == nil || m.feed.State().Phase != tap.Ended {
		return "", ""
	}
	return m.feed.Trouble()
}
