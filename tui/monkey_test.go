package tui

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
)

// hostile is what a peer may send to take over a terminal.
var hostile = []string{
	"\x1b]52;c;ZWNobyBvd25lZA==\x07", "\x1b]0;owned\x07", "\x1b[2J\x1b[H", "\x1bP1$q\x1b\\", "\x1b_apc\x1b\\", "\x1bc", "\u009b2J", "\u009d0;x\u009c",
	"a\rBBBB", "a\b\b", "\x07", "\u202eevil", "\u2066x\u2069", "\u200b", "a" + strings.Repeat("\u0301", 60), "\x1b]0;never ends", "\x00",
	"\xff\xfe", "日本語", "👩‍👩‍👧‍👦", "\u2028", "\x1b[?1000h", "\x1b[6n",
}

var monkeyKeys = []string{"1", "2", "3", "4", "5", "6", "7", "j", "k", "h", "l", "g", "G", "enter", "esc", "tab", "[", "]", "/", "f", "n", "N",
	"?", ":", "E", "-", "space", "F", "b", "=", "a", "A", "K", "t", "i", "o", "r", "s", "p", "D", "y", "c", "d", "R", "x", "+", "_",
	"up", "down", "left", "right", "pgup", "pgdown", "home", "end", "backspace", "delete", "ctrl+u", "ctrl+d", "ctrl+l", "w", "z"}

// TestMonkey presses, pastes and resizes at random on hostile data: nothing
// panics, every frame has its size, and nothing but the allowed sequences
// leaves.
func TestMonkey(t *testing.T) {
	f := shop(append([]string{"orders"}, hostile...)...)
	for i, h := range hostile {
		f.Append("orders", probes.Record{Key: []byte(h), Body: []byte(h), Err: hostile[(i+1)%len(hostile)],
			Header: []probes.Field{{Name: h, Value: []byte(h)}}, Attrs: []probes.Attr{{Name: "x", Value: h}}})
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	s := start(t, options(t, f))
	s.until("probes 1/1")
	steps := 3000
	if testing.Short() {
		steps = 300
	}
	for range steps {
		switch r.IntN(30) {
		case 0:
			s.p.Send(tea.WindowSizeMsg{Width: 1 + r.IntN(300), Height: 1 + r.IntN(100)})
		case 1:
			s.p.Send(tea.PasteMsg{Content: hostile[r.IntN(len(hostile))]})
		case 2:
			s.p.Send(tea.WindowSizeMsg{Width: []int{1, 2, 10, 40, 80}[r.IntN(5)], Height: []int{1, 2, 5, 10, 24}[r.IntN(5)]})
		default:
			s.press(monkeyKeys[r.IntN(len(monkeyKeys))]) // q is left out: it quits at the root
		}
		select {
		case <-s.done:
			t.Fatalf("seed %d: the program ended: %v", seed, s.err)
		default:
		}
	}
	s.p.Quit()
	<-s.done
	if s.err != nil {
		t.Fatalf("seed %d: %v", seed, s.err)
	}
	for _, b := range s.broken[:min(5, len(s.broken))] {
		t.Errorf("seed %d: %s", seed, b)
	}
	allowed(t, s.out.String())
}

// sequence matches one escape sequence; permitted those that may leave.
var (
	sequence  = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])`)
	permitted = []*regexp.Regexp{
		regexp.MustCompile(`^\x1b\[[0-9;:]*m$`),                                         // SGR
		regexp.MustCompile(`^\x1b\[[0-9;]*[ABCDEFGHJKLMPSTXZbdfIr@]$`),                  // moves, erases, scrolls
		regexp.MustCompile(`^\x1b\[\?(7|25|1049|2004|2026|2027|1004|1007)(;\d+)*[hl]$`), // modes
		regexp.MustCompile(`^\x1bM$`),                                                   // a line back
		regexp.MustCompile(`^\x1b\[\?\d+\$p$`),                                          // asking for a mode
		regexp.MustCompile(`^\x1b\[[<>=?][0-9;]*[muq]$`),                                // keyboard protocols
		regexp.MustCompile(`^\x1b\[[0-9 ]*q$`),                                          // cursor shape
		regexp.MustCompile(`^\x1b\]2;(iscope [A-Z]*)?(\x07|\x1b\\)$`),                   // our own title
		regexp.MustCompile(`^\x1b\]52;c;[A-Za-z0-9+/=]*(\x07|\x1b\\)$`),                 // a copy the user asked for
		regexp.MustCompile(`^\x1b\[>?[0-9]*c$|^\x1b\[>0?q$`),                            // what terminal is this
	}
)

func allowed(t *testing.T, out string) {
	t.Helper()
	bad := map[string]bool{}
	rest := sequence.ReplaceAllStringFunc(out, func(seq string) string {
		for _, p := range permitted {
			if p.MatchString(seq) {
				return ""
			}
		}
		bad[seq] = true
		return ""
	})
	for seq := range bad {
		t.Errorf("%q left for the terminal", seq)
	}
	for _, c := range rest {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\b' && c != '\t' || c == 0x7f || c >= 0x80 && c < 0xa0 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			t.Fatalf("%U left for the terminal", c)
		}
	}
}
