package safe

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// ellipsis ends a text that was cut; one cell.
const ellipsis = "…"

// Width is the number of cells of a string, measured as Bubble Tea measures it.
func Width(s string) int {
	if asciiPrefix(s, len(s)) == len(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// Cut shortens the text to max cells. What is cut ends in an ellipsis; neither
// a grapheme nor an escape is split.
func (t Text) Cut(max int) Text {
	if t.width <= max {
		return t
	}
	return t.ellipsize(max, false)
}

// Fit cuts or pads at the right to exactly that many cells.
func (t Text) Fit(cells int) Text {
	t = t.Cut(cells)
	if pad := cells - t.width; pad > 0 {
		t.s += spaces(pad)
		t.width = cells
	}
	return t
}

// FitRight cuts or pads at the left, for columns of numbers.
func (t Text) FitRight(cells int) Text {
	t = t.Cut(cells)
	if pad := cells - t.width; pad > 0 {
		return Concat(Text{s: spaces(pad), width: pad}, t)
	}
	return t
}

// ellipsize keeps what fits beside an ellipsis in max cells, and adds it even
// if nothing of t has to go: there was more than t. torn says that the end of t
// may be half a grapheme, which then goes as well.
func (t Text) ellipsize(max int, torn bool) Text {
	t.flags |= flagCut
	if max <= 0 {
		return Text{flags: t.flags}
	}
	end, width := t.fitting(max-1, torn)
	esc := t.esc
	for len(esc) > 0 && esc[len(esc)-1].to > end {
		if last := esc[len(esc)-1]; last.from < end {
			width -= end - last.from // escapes are ASCII
			end = last.from
		}
		esc = esc[:len(esc)-1]
	}
	return Text{s: t.s[:end] + ellipsis, width: width + 1, flags: t.flags, esc: esc[:len(esc):len(esc)]}
}

// fitting returns the longest run of whole graphemes within max cells, in bytes
// and in cells; without the last of t if that is torn.
func (t Text) fitting(max int, torn bool) (end, width int) {
	for end < len(t.s) {
		size, w := cluster(t.s[end:])
		if width+w > max || torn && end+size == len(t.s) {
			break
		}
		end, width = end+size, width+w
	}
	return end, width
}

// cluster measures the first grapheme of s.
func cluster(s string) (size, width int) {
	// Two ASCII characters in a row never join: s[0] stands alone.
	if s[0] < 0x80 && (len(s) == 1 || s[1] < 0x80) {
		return 1, 1
	}
	g, w := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	return len(g), w
}

const blank = "                                                                "

func spaces(n int) string {
	if n <= len(blank) {
		return blank[:n]
	}
	return strings.Repeat(" ", n)
}
