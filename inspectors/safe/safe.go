// Package safe is the only way for text from outside to reach a terminal.
//
// Everything that is not a literal in our own source is outside: payloads,
// keys, headers, names of topics and services, error texts of servers, file
// names, configuration, the clipboard. Such text becomes a Text through Line,
// LineBytes or Block, which show control characters instead of sending them.
// Nothing is dropped: in a debugger the hostile byte is the evidence.
//
// What is let through and what is escaped is the table in escape.go.
package safe

import "strings"

// Text is a string that can be written to a terminal as it is. It holds no
// control character, no character that changes the direction of its
// neighbours and none that is invisible, and it knows its width. The zero
// value is the empty text.
type Text struct {
	s     string
	width int
	flags flags
	esc   []span // the escapes in s, ascending; nil when there are none
}

// span is a range of bytes of Text.s.
type span struct{ from, to int }

type flags uint8

const (
	flagRTL flags = 1 << iota
	flagLatin
	flagLookalike // Cyrillic or Greek
	flagCut
)

// literal is unexported so that outside this package only constants convert to
// it: Const(variable) does not compile.
type literal string

// Const makes a Text of a literal of our own source.
func Const(s literal) Text { return Text{s: string(s), width: Width(string(s))} }

// String returns the text, ready for the terminal.
func (t Text) String() string { return t.s }

// Width is the number of cells the text occupies.
func (t Text) Width() int { return t.width }

// Escaped reports whether the source held something that is shown as an
// escape. Rows of such text carry the tag [esc], because a payload may spell
// out "\e" by itself.
func (t Text) Escaped() bool { return len(t.esc) > 0 }

// RTL reports whether the text holds letters written from right to left, which
// some terminals use to reorder the whole row. Such rows carry ‹rtl›.
func (t Text) RTL() bool { return t.flags&flagRTL != 0 }

// Mixed reports whether Latin letters stand beside Cyrillic or Greek ones,
// which look alike. Names that identify something carry ‹mixed› then.
func (t Text) Mixed() bool {
	return t.flags&(flagLatin|flagLookalike) == flagLatin|flagLookalike
}

// Truncated reports whether something was left out at the end.
func (t Text) Truncated() bool { return t.flags&flagCut != 0 }

// Tags returns the marks a row with this text carries, "" for none. identity
// says that the text names something, which adds the check for scripts that
// look alike.
func (t Text) Tags(identity bool) Text {
	var tags []string
	if t.Escaped() {
		tags = append(tags, "[esc]")
	}
	if t.RTL() {
		tags = append(tags, "‹rtl›")
	}
	if identity && t.Mixed() {
		tags = append(tags, "‹mixed›")
	}
	s := strings.Join(tags, " ")
	return Text{s: s, width: Width(s)}
}

// Parts yields the text piece by piece with whether the piece is an escape, so
// that escapes can be drawn in another style.
func (t Text) Parts(yield func(piece string, escape bool) bool) {
	at := 0
	for _, e := range t.esc {
		if e.from > at && !yield(t.s[at:e.from], false) {
			return
		}
		if !yield(t.s[e.from:e.to], true) {
			return
		}
		at = e.to
	}
	if at < len(t.s) {
		yield(t.s[at:], false)
	}
}

// Concat joins texts. The tags of the parts hold for the whole.
func Concat(parts ...Text) Text {
	var b strings.Builder
	var t Text
	for _, p := range parts {
		for _, e := range p.esc {
			t.esc = append(t.esc, span{b.Len() + e.from, b.Len() + e.to})
		}
		b.WriteString(p.s)
		t.flags |= p.flags
	}
	t.s = b.String()
	t.width = Width(t.s)
	return t
}
