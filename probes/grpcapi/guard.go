package grpcapi

import (
	"context"
	"errors"
	"sync"

	"github.com/jhump/protoreflect/v2/protoresolve"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// guard is the connection a reflection client sees. grpcreflect repeats a
// failed stream up to three times whatever the reason, refused credentials
// included; guard lets the first failure stand.
type guard struct {
	grpc.ClientConnInterface
	known protoresolve.Resolver // what the server need not serve

	mu     sync.Mutex
	err    error
	absent []string // files that the server was asked for and does not have
}

// takeAbsent returns the files found to be absent since the last time.
func (g *guard) takeAbsent() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := g.absent
	g.absent = nil
	return out
}

func (g *guard) noteAbsent(file string) {
	if file == "" {
		return
	}
	if _, err := g.known.FindFileByPath(file); err == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.absent = append(g.absent, file)
}

// take returns the failure since the last take.
func (g *guard) take() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.err
	g.err = nil
	return err
}

func (g *guard) failed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err != nil
}

func (g *guard) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err == nil {
		g.err = err
	}
}

// errFailed is all that grpcreflect gets to know; guard keeps the cause. Given
// an Unimplemented here, a v1 client would reach for the v1alpha stub that it
// does not have, and panic.
var errFailed = errors.New("the reflection stream has failed")

// NewStream opens a stream unless one has failed.
func (g *guard) NewStream(ctx context.Context, d *grpc.StreamDesc, method string, o ...grpc.CallOption) (grpc.ClientStream, error) {
	if g.failed() {
		return nil, errFailed
	}
	s, err := g.ClientConnInterface.NewStream(ctx, d, method, o...)
	if err != nil {
		g.fail(err)
		return nil, errFailed
	}
	return &guardedStream{s, g}, nil
}

type guardedStream struct {
	grpc.ClientStream
	guard *guard
}

func (s *guardedStream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	if err != nil {
		s.guard.fail(err)
		return err
	}
	if response, ok := m.(proto.Message); ok {
		s.guard.noteAbsent(refusedFile(response.ProtoReflect()))
	}
	return nil
}

// refusedFile is the file that a response of either version says is not there,
// else "".
func refusedFile(response protoreflect.Message) string {
	fields := response.Descriptor().Fields()
	refused, request := fields.ByName("error_response"), fields.ByName("original_request")
	if refused == nil || request == nil || !response.Has(refused) {
		return ""
	}
	asked := response.Get(request).Message()
	return asked.Get(asked.Descriptor().Fields().ByName("file_by_filename")).String()
}
