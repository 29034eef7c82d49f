package main

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendMember adds a string member unless it is empty.
func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(append(append(b, `,"`...), name...), `":`...), value)
}

// appendKnown is appendMember for a name that is JSON already: `,"name":`.
func appendKnown(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, name...), value)
}

// bytesMember is the text around a member that holds bytes.
type bytesMember struct{ open, null, base64 string }

func newBytesMember(name string) bytesMember {
	return bytesMember{open: `,"` + name + `":`, null: `,"` + name + `":null`, base64: `,"` + name + `_encoding":"base64"`}
}

// append adds bytes as a string, where they are no text in base64, with that said
// beside it; null for absent ones, which differ from empty ones.
func (m *bytesMember) append(b, v []byte) []byte {
	if v == nil {
		return append(b, m.null...)
	}
	b = append(b, m.open...)
	start := len(b)
	b, valid := appendText(b, v)
	if !valid {
		b = append(base64.StdEncoding.AppendEncode(append(b[:start], '"'), v), '"')
		b = append(b, m.base64...)
	}
	return b
}

// clock writes a time as a member. Consecutive records are mostly of the same
// second, often of the same moment, whose text it keeps.
type clock struct {
	name   string // with all that comes before the time
	last   time.Time
	second int64
	upTo   int    // where the text of the second ends
	text   []byte // `,"time":"2026-11-22T14:03:00.123Z"`
}

// append adds the member in RFC 3339 with as many digits as the time has.
func (c *clock) append(b []byte, t time.Time) []byte {
	if t.IsZero() {
		c.last = t
		return b
	}
	if t != c.last || c.text == nil {
		c.format(t)
	}
	return append(b, c.text...)
}

func (c *clock) format(t time.Time) {
	if s := t.Unix(); c.text == nil || s != c.second {
		c.text = t.UTC().AppendFormat(append(c.text[:0], c.name...), "2006-01-02T15:04:05")
		c.second, c.upTo = s, len(c.text)
	}
	c.last, c.text = t, c.text[:c.upTo]
	if n := t.Nanosecond(); n != 0 {
		c.text = strconv.AppendInt(c.text, int64(n)+1e9, 10) // "1" and nine digits
		c.text[c.upTo] = '.'
		for c.text[len(c.text)-1] == '0' {
			c.text = c.text[:len(c.text)-1]
		}
	}
	c.text = append(c.text, `Z"`...)
}

const (
	hexDigits = "0123456789abcdef"
	low       = 0x0101010101010101
	high      = 0x8080808080808080
)

// appendString adds a JSON string. Invalid UTF-8 in names and attributes becomes
// U+FFFD.
func appendString(b []byte, s string) []byte {
	start := len(b) + 1
	b = append(append(b, '"'), s...)
	for i := start; i < len(b); i++ {
		if c := b[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			b, _ = appendText(b[:start-1], []byte(s))
			return b
		}
	}
	return append(b, '"')
}

const (
	// piece is how many bytes are escaped with room for the worst case, in which
	// each becomes six.
	piece  = 1 << 10
	stride = 32
	slack  = 16 // escape writes beyond the end of what it makes
)

// appendText adds a JSON string (RFC 8259 §7), and reports whether it was valid
// UTF-8. It is the hot path of JSON output.
func appendText(b, s []byte) (out []byte, valid bool) {
	b, valid = append(b, '"'), true
	for len(s) > 0 {
		part := s[:min(len(s), piece)]
		room := 6*len(part) + slack
		b = slices.Grow(b, room)
		n := len(b)
		taken, made := escape(b[n:n+room], part)
		b, s = b[:n+made], s[taken:]
		for len(s) > 0 && s[0] >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s)
			valid = valid && (r != utf8.RuneError || size > 1)
			b, s = utf8.AppendRune(b, r), s[size:]
		}
	}
	return append(b, '"'), valid
}

// escape writes the ASCII that a text begins with, escaped, and returns how many
// bytes that took and made. to has room for six times as many and slack.
//
// Eight bytes at a time are written as they are; what is special among them is
// then written anew with what follows it. Where nothing is, longer strides follow.
func escape(to, from []byte) (taken, made int) {
	le := binary.LittleEndian
	i, n := 0, 0
words:
	for len(from)-i >= 8 && len(to)-n >= 8+slack {
		w := le.Uint64(from[i:])
		le.PutUint64(to[n:], w)
		marks := special(w)
		if marks == 0 {
			more := copyPlain(to[n+8:], from[i+8:])
			i, n = i+8+more, n+8+more
			continue
		}
		for left := 8; ; {
			plain := uint(bits.TrailingZeros64(marks)) & (8 * 7) // in bits
			left -= int(plain/8) + 1
			n, w, marks = n+int(plain/8), w>>plain, marks>>plain>>8
			c := byte(w)
			if c != '"' && c != '\\' {
				i += 8 - left - 1
				if c >= utf8.RuneSelf {
					return i, n
				}
				i, n = i+1, n+len(appendEscape(to[n:n], c))
				continue words
			}
			t := (*[9]byte)(to[n:])
			t[0] = '\\'
			le.PutUint64(t[1:], w)
			w, n = w>>8, n+2
			if marks == 0 {
				i, n = i+8, n+left
				break
			}
		}
	}
	for ; i < len(from) && from[i] < utf8.RuneSelf; i++ {
		if c := from[i]; c < 0x20 || c == '"' || c == '\\' {
			n += len(appendEscape(to[n:n], c))
		} else {
			to[n] = c
			n++
		}
	}
	return i, n
}

// copyPlain copies whole strides without anything special, and returns how many
// bytes those are.
func copyPlain(to, from []byte) (n int) {
	le := binary.LittleEndian
	for len(from)-n >= stride && len(to)-n >= stride {
		f, t := (*[stride]byte)(from[n:]), (*[stride]byte)(to[n:])
		a, b, c, d := le.Uint64(f[:]), le.Uint64(f[8:]), le.Uint64(f[16:]), le.Uint64(f[24:])
		if (suspect(a)|suspect(b)|suspect(c)|suspect(d))&high != 0 {
			break
		}
		le.PutUint64(t[:], a)
		le.PutUint64(t[8:], b)
		le.PutUint64(t[16:], c)
		le.PutUint64(t[24:], d)
		n += stride
	}
	return n
}

// special marks, by their highest bits, which of eight bytes are a control
// character, a quote, a backslash or not ASCII. Quotes are turned into what lies
// just above the control characters, and spaces away from there; the additions
// carry into the highest bit of a byte where it is large enough.
func special(w uint64) uint64 {
	const rest = ^uint64(high)
	notLow := (w^low*2)&rest + low*(0x7f-0x20)
	noSlash := (w^low*'\\')&rest + low*0x7f
	return (^(notLow & noSlash) | w) & high
}

// suspect marks at least one byte, by its highest bit, where special does, and
// none where it does not: a borrow may mark others beside it. It costs less.
func suspect(w uint64) uint64 {
	return w | ((w ^ low*2) - low*0x21) | ((w ^ low*'\\') - low)
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
