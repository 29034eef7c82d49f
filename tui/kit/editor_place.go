package kit

import "strings"

// Place puts the cursor on a line and column, from 0; beyond the text it goes to
// its end.
func (e *Editor) Place(row, col int) {
	if len(e.lines) == 0 {
		e.lines = [][]rune{nil}
	}
	e.row = max(0, min(row, len(e.lines)-1))
	e.col = max(0, min(col, len(e.line())))
}

// PlaceAt puts the cursor on the character at a byte of Value.
func (e *Editor) PlaceAt(offset int) {
	text := e.Value()
	before := text[:max(0, min(offset, len(text)))]
	e.Place(strings.Count(before, "\n"), len([]rune(before[strings.LastIndexByte(before, '\n')+1:])))
}

// Offset is the byte of Value at which the cursor is.
func (e *Editor) Offset() int {
	n := 0
	for i := range min(e.row, len(e.lines)) {
		n += len(string(e.lines[i])) + 1
	}
	if e.row < len(e.lines) {
		n += len(string(e.lines[e.row][:min(e.col, len(e.lines[e.row]))]))
	}
	return n
}
