package safe

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// The rule, per code point:
//
//	0x20–0x7E                                 as is
//	byte that is no UTF-8                     \xHH
//	ESC, LF, CR, TAB                          \e \n \r \t (in a Block, LF ends the
//	                                          row and TAB is four cells)
//	other C0, DEL, C1 (U+0080–9F)             \xHH
//	Cf (bidi controls, zero-width space, BOM, \u{…}
//	soft hyphen, tags), Zl, Zp, Co, unassigned,
//	noncharacters, ignorable fillers,
//	variation selectors
//	ZWJ, ZWNJ                                 kept between emoji or after a letter or
//	                                          mark of a joining script, else \u{…}
//	VS16 (U+FE0F)                             kept after an emoji or keycap base
//	combining marks (Mn, Me)                  four per base; none without a base
//	everything else that unicode.IsGraphic    as is
//
// A backslash in the data is not doubled: Text.Escaped and the hex view tell
// the difference. Why each of these is dangerous: CVE-2021-42574 (bidi),
// CVE-2021-25743 and CVE-2024-52005 (escape sequences in other people's text).

const (
	zwnj = '\u200c'
	zwj  = '\u200d'
	vs16 = '\ufe0f'

	maxMarks = 4
)

// escaper turns one row's source into out.
type escaper struct {
	block bool
	out   []byte
	esc   []span
	flags flags

	prev    rune // last rune kept; 0 at the start and after an escape
	hasBase bool // a combining mark would have something to sit on
	marks   int  // combining marks on that base
}

// step handles the character at s[i] and returns the index of the next.
func (e *escaper) step(s string, i int) int {
	if c := s[i]; c >= 0x20 && c < 0x7f {
		e.keep(rune(c), s[i:i+1])
		return i + 1
	}
	r, size := utf8.DecodeRuneInString(s[i:])
	end := i + size
	switch {
	case r == utf8.RuneError && size == 1:
		e.hex(s[i])
	case r < 0xa0:
		e.control(byte(r))
	case isPlain(r):
		e.keep(r, s[i:end])
	case r == zwj || r == zwnj:
		e.keepIf(e.joins(s[end:]), r, s[i:end])
	case r == vs16:
		e.keepIf(isEmoji(e.prev) || isKeycap(e.prev), r, s[i:end])
	case isHidden(r) || !unicode.IsGraphic(r):
		e.code(r)
	case unicode.In(r, unicode.Mn, unicode.Me):
		e.mark(r, s[i:end])
	default:
		e.keep(r, s[i:end])
	}
	return end
}

// keep copies a character that others may combine with.
func (e *escaper) keep(r rune, s string) {
	e.out = append(e.out, s...)
	e.prev, e.hasBase, e.marks = r, true, 0
	e.flags |= scriptFlags(r)
}

// keepIf copies a joiner or selector, which belongs to the base before it.
func (e *escaper) keepIf(ok bool, r rune, s string) {
	if !ok {
		e.code(r)
		return
	}
	e.out = append(e.out, s...)
	e.prev = r
}

// mark copies a combining mark unless it has no base or the base has enough.
func (e *escaper) mark(r rune, s string) {
	if !e.hasBase || e.marks >= maxMarks {
		// The escape is no base either, so further marks are escaped too.
		e.code(r)
		return
	}
	e.out = append(e.out, s...)
	e.prev = r
	e.marks++
}

// joins reports whether a joiner may stand between what was kept and rest.
func (e *escaper) joins(rest string) bool {
	if isJoining(e.prev) {
		return true
	}
	if !isEmoji(e.prev) && e.prev != vs16 {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	return isEmoji(next)
}

func (e *escaper) control(c byte) {
	switch c {
	case 0x1b:
		e.escape('\\', 'e')
	case '\n':
		e.escape('\\', 'n')
	case '\r':
		e.escape('\\', 'r')
	case '\t':
		if e.block {
			e.keep(' ', "    ")
			return
		}
		e.escape('\\', 't')
	default:
		e.hex(c)
	}
}

func (e *escaper) hex(c byte) {
	const digits = "0123456789abcdef"
	e.escape('\\', 'x', digits[c>>4], digits[c&15])
}

func (e *escaper) code(r rune) {
	var buf [16]byte
	b := append(buf[:0], `\u{`...)
	b = strconv.AppendInt(b, int64(r), 16)
	e.escape(append(b, '}')...)
}

// escape appends our own spelling of something and remembers where.
func (e *escaper) escape(b ...byte) {
	from := len(e.out)
	e.out = append(e.out, b...)
	e.esc = append(e.esc, span{from, len(e.out)})
	e.prev, e.hasBase, e.marks = 0, false, 0
}
