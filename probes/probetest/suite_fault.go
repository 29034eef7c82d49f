package probetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"iscope/probes"
	"iscope/probes/tap"
)

// FaultCase asks what a driver does when the system under it fails. It runs on
// a real server of the test's own, which is killed, paused and cut off. Parts
// left nil are not asked for: the system has nothing of the kind.
type FaultCase struct {
	Driver probes.Driver
	Server string // its name in the testbed
	Target func(i *Instance) probes.Target
	// Relayed says where a relay must listen so that all the driver's
	// connections go through it, and where it forwards to. nil: anywhere, to the
	// target's address.
	Relayed func(i *Instance) (listen, forward string)
	// Secured reaches the server with TLS, verified by the testbed's authority.
	Secured func(i *Instance) probes.Target
	// Denied reaches it with credentials that it refuses.
	Denied func(i *Instance) probes.Target
	Tail   *FaultTail
	Invoke *FaultInvoke
	// Oversized sends or receives more than the system or the driver likes.
	Oversized func(t *testing.T, i *Instance, conn *probes.Conn)
}

// FaultTail is a stream on the instance.
type FaultTail struct {
	// Subject makes one and returns its name.
	Subject func(t *testing.T, i *Instance) string
	// Produce appends n records to it, all different, of about size bytes, and
	// returns their bodies.
	Produce func(t *testing.T, i *Instance, subject string, n, size int) [][]byte
	// Live is set for streams without a past: what happens while the driver is
	// cut off may be lost, and is said to be.
	Live bool
}

// FaultInvoke is a call whose answer is long.
type FaultInvoke struct {
	Method string
	Doc    string
	Bytes  int64 // at least so many come back
	// Kept is set where the answer comes in parts, and those that came before a
	// cut are kept.
	Kept bool
	// Slow is set where the peer has to wait for a slow reader.
	Slow bool
}

// RunFaults runs the parts that are given.
func RunFaults(t *testing.T, c FaultCase) {
	i := Own(t, c.Server)
	s := &Suite{Driver: c.Driver, Target: c.Target(i)}
	t.Run("restart", func(t *testing.T) { c.restart(t, s, i) })
	t.Run("pause", func(t *testing.T) { c.pause(t, s, i) })
	if c.Secured != nil {
		t.Run("TLS", func(t *testing.T) { c.tls(t, i) })
	}
	if c.Denied != nil {
		t.Run("refused credentials", func(t *testing.T) { c.denied(t, i) })
	}
	if c.Oversized != nil {
		t.Run("oversized", func(t *testing.T) { c.Oversized(t, i, s.open(t, nil)) })
	}
	if c.Tail != nil {
		t.Run("tail over a restart", func(t *testing.T) { c.tail(t, s, i, nil, func() { i.Kill(); i.Start() }) })
		relay, cut := c.relay(t, i, s.Target)
		t.Run("tail over cuts", func(t *testing.T) { c.tail(t, cut, i, relay, relay.Cut) })
		if !c.Tail.Live {
			t.Run("slow reader of a tail", func(t *testing.T) { c.slowTail(t, cut, i, relay) })
		}
	}
	if c.Invoke != nil {
		relay, cut := c.relay(t, i, s.Target)
		t.Run("answer cut off", func(t *testing.T) { c.cutCall(t, cut, relay) })
		if c.Invoke.Slow {
			t.Run("slow reader of an answer", func(t *testing.T) { c.slowCall(t, cut, relay) })
		}
	}
}

// relay puts a relay before the instance and returns a suite that goes through
// it.
func (c *FaultCase) relay(t *testing.T, i *Instance, target probes.Target) (*Relay, *Suite) {
	listen, forward := "127.0.0.1:0", bare(target.Address)
	if c.Relayed != nil {
		listen, forward = c.Relayed(i)
	}
	r := NewRelay(t, listen, forward)
	target.Address = strings.Replace(target.Address, bare(target.Address), r.Addr, 1)
	return r, &Suite{Driver: c.Driver, Target: target}
}

// bare is the host:port of an address that may be a URL.
func bare(address string) string {
	if _, after, ok := strings.Cut(address, "://"); ok {
		address = after
	}
	host, _, _ := strings.Cut(address, "/")
	return host
}

func (c *FaultCase) restart(t *testing.T, s *Suite, i *Instance) {
	conn := s.open(t, nil)
	if err := conn.Check(limit(t)); err != nil {
		t.Fatal(err)
	}
	i.Kill()
	wantKind(t, conn.Check(limit(t)), probes.ErrUnreachable)
	i.Start()
	recovers(t, conn)
}

