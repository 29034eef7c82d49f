package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// folded is a text to be found whatever its case: of ASCII letters if it is
// ASCII, else of all letters.
type folded struct {
	text  string
	ascii bool
	// The search goes for the rarest byte of an ASCII text, which stands at
	// pivot, in both its cases.
	pivot        int
	lower, upper byte
	runes        []rune
	first        [256]bool // bytes with which the first rune begins, in any case
}

func fold(text string) folded {
	f := folded{text: text, ascii: true}
	for i := 0; i < len(text); i++ {
		f.ascii = f.ascii && text[i] < utf8.RuneSelf
	}
	if f.ascii {
		f.text = strings.ToLower(text)
		for i := range len(f.text) {
			if rank(f.text[i]) < rank(f.text[f.pivot]) {
				f.pivot = i
			}
		}
		if f.text != "" {
			f.lower = f.text[f.pivot]
			f.upper = f.lower
			if f.lower >= 'a' && f.lower <= 'z' {
				f.upper -= 'a' - 'A'
			}
		}
		return f
	}
	f.runes = []rune(text)
	for r := f.runes[0]; ; {
		f.first[string(r)[0]] = true
		if r = unicode.SimpleFold(r); r == f.runes[0] {
			return f
		}
	}
}

// rank is roughly how often a byte occurs in JSON and logs.
func rank(c byte) int {
	const often = "\"e,:atnrois0dcl1mu2 p_-{}3f45g6b7h98yvwk[]."
	if i := strings.IndexByte(often, c); i >= 0 {
		return len(often) - i
	}
	return 0
}

// in reports whether s contains the text.
func (f *folded) in(s string) bool {
	switch {
	case len(f.text) == 0:
		return true
	case f.ascii:
		return len(s) >= len(f.text) && f.inASCII(s)
	}
	for i := 0; i < len(s); i++ {
		if f.first[s[i]] && f.at(s[i:]) {
			return true
		}
	}
	return false
}

// inASCII jumps from one occurrence of the pivot to the next.
func (f *folded) inASCII(s string) bool {
	// The pivot of a match is within these.
	from, to := f.pivot, len(s)-(len(f.text)-f.pivot)+1
	lower := next(s, from, to, f.lower)
	upper := to
	if f.upper != f.lower {
		upper = next(s, from, to, f.upper)
	}
	for lower < to || upper < to {
		at := min(lower, upper)
		if equalASCII(s[at-f.pivot:at-f.pivot+len(f.text)], f.text) {
			return true
		}
		if at == lower {
			lower = next(s, at+1, to, f.lower)
		} else {
			upper = next(s, at+1, to, f.upper)
		}
	}
	return false
}

// next returns where c stands in s from a place on, to if it does not before.
func next(s string, from, to int, c byte) int {
	if i := strings.IndexByte(s[from:to], c); i >= 0 {
		return from + i
	}
	return to
}

// equalASCII compares s with a lower-case text of the same length.
func equalASCII(s, lower string) bool {
	for i := 0; i < len(lower); i++ {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// at reports whether s begins with the text, compared rune by rune.
func (f *folded) at(s string) bool {
	for _, want := range f.runes {
		r, n := utf8.DecodeRuneInString(s)
		if n == 0 || r != want && !sameFold(r, want) {
			return false
		}
		s = s[n:]
	}
	return true
}

func sameFold(a, b rune) bool {
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}
