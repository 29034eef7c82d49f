package grpcapi

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"iscope/probes"
)

// codeNames are the names of https://grpc.io/docs/guides/status-codes/, which
// grpc-go spells differently.
var codeNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func codeName(c codes.Code) string {
	if int64(c) < int64(len(codeNames)) {
		return codeNames[c]
	}
	return fmt.Sprintf("CODE_%d", uint32(c))
}

// statusText is a status as people read it: "NOT_FOUND (5): no such order".
func statusText(st *status.Status) string {
	text := fmt.Sprintf("%s (%d)", codeName(st.Code()), uint32(st.Code()))
	if st.Message() != "" {
		text += ": " + st.Message()
	}
	return text
}

// kindOfCode says what a status means for a request of our own, such as
// reflection. The status of an invoked call is a result, not an error.
func kindOfCode(c codes.Code) error {
	switch c {
	case codes.Unauthenticated:
		return probes.ErrAuth
	case codes.PermissionDenied:
		return probes.ErrDenied
	case codes.Unimplemented:
		return probes.ErrUnsupported
	case codes.NotFound:
		return probes.ErrNotFound
	case codes.DeadlineExceeded:
		return probes.ErrTimeout
	case codes.Unavailable:
		return probes.ErrUnreachable
	case codes.ResourceExhausted:
		return probes.ErrLimit
	case codes.InvalidArgument:
		return probes.ErrUsage
	default:
		return probes.ErrProtocol
	}
}

// foreign begins what grpc-go says of an answer that is plain HTTP, such as a
// proxy's error page.
const foreign = "unexpected HTTP status code received from server: "

// foreignHTTP is the HTTP status of an answer that was not gRPC, else 0.
func foreignHTTP(st *status.Status) int {
	_, rest, ok := strings.Cut(st.Message(), foreign)
	if !ok || len(rest) < len("404") {
		return 0
	}
	n, err := strconv.Atoi(rest[:len("404")])
	if err != nil {
		return 0
	}
	return n
}

func kindOfHTTP(code int) (hint string, kind error) {
	switch code {
	case 401, 407:
		return "a proxy in front of the server wants credentials", probes.ErrAuth
	case 403:
		return "a proxy in front of the server refuses", probes.ErrDenied
	case 502, 503, 504:
		return "a proxy answers, but the server behind it does not", probes.ErrUnreachable
	default:
		return "an HTTP server or proxy answered, not gRPC: check address and path", probes.ErrProtocol
	}
}

// requestError classifies the failure of one of our own requests.
func (l *link) requestError(ctx context.Context, op string, err error) error {
	var done *probes.Error
	if errors.As(err, &done) {
		return err
	}
	if ended := l.set.ended(ctx, op, ""); ended != nil {
		return ended
	}
	st := status.Convert(err)
	kind, hint := kindOfCode(st.Code()), ""
	if code := foreignHTTP(st); code != 0 {
		hint, kind = kindOfHTTP(code)
	}
	switch kind {
	case probes.ErrAuth:
		if hint == "" {
			hint = "check the target's auth: token, or username and password"
		}
	case probes.ErrUnreachable:
		if l.failed() {
			return l.connectError(ctx, op)
		}
		if cause := l.facts().lost; cause != nil && hint == "" {
			return l.set.fail(op, kind, fmt.Errorf("the connection was lost: %w", cause))
		}
	}
	return l.set.fail(op, kind, hinted(errors.New(statusText(st)), hint))
}
