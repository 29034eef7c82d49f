package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"iscope/probes"
)

// probe is one open cluster. It keeps idle links and nothing else: everything
// known of the cluster is asked for when it is needed.
type probe struct {
	target probes.Target
	boot   []string // addresses to start from
	dialer dialer

	life context.Context // ends with Close, and with it all that runs
	stop context.CancelFunc
	runs sync.WaitGroup // fetchers of running tails

	mu      sync.Mutex
	idle    map[string][]*link // by address
	stamped map[unread]int64   // milliseconds, see stamps
	closed  bool

	homes   homes         // where publishing goes
	refresh time.Duration // how often tails look for new topics and partitions
}

var (
	_ probes.Probe  = (*probe)(nil)
	_ probes.Tailer = (*probe)(nil)
)

func newProbe(t probes.Target, boot []string, d dialer) *probe {
	p := &probe{target: t, boot: boot, dialer: d, idle: map[string][]*link{}, refresh: refreshEvery}
	p.life, p.stop = context.WithCancel(context.Background())
	return p
}

// Check connects, authenticates and asks for the cluster's brokers.
func (p *probe) Check(ctx context.Context) error {
	ctx, stop := p.scope(ctx)
	defer stop()
	c, err := p.cluster(ctx, []string{})
	if err == nil && len(c.brokers) == 0 {
		err = &fault{kind: probes.ErrUnreachable, err: errors.New("the cluster knows of no broker")}
	}
	if err != nil {
		return p.fail("checking", err)
	}
	return nil
}

// Close closes all links and waits for the fetchers of running tails. A tail
// that runs ends with an error.
func (p *probe) Close() error {
	p.stop()
	p.mu.Lock()
	p.closed = true
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, links := range idle {
		for _, l := range links {
			l.close()
		}
	}
	p.runs.Wait()
	return nil
}

var errClosed = errors.New("the target has been closed")

// scope ties an operation to the probe's life.
func (p *probe) scope(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	release := context.AfterFunc(p.life, cancel)
	return ctx, func() { release(); cancel() }
}

// start runs a goroutine that Close waits for; false after Close.
func (p *probe) start(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.runs.Go(f)
	return true
}

// idleTrust is how long an idle link is taken for alive. Brokers drop idle
// connections after ten minutes, clouds' load balancers after four.
const idleTrust = 3 * time.Minute

// borrow hands out a link for one caller's use: an idle one if there is, else a
// new one.
func (p *probe) borrow(ctx context.Context, addr string) (l *link, fresh bool, err error) {
	p.mu.Lock()
	for links := p.idle[addr]; len(links) > 0 && l == nil; links = p.idle[addr] {
		l = links[len(links)-1]
		p.idle[addr] = links[:len(links)-1]
		if time.Since(l.used) > idleTrust || l.worn() {
			l.close()
			l = nil
		}
	}
	closed := p.closed
	p.mu.Unlock()
	if closed {
		return nil, false, &fault{kind: probes.ErrUsage, err: errClosed}
	}
	if l != nil {
		return l, false, nil
	}
	l, err = p.dialer.connect(ctx, addr)
	return l, true, err
}

// release takes a link back that is between requests.
func (p *probe) release(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.close()
		return
	}
	links := slices.DeleteFunc(p.idle[l.addr], func(old *link) bool {
		stale := time.Since(old.used) > idleTrust || old.worn()
		if stale {
			old.close()
		}
		return stale
	})
	p.idle[l.addr] = append(links, l)
}

// onLink does something that changes nothing with a link to the broker at addr,
// within the target's timeout. An idle link that turns out to be dead is replaced
// once.
func (p *probe) onLink(ctx context.Context, addr string, do func(context.Context, *link) error) error {
	for {
		l, fresh, err := p.borrow(ctx, addr)
		if err != nil {
			return err
		}
		if err = p.using(ctx, l, do); err == nil {
			return nil
		}
		if fresh {
			return p.firstFault(ctx, addr, err)
		}
		if !isGone(err) {
			return err
		}
	}
}

// using does something with a borrowed link within the target's timeout and gives
// the link back or closes it.
func (p *probe) using(ctx context.Context, l *link, do func(context.Context, *link) error) error {
	ctx, stop := context.WithTimeout(ctx, p.target.RequestTimeout())
	defer stop()
	if err := do(ctx, l); err != nil {
		l.close()
		return fmt.Errorf("asking %s: %w", l.addr, err)
	}
	p.release(l)
	return nil
}

// ask sends a request that changes nothing to the broker at addr.
func ask[T protocol.Message](ctx context.Context, p *probe, addr string, req protocol.Message) (res T, err error) {
	err = p.onLink(ctx, addr, func(ctx context.Context, l *link) error {
		msg, err := l.call(ctx, req)
		if err == nil {
			res = msg.(T)
		}
		return err
	})
	return res, err
}

// firstFault explains why a broker hung up on the first real request: most
// often because it expected authentication.
func (p *probe) firstFault(ctx context.Context, addr string, err error) error {
	if p.dialer.sasl != nil || !isGone(err) {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, sniffTime)
	defer stop()
	takes, wants := p.dialer.wantsSASL(ctx, addr)
	if !wants {
		return err
	}
	return &fault{kind: probes.ErrAuth, err: fmt.Errorf("the broker wants authentication: %w", err),
		hint: fmt.Sprintf("set auth for the target; the broker takes SASL %s", joinOr(takes))}
}

// askAny asks the bootstrap addresses in turn until one answers.
func askAny[T protocol.Message](ctx context.Context, p *probe, req protocol.Message) (res T, err error) {
	err = p.anywhere(ctx, func(addr string) error {
		res, err = ask[T](ctx, p, addr, req)
		return err
	})
	return res, err
}

// anywhere tries the bootstrap addresses in turn until one will do.
func (p *probe) anywhere(ctx context.Context, try func(addr string) error) (err error) {
	for _, addr := range p.boot {
		next := try(addr)
		if next == nil {
			return nil
		}
		if isFinal(ctx, next) {
			return next
		}
		err = next
	}
	if n := len(p.boot); n > 1 {
		err = fmt.Errorf("none of %d addresses answered, the last one: %w", n, err)
	}
	return err
}

// hostPort joins what brokers say of themselves.
func hostPort(host string, port int32) string {
	return net.JoinHostPort(host, fmt.Sprint(port))
}

// Addresses are the brokers to start from.
func (p *probe) Addresses(context.Context) ([]string, error) { return p.boot, nil }
