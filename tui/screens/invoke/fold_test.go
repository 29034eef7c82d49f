package invoke

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"iscope/inspectors"
	"iscope/inspectors/safe"
)

func TestLongLinesAreFolded(t *testing.T) {
	for _, c := range []struct {
		w     int
		parts []string
		want  []string
	}{
		{20, []string{`"a": `, "short"}, []string{`"a": short`}},
		{12, []string{`"a": `, "0123456789"}, []string{`"a": 0123456`, "  789"}},
		{10, []string{"日本語日本語"}, []string{"日本語日本", "  語"}},
		{9, []string{"abcdefgh日"}, []string{"abcdefgh", "  日"}},
		{10, []string{"0123456789", "e\u0301"}, []string{"0123456789", "  e\u0301"}},
	} {
		var line inspectors.Line
		for _, p := range c.parts {
			line = append(line, inspectors.Span{Text: safe.Line(p, safe.Wide)})
		}
		var got []string
		for _, row := range folded(line, c.w) {
			text := ""
			for _, s := range row {
				text += s.Text.String()
			}
			if safe.Width(text) > c.w {
				t.Errorf("%q is wider than %d", text, c.w)
			}
			got = append(got, text)
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q in %d: %q", c.parts, c.w, got)
		}
	}
}

func TestTheEndOfALongLineIsShown(t *testing.T) {
	sc, p := build(t, "local", true)
	p.answer = []byte(`{"message":"` + strings.Repeat("word ", 60) + `the end"}`)
	choose(t, sc, "fake.Svc/Big")
	press(t, sc, "s")
	sc.pane = onResponse
	for _, size := range sizes {
		frame := ansi.Strip(sc.View(size[0], size[1]))
		if !strings.Contains(strings.Join(strings.Fields(frame), " "), `end"`) {
			t.Errorf("%v\n%s", size, frame)
		}
		checkSize(t, sc.View(size[0], size[1]), size[0], size[1])
	}
}
