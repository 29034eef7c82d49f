package safe

import (
	"strings"
	"unicode/utf8"
)

// Wide is a width for text that nothing limits, such as a line of a file.
const Wide = 1 << 20

// sourceBudget is how many bytes of source a row of max cells looks at: four
// for each cell, and room for one long grapheme in a narrow column. Only stacked
// marks and chains of joiners take more, and a row of those is cut.
func sourceBudget(max int) int { return 4*max + 64 }

// Line makes one row of at most max cells. Printable ASCII that fits is
// returned as it is, without an allocation.
func Line(s string, max int) Text {
	if len(s) <= max && asciiPrefix(s, len(s)) == len(s) {
		return Text{s: s, width: len(s)}
	}
	return line(s, max, false)
}

// LineBytes is Line for bytes, of which it keeps no reference.
func LineBytes(b []byte, max int) Text {
	if max < 0 {
		max = 0
	}
	// One byte more than line looks at, so that it knows there was more.
	if n := sourceBudget(max) + utf8.UTFMax; len(b) > n {
		b = b[:n]
	}
	return Line(string(b), max)
}

// Block makes rows of text with line ends: LF separates rows, TAB becomes four
// cells. At most lines rows come back; more says that some were left out. A
// final LF starts no row of its own.
func Block(s string, max, lines int) (rows []Text, more bool) {
	for s != "" {
		if len(rows) >= lines {
			return rows, true
		}
		row, rest, _ := strings.Cut(s, "\n")
		rows = append(rows, line(row, max, true))
		s = rest
	}
	return rows, false
}

func line(s string, max int, block bool) Text {
	if max <= 0 {
		t := Text{}
		if s != "" {
			t.flags = flagCut
		}
		return t
	}
	src, over := budget(s, sourceBudget(max))
	e := escaper{block: block, out: make([]byte, 0, len(src)+16)}
	for i := 0; i < len(src); {
		i = e.step(src, i)
	}
	t := Text{s: string(e.out), flags: e.flags, esc: e.esc}
	t.width = Width(t.s)
	if over || t.width > max {
		return t.ellipsize(max, over)
	}
	return t
}

// budget cuts to n bytes, between characters, and says whether it did.
func budget(s string, n int) (string, bool) {
	if len(s) <= n {
		return s, false
	}
	for back := 1; back < utf8.UTFMax && back <= n; back++ {
		if !utf8.RuneStart(s[n-back]) {
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[n-back:]); size > back {
			n -= back
		}
		break
	}
	return s[:n], true
}

// asciiPrefix returns how many of the first n bytes are printable ASCII.
func asciiPrefix(s string, n int) int {
	for i := range n {
		if c := s[i]; c < 0x20 || c > 0x7e {
			return i
		}
	}
	return n
}
