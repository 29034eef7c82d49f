package invoke

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// key makes the key press of a name as Bubble Tea reports it.
func key(name string) tea.KeyPressMsg {
	codes := map[string]tea.KeyPressMsg{
		"left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight}, "up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown},
		"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape},
		"backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete},
		"ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "ctrl+k": {Code: 'k', Mod: tea.ModCtrl}, "ctrl+w": {Code: 'w', Mod: tea.ModCtrl},
		"ctrl+home": {Code: tea.KeyHome, Mod: tea.ModCtrl}, "ctrl+end": {Code: tea.KeyEnd, Mod: tea.ModCtrl},
	}
	if k, ok := codes[name]; ok {
		return k
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

func TestEditorKeys(t *testing.T) {
	for _, c := range []struct{ text, keys, want string }{
		{"", "a b", "ab"},
		{"  x", "end enter y", "  x\n  y"},
		{"one\ntwo", "down end backspace backspace backspace backspace", "one"},
		{"one\ntwo", "end delete", "onetwo"},
		{"one two", "end ctrl+w", "one "},
		{"one two", "end left left left ctrl+k", "one "},
		{"one\ntwo", "ctrl+end ctrl+u ctrl+home x", "xone\n"},
		{"日本\nx", "right down a", "日本\nxa"},
		{"a\nb", "down left enter z", "a\nz\nb"},
		{"tab\there\r\nx", "", "tab  here\nx"},
	} {
		var e kit.Editor
		e.Set(c.text)
		for k := range strings.FieldsSeq(c.keys) {
			if !e.Update(key(k)) {
				t.Errorf("%q has no use for %s", c.text, k)
			}
		}
		if got := e.Value(); got != c.want {
			t.Errorf("%q after %s is %q, want %q", c.text, c.keys, got, c.want)
		}
	}
	var e kit.Editor
	if e.Update(key("ctrl+home")); e.Update(tea.KeyPressMsg{Code: 'x', Mod: tea.ModCtrl}) || e.Value() != "" {
		t.Error("ctrl+x typed something")
	}
}

// Whatever is typed, the text is that of a plain string edited alike, and every
// row has its width and shows the cursor's line.
func TestEditorAgainstAString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var e kit.Editor
		want, at := "", 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			runes := []rune(want)
			switch step := rapid.SampledFrom([]string{"paste", "left", "right", "backspace", "delete", "ctrl+home"}).Draw(t, "step"); step {
			case "paste":
				text := rapid.StringMatching(`[ab{}" 日\n\x{1b}]{0,12}`).Draw(t, "text")
				e.Update(tea.PasteMsg{Content: text})
				want = string(runes[:at]) + text + string(runes[at:])
				at += len([]rune(text))
			case "left":
				at = max(0, at-1)
				e.Update(key(step))
			case "right":
				at = min(len(runes), at+1)
				e.Update(key(step))
			case "backspace":
				e.Update(key(step))
				if at > 0 {
					want, at = string(runes[:at-1])+string(runes[at:]), at-1
				}
			case "delete":
				e.Update(key(step))
				if at < len(runes) {
					want = string(runes[:at]) + string(runes[at+1:])
				}
			case "ctrl+home":
				at = 0
				e.Update(key(step))
			}
			if e.Value() != want {
				t.Fatalf("%q, want %q", e.Value(), want)
			}
			before := string([]rune(want)[:at])
			row, col := e.Cursor()
			if row != strings.Count(before, "\n") || col != len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) {
				t.Fatalf("cursor at %d:%d after %q", row, col, before)
			}
			w, h := rapid.IntRange(0, 20).Draw(t, "w"), rapid.IntRange(0, 5).Draw(t, "h")
			for _, r := range e.Rows(theme.Theme{}, w, h, true, 0) {
				if got := safe.Width(ansi.Strip(r)); got != w {
					t.Fatalf("%d cells of %d: %q", got, w, r)
				}
			}
		}
	})
}
