package tui

import (
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"iscope/tui/tuitest"
)

// hostile is what a peer may send to take over a terminal.
var hostile = []string{
	"\x1b]52;c;ZWNobyBvd25lZA==\x07", "\x1b]0;owned\x07", "\x1b[2J\x1b[H", "\x1bP1$q\x1b\\", "\x1b_apc\x1b\\", "\x1bc", "\u009b2J", "\u009d0;x\u009c",
	"a\rBBBB", "a\b\b", "\x07", "\u202eevil", "\u2066x\u2069", "\u200b", "a" + strings.Repeat("\u0301", 60), "\x1b]0;never ends", "\x00",
	"\xff\xfe", "日本語", "👩‍👩‍👧‍👦", "\u2028", "\x1b[?1000h", "\x1b[6n", "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "\x1b[31mred", "a\tb\nc",
	"\U000e0041tag", "\u0430pple", "\u05e9\u05dc\u05d5\u05dd", strings.Repeat("W", 5000),
}

var monkeyKeys = []string{"1", "2", "3", "4", "5", "6", "7", "8", "j", "k", "h", "l", "g", "G", "enter", "esc", "tab", "[", "]", "/", "f", "n", "N",
	"?", ":", "E", "-", "space", "F", "b", "=", "a", "A", "K", "t", "i", "o", "r", "s", "p", "D", "y", "c", "d", "R", "x", "+", "_", "q", "e", "u", "v", "m", "space", "down", "ctrl+c", "ctrl+p",
	"up", "down", "left", "right", "pgup", "pgdown", "home", "end", "backspace", "delete", "ctrl+u", "ctrl+d", "ctrl+l", "w", "z", "X", "8", "f"}

// TestMonkey presses, pastes and resizes at random on hostile data: nothing
// panics, every frame has its size and is text, and nothing but the allowed
// sequences leaves. TestMonkeyAtTheTerminal does so with bytes.
func TestMonkey(t *testing.T) {
	for _, v := range []string{"EDITOR", "VISUAL", "PAGER"} {
		t.Setenv(v, "true")
	}
	seed := monkeySeed(t)
	r := rand.New(rand.NewPCG(seed, 1))
	s := start(t, options(t, hostileShop()))
	s.staying.Store(true)
	s.until("probes 1/1")
	for range *monkeySteps {
		switch r.IntN(30) {
		case 0:
			s.p.Send(tea.WindowSizeMsg{Width: 1 + r.IntN(300), Height: 1 + r.IntN(100)})
		case 1:
			s.p.Send(tea.PasteMsg{Content: hostile[r.IntN(len(hostile))]})
		case 2:
			s.p.Send(tea.WindowSizeMsg{Width: []int{1, 2, 10, 40, 80}[r.IntN(5)], Height: []int{1, 2, 5, 10, 24}[r.IntN(5)]})
		default:
			s.press(monkeyKeys[r.IntN(len(monkeyKeys))])
		}
		select {
		case <-s.done:
			t.Fatalf("seed %d: the program ended: %v", seed, s.err)
		default:
		}
	}
	s.staying.Store(false)
	s.p.Quit()
	<-s.done
	if s.err != nil {
		t.Fatalf("seed %d: %v", seed, s.err)
	}
	for _, b := range s.broken[:min(5, len(s.broken))] {
		t.Errorf("seed %d: %s", seed, b)
	}
	for _, f := range tuitest.Foreign([]byte(s.out.String()), tuitest.May{Copy: true}) {
		t.Errorf("seed %d: %s left for the terminal", seed, f)
	}
}

var (
	monkeyRepeat = flag.Uint64("monkey.seed", 0, "repeat a run of the monkey; 0: a new one")
	monkeySteps  = flag.Int("monkey.steps", 2000, "how many things the monkey does")
)

func monkeySeed(t *testing.T) uint64 {
	seed := *monkeyRepeat
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -monkey.seed=%d", seed)
	return seed
}
