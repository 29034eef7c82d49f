package kit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// payload is the body laid out; where it could not be decoded, why, and its
// bytes.
func (p *RecordPane) payload(r *probes.Record, reading *session.Reading, w int) []paneRow {
	v := p.chain.Inspect(context.Background(), r, reading.Env())
	p.schema = v.Schema
	page := Page{Theme: p.theme, W: w}
	if r.Err != "" {
		page.Wrap(theme.Bad, "", r.Err)
	}
	p.problems(&page, &v)
	if v.Schema != "" {
		page.Wrap(theme.Dim, "schema  ", v.Schema)
	}
	rows := p.fixed(&page)
	if r.Err != "" && len(r.Body) == 0 { // the view of no body says it again
		return rows
	}
	for _, line := range v.Lines {
		rows = append(rows, func(w int) string { return Spans(p.theme, line, w) })
	}
	if v.Truncated {
		rows = append(rows, p.say(theme.Dim, fmt.Sprintf("… the beginning of %d bytes; Hex has the rest", len(r.Body))))
	}
	return rows
}

// problems says what is wrong with a body, or missing to read it.
func (p *RecordPane) problems(page *Page, v *inspectors.View) {
	for i := range v.Problems {
		page.Wrap(theme.Warn, p.theme.Glyph(theme.Warning)+" ", v.Problems[i].Message)
	}
}

func (p *RecordPane) fixed(page *Page) (rows []paneRow) {
	for _, row := range page.Rows {
		rows = append(rows, func(int) string { return row })
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
	if from.Stored {
		return nil
	}
	page := Page{Theme: p.theme, W: w}
	page.Add(theme.Heading, "LEDGER")
	if from.Impact != "" {
		page.Wrap(theme.Dim, "", from.Impact)
	}
	page.Deeds(from.Deeds)
	if len(from.Deeds) == 0 {
		page.Add(theme.Dim, "nothing was created or changed")
	}
	return append(p.fixed(&page), p.say(theme.Plain, ""))
}

// metaLabel is how wide the names in Meta are.
const metaLabel = 34

func (p *RecordPane) meta(r *probes.Record, reading *session.Reading, w int) []paneRow {
	page := Page{Theme: p.theme, W: w}
	label := min(metaLabel, w/2)
	add := func(name, value string) {
		if value != "" {
			page.Wrap(theme.Plain, fmt.Sprintf("%-*s ", label, safe.Line(name, label).Cut(label)), value)
		}
	}
	add("source", r.Source.String())
	add("id", r.ID)
	add("call", r.Call)
	add("kind", r.Kind.String())
	add("time (the peer's)", stamp(r.Time))
	add("seen (ours)", stamp(r.Seen))
	p.key(&page, r, reading, add)
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
	return p.fixed(&page)
}

// key adds a record's key: as it is where it is text, decoded where it is not.
func (p *RecordPane) key(page *Page, r *probes.Record, reading *session.Reading, add func(name, value string)) {
	switch {
	case r.Key == nil:
		add("key", "(null)")
		return
	case len(r.Key) == 0:
		add("key", "(empty)")
		return
	}
	add("key", keyText(r, reading.Env()))
	v := p.chain.InspectKey(context.Background(), r, reading.Env())
	if v.Schema != "" {
		add("schema of the key", v.Schema)
	}
	p.problems(page, &v)
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
