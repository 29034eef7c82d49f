package tuitest

import (
	"strings"
	"time"
)

// sequences are what an xterm sends.
var sequences = map[string]string{"enter": "\r", "esc": "\x1b", "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "backspace": "\x7f",
	"up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
	"pgup": "\x1b[5~", "pgdown": "\x1b[6~", "delete": "\x1b[3~", "insert": "\x1b[2~", "f1": "\x1bOP"}

// Type sends text as it is.
func (x *Terminal) Type(text string) {
	x.t.Helper()
	x.deadline(time.Now().Add(Patience)) // a program that does not read must not stop the test
	if _, err := x.master.WriteString(text); err != nil && !x.Ended() {
		x.t.Fatalf("typing %q: %v", text, err)
	}
}

// deadline limits the next write. One that is past when the program has ended
// stays: nobody reads any more.
func (x *Terminal) deadline(at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.Ended() {
		at = time.Unix(1, 0)
	}
	x.master.SetWriteDeadline(at)
}

// Press sends keys by the names they have in bindings. What follows an esc must
// wait for its effect: together they mean alt and a key.
func (x *Terminal) Press(keys ...string) {
	x.t.Helper()
	for _, k := range keys {
		x.Type(sequence(k))
	}
}

func sequence(key string) string {
	if s, ok := sequences[key]; ok {
		return s
	}
	if c, ok := strings.CutPrefix(key, "ctrl+"); ok {
		return string(rune(c[0] & 0x1f))
	}
	return key
}

// Paste sends text as a terminal in bracketed mode does.
func (x *Terminal) Paste(text string) {
	x.t.Helper()
	x.Type("\x1b[200~" + strings.ReplaceAll(text, "\x1b[201~", "") + "\x1b[201~")
}

// resize is the emulator's part of Resize. The lock is held.
func (x *Terminal) resize(w, h int) {
	defer func() {
		if recover() != nil {
			x.hurt++
		}
	}()
	x.emu.Resize(w, h)
}
