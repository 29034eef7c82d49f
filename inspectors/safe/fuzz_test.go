package safe_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"iscope/inspectors/safe"
)

// hostile reports a character that must never reach a terminal.
func hostile(r rune) bool {
	switch {
	case unicode.IsControl(r), r == 0x61c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e,
		r >= 0x2066 && r <= 0x2069, r == 0x200b, r == 0xfeff, r == 0x2028, r == 0x2029, r == 0xad,
		r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

var corpus = []string{
	"plain", "\x1b]52;c;ZWNo\x07", "\x1b]0;t\x1b\\", "\x1b]8;;http://x\x07y\x1b]8;;\x07", "\x1b[2J\x1b[6n\x1b[?1000h\x1bc",
	"\x1bPq\x1b\\\x1b_G\x1b\\", "\u009b2J\u009d0;x\u009c", "a\rBBBB", "\b\a\x00", "\x1b[31mred", "\u202e\u2066x\u2069",
	"\u200b\u2028", "e" + strings.Repeat("\u0301", 60), "\x1b]0;unterminated", "日本語", "👨\u200d👩\u200d👧\u200d👦🇩🇪1\ufe0f⃣❤\ufe0f", "क्\u200dषक्\u200dष", "می\u200cخواهم",
	"\xff\xc0\x80\xed\xa0\x80", strings.Repeat("क्", 50), "🏴\U000e0067\U000e007f", "ᄀ" + strings.Repeat("ᅡ", 20),
}

func FuzzLine(f *testing.F) {
	for _, s := range corpus {
		f.Add(s, 20)
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, max int) {
		max %= 300
		line := safe.Line(s, max)
		out := line.String()
		checkClean(t, out)
		if w := ansi.StringWidth(out); w != line.Width() || w > max && max > 0 || max <= 0 && w > 0 {
			t.Fatalf("Line(%q, %d) = %q is %d cells wide, says %d", s, max, out, w, line.Width())
		}
		if got := safe.LineBytes([]byte(s), max).String(); got != out {
			t.Fatalf("LineBytes(%q, %d) = %q, Line %q", s, max, got, out)
		}
		if line.Truncated() && max > 0 {
			checkBoundary(t, safe.Line(s, 4*max+64).String(), strings.TrimSuffix(out, "…"))
		}
		var joined strings.Builder
		for piece := range line.Parts {
			joined.WriteString(piece)
		}
		if joined.String() != out {
			t.Fatalf("parts of %q give %q", out, joined.String())
		}
		if fit := line.Fit(17); fit.Width() != 17 || ansi.StringWidth(fit.String()) != 17 {
			t.Fatalf("Fit(17) of %q is %q", out, fit)
		}
		if cut := line.Cut(5); cut.Width() > 5 {
			t.Fatalf("Cut(5) of %q is %q", out, cut)
		}
	})
}

// checkBoundary verifies that a kept prefix ends between two graphemes of the
// whole.
func checkBoundary(t *testing.T, whole, kept string) {
	t.Helper()
	if !strings.HasPrefix(whole, kept) {
		t.Fatalf("%q does not start with %q", whole, kept)
	}
	for rest, at := whole, 0; at < len(kept); {
		g, _ := ansi.FirstGraphemeCluster(rest, ansi.GraphemeWidth)
		at, rest = at+len(g), rest[len(g):]
		if at > len(kept) {
			t.Fatalf("%q is cut inside the grapheme %q", whole, g)
		}
	}
}

func checkClean(t *testing.T, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Fatalf("%q is no UTF-8", out)
	}
	marks := 0
	for _, r := range out {
		if hostile(r) {
			t.Fatalf("%q holds %U", out, r)
		}
		if unicode.In(r, unicode.Mn, unicode.Me) && r != '\ufe0f' {
			marks++
		} else if r != '\u200c' && r != '\u200d' && r != '\ufe0f' {
			marks = 0
		}
		if marks > 4 {
			t.Fatalf("%q stacks %d marks", out, marks)
		}
	}
}

func FuzzBlock(f *testing.F) {
	for _, s := range corpus {
		f.Add(s+"\n\t"+s, 20, 5)
	}
	f.Fuzz(func(t *testing.T, s string, max, lines int) {
		max, lines = max%200, lines%50
		rows, _ := safe.Block(s, max, lines)
		if len(rows) > lines && lines >= 0 {
			t.Fatalf("%d rows of %d", len(rows), lines)
		}
		for _, r := range rows {
			checkClean(t, r.String())
			if r.Width() > max && max > 0 {
				t.Fatalf("%q is wider than %d", r, max)
			}
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range corpus {
		b, _ := json.Marshal(map[string]string{s: s})
		f.Add(b)
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out := safe.JSON(in)
		for _, r := range string(out) {
			if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)) {
				t.Fatalf("%q still holds %U", out, r)
			}
		}
		if json.Valid(in) != json.Valid(out) && json.Valid(in) {
			t.Fatalf("%q was valid, %q is not", in, out)
		}
		var a, b any
		if utf8.Valid(in) && json.Unmarshal(in, &a) == nil {
			if err := json.Unmarshal(out, &b); err != nil {
				t.Fatal(err)
			}
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			if string(x) != string(y) {
				t.Fatalf("%s became %s", x, y)
			}
		}
	})
}
