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

// channel is what a link sends calls through: a grpc.ClientConn, or a webChannel
// for the protocols that look like gRPC.
type channel interface {
	grpc.ClientConnInterface
	GetState() connectivity.State
	Connect()
	WaitForStateChange(ctx context.Context, from connectivity.State) bool
	Close() error
}

// link is a channel to the target together with what was observed of its
// connections. A link whose connection failed is thrown away by the probe, so
// a restarted server is found at once instead of after a backoff.
type link struct {
	set      *settings
	protocol protocol // never protoAuto
	cc       channel
	reflect  *reflection
	lost     atomic.Int64 // connections that have ended

	mu     sync.Mutex
	last   *attempt
	lookup time.Duration       // of the last lookup by an instances
	absent map[string][]string // by file: imports that nobody serves
	since  time.Time           // when a look for a method began that had to connect; zero once a call was made

	users   int  // guarded by probe.mu
	retired bool // guarded by probe.mu: the last user closes it
}

// never is a backoff that leaves trying again to the next request.
const never = 24 * time.Hour

func newLink(set *settings, p protocol) (*link, error) {
	l := &link{set: set, protocol: p}
	var err error
	if p == protoGRPC {
		l.cc, err = l.newChannel()
	} else {
		l.cc, err = newWebChannel(l)
	}
	if err != nil {
		return nil, set.usage(err)
	}
	l.reflect = newReflection(l)
	return l, nil
}

func (l *link) newChannel() (*grpc.ClientConn, error) {
	set := l.set
	creds := observed{TransportCredentials: insecure.NewCredentials()}
	if set.tls != nil {
		creds = observed{credentials.NewTLS(set.tls), set.tls.ServerName}
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(l.dial),
		grpc.WithStatsHandler(&watcher{lost: &l.lost}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: never, MaxDelay: never, Multiplier: 1},
			MinConnectTimeout: never,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(set.maxMessage), grpc.MaxCallSendMsgSize(math.MaxInt32)),
		grpc.WithDisableServiceConfig(),
		grpc.WithUserAgent(userAgent),
	}
	scheme := "passthrough"
	if set.balanced() {
		scheme = instancesScheme
		options = append(options, l.balancing()...)
	}
	if name := set.serverName(); name != "" {
		options = append(options, grpc.WithAuthority(name))
	}
	return grpc.NewClient(scheme+":///"+set.addr.dial, options...)
}

const userAgent = "iscope"

// serverName is what to call the server, "" for its address.
func (s *settings) serverName() string {
	switch {
	case s.authority != "":
		return s.authority
	case s.tls != nil && s.tls.ServerName != "":
		return s.tls.ServerName
	case s.addr.network == "unix":
		return s.addr.host
	}
	return ""
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
	a, lookup := l.last, l.lookup
	l.mu.Unlock()
	f := a.snapshot()
	if f.dns == 0 && !f.began.IsZero() {
		f.dns = lookup
	}
	return f
}

// lookedFor notes that finding a method, from began on, has cost a connection.
// The call that follows is what it was made for.
func (l *link) lookedFor(began time.Time) {
	if l.facts().began.Before(began) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = began
}

// start is when the first call on a connection began to need it, else now.
func (l *link) start(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.since.IsZero() {
		now = l.since
	}
	l.since = time.Time{}
	return now
}

func (l *link) lookedUp(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lookup = d
}

// where is the address that was tried last.
func (l *link) where() string {
	if a := l.facts().addr; a != "" {
		return a
	}
	return l.set.addr.String()
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
