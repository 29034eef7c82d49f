package grpcapi

import (
	"errors"

	"iscope/probes"
)

// withHint is a cause with what to do about it, for the way up to the place
// that knows target and operation.
type withHint struct {
	error
	hint string
}

func (e *withHint) Unwrap() error { return e.error }

func hinted(err error, hint string) error { return &withHint{err, hint} }

// hintOf finds the hint of a cause.
func hintOf(err error) string {
	var h *withHint
	if errors.As(err, &h) {
		return h.hint
	}
	return probes.HintOf(err)
}
