// Package theme is how iscope looks: styles from the sixteen ANSI slots and the
// terminal's own default colours, so that light and dark backgrounds both work,
// and glyphs with a twin in plain ASCII. Meaning is never in a colour alone.
package theme

import (
	"image/color"
	"strings"

	"charm.land/lipgloss/v2"
)

// Style is a role a piece of text plays. How it looks is in the table below.
type Style uint8

const (
	Plain Style = iota
	Bold
	Dim
	Reverse
	Good
	Warn
	Bad
	Accent
	Escaped // control bytes of a payload
	Heading
	JSONKey
	JSONText
	JSONNum
	JSONWord
	Prod
	Hit
)

// looks is every style in colours and without. Without colours weight and
// reverse stay: https://no-color.org is about colour.
var looks = [...][2]lipgloss.Style{
	Plain:    {},
	Bold:     {style().Bold(true), style().Bold(true)},
	Dim:      {style().Faint(true), style().Faint(true)},
	Reverse:  {style().Reverse(true), style().Reverse(true)},
	Good:     {ink(lipgloss.Green)},
	Warn:     {ink(lipgloss.Yellow)},
	Bad:      {ink(lipgloss.Red)},
	Accent:   {ink(lipgloss.Cyan)},
	Escaped:  {style().Reverse(true).Faint(true), style().Reverse(true).Faint(true)},
	Heading:  {style().Bold(true), style().Bold(true)},
	JSONKey:  {ink(lipgloss.Cyan)},
	JSONText: {ink(lipgloss.Green)},
	JSONNum:  {ink(lipgloss.Yellow)},
	JSONWord: {ink(lipgloss.Magenta)},
	Prod:     {ink(lipgloss.Red).Bold(true).Reverse(true), style().Bold(true).Reverse(true)},
	Hit:      {ink(lipgloss.Yellow).Bold(true), style().Bold(true)},
}

func style() lipgloss.Style { return lipgloss.NewStyle() }

func ink(c color.Color) lipgloss.Style { return style().Foreground(c) }

// opening holds the sequence that begins each style. A render costs some
// microseconds, and a screen has thousands of cells, so it is made once.
var opening = func() (out [len(looks)][2]string) {
	const mark = "x"
	for s := range looks {
		for i := range looks[s] {
			out[s][i], _, _ = strings.Cut(looks[s][i].Render(mark), mark)
		}
	}
	return out
}()

// closing ends every style (ECMA-48 §8.3.117, SGR 0).
const closing = "\x1b[m"

// Theme paints. Its zero value has colours and Unicode glyphs.
type Theme struct {
	NoColor bool
	ASCII   bool
}

// Paint wraps text in a style. The text must not contain styles.
func (t Theme) Paint(s Style, text string) string {
	variant := 0
	if t.NoColor {
		variant = 1
	}
	if open := opening[s][variant]; open != "" && text != "" {
		return open + text + closing
	}
	return text
}

// Glyph names a sign; Glyph returns it for the terminal at hand.
type Glyph uint8

const (
	OK Glyph = iota
	Warning
	Failed
	Unknown
	Paused
	Follow
	Cursor
	Marked
	Bar   // between panes
	Crumb // between the parts of the breadcrumb
	Dash
	Rec
	Dot
	Ellipsis
	Ours // what we made in a system
)

var glyphs = [...][2]string{
	OK: {"●", "o"}, Warning: {"▲", "!"}, Failed: {"✗", "x"}, Unknown: {"?", "?"}, Paused: {"‖", "="}, Follow: {"▶", ">"},
	Cursor: {"▸", ">"}, Marked: {"◆", "*"}, Bar: {"│", "|"}, Crumb: {"›", ">"}, Dash: {"—", "-"}, Rec: {"●", "*"}, Dot: {"·", "."},
	Ellipsis: {"…", "~"}, Ours: {"◇", "+"},
}

// Glyph returns a sign of one cell.
func (t Theme) Glyph(g Glyph) string {
	if t.ASCII {
		return glyphs[g][1]
	}
	return glyphs[g][0]
}

// Blocks are the eight heights of a sparkline.
func (t Theme) Blocks() []string {
	if t.ASCII {
		return []string{" ", ".", ".", ":", ":", "|", "|", "#"}
	}
	return []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
}
