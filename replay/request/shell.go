package request

import (
	"fmt"
	"strings"
)

// Quote makes one word of a POSIX shell of a text. Placeholders of masked values
// become variables to be set ("$TOKEN"). A text with control characters becomes
// $'…', which POSIX has since 2024 and bash, zsh and ksh have had for long.
func Quote(s string) string {
	var b strings.Builder
	masked(s, func(text string) { b.WriteString(quoteText(text)) }, func(name string) {
		b.WriteString(`"$` + variableName(name) + `"`)
	})
	if b.Len() == 0 {
		return "''"
	}
	return b.String()
}

func quoteText(s string) string {
	plain, control := true, false
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		plain = plain && (letter || strings.IndexByte("-_./:@%+,=", c) >= 0)
		control = control || c < ' ' && c != '\n' || c == 0x7f
	}
	switch {
	case plain:
		return s
	case !control:
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c == 0x7f:
			// Three octal digits: a hexadecimal escape would swallow a digit after it.
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}

// line is a command line being put together.
type line struct {
	b     strings.Builder
	notes []string
}

// add appends words, quoted.
func (l *line) add(words ...string) {
	for _, w := range words {
		if l.b.Len() > 0 {
			l.b.WriteByte(' ')
		}
		l.b.WriteString(Quote(w))
	}
}

// flag appends a flag with its value.
func (l *line) flag(name, value string) {
	if value != "" {
		l.add(name, value)
	}
}

// note says what the command does not do as the call did.
func (l *line) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

func (l *line) done() Line { return Line{Text: l.b.String(), Notes: l.notes} }
