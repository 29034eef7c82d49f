package rabbitmq

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"syscall"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
)

// fault is a failure whose kind is known where it happens. It becomes a
// probes.Error at the boundary, where target and operation are known too.
type fault struct {
	kind error // nil: found out from err
	err  error
	hint string
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// brokerSays words a refusal by the broker without the library's frame.
func brokerSays(e *amqp.Error) error { return &refusal{e} }

type refusal struct{ cause *amqp.Error }

func (r *refusal) Error() string { return "the broker says: " + r.cause.Reason }
func (r *refusal) Unwrap() error { return r.cause }

// fail turns any error of this package into what callers get.
func (p *probe) fail(op string, err error) error {
	var done *probes.Error
	if errors.As(err, &done) {
		return done
	}
	if errors.Is(err, context.Canceled) && p.life.Err() != nil {
		err = &fault{kind: probes.ErrUsage, err: errClosed}
	}
	out := &probes.Error{Target: p.target.Name, Op: op, Kind: kindOf(err), Err: err, Hint: hintFor(err)}
	var e *amqp.Error
	if errors.As(err, &e) && e.Server {
		var r *refusal
		if !errors.As(err, &r) {
			out.Err = brokerSays(e)
		}
	}
	return out
}

// kindOf classifies an error.
func kindOf(err error) error {
	var f *fault
	if errors.As(err, &f) && f.kind != nil {
		return f.kind
	}
	var s *statusError
	if errors.As(err, &s) {
		return s.kind()
	}
	var e *amqp.Error
	if errors.As(err, &e) {
		return kindOfCode(e)
	}
	if errors.Is(err, errGone) {
		return probes.ErrUnreachable
	}
	if k := probes.KindOfCause(err); k != nil || errors.Is(err, context.Canceled) {
		return k
	}
	return probes.ErrProtocol
}

// kindOfCode maps reply codes (https://www.rabbitmq.com/amqp-0-9-1-reference#constants).
func kindOfCode(e *amqp.Error) error {
	switch e.Code {
	case amqp.AccessRefused, amqp.NotAllowed, amqp.ResourceLocked:
		return probes.ErrDenied
	case amqp.NotFound:
		if absent(e) {
			return probes.ErrUnreachable
		}
		return probes.ErrNotFound
	case amqp.NoRoute:
		return probes.ErrNotFound
	case amqp.PreconditionFailed, amqp.ContentTooLarge, amqp.InvalidPath:
		if absent(e) {
			return probes.ErrUnreachable
		}
		return probes.ErrUsage
	case amqp.ConnectionForced, amqp.InternalError:
		// Internal errors are what a stream whose leader is not up yet answers.
		return probes.ErrUnreachable
	case amqp.NotImplemented:
		return probes.ErrUnsupported
	case amqp.ResourceError:
		return probes.ErrLimit
	}
	if !e.Server {
		return probes.ErrUnreachable // the library noticed that the connection is gone
	}
	return probes.ErrProtocol
}

func hintFor(err error) string {
	var f *fault
	if errors.As(err, &f) && f.hint != "" {
		return f.hint
	}
	var e *amqp.Error
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &e) && e.Code == amqp.ResourceLocked:
		return "the queue is exclusive: only the connection that declared it may use it"
	case errors.As(err, &e) && e.Code == amqp.AccessRefused && e.Server:
		return "the user lacks a permission: rabbitmqctl list_user_permissions USER"
	case errors.As(err, &authority):
		return "set tls.ca to the certificate authority that signed the broker's certificate"
	case errors.As(err, &host):
		return "set tls.server_name to a name the certificate holds"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check the address and that the broker runs"
	case errors.Is(err, context.DeadlineExceeded):
		return "check the address and that no firewall is in between; the target's timeout can be raised"
	case clientCertWanted(err):
		return "the broker wants a client certificate it trusts: set tls.cert and tls.key"
	}
	return ""
}

func clientCertWanted(err error) bool {
	s := err.Error()
	return strings.Contains(s, "certificate required") || strings.Contains(s, "bad certificate") ||
		strings.Contains(s, "unknown certificate authority") || strings.Contains(s, "handshake failure")
}

func containsFold(s, part string) bool { return strings.Contains(strings.ToLower(s), part) }

// isCode reports a refusal by the broker with that reply code.
func isCode(err error, code int) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Server && e.Code == code
}

// isMissing reports that the broker says something does not exist.
func isMissing(err error) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Server && e.Code == amqp.NotFound && !absent(e)
}

// absent: NOT_FOUND is also said of a queue whose node is away, or not started
// yet, and PRECONDITION_FAILED of a stream whose replica is not.
func absent(e *amqp.Error) bool {
	return containsFold(e.Reason, "does not have a replica") || containsFold(e.Reason, "inaccessible") || containsFold(e.Reason, "stopped by supervisor") || containsFold(e.Reason, "timeout")
}

// notFound names what is missing and what is near it.
func notFound(kind, name string, there []string) error {
	f := &fault{kind: probes.ErrNotFound, err: fmt.Errorf("no %s %q", kind, name)}
	if there != nil {
		f.hint = probes.NearestHint(name, there)
	}
	return f
}
