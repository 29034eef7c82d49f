package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"

	"iscope/probes"
)

// fault is a failure whose kind is known where it happens. It becomes a
// probes.Error at the boundary, where target and operation are known too.
type fault struct {
	kind error // nil: to be found out
	err  error
	hint string
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() []error {
	if f.kind == nil {
		return []error{f.err}
	}
	return []error{f.kind, f.err}
}

// fail turns any error of this package into what callers get.
func (p *probe) fail(op string, err error) error {
	var done *probes.Error
	if errors.As(err, &done) {
		return done
	}
	if errors.Is(err, context.Canceled) && p.life.Err() != nil {
		err = &fault{kind: probes.ErrUsage, err: errClosed}
	}
	out := &probes.Error{Target: p.target.Name, Op: op, Err: err}
	var f *fault
	if errors.As(err, &f) {
		out.Kind, out.Hint = f.kind, f.hint
	}
	if out.Kind == nil && !errors.Is(err, context.Canceled) {
		if out.Kind = probes.KindOf(err); out.Kind == nil {
			out.Kind = probes.ErrProtocol
		}
	}
	return out
}

// answer is an error that AWS, or what stands in for it, answered with. The
// library's own text repeats service and operation, and names no cause first.
type answer struct {
	code, text string
	cause      error
}

func (a *answer) Error() string {
	if a.text == "" || a.text == a.code {
		return a.code
	}
	return a.code + ": " + a.text
}

func (a *answer) Unwrap() error { return a.cause }

// explain classifies an error of the library.
func (s *session) explain(err error) error {
	var f *fault
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	var key *keyError
	var api smithy.APIError
	switch {
	case errors.As(err, &key):
		return s.noKeys(key)
	case errors.As(err, &api):
		return s.refusal(api, err)
	}
	return s.noAnswer(err)
}

// refusal is an error with a code.
func (s *session) refusal(api smithy.APIError, err error) error {
	a := &answer{code: shortCode(api.ErrorCode()), text: plain(api.ErrorMessage()), cause: err}
	f := &fault{err: a}
	f.hint, f.kind = classify(a.code, a.text)
	if f.kind == nil && api.ErrorFault() == smithy.FaultServer || statusOf(err) >= 500 {
		f.kind, f.hint = probes.ErrUnreachable, "the service has trouble of its own; try again"
	}
	if f.kind == nil {
		f.kind = probes.ErrProtocol
	}
	if f.kind == probes.ErrAuth {
		f.hint = "the credentials are from " + s.keys.words() + "; " + f.hint
	}
	if a.code == "UnknownError" { // the library found no code
		return s.stranger(err)
	}
	return f
}

func statusOf(err error) int {
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) {
		return status.HTTPStatusCode()
	}
	return 0
}

// shortCode drops the namespace of the query protocol's codes
// (AWS.SimpleQueueService.NonExistentQueue).
func shortCode(code string) string { return strings.TrimPrefix(code, "AWS.SimpleQueueService.") }

// plain cuts what is no sentence for people. A refused signature is answered with
// the request's canonical form, which holds the session token.
func plain(text string) string {
	for _, mark := range []string{"\n", "The Canonical String", "The String-to-Sign"} {
		text, _, _ = strings.Cut(text, mark)
	}
	return strings.TrimRight(strings.TrimSpace(text), ".")
}

