package kit

import (
	"strings"

	"iscope/tui/theme"
)

// Widths from which an open detail stands beside its list, or below it.
const (
	besideWidth = 160
	belowWidth  = 100
	belowHeight = 16
)

// WithDetail lays out a list and, when it is open, the detail of what is under
// its cursor: beside it, below it, or in its place, as there is room.
func WithDetail(t theme.Theme, open bool, w, h int, list, detail func(w, h int) string) []string {
	switch {
	case h <= 0:
		return nil
	case open && w >= besideWidth:
		left := w * 3 / 5
		return strings.Split(Beside(t, list(left, h), detail(w-left-1, h)), "\n")
	case open && w >= belowWidth && h > belowHeight:
		lower := h / 2
		return append(strings.Split(list(w, h-lower), "\n"), strings.Split(detail(w, lower), "\n")...)
	case open:
		return strings.Split(detail(w, h), "\n")
	}
	return strings.Split(list(w, h), "\n")
}
