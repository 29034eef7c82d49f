package proxy

import (
	"errors"
	"io"
	"os"
	"testing"
	"time"
)

// slowBody has one piece, which comes when the answer is through already, and
// then nothing until its deadline.
type slowBody struct {
	pieces chan string
	over   chan struct{}
	closed bool
}

func (b *slowBody) Read(p []byte) (int, error) {
	select {
	case s := <-b.pieces:
		return copy(p, s), nil
	case <-b.over:
		return 0, os.ErrDeadlineExceeded
	}
}

func (b *slowBody) Close() error { b.closed = true; return nil }

// watch is what an exchange keeps of a request.
type watch struct {
	got   string
	err   error
	ended bool
}

func newPatient(b *slowBody, w *watch, deadline func(time.Time) error) *patient {
	return &patient{deadline: deadline, state: func() (bool, bool) { return w.got != "", w.ended },
		body: &tee{rc: b, take: func(p []byte) { w.got += string(p) }, end: func(err error) { w.err, w.ended = err, true }}}
}

func TestWhatWasAskedIsRecordedAfterTheAnswer(t *testing.T) {
	b, w := &slowBody{pieces: make(chan string, 1), over: make(chan struct{})}, &watch{}
	var waits []time.Duration
	p := newPatient(b, w, func(at time.Time) error {
		waits = append(waits, time.Until(at))
		if len(waits) == 1 { // the transport gives up; only then the message comes
			b.pieces <- "order 7"
			return nil
		}
		close(b.over)
		return nil
	})
	if err := p.Close(); err != nil || b.closed {
		t.Fatalf("%v, closed %v", err, b.closed)
	}
	if waits[0] <= 0 || waits[0] > patience {
		t.Errorf("waits %v for the first message", waits[0])
	}
	n, err := p.Read(make([]byte, 64))
	if n != 7 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	p.rest()
	if w.got != "order 7" || !w.ended || !errors.Is(w.err, os.ErrDeadlineExceeded) {
		t.Errorf("recorded %q, ended %v with %v", w.got, w.ended, w.err)
	}
	if waits[1] > 0 {
		t.Errorf("waits %v for more of a stream", waits[1])
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, errUnread) {
		t.Errorf("the transport is told %v", err)
	}
}

func TestNothingIsWaitedForWithoutADeadline(t *testing.T) {
	b, w := &slowBody{pieces: make(chan string), over: make(chan struct{})}, &watch{}
	p := newPatient(b, w, func(time.Time) error { return errors.ErrUnsupported })
	p.rest()
	if !b.closed || !errors.Is(w.err, errUnread) {
		t.Errorf("closed %v, ended with %v", b.closed, w.err)
	}
}

func TestAWholeRequestIsLeftAlone(t *testing.T) {
	w := &watch{ended: true}
	p := newPatient(&slowBody{}, w, func(time.Time) error { t.Error("a deadline was set"); return nil })
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	p.rest()
	if w.err != nil && !errors.Is(w.err, io.EOF) {
		t.Error(w.err)
	}
}