// noKeys says why there are no credentials to sign with.
func (s *session) noKeys(err *keyError) error {
	f := &fault{kind: probes.ErrAuth, err: err,
		hint: "looked at the target's auth, the environment (AWS_ACCESS_KEY_ID), the profile, web identity and container; " +
			"EC2 instance metadata is only asked with the option imds: true"}
	text := err.Error()
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		f.err = &answer{code: "getting credentials: " + api.ErrorCode(), text: plain(api.ErrorMessage()), cause: err}
		if hint, kind := classify(shortCode(api.ErrorCode()), api.ErrorMessage()); kind == probes.ErrDenied {
			f.kind, f.hint = kind, "the role cannot be assumed with these credentials"
		} else if hint != "" {
			f.hint = hint
		}
	case errors.Is(err, context.DeadlineExceeded):
		f.kind, f.hint = probes.ErrTimeout, ""
	case strings.Contains(text, "IMDS"), strings.Contains(text, "ec2imds"):
		f.err = &answer{code: "there are no credentials", cause: err}
	case probes.KindOfCause(err) != nil:
		f.kind, f.hint = probes.KindOfCause(err), "credentials could not be fetched over the network"
	}
	if strings.Contains(text, "SSO") || strings.Contains(text, "sso") {
		f.kind, f.hint = probes.ErrAuth, "log in again: aws sso login"
		if s.keys.profile != "" {
			f.hint += " --profile " + s.keys.profile
		}
	}
	return f
}

// noAnswer is an error without a code: nothing answered, or not as AWS does.
func (s *session) noAnswer(err error) error {
	where := s.where
	if where == "" {
		where = "AWS's endpoint in region " + s.region
	}
	var dial *net.OpError
	var name *net.DNSError
	kind := probes.KindOfCause(err)
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return &fault{kind: probes.ErrTLS, err: fmt.Errorf("%s does not speak TLS: %w", where, http.ErrSchemeMismatch), hint: "use the scheme without +tls, or an http:// endpoint"}
	case errors.As(err, &name):
		hint := "is the endpoint's name right?"
		if s.where == "" {
			hint = fmt.Sprintf("is %q a region, and is there a network?", s.region)
		}
		return &fault{kind: probes.ErrUnreachable, err: name, hint: hint}
	case kind == probes.ErrTLS:
		return &fault{kind: kind, err: inner(err), hint: "tls.ca names the authority that signed the endpoint's certificate"}
	case kind == probes.ErrTimeout:
		return &fault{kind: kind, err: fmt.Errorf("no answer from %s: %w", where, context.DeadlineExceeded), hint: "the target's timeout can be raised"}
	case errors.As(err, &dial) && dial.Op == "dial":
		return &fault{kind: probes.ErrUnreachable, err: dial, hint: "does anything listen at " + where + "?"}
	case kind == probes.ErrUnreachable:
		hint := ""
		if strings.HasPrefix(s.where, "http://") {
			hint = "if the endpoint speaks TLS, use the scheme with +tls, or an https:// endpoint"
		}
		return &fault{kind: kind, err: fmt.Errorf("%s hung up: %w", where, inner(err)), hint: hint}
	case strings.Contains(err.Error(), "MD5 checksum"):
		return &fault{kind: probes.ErrProtocol, err: fmt.Errorf("a message was damaged on the way: %w", inner(err))}
	}
	return s.stranger(err)
}

// stranger is an answer that is not AWS's.
func (s *session) stranger(err error) error {
	text := err.Error()
	var de *smithy.DeserializationError
	if errors.As(err, &de) {
		text += string(de.Snapshot)
	}
	if strings.Contains(text, "HTTP request to an HTTPS server") || strings.Contains(text, "HTTP request was sent to HTTPS port") {
		return &fault{kind: probes.ErrTLS, err: errors.New("the endpoint speaks TLS"), hint: "use the scheme with +tls, or an https:// endpoint"}
	}
	if code := statusOf(err); code >= 500 {
		return &fault{kind: probes.ErrUnreachable, err: fmt.Errorf("HTTP status %d: %w", code, inner(err))}
	}
	where := s.where
	if where == "" {
		where = "the endpoint"
	}
	return &fault{kind: probes.ErrProtocol, err: inner(err), hint: "does " + where + " speak the protocol of this service?"}
}

// inner takes the library's account of the operation off an error.
func inner(err error) error {
	var op *smithy.OperationError
	if errors.As(err, &op) {
		err = op.Err
	}
	var status interface{ Unwrap() error }
	for errors.As(err, &status) && strings.Contains(err.Error(), "https response error") {
		next := status.Unwrap()
		if next == nil {
			break
		}
		err = next
	}
	return err
}
