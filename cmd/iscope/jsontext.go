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
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

// bytesMember is the text around a member that holds bytes.
type bytesMember struct{ open, null, text, base64 string }

func newBytesMember(name string) bytesMember {
	return bytesMember{open: `,"` + name + `":`, null: `,"` + name + `":null`,
		text: `,"` + name + `_encoding":"utf8"`, base64: `,"` + name + `_encoding":"base64"`}
}

// append adds bytes as a string, with the encoding beside it; null for absent
// ones, which differ from empty ones.
func (m *bytesMember) append(b, v []byte) []byte {
	if v == nil {
		return append(b, m.null...)
	}
	b = append(b, m.open...)
	start := len(b)
	b, valid := appendText(b, v)
	if !valid {
		b = append(base64.StdEncoding.AppendEncode(append(b[:start], '"'), v), '"')
		return append(b, m.base64...)
	}
	return append(b, m.text...)
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
func appendString[S string | []byte](b []byte, s S) []byte {
	b, _ = appendText(b, s)
	return b
}

// appendText adds a JSON string (RFC 8259 §7), and reports whether it was valid
// UTF-8.
//
// It is the hot path of JSON output. Sixteen bytes at a time are copied as they
// are, then looked at: up to the first that cannot stay, they count.
func appendText[S string | []byte](b []byte, s S) (out []byte, valid bool) {
	b, valid = append(slices.Grow(b, len(s)+len(s)/8+2*stride), '"'), true
	i := 0
	for len(s)-i >= stride {
		n := len(b)
		if cap(b)-n < stride {
			b = slices.Grow(b, len(s)-i+2*stride)
		}
		to, from := b[n:n+stride], s[i:i+stride]
		first, second := word(from[:8]), word(from[8:])
		binary.LittleEndian.PutUint64(to, first)
		binary.LittleEndian.PutUint64(to[8:], second)
		plain := bits.TrailingZeros64(special(first)) / 8
		if plain == 8 {
			plain += bits.TrailingZeros64(special(second)) / 8
		}
		b, i = b[:n+plain], i+plain
		if plain < stride {
			b, i, valid = appendSpecial(b, s, i, valid)
		}
	}
	for i < len(s) {
		if c := s[i]; c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			b = append(b, c)
			i++
			continue
		}
		b, i, valid = appendSpecial(b, s, i, valid)
	}
	return append(b, '"'), valid
}

const stride = 16

// appendSpecial adds what is at i and cannot stay as it is, or has to be looked at
// whole.
func appendSpecial[S string | []byte](b []byte, s S, i int, valid bool) ([]byte, int, bool) {
	if c := s[i]; c < utf8.RuneSelf {
		return appendEscape(b, c), i + 1, valid
	}
	for i < len(s) && s[i] >= utf8.RuneSelf {
		// At most four bytes are looked at, so a long string is not copied.
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		valid = valid && (r != utf8.RuneError || size > 1)
		b, i = utf8.AppendRune(b, r), i+size
	}
	return b, i, valid
}

// word reads eight bytes; the compiler makes one load of it.
func word[S string | []byte](s S) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// special marks, by their highest bits, which of eight bytes are a control
// character, a quote, a backslash or not ASCII. The lowest mark is right; those
// above may be a borrow of the subtractions.
func special(w uint64) uint64 {
	quote, slash := w^(low*'"'), w^(low*'\\')
	return (w | (w - low*0x20) | (quote - low) | (slash - low)) & high
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
