package tui

import (
	"bytes"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// gatedWriter takes the renderer's output without ever blocking it. Bubble Tea
// holds a lock while it writes, and the event loop needs the same lock: a slow
// terminal would stall keys, quitting included. While bytes are pending the
// router returns its last frame again, so frames are dropped at the source and
// the buffer stays small. When the terminal has caught up, the router is told, so
// that the last change is never the one that was dropped.
type gatedWriter struct {
	*os.File // so that Bubble Tea finds the terminal's size

	mu      sync.Mutex
	pending []byte
	writing bool
	missed  bool // a frame was dropped
	wake    *sync.Cond
	redraw  func() // asks for the frame that was dropped
}

func newGatedWriter(f *os.File) *gatedWriter {
	w := &gatedWriter{File: f}
	w.wake = sync.NewCond(&w.mu)
	go w.pump() // ends with the process: a blocked terminal cannot be waited for
	return w
}

// leaveScreen is the end of the alternate screen. Bubble Tea writes it before it
// lets somebody else have the terminal: the shell, an editor.
var leaveScreen = []byte(ansi.ResetModeAltScreenSaveCursor)

// handOver is how long to wait for the terminal before somebody else has it.
const handOver = 2 * time.Second

// Write queues the bytes. Those that give the terminal away are waited for: what
// comes after them is not ours to put in order, and a suspended process writes
// nothing.
func (w *gatedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, b...)
	w.wake.Broadcast()
	if bytes.Contains(b, leaveScreen) {
		w.await(handOver)
	}
	return len(b), nil
}

// WriteString queues the text. Without it the embedded file's would be used.
func (w *gatedWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

func (w *gatedWriter) pump() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		for len(w.pending) == 0 {
			w.wake.Wait()
		}
		b := w.pending
		w.pending, w.writing = nil, true
		w.mu.Unlock()
		w.File.Write(b)
		w.mu.Lock()
		w.writing = false
		w.wake.Broadcast()
		w.caughtUp()
	}
}

// caughtUp asks for a frame if one was dropped and nothing is pending. It does not
// wait for the event loop, which may be waiting in Write. The lock is held.
func (w *gatedWriter) caughtUp() {
	if w.missed && len(w.pending) == 0 && w.redraw != nil {
		w.missed = false
		go w.redraw() // one at a time: it is missed again only once the loop runs
	}
}

// onIdle sets what is called when the terminal has caught up after idle has
// said no.
func (w *gatedWriter) onIdle(redraw func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.redraw = redraw
}

// idle reports whether everything has been taken by the terminal. Where it has
// not, the caller drops a frame and is asked for it later.
func (w *gatedWriter) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ok := len(w.pending) == 0 && !w.writing
	w.missed = w.missed || !ok
	return ok
}

// drain waits until everything is out, at most that long, so that the sequences
// that restore the terminal are not lost.
func (w *gatedWriter) drain(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.await(limit)
}

// await waits until nothing is pending, at most that long. The lock is held.
func (w *gatedWriter) await(limit time.Duration) {
	over := false
	late := time.AfterFunc(limit, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		over = true
		w.wake.Broadcast()
	})
	defer late.Stop()
	for !over && (len(w.pending) > 0 || w.writing) {
		w.wake.Wait()
	}
}
