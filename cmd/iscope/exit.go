package main

import (
	"context"
	"errors"
	"fmt"

	"iscope/probes"
	"iscope/tui"
)

// Exit codes, the same for every verb.
const (
	exitOK          = 0
	exitDifferent   = 1  // not as expected: differences, a call that answered with an error status
	exitUsage       = 2  // command line or configuration
	exitUnreachable = 3  // or timed out
	exitDenied      = 4  // credentials or permissions
	exitNotFound    = 5  // with the nearest names
	exitRefused     = 6  // by a safety rule
	exitIncomplete  = 7  // finished, but with loss, a gap, skips or damaged input
	exitLimit       = 8  // stopped by a breaker or limit
	exitBug         = 70 // in iscope (EX_SOFTWARE of sysexits.h)
	exitInterrupted = 130
)

// errDifferent ends a verb whose answer has been printed and is not what was
// hoped for.
var errDifferent = errors.New("not as expected")

// exitCode maps an error to the code, by its kind.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDifferent):
		return exitDifferent
	case errors.Is(err, tui.ErrPanic):
		return exitBug
	}
	switch probes.KindOf(err) {
	case probes.ErrUsage, probes.ErrUnsupported:
		return exitUsage
	case probes.ErrUnreachable, probes.ErrTimeout, probes.ErrTLS, probes.ErrProtocol:
		return exitUnreachable
	case probes.ErrAuth, probes.ErrDenied:
		return exitDenied
	case probes.ErrNotFound:
		return exitNotFound
	case probes.ErrRefused:
		return exitRefused
	case probes.ErrIncomplete:
		return exitIncomplete
	case probes.ErrLimit:
		return exitLimit
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	return exitUsage
}

// finish prints an error as error / hint, sanitized and redacted, and returns
// the exit code.
func (a *app) finish(ctx context.Context, err error) int {
	code := exitCode(err)
	if ctx.Err() != nil && code != exitIncomplete && code != exitOK {
		return exitInterrupted
	}
	if err == nil || errors.Is(err, errDifferent) && err == errDifferent {
		return code
	}
	fmt.Fprintln(a.err, "iscope: "+a.clean(err.Error()))
	if hint := probes.HintOf(err); hint != "" {
		fmt.Fprintln(a.err, "  hint: "+a.clean(hint))
	}
	return code
}

// clean makes text from outside fit for a terminal and free of secrets. Line
// breaks of our own stay.
func (a *app) clean(s string) string {
	return block(a.policy.Text(s))
}

func (a *app) crashed(p any, stack []byte) int {
	fmt.Fprintf(a.err, "iscope: internal error: %s\n\n%s\nThis is a bug in iscope. Please report it with the lines above.\n",
		a.clean(fmt.Sprint(p)), stack)
	return exitBug
}
