package main

import (
	"io"
	"sync"
	"time"
)

const (
	// flushAfter is how long output waits for more: a slow stream shows within
	// that time, a fast one is written in large blocks.
	flushAfter = 30 * time.Millisecond
	blockBytes = 64 << 10
)

// blockOut collects output into blocks. What prints a record locks it, appends to
// buf and calls wrote.
type blockOut struct {
	sync.Mutex
	buf []byte

	w     io.Writer
	err   error // of an earlier write
	timer *time.Timer
	armed bool // the timer runs
}

func newBlockOut(w io.Writer) *blockOut {
	return &blockOut{w: w, buf: make([]byte, 0, blockBytes+blockBytes/4)}
}

// wrote decides whether what was appended goes out now or soon. It reports the
// failure of any earlier write, too.
func (o *blockOut) wrote() error {
	if len(o.buf) >= blockBytes {
		o.flush()
	} else if !o.armed {
		o.armed = true
		if o.timer == nil {
			o.timer = time.AfterFunc(flushAfter, func() { o.Flush() })
		} else {
			o.timer.Reset(flushAfter)
		}
	}
	return o.err
}

func (o *blockOut) flush() {
	if len(o.buf) == 0 || o.err != nil {
		return
	}
	_, o.err = o.w.Write(o.buf)
	if o.buf = o.buf[:0]; cap(o.buf) > 4*blockBytes {
		o.buf = make([]byte, 0, blockBytes+blockBytes/4) // after one large record
	}
}

// Flush writes out what is buffered.
func (o *blockOut) Flush() error {
	o.Lock()
	defer o.Unlock()
	o.armed = false
	o.flush()
	return o.err
}
