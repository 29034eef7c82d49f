package filter

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// escapeLen is the length of the escape sequence at the beginning of s, 0 if it
// is none of RFC 8259 §7.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads the \uXXXX at the beginning of s.
func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape appends the text that a JSON string stands for. What is no escape
// sequence stays as it is, so that it can be used on whole documents as well.
func unescape(out []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			return append(out, s...)
		}
		out = append(out, s[:i]...)
		s = s[i:]
		n := escapeLen(s)
		switch n {
		case 0:
			out = append(out, '\\')
			n = 1
		case 2:
			out = append(out, plain(s[1]))
		default:
			r, _ := hex4(s)
			if utf16.IsSurrogate(r) {
				low, _ := hex4(s[6:])
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					n = 12
				}
			}
			out = utf8.AppendRune(out, r)
		}
		s = s[n:]
	}
}

// plain is the character that a backslash and c stand for.
func plain(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}
