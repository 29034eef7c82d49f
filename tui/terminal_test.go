//go:build unix

package tui

import (
	"context"
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"iscope/tui/tuitest"
)

func restored(t *testing.T, x *tuitest.Terminal) {
	t.Helper()
	for _, w := range x.Restored() {
		t.Errorf("not as before: %s", w)
	}
}

func TestTerminalIsAsBefore(t *testing.T) {
	ways := map[string]struct {
		end func(*tuitest.Terminal)
		ok  bool
	}{
		"quit":      {func(x *tuitest.Terminal) { x.Press("q") }, true},
		"ctrl+c":    {func(x *tuitest.Terminal) { x.Press("ctrl+c"); x.WaitFor("ctrl+c again quits"); x.Press("ctrl+c") }, true},
		"command":   {func(x *tuitest.Terminal) { x.Press(":"); x.WaitFor("COMMANDS"); x.Type("quit\r") }, true},
		"terminate": {func(x *tuitest.Terminal) { x.Process().Signal(syscall.SIGTERM) }, true},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			x := tuitest.Start(t, 100, 30, self(t, "shop"))
			x.WaitFor("probes 1/1", "orders")
			way.end(x)
			if err := x.End(); (err == nil) != way.ok {
				t.Errorf("ended with %v", err)
			}
			restored(t, x)
			foreign(t, x, tuitest.May{})
		})
	}
}

// What a tail made and could not take away is said when no screen can say it.
func TestWhatIsLeftBehindIsSaidAtTheEnd(t *testing.T) {
	x := tuitest.Start(t, 100, 30, self(t, "left"))
	x.WaitFor("probes 1/1")
	x.Press(":")
	x.WaitFor("COMMANDS")
	x.Type("tail shop/events\r")
	x.WaitFor("1 queue of ours")
	x.Press(":")
	x.WaitFor("COMMANDS")
	x.Type("quit\r")
	if err := x.End(); err != nil {
		t.Error(err)
	}
	restored(t, x)
	if out := string(x.Output()); !strings.Contains(out, "iscope: left behind: queue iscope.tap.1 bound to events: the broker is away (remove it by hand)") {
		t.Errorf("nothing is said of it:\n%s", out[max(0, len(out)-500):])
	}
}

func foreign(t *testing.T, x *tuitest.Terminal, may tuitest.May) {
	t.Helper()
	for _, f := range tuitest.Foreign(x.Output(), may) {
		t.Errorf("%s left for the terminal", f)
	}
}

// A bug in a goroutine of the session is not the dashboard's own, and still must
// not leave a terminal that nobody can type in.
func TestAPanicGivesTheTerminalBack(t *testing.T) {
	x := tuitest.Start(t, 100, 30, self(t, "panic"))
	if err := x.End(); err == nil {
		t.Error("the panic is no error")
	}
	restored(t, x)
	if out := string(x.Output()); !strings.Contains(out, "a bug in a driver") || !strings.Contains(out, "goroutine") {
		t.Errorf("what happened is not said:\n%s", out)
	}
}

func TestNothingIsColouredWithNoColor(t *testing.T) {
	x := tuitest.Start(t, 120, 40, self(t, "shop", "NO_COLOR=1"))
	tour(x)
	if c := tuitest.Colours(x.Output()); len(c) > 0 {
		t.Errorf("colours: %v", c[:min(len(c), 5)])
	}
	y := tuitest.Start(t, 120, 40, self(t, "shop"))
	tour(y)
	if len(tuitest.Colours(y.Output())) == 0 {
		t.Error("no colour without NO_COLOR either: the test shows nothing")
	}
}

// tour looks at every screen and quits.
func tour(x *tuitest.Terminal) {
	x.WaitFor("probes 1/1", "orders")
	for i, name := range []string{"Topology", "Endpoints", "Tail", "Invoke", "Captures", "Replay", "Diagnostics", "DLQ"} {
		n := string(rune('1' + i))
		x.Press(n)
		x.WaitFor(n + " " + name)
	}
	x.Press("2")
	x.WaitFor("2 Endpoints", "orders")
	x.Press("j", "t")
	x.WaitFor("3 Tail › shop/orders", `{"n":49}`)
	x.Press("enter")
	x.WaitFor("[Payload]")
	x.Press("?")
	x.WaitFor("KEYS of Tail")
	x.Press("ctrl+c")
	x.Wait("help closed", func(s string) bool { return !strings.Contains(s, "KEYS of Tail") })
	x.Press("ctrl+c", "ctrl+c")
	x.End()
}

