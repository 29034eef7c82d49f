// Package theme is how iscope looks: styles from the sixteen ANSI slots and the
// terminal's own default colours, so that light and dark backgrounds both work,
// and glyphs with a twin in plain ASCII. Meaning is never in a colour alone.
package theme

// Style is a list of SGR parameters (ECMA-48 §8.3.117), "" for none.
type Style string

const (
	Plain    Style = ""
	Bold     Style = "1"
	Dim      Style = "2"
	Reverse  Style = "7"
	Good     Style = "32"
	Warn     Style = "33"
	Bad      Style = "31"
	Accent   Style = "36"
	Escaped  Style = "7;2" // control bytes of a payload
	Heading  Style = "1"
	JSONKey  Style = "36"
	JSONText Style = "32"
	JSONNum  Style = "33"
	JSONWord Style = "35"
	Prod     Style = "1;7;31"
	Hit      Style = "1;33"
)

// Theme paints. Its zero value has colours and Unicode glyphs.
type Theme struct {
	NoColor bool // https://no-color.org: no colours; weight and reverse stay
	ASCII   bool
}

// Paint wraps text in a style. The text must not contain styles.
func (t Theme) Paint(s Style, text string) string {
	if s == "" || text == "" {
		return text
	}
	if t.NoColor {
		if s = s.weight(); s == "" {
			return text
		}
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[m"
}

// weight is what is left of a style without colour.
func (s Style) weight() Style {
	switch s {
	case Bold, Dim, Reverse, Escaped:
		return s
	case Prod:
		return "1;7"
	case Hit:
		return Bold
	}
	return ""
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
)

var glyphs = [...][2]string{
	OK: {"●", "o"}, Warning: {"▲", "!"}, Failed: {"✗", "x"}, Unknown: {"?", "?"}, Paused: {"‖", "="}, Follow: {"▶", ">"},
	Cursor: {"▸", ">"}, Marked: {"◆", "*"}, Bar: {"│", "|"}, Crumb: {"›", ">"}, Dash: {"—", "-"}, Rec: {"●", "*"}, Dot: {"·", "."},
	Ellipsis: {"…", "~"},
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
