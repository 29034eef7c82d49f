package grpcapi

import (
	"context"
	"io"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// questions is a stream to the reflection service made of one request for each
// message. Over HTTP/1 a server answers only when the request is complete, and
// some proxies allow no other kind.
type questions struct {
	ask func() *webStream
	ctx context.Context

	current *webStream // the newest request, nil before the first
	closed  bool
}

var _ grpc.ClientStream = (*questions)(nil)

// isReflection recognises the one method that asks one thing at a time over a
// stream in both directions.
func isReflection(method string) bool { return strings.HasSuffix(method, "/ServerReflectionInfo") }

func (q *questions) Context() context.Context { return q.ctx }

func (q *questions) SendMsg(m any) error {
	if q.current != nil && !q.current.ended {
		// Read to its end, for the connection to be used again. Another answer
		// would have been asked for by nobody.
		_ = q.current.RecvMsg(&wire{})
	}
	if q.current != nil && q.current.status != nil {
		return io.EOF // it has failed; RecvMsg says how
	}
	q.current = q.ask()
	return q.current.SendMsg(m)
}

func (q *questions) CloseSend() error {
	q.closed = true
	return nil
}

func (q *questions) RecvMsg(m any) error {
	if q.current == nil || q.closed && q.current.ended {
		return io.EOF
	}
	return q.current.RecvMsg(m)
}

func (q *questions) Header() (metadata.MD, error) {
	if q.current == nil {
		return nil, nil
	}
	return q.current.Header()
}

func (q *questions) Trailer() metadata.MD {
	if q.current == nil {
		return nil
	}
	return q.current.Trailer()
}
