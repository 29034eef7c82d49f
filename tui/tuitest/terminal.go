// Package tuitest runs a program in a terminal and looks at what a person would
// see: a pseudo terminal with an emulator behind it. Tests wait for texts, never
// for time.
package tuitest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
)

// Patience is how long a wait may take before the test is called broken.
const Patience = 30 * time.Second

// Terminal is a running program and what its terminal shows. Its methods are
// for the test's goroutine.
type Terminal struct {
	t      testing.TB
	master *os.File // our end
	tty    *os.File // the program's end
	before string   // line settings at the start
	done   chan struct{}
	err    error // of the program, after done

	gate sync.Mutex // held while the terminal does not read

	mu    sync.Mutex
	grown *sync.Cond
	emu   *vt.Emulator
	out   []byte   // everything the program wrote
	fed   int      // how much of out the emulator has seen
	last  []string // the alternate screen as it was when it was left
	left  bool     // the alternate screen has been left
	hurt  int      // panics of the emulator
	shut  bool     // nothing more comes
}

// Start runs a program in a terminal of w by h cells. Both its input and its
// output are tty. The program must end when the test does: Cleanup hangs up.
func Start(t testing.TB, w, h int, run func(tty *os.File) error) *Terminal {
	t.Helper()
	m, s, err := open(w, h)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	x := &Terminal{t: t, master: m, tty: s, before: settings(s), emu: vt.NewEmulator(w, h), done: make(chan struct{})}
	x.grown = sync.NewCond(&x.mu)
	replies := make(chan struct{})
	go x.reply(replies)
	read := make(chan struct{})
	go x.read(read)
	go func() {
		defer close(x.done)
		x.err = run(s)
		x.mu.Lock()
		x.grown.Broadcast()
		x.mu.Unlock()
	}()
	t.Cleanup(func() {
		select {
		case <-x.done:
		case <-time.After(Patience):
			t.Errorf("the program does not end")
		}
		s.Close()
		<-read
		x.emu.Close()
		<-replies
		m.Close()
		if x.hurt > 0 {
			t.Logf("the emulator panicked %d times", x.hurt)
		}
	})
	return x
}

// read takes what the program writes until its end of the terminal is closed.
func (x *Terminal) read(done chan struct{}) {
	defer close(done)
	buf := make([]byte, 32<<10)
	for {
		x.gate.Lock()
		x.gate.Unlock()
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.out = append(x.out, buf[:n]...)
		x.show(err != nil)
		x.shut = err != nil
		x.grown.Broadcast()
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// leave is what ends the alternate screen, and with it everything on it.
var leave = []byte("\x1b[?1049l")

// show feeds the emulator. The lock is held.
func (x *Terminal) show(all bool) {
	for {
		i := bytes.Index(x.out[x.fed:], leave)
		if i < 0 {
			break
		}
		x.feed(x.fed + i)
		x.last, x.left = x.rows(), true
		x.feed(x.fed + len(leave))
	}
	end := len(x.out)
	for n := len(leave) - 1; n > 0 && !all; n-- { // it may be cut in two
		if bytes.HasSuffix(x.out[x.fed:], leave[:n]) {
			end -= n
			break
		}
	}
	x.feed(end)
	if x.emu.IsAltScreen() {
		x.left = false
	}
}

func (x *Terminal) feed(to int) {
	defer func() {
		x.fed = to
		if recover() != nil { // known to happen in it when it shrinks and scrolls
			x.hurt++
			x.emu.Resize(x.emu.Width(), x.emu.Height())
		}
	}()
	x.emu.Write(x.out[x.fed:to])
}

// reply sends the terminal's answers to the program's questions.
func (x *Terminal) reply(done chan struct{}) {
	defer close(done)
	buf := make([]byte, 4<<10)
	for {
		n, err := x.emu.Read(buf)
		if err != nil {
			return
		}
		x.master.Write(buf[:n])
	}
}

func (x *Terminal) rows() []string {
	out := make([]string, x.emu.Height())
	for y := range out {
		var b strings.Builder
		for c := 0; c < x.emu.Width(); {
			cell := x.emu.CellAt(c, y)
			if cell == nil || cell.Width == 0 {
				b.WriteByte(' ')
				c++
				continue
			}
			b.WriteString(cell.Content)
			c += cell.Width
		}
		out[y] = strings.TrimRight(b.String(), " ")
	}
	return out
}

// Screen is what the terminal shows: its rows without the blanks at their ends.
// After the program has left the alternate screen it is what was on that.
func (x *Terminal) Screen() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.left {
		return x.last
	}
	return x.rows()
}

// Text is the Screen in one string.
func (x *Terminal) Text() string { return strings.Join(x.Screen(), "\n") }

// Output is every byte the program has written.
func (x *Terminal) Output() []byte {
	x.mu.Lock()
	defer x.mu.Unlock()
	return bytes.Clone(x.out)
}

// WaitFor waits until all the texts are on the screen.
func (x *Terminal) WaitFor(texts ...string) {
	x.t.Helper()
	x.Wait(fmt.Sprintf("%q on the screen", texts), func(screen string) bool {
		for _, s := range texts {
			if !strings.Contains(screen, s) {
				return false
			}
		}
		return true
	})
}

// Wait waits until the screen is as wanted.
func (x *Terminal) Wait(what string, ok func(screen string) bool) {
	x.t.Helper()
	late := false
	stop := time.AfterFunc(Patience, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		late = true
		x.grown.Broadcast()
	})
	defer stop.Stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		rows := x.last
		if !x.left {
			rows = x.rows()
		}
		screen := strings.Join(rows, "\n")
		if ok(screen) {
			return
		}
		if late || x.ended() {
			x.t.Fatalf("no %s (ended: %v, error: %v). The screen:\n%s", what, x.ended(), x.failure(), screen)
		}
		x.grown.Wait()
	}
}

func (x *Terminal) ended() bool {
	select {
	case <-x.done:
		return x.fed == len(x.out)
	default:
		return false
	}
}

func (x *Terminal) failure() error {
	if x.ended() {
		return x.err
	}
	return nil
}

// End waits for the program's end and returns its error.
func (x *Terminal) End() error {
	x.t.Helper()
	select {
	case <-x.done:
		return x.err
	case <-time.After(Patience):
		x.t.Fatalf("the program does not end. The screen:\n%s", x.Text())
		return nil
	}
}

// Ended reports whether the program has returned.
func (x *Terminal) Ended() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

// Freeze makes the terminal stop reading (true) or go on, as a slow link does.
// What is being read at the moment is still taken.
func (x *Terminal) Freeze(freeze bool) {
	if freeze {
		x.gate.Lock()
	} else {
		x.gate.Unlock()
	}
}

// Restored reports what is not as it was before the program ran: line settings
// and modes of the terminal. It is asked after End.
func (x *Terminal) Restored() (wrong []string) {
	if now := settings(x.tty); now != x.before {
		wrong = append(wrong, fmt.Sprintf("line settings: before %s, after %s", x.before, now))
	}
	return append(wrong, leftOn(x.Output())...)
}
