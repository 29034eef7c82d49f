package emit

import (
	"encoding/hex"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Quote returns s as a JSON string. It escapes no more than RFC 8259 §7 asks.
func Quote(s string) []byte { return appendString(make([]byte, 0, len(s)+2), s) }

func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			b = append(append(b, s[from:i]...), "\ufffd"...)
			i++
			from = i
			continue
		}
		b = append(b, s[from:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

// maxHex is how many bytes a note spells out.
const maxHex = 32

// Hex spells the first bytes out, for notes.
func Hex(b []byte) string {
	if len(b) > maxHex {
		return hex.EncodeToString(b[:maxHex]) + "…"
	}
	return hex.EncodeToString(b)
}

// Counted words a number of things.
func Counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// readable quotes short bytes that are text: services put names and JSON into
// fields of bytes.
func readable(b []byte) string {
	if len(b) == 0 || len(b) > 2*maxHex || !Printable(b) {
		return ""
	}
	return ": " + strconv.Quote(string(b))
}

// Printable reports whether b is UTF-8 text without control characters, line
// ends and tabs apart.
func Printable(b []byte) bool {
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			return false
		}
		if !unicode.IsPrint(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		b = b[size:]
	}
	return true
}

// UUID writes sixteen bytes in the form of RFC 9562 §4.
func UUID(b []byte) string {
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
