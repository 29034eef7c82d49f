package grpcapi

import (
	"context"
	"reflect"
	"sync"
	"time"

	"google.golang.org/grpc/connectivity"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"iscope/probes"
)

const (
	// watchEvery is how often a watched target is asked again whatever it says.
	watchEvery = 10 * time.Second
	// watchAtMost bounds the health streams held open on one server.
	watchAtMost = 32
)

// awaitChange blocks until the health service reports a change, the connection
// changes, or it is time to ask again.
func (p *probe) awaitChange(ctx context.Context, s probes.Snapshot) error {
	l, done, err := p.use(ctx, "watching")
	if err != nil {
		return err
	}
	defer done()
	watch, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	changed := make(chan struct{}, 1)
	signal := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	wg.Go(func() {
		if l.cc.WaitForStateChange(watch, connectivity.Ready) {
			signal()
		}
	})
	for _, n := range watchable(s) {
		wg.Go(func() {
			if l.healthChanged(watch, n) {
				signal()
			}
		})
	}
	tick := time.NewTimer(watchEvery)
	defer tick.Stop()
	select {
	case <-ctx.Done():
		return p.set.ended(ctx, "watching", "")
	case <-changed:
	case <-tick.C:
	}
	return nil
}

// watchable are the nodes that the health service knows.
func watchable(s probes.Snapshot) []*probes.Node {
	var out []*probes.Node
	for _, c := range s.Claims {
		if c.Node != nil && c.Node.Health != probes.HealthUnknown && len(out) < watchAtMost {
			out = append(out, c.Node)
		}
	}
	return out
}

// healthChanged blocks until the health service says of a service something
// else than the node does, or stops saying anything. It is false if there is
// nothing to watch.
func (l *link) healthChanged(ctx context.Context, n *probes.Node) bool {
	service := n.Name
	if n.Parent == "" {
		service = "" // the whole server
	}
	out, err := l.set.outgoing(ctx, nil)
	if err != nil {
		return false
	}
	stream, err := healthpb.NewHealthClient(l.cc).Watch(out, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return false
	}
	for first := true; ; first = false {
		resp, err := stream.Recv()
		if err != nil {
			return !first
		}
		if v := judge(resp.GetStatus()); v.verdict != n.Health || v.reason != n.Reason {
			return true
		}
	}
}

// same compares two snapshots but for the time they were taken.
func same(a, b probes.Snapshot) bool {
	if len(a.Claims) != len(b.Claims) || a.Complete != b.Complete || !reflect.DeepEqual(a.Missing, b.Missing) {
		return false
	}
	for i := range a.Claims {
		x, y := a.Claims[i], b.Claims[i]
		x.Seen, y.Seen = time.Time{}, time.Time{}
		if !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}
