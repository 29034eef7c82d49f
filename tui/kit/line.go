package kit

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"iscope/inspectors/safe"
	"iscope/tui/theme"
)

// Line builds one row of exactly so many cells from pieces of known width. It
// is the only way screens draw, so that no row is ever too long.
type Line struct {
	b    strings.Builder
	left int
	t    theme.Theme
}

// NewLine starts a row of w cells.
func NewLine(t theme.Theme, w int) *Line { return &Line{left: max(0, w), t: t} }

// Left is how many cells are free.
func (l *Line) Left() int { return l.left }

// Put adds text in a style, cut to what is left.
func (l *Line) Put(s theme.Style, text safe.Text) *Line {
	if l.left <= 0 || text.Width() == 0 {
		return l
	}
	text = text.Cut(l.left)
	l.left -= text.Width()
	if !text.Escaped() {
		l.b.WriteString(l.t.Paint(s, text.String()))
		return l
	}
	for piece, escape := range text.Parts {
		if escape {
			l.b.WriteString(l.t.Paint(theme.Escaped, piece))
		} else {
			l.b.WriteString(l.t.Paint(s, piece))
		}
	}
	return l
}

// Say adds a text of our own.
func (l *Line) Say(s theme.Style, own string) *Line {
	if l.left <= 0 {
		return l
	}
	if w := safe.Width(own); w <= l.left {
		l.left -= w
		l.b.WriteString(l.t.Paint(s, own))
		return l
	}
	own = ansi.Truncate(own, l.left, l.t.Glyph(theme.Ellipsis))
	l.left -= safe.Width(own)
	l.b.WriteString(l.t.Paint(s, own))
	return l
}

// Col adds text in a column of w cells and a space after it.
func (l *Line) Col(s theme.Style, text safe.Text, w int) *Line {
	return l.Put(s, text.Fit(w)).Say(theme.Plain, " ")
}

// ColRight is Col for numbers.
func (l *Line) ColRight(s theme.Style, text safe.Text, w int) *Line {
	return l.Put(s, text.FitRight(w)).Say(theme.Plain, " ")
}

// Gap leaves room until only n cells are left.
func (l *Line) Gap(n int) *Line {
	if pad := l.left - n; pad > 0 {
		l.b.WriteString(strings.Repeat(" ", pad))
		l.left = max(0, n)
	}
	return l
}

// String pads the row to its width.
func (l *Line) String() string { return l.Gap(0).b.String() }

// Selected returns the row as the one under the cursor: reversed whole, so that
// it is seen without colours too.
func (l *Line) Selected() string {
	return l.t.Paint(theme.Reverse, ansi.Strip(l.String()))
}

// Text makes a text of our own a safe.Text, for places that take one.
func Text(own string) safe.Text { return safe.Line(own, safe.Wide) }

// Lay puts rows below one another: exactly h of them, w cells wide.
func Lay(rows []string, w, h int) string {
	if len(rows) > h {
		rows = rows[:max(0, h)]
	}
	blank := strings.Repeat(" ", max(0, w))
	for len(rows) < h {
		rows = append(rows, blank)
	}
	return strings.Join(rows, "\n")
}

// Beside puts two blocks of rows next to each other with one bar between. Both
// have exactly h rows and their own width.
func Beside(t theme.Theme, left, right string) string {
	l, r := strings.Split(left, "\n"), strings.Split(right, "\n")
	bar := t.Paint(theme.Dim, t.Glyph(theme.Bar))
	out := make([]string, min(len(l), len(r)))
	for i := range out {
		out[i] = l[i] + bar + r[i]
	}
	return strings.Join(out, "\n")
}