func (c *FaultCase) pause(t *testing.T, s *Suite, i *Instance) {
	conn := s.open(t, func(t *probes.Target) { t.Timeout = time.Second })
	if err := conn.Check(limit(t)); err != nil {
		t.Fatal(err)
	}
	i.Pause()
	ctx := limit(t)
	err := conn.Check(ctx)
	for err == nil { // not all its threads have stopped yet
		err = conn.Check(ctx)
	}
	i.Resume()
	wantKind(t, err, probes.ErrTimeout)
	recovers(t, conn)
}

// recovers waits until a connection that has failed works again.
func recovers(t *testing.T, conn *probes.Conn) {
	t.Helper()
	ctx := limit(t)
	for {
		err := conn.Check(ctx)
		if err == nil {
			return
		}
		if !probes.Transient(err) || ctx.Err() != nil {
			t.Fatalf("after the server came back: %v", err)
		}
	}
}

func (c *FaultCase) tls(t *testing.T, i *Instance) {
	secured := c.Secured(i)
	check := func(t *testing.T, target probes.Target) error {
		return (&Suite{Driver: c.Driver, Target: target}).open(t, nil).Check(limit(t))
	}
	t.Run("verified", func(t *testing.T) {
		if err := check(t, secured); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("an authority nobody knows", func(t *testing.T) {
		target := secured
		target.TLS.CAFile = ""
		wantKind(t, check(t, target), probes.ErrTLS)
	})
	t.Run("plaintext to a TLS port", func(t *testing.T) {
		target := secured
		target.TLS, target.Address = probes.TLS{}, strings.Replace(target.Address, "https://", "http://", 1)
		wantKind(t, check(t, target), probes.ErrTLS)
	})
	t.Run("TLS to a plaintext port", func(t *testing.T) {
		target := c.Target(i)
		target.TLS, target.Address = secured.TLS, strings.Replace(target.Address, "http://", "https://", 1)
		wantKind(t, check(t, target), probes.ErrTLS)
	})
}

func (c *FaultCase) denied(t *testing.T, i *Instance) {
	s := &Suite{Driver: c.Driver, Target: c.Denied(i)}
	err := s.open(t, nil).Check(limit(t))
	wantKind(t, err, probes.ErrAuth)
	if probes.Transient(err) || probes.HintOf(err) == "" {
		t.Errorf("%v: transient %v, hint %q", err, probes.Transient(err), probes.HintOf(err))
	}
}

// tail runs a tap while the server fails again and again. What a stream with a
// past had is read once and whole.
func (c *FaultCase) tail(t *testing.T, s *Suite, i *Instance, relay *Relay, fail func()) {
	const rounds, each = 3, 50
	subject := c.Tail.Subject(t, i)
	conn := s.open(t, nil)
	tailer, err := conn.Tailer()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*patience)
	defer stop()
	arrived := make(chan []byte, 1<<16)
	ended := make(chan error, 1)
	var stats tap.Stats
	go func() {
		var err error
		defer stop() // a tap that ends by itself ends the rounds
		stats, err = tap.Run(ctx, tailer, probes.TailQuery{Subject: subject, From: probes.Position{Kind: probes.PosEarliest}, Follow: true},
			tap.Options{Target: s.Target.Name, Check: conn.Check, Retry: tap.Retry{Min: time.Millisecond, Max: 50 * time.Millisecond, Initial: true},
				Sinks: []tap.Sink{tap.SinkFunc(func(_ context.Context, r probes.Record) error {
					if r.Kind == probes.Message || r.Kind == probes.Event {
						arrived <- r.Body
					}
					return nil
				})}})
		ended <- err
	}()
	seen := map[string]int{}
	for range rounds {
		c.round(ctx, t, i, subject, each, arrived, seen)
		fail()
	}
	c.round(ctx, t, i, subject, each, arrived, seen)
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the tap ended with %v", err)
	}
	if stats.Reconnects == 0 || !c.Tail.Live && stats.Incomplete() {
		t.Errorf("%+v", stats)
	}
	for body, n := range seen {
		if n > 1 && !c.Tail.Live {
			t.Errorf("%.60q came %d times", body, n)
		}
	}
}

// round produces and waits until all of it has arrived; of a live stream, until
// anything has.
func (c *FaultCase) round(ctx context.Context, t *testing.T, i *Instance, subject string, n int, arrived <-chan []byte, seen map[string]int) {
	t.Helper()
	missing := map[string]bool{}
	for _, b := range c.Tail.Produce(t, i, subject, n, 100) {
		missing[string(b)] = seen[string(b)] == 0
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case b := <-arrived:
			seen[string(b)]++
			delete(missing, string(b))
			if c.Tail.Live || len(missing) == 0 {
				return
			}
		case <-again.C:
			if c.Tail.Live { // what came before the tail was back is not its business
				c.Tail.Produce(t, i, subject, 1, 100)
			}
		case <-ctx.Done():
			t.Errorf("%d of %d records did not arrive", len(missing), n)
			return
		}
	}
}
