package grpcapi

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	// Linked in: round_robin.
	_ "google.golang.org/grpc/balancer/roundrobin"
	naming "google.golang.org/grpc/resolver"
)

// Values of the option balance. They are gRPC's own names of policies.
const (
	pickFirst  = "pick_first"
	roundRobin = "round_robin"
)

// balanced reports whether the target may be several instances. Otherwise there
// is one name to connect to, and no resolver in the way.
func (s *settings) balanced() bool { return s.balance != "" || len(s.addrs) > 1 }

// instancesScheme is that of targets which an instances resolves.
const instancesScheme = "iscope"

// lookAgain is the least time between two lookups of the same names. gRPC asks
// for one whenever a connection fails.
const lookAgain = 5 * time.Second

// balancing are the options of a channel to several instances. A lost instance
// is tried again now and then, since the others keep the channel in use.
func (l *link) balancing() []grpc.DialOption {
	policy := l.set.balance
	if policy == "" {
		policy = pickFirst
	}
	return []grpc.DialOption{
		grpc.WithResolvers(&instances{link: l}),
		grpc.WithDefaultServiceConfig(fmt.Sprintf(`{"loadBalancingConfig":[{%q:{}}]}`, policy)),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: time.Second, MaxDelay: 5 * time.Second, Multiplier: 2},
			MinConnectTimeout: never,
		}),
	}
}

// instances finds the addresses of a target's hosts by DNS, as the dialler does
// for a single one, so that failures and times are seen.
type instances struct {
	link *link

	client naming.ClientConn
	again  chan struct{}
	stop   context.CancelFunc
	wg     sync.WaitGroup
}

var (
	_ naming.Builder  = (*instances)(nil)
	_ naming.Resolver = (*instances)(nil)
)

func (*instances) Scheme() string { return instancesScheme }

// Build starts one resolver for each channel. Close waits for its goroutine.
func (b *instances) Build(_ naming.Target, cc naming.ClientConn, _ naming.BuildOptions) (naming.Resolver, error) {
	ctx, stop := context.WithCancel(context.Background())
	r := &instances{link: b.link, client: cc, again: make(chan struct{}, 1), stop: stop}
	r.wg.Go(func() { r.follow(ctx) })
	return r, nil
}

// ResolveNow asks for another lookup; it never blocks.
func (r *instances) ResolveNow(naming.ResolveNowOptions) {
	select {
	case r.again <- struct{}{}:
	default:
	}
}

func (r *instances) Close() {
	r.stop()
	r.wg.Wait()
}

func (r *instances) follow(ctx context.Context) {
	for {
		r.resolve(ctx)
		quiet := time.NewTimer(lookAgain)
		select {
		case <-quiet.C:
		case <-ctx.Done():
			quiet.Stop()
			return
		}
		select {
		case <-r.again:
		case <-ctx.Done():
			return
		}
	}
}

// resolve looks all hosts up and tells the channel. Hosts that cannot be found
// are left out as long as there are others.
func (r *instances) resolve(ctx context.Context) {
	a := &attempt{facts: facts{began: time.Now(), addr: r.link.set.addr.String()}}
	var found []naming.Address
	var failed error
	for _, addr := range r.link.set.addrs {
		one, err := lookup(ctx, addr)
		if err != nil {
			failed = err
			continue
		}
		found = append(found, one...)
	}
	if ctx.Err() != nil {
		return
	}
	if len(found) == 0 {
		a.facts.err = failed
		r.link.remember(a)
		r.client.ReportError(failed)
		return
	}
	r.link.lookedUp(time.Since(a.facts.began))
	// Its error says that the policy does not like the list; the channel's state
	// says so too.
	_ = r.client.UpdateState(naming.State{Addresses: found})
}

func lookup(ctx context.Context, a address) ([]naming.Address, error) {
	if a.network == "unix" {
		return []naming.Address{{Addr: a.String(), ServerName: a.host}}, nil
	}
	if net.ParseIP(a.host) != nil {
		return []naming.Address{{Addr: a.dial, ServerName: a.dial}}, nil
	}
	hosts, err := net.DefaultResolver.LookupHost(ctx, a.host)
	if err != nil {
		return nil, err
	}
	out := make([]naming.Address, len(hosts))
	for i, h := range hosts {
		out[i] = naming.Address{Addr: net.JoinHostPort(h, a.port), ServerName: a.dial}
	}
	return out, nil
}
