// Package tuitest runs a program in a terminal and looks at what a person would
// see: a pseudo terminal with an emulator behind it. Tests wait for texts, never
// for time.
package tuitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
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
	cmd    *exec.Cmd
	master *os.File // our end
	before string   // line settings at the start
	after  string   // and when the program had ended
	done   chan struct{}
	err    error // of the program, after done

	gate   sync.Mutex // held while the terminal does not read
	frozen bool

	mu    sync.Mutex
	grown *sync.Cond
	emu   *vt.Emulator
	out   []byte   // everything the program wrote
	fed   int      // how much of out the emulator has seen
	last  []string // the alternate screen as it was when it was left
	left  bool     // the alternate screen has been left
	hurt  int      // panics of the emulator
}

// Start runs a program in a terminal of w by h cells, which is its standard
// input, output and error. It is killed if it still runs when the test ends. The
// terminal is not its controlling one: when that goes, the kernel puts its
// settings in order by itself, and whether the program did could not be seen.
func Start(t testing.TB, w, h int, cmd *exec.Cmd) *Terminal {
	t.Helper()
	m, tty, err := open(w, h)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	x := &Terminal{t: t, cmd: cmd, master: m, before: settings(m), emu: vt.NewEmulator(w, h), done: make(chan struct{})}
	x.grown = sync.NewCond(&x.mu)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(slices.DeleteFunc(slices.Clone(cmd.Env), distorts), "TERM=xterm-256color")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	apart(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	replied, read := make(chan struct{}), make(chan struct{})
	go x.reply(replied)
	go x.read(read)
	go x.wait(tty, read)
	t.Cleanup(func() {
		cmd.Process.Kill()
		if x.frozen {
			x.Freeze(false)
		}
		<-x.done
		// Not emu.Close: it sets a flag that the reading goroutine looks at
		// without a lock. The end of its pipe is all that is needed.
		if pipe, ok := x.emu.InputPipe().(io.Closer); ok {
			pipe.Close()
		}
		<-replied
		m.Close()
	})
	return x
}

// distorts reports a variable of the developer's own terminal that would change
// what the program draws.
func distorts(variable string) bool {
	name, _, _ := strings.Cut(variable, "=")
	return slices.Contains([]string{"TERM", "TERM_PROGRAM", "COLORTERM", "TMUX", "STY", "WT_SESSION", "SSH_CONNECTION", "SSH_TTY"}, name)
}

// wait ends with the program, when all it wrote has been read.
func (x *Terminal) wait(tty *os.File, read chan struct{}) {
	err := x.cmd.Wait()
	after := settings(x.master)
	tty.Close() // the last one open: the reader comes to an end
	<-read
	x.mu.Lock()
	defer x.mu.Unlock()
	x.err, x.after = err, after
	close(x.done)
	x.master.SetWriteDeadline(time.Unix(1, 0))
	x.grown.Broadcast()
}

// read takes what the program writes until its end of the terminal is closed.
func (x *Terminal) read(done chan struct{}) {
	defer close(done)
	buf := make([]byte, 32<<10)
	for {
		x.gate.Lock()   // waits while frozen
		x.gate.Unlock() //lint:ignore SA2001 the waiting is all it is for
		n, err := x.master.Read(buf)
		x.mu.Lock()
		x.out = append(x.out, buf[:n]...)
		x.show(err != nil)
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

// Text is what the terminal shows: its rows without the blanks at their ends.
// After the program has left the alternate screen it is what was on that.
func (x *Terminal) Text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text()
}

func (x *Terminal) text() string {
	rows := x.last
	if !x.left {
		rows = x.rows()
	}
	return strings.Join(rows, "\n")
}

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
	x.await(what, func() bool { return ok(x.text()) })
}

// WaitOutput waits until the program has written something that many times, seen
// or not.
func (x *Terminal) WaitOutput(part string, times int) {
	x.t.Helper()
	x.await(fmt.Sprintf("%q in the output", part), func() bool { return bytes.Count(x.out, []byte(part)) >= times })
}

// await waits until ok, which is called with the lock held.
func (x *Terminal) await(what string, ok func() bool) {
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
	for !ok() {
		if x.Ended() {
			x.t.Fatalf("the program ended (%v) without %s. The screen:\n%s", x.err, what, x.text())
		}
		if late {
			x.t.Fatalf("no %s. The screen:\n%s", what, x.text())
		}
		x.grown.Wait()
	}
}

// Ended reports whether the program has ended.
func (x *Terminal) Ended() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

// End waits for the program's end and returns its error.
func (x *Terminal) End() error {
	x.t.Helper()
	select {
	case <-x.done:
		return x.err
	case <-time.After(Patience):
		screen, before := x.Text(), len(x.Output())
		x.cmd.Process.Signal(syscall.SIGQUIT) // a Go program says what it is doing
		<-x.done
		x.t.Fatalf("the program does not end. The screen:\n%s\n%s", screen, x.Output()[before:])
		return nil
	}
}

// Freeze makes the terminal stop reading (true) or go on, as a slow link does.
// What is being read at the moment is still taken.
func (x *Terminal) Freeze(freeze bool) {
	x.frozen = freeze
	if freeze {
		x.gate.Lock()
	} else {
		x.gate.Unlock()
	}
}

// Restored reports what is not as it was before the program ran: line settings
// and modes of the terminal. It is asked after End.
func (x *Terminal) Restored() (wrong []string) {
	if x.after != x.before {
		wrong = append(wrong, fmt.Sprintf("line settings: before %s, after %s", x.before, x.after))
	}
	return append(wrong, leftOn(x.Output())...)
}

// CPU is the processor time the program took. It is asked after End.
func (x *Terminal) CPU() time.Duration {
	return x.cmd.ProcessState.UserTime() + x.cmd.ProcessState.SystemTime()
}

// Process is the program, for signals.
func (x *Terminal) Process() *os.Process { return x.cmd.Process }
