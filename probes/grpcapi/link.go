package grpcapi

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/stats"
)

// link is a gRPC channel to the target together with what was observed of its
// connections. A link whose connection failed is thrown away by the probe, so
// a restarted server is found at once instead of after a backoff.
type link struct {
	set     *settings
	cc      *grpc.ClientConn
	reflect *reflection
	lost    atomic.Int64 // connections that have ended

	mu   sync.Mutex
	last *attempt

	users   int  // guarded by probe.mu
	retired bool // guarded by probe.mu: the last user closes it
}

// never is a backoff that leaves trying again to the next request.
const never = 24 * time.Hour

func newLink(set *settings) (*link, error) {
	l := &link{set: set}
	creds := insecure.NewCredentials()
	if set.tls != nil {
		creds = credentials.NewTLS(set.tls)
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(observed{creds}),
		grpc.WithContextDialer(l.dial),
		grpc.WithStatsHandler(&watcher{lost: &l.lost}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: never, MaxDelay: never, Multiplier: 1},
			MinConnectTimeout: never,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(set.maxMessage), grpc.MaxCallSendMsgSize(math.MaxInt32)),
		grpc.WithDisableServiceConfig(),
		grpc.WithUserAgent("iscope"),
	}
	if set.addr.network == "unix" {
		options = append(options, grpc.WithAuthority(set.addr.host))
	}
	cc, err := grpc.NewClient("passthrough:///"+set.addr.dial, options...)
	if err != nil {
		return nil, set.usage(err)
	}
	l.cc = cc
	l.reflect = newReflection(l)
	return l, nil
}

func (l *link) close() {
	l.reflect.close()
	// The only error is that it was closed before.
	_ = l.cc.Close()
}

func (l *link) remember(a *attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = a
}

// facts are those of the newest connection.
func (l *link) facts() facts {
	l.mu.Lock()
	a := l.last
	l.mu.Unlock()
	return a.snapshot()
}

// failed reports whether the link can only repeat an old error.
func (l *link) failed() bool {
	s := l.cc.GetState()
	return s == connectivity.TransientFailure || s == connectivity.Shutdown
}

// ready blocks until the link is connected, which is at once if it already is,
// and says precisely why not otherwise.
func (l *link) ready(ctx context.Context, op string) error {
	for {
		state := l.cc.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.TransientFailure, connectivity.Shutdown:
			return l.connectError(ctx, op)
		case connectivity.Idle:
			l.cc.Connect()
		}
		if !l.cc.WaitForStateChange(ctx, state) {
			return l.connectError(ctx, op)
		}
	}
}

// watcher receives grpc-go's events. Per call it finds the call's own recorder
// in the context, the only way a stats.Handler has to tell calls apart.
type watcher struct{ lost *atomic.Int64 }

var _ stats.Handler = (*watcher)(nil)

func (*watcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (*watcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (w *watcher) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnEnd); ok {
		w.lost.Add(1)
	}
}

func (*watcher) HandleRPC(ctx context.Context, s stats.RPCStats) {
	if t, ok := ctx.Value(timesKey{}).(*times); ok {
		t.note(s)
	}
}
