package main

import (
	"strings"
	"testing"
)

// TestWriteBlock: everything is written, however many and long the lines are, and
// nothing that a terminal would obey.
func TestWriteBlock(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":             {"", ""},
		"a line":              {"a", "a\n"},
		"an empty line":       {"a\n\nb\n", "a\n\nb\n"},
		"many lines":          {strings.Repeat("x\n", 1<<20+5), strings.Repeat("x\n", 1<<20+5)},
		"a long line":         {strings.Repeat("ab", 3<<20), strings.Repeat("ab", 3<<20) + "\n"},
		"characters at edges": {strings.Repeat("é€🙏", pieceBytes), strings.Repeat("é€🙏", pieceBytes) + "\n"},
	} {
		var out strings.Builder
		if err := writeBlock(&out, c.in); err != nil || out.String() != c.want {
			t.Errorf("%s: %d bytes of %d, %v", name, out.Len(), len(c.want), err)
		}
	}
	var out strings.Builder
	writeBlock(&out, strings.Repeat("x", pieceBytes-1)+"\x1b[2J\xff\n")
	if strings.Contains(out.String(), "\x1b") || strings.Contains(out.String(), "\xff") {
		t.Error("an escape sequence gets through")
	}
}
