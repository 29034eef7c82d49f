package probes

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// Kinds of failure. Every error that leaves a driver wraps exactly one, so that
// errors.Is(err, probes.ErrAuth) works anywhere and the command line can map
// it to an exit code.
var (
	ErrUsage       = errors.New("invalid request")     // what was asked makes no sense
	ErrUnsupported = errors.New("not supported")       // the system or driver has no such ability
	ErrUnreachable = errors.New("unreachable")         // refused, reset, no such host, peer gone
	ErrTimeout     = errors.New("timed out")           // no answer within the deadline
	ErrTLS         = errors.New("TLS failed")          // certificates, plaintext/TLS mix-up; final
	ErrAuth        = errors.New("credentials refused") // never retried
	ErrDenied      = errors.New("permission denied")   // authenticated, not allowed; never retried
	ErrNotFound    = errors.New("not found")           // topic, method, service, target
	ErrRefused     = errors.New("refused")             // by one of iscope's own safety rules
	ErrIncomplete  = errors.New("incomplete")          // finished, but something is missing
	ErrLimit       = errors.New("stopped by a limit")  // a breaker or ceiling
	ErrProtocol    = errors.New("protocol error")      // the peer answered something we cannot read
)

var kinds = []error{
	ErrUsage, ErrUnsupported, ErrUnreachable, ErrTimeout, ErrTLS, ErrAuth, ErrDenied,
	ErrNotFound, ErrRefused, ErrIncomplete, ErrLimit, ErrProtocol,
}

// Error is how a driver reports failure: what was attempted on which target,
// what kind of failure it is, the cause, and what to do next.
type Error struct {
	Target string // configured name or address
	Op     string // what was attempted, as a gerund: "fetching orders/2"
	Kind   error  // one of the Err values of this package
	Err    error  // the cause; may be nil when Kind says it all
	Hint   string // what to do next; may be empty

	// Resume is set on errors of Tail only: the position reached, to be handed
	// back as TailQuery.Resume. Opaque to all but the driver.
	Resume string
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Target != "" {
		b.WriteString(e.Target + ": ")
	}
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	switch {
	case e.Err == nil:
		b.WriteString(e.Kind.Error())
	case e.Kind == nil || strings.Contains(e.Err.Error(), e.Kind.Error()):
		b.WriteString(e.Err.Error())
	default:
		b.WriteString(e.Kind.Error() + ": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap makes errors.Is and errors.As see both the kind and the cause.
func (e *Error) Unwrap() []error {
	var out []error
	if e.Kind != nil {
		out = append(out, e.Kind)
	}
	if e.Err != nil {
		out = append(out, e.Err)
	}
	return out
}

// KindOf returns the kind an error wraps. Errors that no driver has classified
// are recognised by their standard-library causes; nil means unknown.
func KindOf(err error) error {
	for _, k := range kinds {
		if errors.Is(err, k) {
			return k
		}
	}
	return KindOfCause(err)
}

// KindOfCause classifies a raw error of the standard library; nil if it is none
// of the well-known ones. Drivers call it before looking closer themselves.
func KindOfCause(err error) error {
	var netErr net.Error
	var dnsErr *net.DNSError
	var opErr *net.OpError
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return nil
	case isTLS(err):
		return ErrTLS
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	case errors.As(err, &dnsErr):
		return ErrUnreachable
	case errors.As(err, &netErr) && netErr.Timeout():
		return ErrTimeout
	case errors.As(err, &opErr), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed):
		return ErrUnreachable
	}
	return nil
}

// Transient reports whether trying again later may help. Credentials and
// permissions never are: retrying them locks accounts.
func Transient(err error) bool {
	k := KindOf(err)
	return k == ErrUnreachable || k == ErrTimeout
}

// HintOf returns the hint of the outermost Error that has one.
func HintOf(err error) string {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return ""
		}
		if e.Hint != "" {
			return e.Hint
		}
		err = e.Err
	}
	return ""
}
