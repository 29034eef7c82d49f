package tui

import (
	"os"
	"sync"
	"time"
)

// gatedWriter takes the renderer's output without ever blocking it. Bubble Tea
// holds a lock while it writes, and the event loop needs the same lock: a slow
// terminal would stall keys, quitting included. While bytes are pending the
// router returns its last frame again, so frames are dropped at the source and
// the buffer stays small.
type gatedWriter struct {
	*os.File // so that Bubble Tea finds the terminal's size

	mu      sync.Mutex
	pending []byte
	writing bool
	wake    *sync.Cond
}

func newGatedWriter(f *os.File) *gatedWriter {
	w := &gatedWriter{File: f}
	w.wake = sync.NewCond(&w.mu)
	go w.pump() // ends with the process: a blocked terminal cannot be waited for
	return w
}

// Write queues the bytes.
func (w *gatedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pending = append(w.pending, b...)
	w.wake.Broadcast()
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
	}
}

// idle reports whether everything has been taken by the terminal.
func (w *gatedWriter) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending) == 0 && !w.writing
}

// drain waits until everything is out, at most that long, so that the sequences
// that restore the terminal are not lost.
func (w *gatedWriter) drain(limit time.Duration) {
	late := time.AfterFunc(limit, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.pending = nil
		w.writing = false
		w.wake.Broadcast()
	})
	defer late.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.pending) > 0 || w.writing {
		w.wake.Wait()
	}
}
