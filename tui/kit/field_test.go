package kit

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"iscope/tui/theme"
)

func TestFieldFitsWhateverIsTyped(t *testing.T) {
	texts := []string{"", "abc", strings.Repeat("x", 500), strings.Repeat("日本", 200), "a" + strings.Repeat("\u0301", 60),
		"👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "\x1b]0;t\x07", "\u202eevil"}
	for _, text := range texts {
		for _, w := range []int{0, 1, 2, 3, 10, 80, 300} {
			for back := range min(4, len(text)+1) {
				var f Field
				f.Set(text)
				for range back {
					f.Update(tea.KeyPressMsg{Code: tea.KeyLeft})
				}
				l := NewLine(theme.Theme{}, w)
				if got := ansi.StringWidth(f.Draw(l, w, true).String()); got != w {
					t.Errorf("%.20q, %d back: %d cells of %d", text, back, got, w)
				}
			}
		}
	}
}

func TestFieldShowsItsEndAndTheCursor(t *testing.T) {
	var f Field
	f.Set(strings.Repeat("日", 100) + "end")
	row := f.Draw(NewLine(theme.Theme{}, 20), 20, true).String()
	if !strings.Contains(row, "end\x1b[7m \x1b[m") {
		t.Errorf("%q", row)
	}
}

func BenchmarkFieldDraw(b *testing.B) {
	var f Field
	f.Set(strings.Repeat("日本", 2000))
	for b.Loop() {
		f.Draw(NewLine(theme.Theme{}, 300), 300, true)
	}
}
