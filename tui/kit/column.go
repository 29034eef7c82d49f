package kit

import (
	"context"
	"fmt"
	"time"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// RecordRows draws records as rows of a list: a mark, the time, and columns.
type RecordRows struct {
	theme theme.Theme
	chain inspectors.Chain
	cols  []probes.Column
	env   inspectors.Env
	// clock is what stands in the first column, of so many cells.
	clock func(*probes.Record) string
	width int
}

// NewRecordRows draws rows with the time of day.
func NewRecordRows(t theme.Theme, chain inspectors.Chain) RecordRows {
	return RecordRows{theme: t, chain: chain, clock: timeOfDay, width: len("15:04:05.000")}
}

// Reading decodes what is drawn from now on by the schemas of a target.
func (c *RecordRows) Reading(r *session.Reading) { c.env = r.Env() }

// NewDeadRows draws dead letters, with the time of their death if that is known.
func NewDeadRows(t theme.Theme, chain inspectors.Chain) RecordRows {
	return RecordRows{theme: t, chain: chain, clock: timeOfDeath, width: len("01-02 15:04:05")}
}

func timeOfDay(r *probes.Record) string {
	at := r.Time
	if at.IsZero() {
		at = r.Seen
	}
	return at.UTC().Format("15:04:05.000")
}

// timeOfDeath is the message's own time where nobody says when it died; not the
// time at which we saw it.
func timeOfDeath(r *probes.Record) string {
	at := r.Time
	if text, ok := r.Attr(probes.AttrDeadTime); ok {
		if died, err := time.Parse(time.RFC3339Nano, text); err == nil {
			at = died
		}
	}
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("01-02 15:04:05")
}

// leastSummary is the room that is kept for the summary.
const leastSummary = 24

// Fit takes the columns that fit into w cells beside a mark, the time and the
// summary, which is always there.
func (c *RecordRows) Fit(all []probes.Column, w int) {
	c.cols = nil
	left := w - c.width - 3
	for _, col := range all {
		if col.Attr == "summary" {
			continue
		}
		if left -= col.Width + 1; left < leastSummary {
			break
		}
		c.cols = append(c.cols, col)
	}
	c.cols = append(c.cols, probes.Column{Title: "SUMMARY", Attr: "summary"})
}

// Head draws the titles.
func (c *RecordRows) Head(w int) string {
	head := NewLine(c.theme, w).Say(theme.Plain, " ").Col(theme.Dim, safe.Const("TIME"), c.width)
	for _, col := range c.cols {
		switch {
		case col.Right:
			head.ColRight(theme.Dim, Text(col.Title), col.Width)
		case col.Attr == "summary":
			head.Say(theme.Dim, col.Title)
		default:
			head.Col(theme.Dim, Text(col.Title), col.Width)
		}
	}
	return head.String()
}

// Row draws one record. mark, of one cell, stands before it.
func (c *RecordRows) Row(r *probes.Record, mark string, style theme.Style, w int) *Line {
	l := NewLine(c.theme, w)
	if r.Err != "" && mark == " " {
		mark, style = "!", theme.Bad
	}
	l.Say(style, mark)
	l.Col(theme.Dim, safe.Line(c.clock(r), c.width), c.width)
	if r.Kind == probes.Gap || r.Kind == probes.Notice {
		why, _ := r.Attr(probes.AttrReason)
		return l.Put(theme.Warn, safe.Line(r.Kind.String()+": "+r.Err+" "+why, w))
	}
	for _, col := range c.cols {
		c.cell(l, r, col)
	}
	return l
}

func (c *RecordRows) cell(l *Line, r *probes.Record, col probes.Column) {
	var text safe.Text
	switch col.Attr {
	case "summary":
		summary := safe.Line(c.chain.Brief(context.Background(), r, c.env, 4*l.Left()+64), l.Left())
		if summary.Escaped() {
			l.Say(theme.Warn, "[esc] ")
		}
		l.Put(theme.Plain, summary)
		return
	case "key":
		text = safe.Line(keyText(r, c.env), col.Width)
		if r.Key == nil {
			text = Text(c.theme.Glyph(theme.Dash))
		}
	case "size":
		text = safe.Line(size(int64(len(r.Body))+r.Cut), col.Width)
	case "subject":
		text = safe.Line(r.Source.Subject, col.Width)
	default:
		value, _ := r.Attr(col.Attr)
		text = safe.Line(value, col.Width)
	}
	if col.Right {
		l.ColRight(theme.Plain, text, col.Width)
		return
	}
	l.Col(theme.Plain, text, col.Width)
}

// keyText is a key in one line: as it is where that is text, else decoded, else
// its bytes. It comes from outside.
func keyText(r *probes.Record, env inspectors.Env) string {
	const most = 1 << 10 // of which a row can show no more
	head := r.Key[:min(len(r.Key), most)]
	if !HasControl(head) {
		return string(head)
	}
	if text, kind, err := inspectors.DecodeKey(context.Background(), r, env); err == nil && kind != "text" {
		return string(text[:min(len(text), most)])
	}
	return string(head)
}

func size(n int64) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%dM", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%dk", n>>10)
	}
	return fmt.Sprint(n)
}
