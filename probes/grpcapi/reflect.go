package grpcapi

import (
	"context"
	"errors"

	"github.com/jhump/protoreflect/v2/grpcreflect"
	"github.com/jhump/protoreflect/v2/protoresolve"
	"google.golang.org/grpc/codes"
	refv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	refv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	"iscope/probes"
)

// version is a version of the reflection service.
type version string

const (
	v1      version = "v1"
	v1alpha version = "v1alpha"
)

// reflection asks one server for its descriptors and keeps what it learned.
//
// It chooses the version itself. grpcreflect.NewClientAuto (v2.0.0) takes the
// loss of a connection for a missing v1 and then stays with v1alpha for an
// hour, which a dashboard would meet at every deployment. So a client lives as
// long as the connection it was made on, and its stream only for one ask: no
// stream is open while nothing is asked, and none goes stale.
type reflection struct {
	link *link
	slot chan struct{} // holds one token: whoever has it may use the fields

	client  *grpcreflect.Client
	stop    context.CancelFunc // ends client
	calls   *guard
	works   version          // the version that has answered, "" none yet
	off     error            // neither version is served
	missing map[string]error // what the server does not know
	epoch   int64            // link.lost when the client was made
}

func newReflection(l *link) *reflection {
	r := &reflection{link: l, slot: make(chan struct{}, 1)}
	r.slot <- struct{}{}
	return r
}

// ask runs fn with a client. The errors of fn are the server's answers; errors
// of the stream are classified, and lead from v1 to v1alpha. It blocks until
// others have asked, and ends when ctx or the target's timeout does.
func (r *reflection) ask(ctx context.Context, fn func(*grpcreflect.Client) error) error {
	const op = "asking reflection"
	ctx, cancel := r.link.set.bounded(ctx)
	defer cancel()
	select {
	case <-r.slot:
		defer func() { r.slot <- struct{}{} }()
	case <-ctx.Done():
		return r.link.set.ended(ctx, op, "")
	}
	if r.epoch != r.link.lost.Load() {
		r.drop()
	}
	if r.off != nil {
		return r.off
	}
	return r.tryVersions(ctx, op, fn)
}

func (r *reflection) tryVersions(ctx context.Context, op string, fn func(*grpcreflect.Client) error) error {
	versions := r.link.set.versions
	if r.works != "" {
		// Once more with what worked: the connection may just have been lost.
		versions = append([]version{r.works}, versions...)
	}
	var first error
	for _, v := range versions {
		streamErr, err := r.try(ctx, op, v, fn)
		if streamErr == nil {
			r.works = v
			return err
		}
		r.drop()
		if first == nil || status.Code(first) == codes.Unimplemented {
			first = streamErr
		}
		if final(ctx, streamErr) {
			break
		}
	}
	if status.Code(first) == codes.Unimplemented && foreignHTTP(status.Convert(first)) == 0 {
		r.off = r.noReflection()
		r.epoch = r.link.lost.Load()
		return r.off
	}
	return r.link.requestError(ctx, op, first)
}

// final reports whether another version cannot help: the request is over, the
// server cannot be reached, or it has refused the credentials.
func final(ctx context.Context, err error) bool {
	var e *probes.Error
	if ctx.Err() != nil || errors.As(err, &e) {
		return true
	}
	st := status.Convert(err)
	refused := st.Code() == codes.Unauthenticated || st.Code() == codes.PermissionDenied
	return refused && foreignHTTP(st) == 0
}

func (r *reflection) noReflection() error {
	tried := r.link.set.versions
	text := "the server has no reflection (tried " + string(tried[0])
	for _, v := range tried[1:] {
		text += ", " + string(v)
	}
	hint := "enable reflection in the server, or set the option proto to its .proto files, or protoset to a FileDescriptorSet"
	if len(tried) == 1 {
		hint += ", or the option reflection to auto"
	}
	return r.link.set.fail("asking reflection", probes.ErrUnsupported, hinted(errors.New(text+")"), hint))
}

// try runs fn with a client of one version. streamErr is non-nil if the
// reflection stream failed; only otherwise err is an answer.
func (r *reflection) try(ctx context.Context, op string, v version, fn func(*grpcreflect.Client) error) (streamErr, err error) {
	if err := r.link.ready(ctx, op); err != nil {
		return err, nil
	}
	if err := r.open(v); err != nil {
		return err, nil
	}
	// The client takes no context per request: end it with ours.
	unhook := context.AfterFunc(ctx, r.stop)
	err = fn(r.client)
	r.client.Reset()
	streamErr = r.calls.take()
	if !unhook() && streamErr == nil {
		streamErr = ctx.Err()
	}
	return streamErr, err
}

func (r *reflection) open(v version) error {
	if r.client != nil {
		return nil
	}
	ctx, err := r.link.set.outgoing(context.Background(), nil)
	if err != nil {
		return err
	}
	ctx, r.stop = context.WithCancel(ctx)
	// Some servers leave out google/protobuf/*.proto, which everybody has.
	var known protoresolve.Resolver = protoresolve.GlobalDescriptors
	if src := r.link.set.sources; src != nil {
		known = protoresolve.Combine(&src.files, known)
	}
	r.calls = &guard{ClientConnInterface: r.link.cc, known: known}
	options := []grpcreflect.ClientOption{
		grpcreflect.WithAllowMissingFileDescriptors(), grpcreflect.WithFallbackResolver(known),
	}
	if v == v1 {
		r.client = grpcreflect.NewClientV1(ctx, refv1.NewServerReflectionClient(r.calls), options...)
	} else {
		r.client = grpcreflect.NewClientV1Alpha(ctx, refv1alpha.NewServerReflectionClient(r.calls), options...)
	}
	r.missing = map[string]error{}
	r.epoch = r.link.lost.Load()
	return nil
}

// drop forgets everything the server said.
func (r *reflection) drop() {
	if r.client != nil {
		r.stop()
	}
	r.client, r.stop, r.calls = nil, nil, nil
	r.works, r.off, r.missing = "", nil, nil
	r.epoch = r.link.lost.Load()
}

// isOff reports whether the server was found to have no reflection.
func (r *reflection) isOff(ctx context.Context) bool {
	select {
	case <-r.slot:
		defer func() { r.slot <- struct{}{} }()
		return r.off != nil
	case <-ctx.Done():
		return false
	}
}

// renew makes the next question go to the server and not to what it once said.
func (r *reflection) renew(ctx context.Context) {
	select {
	case <-r.slot:
		r.drop()
		r.slot <- struct{}{}
	case <-ctx.Done():
	}
}

// close ends a question in progress; the connection is about to be closed.
func (r *reflection) close() {
	select {
	case <-r.slot:
		r.drop()
		r.slot <- struct{}{}
	default: // in use: closing the connection ends it
	}
}
