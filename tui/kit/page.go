package kit

import (
	"fmt"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// Page collects rows of text.
type Page struct {
	Theme theme.Theme
	W     int
	Rows  []string
}

// Add adds one row, cut to the width. What it says may come from outside.
func (p *Page) Add(s theme.Style, format string, args ...any) {
	p.put(" ", s, fmt.Sprintf(format, args...))
}

// Wrap adds a text over as many rows as it needs, those after the first as far in
// as the label is long.
func (p *Page) Wrap(s theme.Style, label, text string) {
	label = " " + label
	for _, part := range Wrap(text, p.W-safe.Width(label)-1) {
		p.put(label, s, part)
		label = strings.Repeat(" ", safe.Width(label))
	}
}

func (p *Page) put(label string, s theme.Style, text string) {
	l := NewLine(p.Theme, p.W).Say(theme.Dim, label)
	p.Rows = append(p.Rows, l.Put(s, safe.Line(text, max(0, p.W-safe.Width(label)-1))).String())
}

// Failure adds an error and what to do about it.
func (p *Page) Failure(err, hint string) {
	p.Wrap(theme.Bad, p.Theme.Glyph(theme.Failed)+" ", err)
	if hint != "" {
		p.Wrap(theme.Plain, "  ", hint)
	}
}

// Deeds adds what was done to a system, each with its time.
func (p *Page) Deeds(deeds []probes.Deed) {
	for _, d := range deeds {
		style, mark := theme.Plain, " "
		switch d.Kind {
		case probes.DeedRead:
			style = theme.Dim
		case probes.DeedLeft:
			style, mark = theme.Warn, p.Theme.Glyph(theme.Warning)
		}
		label := fmt.Sprintf("%s %s %-8s  ", mark, d.Time.UTC().Format("15:04:05"), d.Kind)
		p.Wrap(style, label, session.DeedText(d))
	}
}

// Ledger adds the deeds below a heading, if there are any.
func (p *Page) Ledger(deeds []probes.Deed) {
	if len(deeds) == 0 {
		return
	}
	p.Add(theme.Plain, "")
	p.Add(theme.Heading, "LEDGER")
	p.Deeds(deeds)
}

// Account ends a row with what reading a feed did to the system.
func Account(l *Line, t theme.Theme, f *session.Feed) {
	text, bad := f.Account()
	glyph, style := t.Glyph(theme.Ours), theme.Dim
	if bad {
		glyph, style = t.Glyph(theme.Warning), theme.Warn
	}
	if text != "" {
		l.Say(style, "  "+glyph+" ").Put(style, safe.Line(text, safe.Wide))
	}
}

// Age is how long ago something was, short.
func Age(d time.Duration) string {
	switch d = max(0, d); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// Plural is a number of things: "1 part", "2 parts".
func Plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Bar is how much of something is done.
func Bar(t theme.Theme, done, total, width int) string {
	filled := 0
	if total > 0 {
		filled = max(0, min(width, done*width/total))
	}
	full, empty := "█", "░"
	if t.ASCII {
		full, empty = "#", "."
	}
	return strings.Repeat(full, filled) + strings.Repeat(empty, max(0, width-filled))
}
