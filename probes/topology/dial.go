package topology

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"iscope/probes"
)

// ByDial is the source of the claims that Dial makes.
const ByDial = "dial"

const (
	dialTimeout = time.Second
	dialAtOnce  = 8
)

// DialOptions change how Dial tries; the zero value suits.
type DialOptions struct {
	Timeout time.Duration                                                     // per address; 0 means one second
	AtOnce  int                                                               // at most 8; 0 means 8
	Connect func(ctx context.Context, network, addr string) (net.Conn, error) // nil means TCP from here
	Now     func() time.Time
}

// Dial tries whether the instances' addresses accept a TCP connection, and
// closes it at once. It is a look from this machine: what it cannot reach may
// be well for others. The caller asks the user first (Environment.Dial).
//
// It blocks until all have been tried or ctx ends; addresses not tried by then
// are left out.
func Dial(ctx context.Context, g Graph, o DialOptions) []probes.Claim {
	byAddr := map[string][]*Node{}
	var addrs []string
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Kind != probes.NodeInstance || n.Addr == "" {
			continue
		}
		if byAddr[n.Addr] == nil {
			addrs = append(addrs, n.Addr)
		}
		byAddr[n.Addr] = append(byAddr[n.Addr], n)
	}
	verdicts := make([]Verdict, len(addrs))
	o.each(ctx, addrs, verdicts)
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	var claims []probes.Claim
	for i, addr := range addrs {
		if verdicts[i].By == "" {
			continue
		}
		for _, n := range byAddr[addr] {
			claims = append(claims, probes.Claim{By: ByDial, Call: "TCP connect", Class: probes.ObservedOne, Seen: now(),
				Node: &probes.Node{ID: n.ID, Kind: n.Kind, Name: n.Name, Parent: n.Parent, Addr: addr,
					Health: verdicts[i].Health, Reason: verdicts[i].Reason}})
		}
	}
	return claims
}

// each fills in the verdicts, a few at a time.
func (o *DialOptions) each(ctx context.Context, addrs []string, verdicts []Verdict) {
	atOnce := min(cmp.Or(max(0, o.AtOnce), dialAtOnce), dialAtOnce)
	next := make(chan int)
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for i := range next {
				verdicts[i] = o.try(ctx, addrs[i])
			}
		})
	}
	for i := range addrs {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
}

// try connects once. The verdict has no By if ctx ended first.
func (o *DialOptions) try(parent context.Context, addr string) Verdict {
	ctx, cancel := context.WithTimeout(parent, cmp.Or(o.Timeout, dialTimeout))
	defer cancel()
	connect := o.Connect
	if connect == nil {
		connect = new(net.Dialer).DialContext
	}
	conn, err := connect(ctx, "tcp", addr)
	if err == nil {
		conn.Close()
		return Verdict{By: ByDial, Health: probes.HealthOK}
	}
	if parent.Err() != nil {
		return Verdict{}
	}
	v := Verdict{By: ByDial, Health: probes.HealthFail}
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		v.Reason = "connection refused"
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		v.Reason = "timed out"
	case errors.As(err, &dns):
		v.Reason = "no such host"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		v.Reason = "no route"
	default:
		// Something on our side, such as too many open files: no verdict.
		v.Health, v.Reason = probes.HealthUnknown, err.Error()
	}
	return v
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}
