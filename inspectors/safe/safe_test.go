package safe_test

import (
	"encoding/json"
	"strings"
	"testing"

	"iscope/inspectors/safe"
)

func TestLineShowsWhatItMustNotSend(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"plain text as is", `{"id":"A-771"} ok\e`, `{"id":"A-771"} ok\e`},
		{"clipboard write", "\x1b]52;c;ZWNo\x07", `\e]52;c;ZWNo\x07`},
		{"title", "\x1b]0;pwned\x1b\\", `\e]0;pwned\e\`},
		{"link", "\x1b]8;;http://x\x07here\x1b]8;;\x07", `\e]8;;http://x\x07here\e]8;;\x07`},
		{"clear screen and reset", "\x1b[2J\x1bc", `\e[2J\ec`},
		{"device control string", "\x1bPq#0\x1b\\", `\ePq#0\e\`},
		{"C1 as UTF-8", "\u009b2J\u009d0;x", `\x9b2J\x9d0;x`},
		{"C1 as a raw byte", "\x9b2J", `\x9b2J`},
		{"carriage return", "safe\rBBBB", `safe\rBBBB`},
		{"line end, tab, bell, backspace, NUL, DEL", "a\nb\tc\a\b\x00\x7f", `a\nb\tc\x07\x08\x00\x7f`},
		{"colours from data", "\x1b[31mred\x1b[0m", `\e[31mred\e[0m`},
		{"unterminated OSC", "\x1b]0;rest of the frame", `\e]0;rest of the frame`},
		{"bidi override", "a\u202eb\u2066c\u200f", `a\u{202e}b\u{2066}c\u{200f}`},
		{"zero width and BOM", "a\u200bb\ufeffc\u00ad", `a\u{200b}b\u{feff}c\u{ad}`},
		{"separators", "a\u2028b\u2029", `a\u{2028}b\u{2029}`},
		{"tags", "x\U000e0041", `x\u{e0041}`},
		{"private use and noncharacter", "\ue000\uffff\U0010fffe", `\u{e000}\u{ffff}\u{10fffe}`},
		{"invalid UTF-8", "a\xff\xfeb\xc3", `a\xff\xfeb\xc3`},
		{"surrogate in UTF-8", "\xed\xa0\x80", `\xed\xa0\x80`},
		{"CJK, Hebrew, Arabic, accents", "日本語 שלום مرحبا café", "日本語 שלום مرحبا café"},
		{"family emoji keeps its joiners", "👨‍👩‍👧", "👨‍👩‍👧"},
		{"joiner between letters", "a\u200db\u200c", `a\u{200d}b\u{200c}`},
		{"joiner after an emoji but before a letter", "👨\u200dx", `👨\u{200d}x`},
		{"Persian keeps its non-joiner", "می\u200cخواهم", "می\u200cخواهم"},
		{"Hindi keeps its joiner after a virama", "क्\u200dष", "क्\u200dष"},
		{"doubled joiner", "می\u200c\u200cخ", "می\u200c" + `\u{200c}` + "خ"},
		{"VS16 after an emoji and a keycap", "❤\ufe0f 1\ufe0f\u20e3", "❤\ufe0f 1\ufe0f\u20e3"},
		{"VS16 after a letter", "a\ufe0f", `a\u{fe0f}`},
		{"other variation selectors", "a\ufe00b\U000e0100", `a\u{fe00}b\u{e0100}`},
		{"fillers", "\u3164\u115f\u034f", `\u{3164}\u{115f}\u{34f}`},
		{"four marks and no more", "e\u0301\u0302\u0303\u0304\u0305\u0306", "e\u0301\u0302\u0303\u0304" + `\u{305}\u{306}`},
		{"a mark at the start", "\u0301a", `\u{301}a`},
		{"a mark after an escape", "\x00\u0301", `\x00\u{301}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := safe.Line(tc.in, 200)
			if got.String() != tc.want {
				t.Errorf("Line(%q)\n got %q\nwant %q", tc.in, got, tc.want)
			}
			if got.Escaped() != (tc.in != tc.want) {
				t.Errorf("Escaped() = %v", got.Escaped())
			}
			if b := safe.LineBytes([]byte(tc.in), 200); b.String() != tc.want {
				t.Errorf("LineBytes differs: %q", b)
			}
		})
	}
}

func TestLineCutsByCells(t *testing.T) {
	for _, tc := range []struct {
		in   string
		max  int
		want string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcd…"},
		{"abcdef", 1, "…"},
		{"abcdef", 0, ""},
		{"日本語", 6, "日本語"},
		{"日本語", 5, "日本…"},
		{"日本語", 4, "日…"},
		{"ab\x1bcd", 4, "ab…"}, // an escape is never halved
		{"ab\x1bcd", 5, `ab\e…`},
		{"ab👨‍👩‍👧cdefghijklmnopqrstuvw", 4, "ab…"},
	} {
		got := safe.Line(tc.in, tc.max)
		if got.String() != tc.want {
			t.Errorf("Line(%q, %d) = %q, want %q", tc.in, tc.max, got, tc.want)
		}
		if cut := got.String() != tc.in && !strings.Contains(tc.in, "\x1b"); got.Truncated() != (cut || strings.HasSuffix(tc.want, "…")) {
			t.Errorf("Line(%q, %d).Truncated() = %v", tc.in, tc.max, got.Truncated())
		}
	}
}

