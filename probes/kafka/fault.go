package kafka

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"iscope/probes"
)

// Error codes this package decides by, from
// https://kafka.apache.org/protocol#protocol_error_codes.
const (
	codeOffsetOutOfRange = int16(offsetOutOfRange)
	codeUnknownTopic     = int16(unknownTopicOrPartition)
	codeIllegalSASLState = int16(illegalSASLState)
	codeUnsupportedSASL  = int16(unsupportedSASLMechanism)
	codeInvalidTopic     = int16(invalidTopic)
	codeGroupNotFound    = int16(groupIDNotFound)
	codeTopicDenied      = int16(topicAuthorizationFailed)
)

// fault is a failure whose kind is known where it happens. It becomes a
// probes.Error at the boundary, where target and operation are known too.
type fault struct {
	kind error
	err  error
	hint string
}

func (f *fault) Error() string   { return f.err.Error() }
func (f *fault) Unwrap() []error { return []error{f.kind, f.err} }

// brokerError words an error code of a broker; detail is what the broker said
// itself, if anything.
func brokerError(code int16, detail string) error {
	c := brokerCode(code)
	if detail != "" {
		return &codeError{code: c, text: strings.TrimRight(detail, ".")}
	}
	return &codeError{code: c, text: c.name()}
}

// codeError is a broker's refusal.
type codeError struct {
	code brokerCode
	text string
}

func (e *codeError) Error() string { return "the broker says: " + e.text }
func (e *codeError) Unwrap() error { return e.code }

// fail turns any error of this package into what callers get.
func (p *probe) fail(op string, err error) error {
	var done *probes.Error
	if errors.As(err, &done) {
		return done
	}
	if errors.Is(err, context.Canceled) && p.life.Err() != nil {
		err = &fault{kind: probes.ErrUsage, err: errClosed}
	}
	out := &probes.Error{Target: p.target.Name, Op: op, Kind: kindOf(err), Err: err}
	var f *fault
	if errors.As(err, &f) {
		out.Hint = f.hint
	}
	if out.Hint == "" {
		out.Hint = hintFor(err, out.Kind)
	}
	return out
}

// kindOf classifies an error that no fault in its chain has classified.
func kindOf(err error) error {
	var f *fault
	if errors.As(err, &f) {
		return f.kind
	}
	var code brokerCode
	if errors.As(err, &code) {
		return kindOfCode(code)
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	if k := probes.KindOfCause(err); k != nil {
		return k
	}
	return probes.ErrProtocol
}

func kindOfCode(code brokerCode) error {
	switch code {
	case topicAuthorizationFailed, groupAuthorizationFailed, clusterAuthorizationFailed,
		transactionalIDDenied, delegationTokenDenied:
		return probes.ErrDenied
	case saslAuthenticationFailed, unsupportedSASLMechanism, illegalSASLState:
		return probes.ErrAuth
	case unknownTopicOrPartition, groupIDNotFound, unknownTopicID:
		return probes.ErrNotFound
	case requestTimedOut:
		return probes.ErrTimeout
	case unsupportedVersion:
		return probes.ErrUnsupported
	case invalidTopic, invalidGroupID, messageTooLarge, recordListTooLarge, invalidTimestamp,
		invalidRecord, offsetOutOfRange, policyViolation:
		return probes.ErrUsage
	}
	if code.passing() || code == brokerNotAvailable || code == replicaNotAvailable {
		return probes.ErrUnreachable
	}
	return probes.ErrProtocol
}

func hintFor(err, kind error) string {
	var code brokerCode
	switch {
	case kind == probes.ErrDenied:
		return "ask for the DESCRIBE and READ (to publish: WRITE) permissions on it"
	case errors.As(err, &code):
		return hintOfCode(code)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there: check the address and that the broker runs"
	case kind == probes.ErrTLS:
		return tlsHint(err)
	case kind == probes.ErrTimeout:
		return "check the address and that no firewall is in between; the target's timeout can be raised"
	}
	return ""
}

func hintOfCode(code brokerCode) string {
	switch code {
	case messageTooLarge, recordListTooLarge:
		return "the topic's max.message.bytes sets the largest message it takes"
	case invalidTimestamp:
		return "the topic's message.timestamp.before.max.ms and .after.max.ms bound the timestamps it takes"
	case notEnoughReplicas, notEnoughReplicasAfterAppend:
		return "fewer replicas are in sync than the topic's min.insync.replicas"
	}
	return ""
}

func tlsHint(err error) string {
	s := err.Error()
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &authority):
		return "set tls.ca to the certificate authority that signed the broker's certificate"
	case errors.As(err, &host):
		return "set tls.server_name to a name the certificate holds"
	case strings.Contains(s, "certificate required"), strings.Contains(s, "bad certificate"), strings.Contains(s, "unknown certificate authority"):
		return "the broker wants a client certificate: set tls.cert and tls.key"
	}
	return ""
}

const (
	hintBrokerTLS   = "the broker speaks TLS: use kafka+tls:// or set tls for the target"
	hintBrokerPlain = "the broker speaks plaintext on this port: use kafka:// without tls, or the port of its TLS listener"
)

// isGone reports that the peer hung up, as opposed to answering late or badly.
func isGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed)
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

// isFinal reports that asking another broker, or again, cannot help.
func isFinal(ctx context.Context, err error) bool {
	k := kindOf(err)
	return ctx.Err() != nil || k != probes.ErrUnreachable && k != probes.ErrTimeout
}
