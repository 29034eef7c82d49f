package httplink

import (
	"context"
	"fmt"
	"time"
)

// timeLimit is the cause of a context that Bound ended.
type timeLimit struct{ after time.Duration }

func (t *timeLimit) Error() string { return fmt.Sprintf("timed out after %v", t.after) }

// Is makes it a context.DeadlineExceeded.
func (t *timeLimit) Is(target error) bool { return target == context.DeadlineExceeded }

// Bounded is a context that ends with the link and after a time limit, which can
// be lifted once it is known that an answer has no end.
type Bounded struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stop   func() bool
}

// Bound limits a context. Release has to be called.
func (l *Link) Bound(ctx context.Context, d time.Duration) *Bounded {
	b := &Bounded{}
	b.Context, b.cancel = context.WithCancelCause(ctx)
	b.timer = time.AfterFunc(d, func() { b.cancel(&timeLimit{d}) })
	b.stop = context.AfterFunc(l.Life, func() { b.cancel(context.Canceled) })
	if l.Life.Err() != nil { // AfterFunc is late: it starts a goroutine
		b.cancel(context.Canceled)
	}
	return b
}

// Lift removes the time limit.
func (b *Bounded) Lift() { b.timer.Stop() }

// Release ends the context and frees what it holds.
func (b *Bounded) Release() {
	b.stop()
	b.timer.Stop()
	b.cancel(context.Canceled)
}