func TestFitPadsAndCuts(t *testing.T) {
	for _, tc := range []struct{ in, left, right string }{
		{"ab", "ab   ", "   ab"},
		{"日本", "日本 ", " 日本"},
		{"abcdefg", "abcd…", "abcd…"},
		{"\x1b", `\e   `, `   \e`},
	} {
		l, r := safe.Line(tc.in, 80).Fit(5), safe.Line(tc.in, 80).FitRight(5)
		if l.String() != tc.left || r.String() != tc.right || l.Width() != 5 || r.Width() != 5 {
			t.Errorf("%q: got %q and %q", tc.in, l, r)
		}
	}
}

func TestBlockSplitsLinesAndExpandsTabs(t *testing.T) {
	rows, more := safe.Block("a\tb\r\n\n日本語日本語\nlast\n", 8, 10)
	want := []string{`a    b\r`, "", "日本語…", "last"}
	if len(rows) != len(want) || more {
		t.Fatalf("got %d rows, more=%v", len(rows), more)
	}
	for i := range want {
		if rows[i].String() != want[i] {
			t.Errorf("row %d = %q, want %q", i, rows[i], want[i])
		}
	}
	if rows, more := safe.Block("a\nb\nc", 8, 2); len(rows) != 2 || !more {
		t.Errorf("got %d rows, more=%v", len(rows), more)
	}
}

func TestTags(t *testing.T) {
	for _, tc := range []struct {
		in, tags string
	}{
		{"orders.created", ""},
		{"\x1b[2J", "[esc]"},
		{"שלום", "‹rtl›"},
		{"مرحبا\x00", "[esc] ‹rtl›"},
		{"раyments", "‹mixed›"}, // the first two letters are Cyrillic
		{"αlpha", "‹mixed›"},
		{"заказы", ""},
		{"заказы 42 — №7", ""},
	} {
		if got := safe.Line(tc.in, 80).Tags(true); got.String() != tc.tags {
			t.Errorf("%q: tags %q, want %q", tc.in, got, tc.tags)
		}
	}
	if got := safe.Line("раyments", 80).Tags(false); got.String() != "" {
		t.Errorf("payloads may mix scripts, got %q", got)
	}
}

func TestPartsMarkTheEscapes(t *testing.T) {
	text := safe.Concat(safe.Const("▸ "), safe.Line("a\x1bb\x00", 80))
	var got []string
	for piece, esc := range text.Parts {
		if esc {
			piece = "<" + piece + ">"
		}
		got = append(got, piece)
	}
	if s := strings.Join(got, "|"); s != `▸ a|<\e>|b|<\x00>` {
		t.Errorf("got %s", s)
	}
}

func TestJSONForATerminalKeepsTheValue(t *testing.T) {
	for _, v := range []string{
		"plain", "\x1b]52;c;x\x07", "\u009b2J\u007f", "a\u202eb\u200bc\u2028d", "tag \U000e0041", `back\slash "q"`, "日本\n\t",
	} {
		in, err := json.MarshalIndent(map[string]string{"v": v}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		// Put back what the encoder of the standard library escapes by itself.
		in = []byte(strings.NewReplacer(`\u2028`, "\u2028", `\u007f`, "\x7f").Replace(string(in)))
		out := safe.JSON(in)
		var back map[string]string
		if err := json.Unmarshal(out, &back); err != nil || back["v"] != v {
			t.Errorf("%q became %q (%v)", v, back["v"], err)
		}
		for _, r := range string(out) {
			if r != '\n' && r != '\t' && hostile(r) {
				t.Errorf("%q still holds %U", out, r)
			}
		}
	}
}

func TestJSONKeepsCleanInput(t *testing.T) {
	in := []byte("{\n\t\"a\": \"日本 \\n\"\n}\n")
	out := safe.JSON(in)
	if &out[0] != &in[0] {
		t.Error("clean input was copied")
	}
	if n := testing.AllocsPerRun(100, func() { safe.JSON(in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if got := string(safe.JSON([]byte("\"a\nb\xff\" \x1b"))); got != `"a\u000ab\ufffd" \u001b` {
		t.Errorf("got %s", got)
	}
}

func TestASCIILineDoesNotAllocate(t *testing.T) {
	s := strings.Repeat("payload ", 25)
	if n := testing.AllocsPerRun(100, func() { sink = safe.Line(s, 205) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var sink safe.Text

func BenchmarkLine(b *testing.B) {
	ascii := strings.Repeat(`{"id":"A-771","amount":120.50} `, 7)[:205]
	for name, s := range map[string]string{
		"ascii205": ascii, "cjk250": strings.Repeat("日本語テスト", 14)[:249],
		"escapes": strings.Repeat("\x1b[31mred\x1b[0m ", 14), "long1MB": strings.Repeat("x", 1<<20),
		"arabic": strings.Repeat("مرحبا بالعالم ", 10),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink = safe.Line(s, 205)
			}
		})
	}
}
