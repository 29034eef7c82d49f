package invoke

import (
	"unicode/utf8"

	"iscope/inspectors"
	"iscope/inspectors/safe"
)

// hang is how far the rows after the first of a long line are set in.
const hang = 2

// folded breaks a line that is wider than w cells into rows: what stands at the
// end of a long line is often what one is looking for.
func folded(line inspectors.Line, w int) []inspectors.Line {
	width := 0
	for _, s := range line {
		width += s.Text.Width()
	}
	if width <= w || w <= 4*hang {
		return []inspectors.Line{line}
	}
	var rows []inspectors.Line
	var row inspectors.Line
	left := w
	for _, s := range line {
		rest := s.Text.String()
		for rest != "" {
			n, cells := fitting(rest, left)
			if n == 0 && left < w-hang {
				rows, row, left = append(rows, row), inspectors.Line{{Text: safe.Const("  ")}}, w-hang
				continue
			}
			n = max(n, 1)
			row = append(row, inspectors.Span{Kind: s.Kind, Text: safe.Line(rest[:n], safe.Wide)})
			rest, left = rest[n:], left-cells
		}
	}
	return append(rows, row)
}

// fitting is how many bytes of a text fit into so many cells, and their width. A
// mark stays with its letter.
func fitting(s string, cells int) (n, width int) {
	for n < len(s) {
		size, wide := 1, 1
		if s[n] >= utf8.RuneSelf {
			_, size = utf8.DecodeRuneInString(s[n:])
			wide = safe.Width(s[n : n+size])
		}
		if width+wide > cells {
			return n, width
		}
		n, width = n+size, width+wide
	}
	return n, width
}