// A filter in a terminal: in force as it grows, a mistake has its place, and what
// was typed comes back.
func TestAFilterAtTheTerminal(t *testing.T) {
	x := tuitest.Start(t, 80, 24, self(t, "shop"))
	x.WaitFor("probes 1/1")
	x.Press(":")
	x.WaitFor("COMMANDS")
	x.Type("tail shop/orders\r")
	x.WaitFor("50 records")
	x.Press("f")
	x.Type("body.n > 40")
	x.WaitFor("9 of 50 match")
	x.Type(" && m == 1")
	x.WaitFor("9 of 50 match", "column 16", "^")
	x.Wait("the caret below the mistake", func(screen string) bool {
		rows := strings.Split(screen, "\n")
		for i, row := range rows[:len(rows)-1] {
			if at := strings.Index(row, "m == 1"); at > 0 {
				return strings.Index(rows[i+1], "^") == at
			}
		}
		return false
	})
	x.Press("ctrl+u")
	x.Paste("body.n == 7\n")
	x.WaitFor("1 of 50 match")
	x.Press("enter")
	x.WaitFor("X exclude", "FILTER")
	x.Press("esc")
	x.Wait("no filter", func(screen string) bool { return !strings.Contains(screen, "FILTER") })
	x.Press("f", "up")
	x.WaitFor("FILTER body.n == 7", "1 of 50 match")
	x.Press("enter", "X")
	x.WaitFor("0 of 50 match", "Nothing matches")
	x.Press("ctrl+c", "ctrl+c")
	if err := x.End(); err != nil {
		t.Error(err)
	}
	restored(t, x)
	foreign(t, x, tuitest.May{})
}

func TestResizeIsFollowed(t *testing.T) {
	x := tuitest.Start(t, 120, 40, self(t, "shop"))
	x.WaitFor("probes 1/1", "? keys  : commands")
	for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 10}, {160, 50}} {
		x.Resize(size[0], size[1])
		x.Wait("hints in the last row", func(screen string) bool {
			rows := strings.Split(screen, "\n")
			last := rows[len(rows)-1]
			return len(rows) == size[1] && strings.HasSuffix(last, "? keys  : commands") && len([]rune(last)) == size[0]-1 &&
				strings.HasPrefix(rows[0], " [LOCAL here]")
		})
	}
	x.Resize(20, 5)
	x.WaitFor("iscope needs 40x10")
}

// While the terminal does not read, frames are dropped; the last one is there
// when it reads again. See also TestADroppedFrameIsAskedForAgain.
func TestASlowTerminalShowsTheLastFrame(t *testing.T) {
	x := tuitest.Start(t, 200, 60, self(t, "shop"))
	x.WaitFor("probes 1/1", "orders")
	x.Freeze(true)
	for range 40 {
		x.Press("2", "7", "3", "1")
	}
	x.Press("7")
	x.Freeze(false)
	x.WaitFor("7 Diagnostics", "r retry")
}

func TestQuittingDoesNotWaitForTheTerminal(t *testing.T) {
	x := tuitest.Start(t, 200, 60, self(t, "shop"))
	x.WaitFor("probes 1/1", "orders")
	x.Freeze(true)
	for range 40 {
		x.Press("2", "7", "3", "1")
	}
	x.Type(":quit\r")
	// The process ends although nobody reads: only then does the terminal go on.
	// Wait has to read to see the end, so the process itself is asked.
	gone := func() bool { return x.Process().Signal(syscall.Signal(0)) != nil }
	ctx, stop := context.WithTimeout(t.Context(), tuitest.Patience)
	defer stop()
	for tick := time.NewTicker(10 * time.Millisecond); !gone(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it waits for the terminal")
		}
	}
}

