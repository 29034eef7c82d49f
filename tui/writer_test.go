package tui

import (
	"bytes"
	"io"
	"os"
	"testing"
	"time"
)

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// more is what no pipe holds, so that a writer is stuck until it is read.
var more = bytes.Repeat([]byte("x"), 4<<20)

func TestADroppedFrameIsAskedForAgain(t *testing.T) {
	r, f := pipe(t)
	w := newGatedWriter(f)
	asked := make(chan struct{}, 10)
	w.onIdle(func() { asked <- struct{}{} })
	w.Write(more)
	if w.idle() {
		t.Fatal("idle with 4 MB that nobody reads")
	}
	if _, err := io.CopyN(io.Discard, r, int64(len(more))); err != nil {
		t.Fatal(err)
	}
	<-asked
	if !w.idle() {
		t.Error("not idle with everything read")
	}
	w.WriteString("y") // nobody was told no since
	if _, err := io.CopyN(io.Discard, r, 1); err != nil {
		t.Fatal(err)
	}
	w.drain(time.Minute)
	if len(asked) > 0 {
		t.Error("asked for a frame that was not dropped")
	}
}

func TestDrainGivesUp(t *testing.T) {
	_, f := pipe(t)
	w := newGatedWriter(f)
	w.Write(more)
	done := make(chan struct{})
	go func() {
		w.drain(time.Millisecond)
		close(done)
	}()
	<-done
}

// Whoever has the terminal next finds it as it should be: a suspended process
// writes nothing, and an editor's screen must not be followed by our last bytes.
func TestHandingTheTerminalOverWaits(t *testing.T) {
	r, f := pipe(t)
	w := newGatedWriter(f)
	go io.Copy(io.Discard, r)
	w.Write(more)
	w.Write(leaveScreen)
	if !w.idle() {
		t.Error("bytes are pending after the end of the alternate screen was written")
	}
}
