package shop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"strings"
)

// trace is a place in a distributed trace, as the header traceparent of W3C
// Trace Context carries it. The zero value is no trace.
type trace struct {
	id   string // 32 hex digits
	span string // 16 hex digits
}

// newTrace starts a trace from r, so that a seeded customer's traces are the
// same in every run.
func newTrace(r *rand.Rand) trace {
	var b [24]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	b[0] |= 1 // all zeros would be invalid
	return trace{id: hex.EncodeToString(b[:16]), span: hex.EncodeToString(b[16:])}
}

// parseTrace reads a traceparent of version 00; ok is false for all else.
func parseTrace(header string) (t trace, ok bool) {
	parts := strings.Split(header, "-")
	if len(parts) != 4 || parts[0] != "00" || len(parts[1]) != 32 || len(parts[2]) != 16 {
		return trace{}, false
	}
	for _, p := range parts[1:3] {
		if _, err := hex.DecodeString(p); err != nil || strings.Trim(p, "0") == "" {
			return trace{}, false
		}
	}
	return trace{id: parts[1], span: parts[2]}, true
}

// header is the traceparent to send, always sampled.
func (t trace) header() string { return "00-" + t.id + "-" + t.span + "-01" }

// child is a new span below t. Its id follows from the parent's and the name,
// so that equal shops have equal spans.
func (t trace) child(name string) trace {
	sum := sha256.Sum256([]byte(t.id + t.span + name))
	return trace{id: t.id, span: hex.EncodeToString(sum[:8])}
}

type traceKey struct{}

func withTrace(ctx context.Context, t trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceFrom returns the request's trace, or a new one for a caller that sent
// none.
func traceFrom(ctx context.Context) trace {
	if t, ok := ctx.Value(traceKey{}).(trace); ok {
		return t
	}
	return newTrace(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
}

// incoming puts the trace of a request into its context, below a span of the
// serving part's own.
func incoming(ctx context.Context, header, part string) context.Context {
	t, ok := parseTrace(header)
	if !ok {
		t = traceFrom(context.Background())
	}
	return withTrace(ctx, t.child(part))
}