func TestSuspendAndResume(t *testing.T) {
	x := tuitest.Start(t, 100, 30, self(t, "shop"))
	x.WaitFor("probes 1/1", "orders")
	x.Press("ctrl+z")
	x.WaitOutput("\x1b[?1049l", 1)
	awake := resume(x)
	x.WaitOutput("\x1b[?1049h", 2)
	x.Press("7")
	x.WaitFor("7 Diagnostics")
	awake()
	x.Press(":")
	x.WaitFor("COMMANDS")
	x.Type("quit\r")
	if err := x.End(); err != nil {
		t.Error(err)
	}
	restored(t, x)
}

// Without a shell above it nothing could wake it up again.
func TestNoSuspendWithoutAShell(t *testing.T) {
	cmd := self(t, "shop")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	x := tuitest.Start(t, 100, 30, cmd)
	x.WaitFor("probes 1/1", "orders")
	x.Press("ctrl+z")
	x.WaitFor("suspend: there is no shell to return to")
	x.Press("7")
	x.WaitFor("7 Diagnostics")
}

func TestACopyReachesTheClipboardAndNothingElseDoes(t *testing.T) {
	x := tuitest.Start(t, 120, 40, self(t, "hostile"))
	x.WaitFor("probes 1/1")
	x.Press(":")
	x.WaitFor("COMMANDS")
	x.Type("tail shop/orders\r")
	x.WaitFor("3 Tail › shop/orders", "the harmless last one")
	x.Press("c")
	x.WaitFor("copied value")
	x.WaitOutput("\x1b]52;c;"+base64.StdEncoding.EncodeToString([]byte("the harmless last one")), 1)
	x.Press("k", "c")
	x.WaitFor("control bytes")
	if n := strings.Count(string(x.Output()), "\x1b]52;"); n != 1 {
		t.Errorf("%d copies", n)
	}
}

// resume wakes a program up again that suspends itself, as a shell's fg does,
// until its answer is called.
func resume(x *tuitest.Terminal) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				x.Process().Signal(syscall.SIGCONT)
			}
		}
	}()
	return func() { cancel(); <-done }
}

// TestMonkeyAtTheTerminal types, pastes and resizes at random at the real
// program, whose system is hostile. It must neither panic nor send what it may
// not, and give the terminal back.
func TestMonkeyAtTheTerminal(t *testing.T) {
	seed := monkeySeed(t)
	r := rand.New(rand.NewPCG(seed, 2))
	bytes := append(slices.Clone(hostile), "\x1b[<0;3;3M", "\x1b[200~", "\x1b[201~", "\x1b[", "\x1b]", "\x1bOP", "\xc3", "\x1b[27;5;99~", "\x1b[99999999999A")
	for left := *monkeySteps; left > 0; {
		x := tuitest.Start(t, 1+r.IntN(300), 1+r.IntN(100), self(t, "hostile"))
		x.WaitOutput("\x1b[?1049h", 1)
		awake := resume(x)
		for ; left > 0 && !x.Ended(); left-- {
			switch r.IntN(24) {
			case 0:
				x.Resize(1+r.IntN(300), 1+r.IntN(100))
			case 1:
				x.Paste(strings.Repeat(hostile[r.IntN(len(hostile))], 1+r.IntN(50)))
			case 2:
				x.Type(bytes[r.IntN(len(bytes))])
			case 3:
				x.Type(strings.Repeat("日本", r.IntN(20)))
			default:
				x.Press(monkeyKeys[r.IntN(len(monkeyKeys))])
			}
		}
		// Whatever is open; and input is in order, so all the rest was taken before.
		x.Type("\x07\x1b\\\x1b[201~")
		x.Press("ctrl+c", "ctrl+c")
		err := x.End()
		awake()
		if out := string(x.Output()); err != nil || strings.Contains(out, "panic") || strings.Contains(out, "goroutine ") {
			t.Fatalf("ended with %v:\n%s", err, out[max(0, len(out)-4000):])
		}
		restored(t, x)
		foreign(t, x, tuitest.May{Copy: true})
	}
}
