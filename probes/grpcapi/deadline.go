package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"iscope/probes"
)

// deadline is the cause of a context that we ended ourselves. It remembers
// whose limit it was, which is the first thing a person asks.
type deadline struct {
	after time.Duration
	whose string // "the call's deadline", "the target's timeout"
}

func (d *deadline) Error() string { return fmt.Sprintf("%s of %v passed", d.whose, d.after) }

// Is makes it a context.DeadlineExceeded for those who only ask that.
func (d *deadline) Is(target error) bool { return target == context.DeadlineExceeded }

// bounded limits one request to the target's timeout.
func (s *settings) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	d := s.target.RequestTimeout()
	return context.WithTimeoutCause(ctx, d, &deadline{d, "the target's timeout"})
}

// settle waits for the timer of a deadline that has passed: grpc-go compares
// clocks and may notice first.
func settle(ctx context.Context) {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done()
	}
}

// ended reports why ctx is over, or nil while it is not.
func (s *settings) ended(ctx context.Context, op, reached string) error {
	settle(ctx)
	cause := context.Cause(ctx)
	if cause == nil {
		return nil
	}
	e := &probes.Error{Target: s.target.Name, Op: op, Err: cause}
	var own *deadline
	switch {
	case errors.As(cause, &own):
		e.Hint = "give the call a longer deadline, or the target a longer timeout"
	case errors.Is(cause, context.DeadlineExceeded):
		cause = fmt.Errorf("the caller's deadline passed: %w", cause)
	default:
		return e // cancelled: the caller knows why
	}
	e.Kind, e.Err = probes.ErrTimeout, cause
	if reached != "" {
		e.Err = fmt.Errorf("%w; %s", cause, reached)
	}
	return e
}
