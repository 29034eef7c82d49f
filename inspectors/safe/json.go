package safe

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// JSON returns the same JSON value spelled so that a terminal can show it:
// inside strings every control, format or separator character (C0, C1, DEL,
// Cf, Zl, Zp) becomes \uXXXX. Line ends and tabs between tokens stay, a carriage
// return there becomes a space. Bytes that are no UTF-8 become \ufffd. Without
// any of these, b itself comes back.
func JSON(b []byte) []byte {
	var out []byte // nil until something changes
	var in jsonState
	for i := 0; i < len(b); {
		size := 1
		bad := ""
		if c := b[i]; c < 0x20 || c > 0x7e {
			var r rune
			r, size = utf8.DecodeRune(b[i:])
			bad = in.respell(r, size)
		}
		if bad != "" && out == nil {
			out = append(make([]byte, 0, len(b)+len(b)/8+16), b[:i]...)
		}
		switch {
		case bad != "":
			out = append(out, bad...)
		case out != nil:
			out = append(out, b[i:i+size]...)
		}
		in.advance(b[i])
		i += size
	}
	if out == nil {
		return b
	}
	return out
}

// jsonState knows whether the next character is inside a string.
type jsonState struct{ str, esc bool }

func (s *jsonState) advance(c byte) {
	switch {
	case s.esc:
		s.esc = false
	case c == '\\' && s.str:
		s.esc = true
	case c == '"':
		s.str = !s.str
	}
}

// respell returns the escape for a character that must not reach a terminal,
// "" for one that may.
func (s *jsonState) respell(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return `\ufffd`
	case !s.str && (r == '\n' || r == '\t'):
		return ""
	case !s.str && r == '\r':
		return " "
	case !unicode.IsControl(r) && !isFormat(r):
		return ""
	case r < 0x10000:
		return fmt.Sprintf(`\u%04x`, r)
	}
	r -= 0x10000
	return fmt.Sprintf(`\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
}

// isFormat recognises characters that change or hide text without being
// control characters.
func isFormat(r rune) bool {
	return r >= 0xad && unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}
