package tuitest

import (
	"slices"
	"testing"
)

func TestForeign(t *testing.T) {
	for out, want := range map[string][]string{
		"": nil,
		"\x1b[?1049h\x1b[?25l\x1b[H\x1b[1;31mtext 日本\x1b[m\x1b[K\r\n\x1b[?1049l": nil,
		"\x1b]2;iscope LOCAL\x07":            nil,
		"\x1b]2;owned\x07":                   {`"\x1b]2;owned\a"`},
		"\x1b]52;c;b3duZWQ=\x07":             {`"\x1b]52;c;b3duZWQ=\a"`},
		"\x1b]8;;http://x\x1b\\":             {`"\x1b]8;;http://x\x1b\\"`},
		"\x1b[?1000h":                        {`"\x1b[?1000h"`},
		"\x1bc":                              {`"\x1bc"`},
		"\x1b[2J\x1b[6n":                     {`"\x1b[6n"`},
		"\x1bP1$q\x1b\\":                     {`"\x1bP1$q\x1b\\"`},
		"\x1b]0;never ends":                  {`"\x1b"`},
		"a\x00b\u009bc\u202ed\xff\x07\ufffd": {"U+0000", "U+009B", "U+202E", "the byte 0xff", "U+0007"},
	} {
		if got := Foreign([]byte(out), May{}); !slices.Equal(got, want) {
			t.Errorf("%q: %q", out, got)
		}
	}
	if got := Foreign([]byte("\x1b]52;c;b3duZWQ=\x07\x1b[?1002h"), May{Copy: true, Mouse: true}); got != nil {
		t.Errorf("allowed and not: %q", got)
	}
}

func TestColours(t *testing.T) {
	for out, want := range map[string]int{"\x1b[1;7m\x1b[m\x1b[0m\x1b[39;49m\x1b[22m": 0, "\x1b[31m": 1, "\x1b[1;38;5;9m": 1, "\x1b[48:2::1:2:3m\x1b[97m": 2} {
		if got := Colours([]byte(out)); len(got) != want {
			t.Errorf("%q: %q", out, got)
		}
	}
}

func TestLeftOn(t *testing.T) {
	for out, want := range map[string]int{"\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?2004l\x1b[?25h\x1b[?1049l": 0, "\x1b[?25l": 1, "\x1b[?1049h\x1b[?2004h\x1b[?2004l": 1} {
		if got := leftOn([]byte(out)); len(got) != want {
			t.Errorf("%q: %q", out, got)
		}
	}
}
