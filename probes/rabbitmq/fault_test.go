package rabbitmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/probes/tap"
)

func asError(err error, into **probes.Error) bool { return errors.As(err, into) }

// TestTapOverCuts: what a live tail misses while the wire is cut is a gap, and it
// goes on afterwards; of the taps that died nothing is left.
func TestTapOverCuts(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "fanout", nil)
	before := b.left(t)
	relay := probetest.NewRelay(t, "127.0.0.1:0", b.addresses["amqp"])
	p := b.open(t, func(t *probes.Target) { t.Address = relay.Addr })
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	var got, gaps atomic.Int64
	ended := make(chan tap.Stats, 1)
	go func() {
		stats, err := tap.Run(ctx, p, probes.TailQuery{Subject: "exchange/x"}, tap.Options{Target: "test", Check: p.Check,
			Retry: tap.Retry{Min: time.Millisecond, Max: 20 * time.Millisecond},
			Sinks: []tap.Sink{tap.SinkFunc(func(_ context.Context, r probes.Record) error {
				got.Add(1)
				if r.Kind == probes.Gap {
					gaps.Add(1)
				}
				return nil
			})}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the tap ended with %v", err)
		}
		ended <- stats
	}()
	const cuts = 3
	for i := range cuts {
		seen := got.Load()
		wait(t, "a message", func() bool { b.publish(t, "x", "", []byte("m")); return got.Load() > seen })
		relay.Cut()
		wait(t, "the gap", func() bool { return gaps.Load() > int64(i) })
	}
	stop()
	if s := <-ended; s.Unknown < cuts || s.Reconnects < cuts {
		t.Errorf("%+v", s)
	}
	wait(t, "the broker's cleaning up", func() bool { return fmt.Sprint(before) == fmt.Sprint(b.left(t)) })
}

// TestConnectionFaults words what can be wrong before the first message.
func TestConnectionFaults(t *testing.T) {
	b := newBed(t)
	stranger := b.newUser(t, "")
	tls := func(t *probes.Target) { t.TLS.Enabled = true }
	for _, c := range []struct {
		name string
		edit func(*probes.Target)
		kind error
		hint string
	}{
		{"password", func(t *probes.Target) { t.Auth.Password = probes.NewSecret("wrong-hunter2") }, probes.ErrAuth, "guest"},
		{"user", func(t *probes.Target) { t.Auth.Username = "nobody" }, probes.ErrAuth, "username"},
		{"vhost", func(t *probes.Target) { t.Options[optVhost] = "no-such\x1b[2J" }, probes.ErrNotFound, "amqp://host/vhost"},
		{"no permission on the vhost", func(t *probes.Target) {
			t.Auth = probes.Auth{Username: stranger, Password: probes.NewSecret("secret")}
		}, probes.ErrDenied, "set_permissions"},
		{"TLS to plaintext", tls, probes.ErrTLS, "amqp://"},
		{"the management port", func(t *probes.Target) { t.Address = strings.TrimPrefix(b.addresses["management"], "http://") }, probes.ErrUnreachable, "AMQP is on 5672"},
	} {
		err := b.open(t, c.edit).Check(limit(t))
		wantKind(t, err, c.kind)
		if !strings.Contains(probes.HintOf(err), c.hint) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, hint %q", c.name, err, probes.HintOf(err))
		}
	}
}

// TestSilentPeer ends every operation at a peer that takes connections and says
// nothing.
func TestSilentPeer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, err := open(limit(t), probes.Target{Name: "silent", Address: ln.Addr().String(), Timeout: 200 * time.Millisecond, Options: map[string]string{optManagement: "off"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	q := p.(*probe)
	wantKind(t, ending(t, q, probes.TailQuery{Subject: "x"}), probes.ErrTimeout)
	_, err = q.Publish(limit(t), probes.Record{Source: probes.Ref{Subject: "queue/x"}})
	wantKind(t, err, probes.ErrTimeout)
	for _, err := range q.Peek(limit(t), probes.PeekQuery{Subject: "queue/x"}) {
		wantKind(t, err, probes.ErrTimeout)
	}
}

// TestDeniedTap names the permissions.
func TestDeniedTap(t *testing.T) {
	b := newBed(t)
	b.exchange(t, "x", "fanout", nil)
	user := b.newUser(t, "monitoring")
	b.allow(t, user, "", "", ".*")
	p := b.open(t, func(t *probes.Target) { t.Auth = probes.Auth{Username: user, Password: probes.NewSecret("secret")} })
	err := ending(t, p, probes.TailQuery{Subject: "exchange/x"})
	wantKind(t, err, probes.ErrDenied)
	if !strings.Contains(probes.HintOf(err), `^iscope\.tap\.`) {
		t.Errorf("hint %q", probes.HintOf(err))
	}
}

// TestFaults is what every driver must do when the system fails, on a broker of
// the test's own.
func TestFaults(t *testing.T) {
	streams := 0
	probetest.RunFaults(t, probetest.FaultCase{
		Driver: Driver(),
		Server: "rabbitmq",
		Target: ownTarget,
		Secured: func(i *probetest.Instance) probes.Target {
			target := ownTarget(i)
			target.Address = i.Addresses["amqps"]
			target.TLS = probes.TLS{Enabled: true, CAFile: i.Addresses["ca"], ServerName: "localhost"}
			return target
		},
		Denied: func(i *probetest.Instance) probes.Target {
			target := ownTarget(i)
			target.Auth.Password = probes.NewSecret("wrong")
			return target
		},
		Tail: &probetest.FaultTail{
			Subject: func(t *testing.T, i *probetest.Instance) string {
				streams++
				own := ownBed(t, i)
				own.queue(t, fmt.Sprintf("log-%d", streams), amqp.Table{"x-queue-type": "stream"})
				persist(t, i)
				return fmt.Sprintf("queue/log-%d", streams)
			},
			Produce: func(t *testing.T, i *probetest.Instance, subject string, n, size int) [][]byte {
				own := ownBed(t, i)
				log := strings.TrimPrefix(subject, "queue/")
				// What comes before the stream has recovered goes nowhere, and is confirmed.
				wait(t, "the stream", func() bool {
					ch := own.channel(t)
					defer ch.Close()
					_, err := ch.QueueDeclarePassive(log, true, false, false, false, nil)
					return err == nil
				})
				var out [][]byte
				for range n {
					out = append(out, fmt.Appendf(nil, "%d %0*d", unique.Add(1), size, 0))
				}
				own.publish(t, "", log, out...)
				return out
			},
		},
	})
}

// persist makes the broker write down what it has in memory only: what was
// declared within the last seconds does not survive a kill, nor does the
// coordinator of its first stream.
func persist(t *testing.T, i *probetest.Instance) {
	t.Helper()
	const sync = "mnesia:sync_log(), [dets:sync(T) || T <- dets:all()]."
	if out, err := exec.Command(i.Addresses["rabbitmqctl"], "eval", sync).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func ownTarget(i *probetest.Instance) probes.Target {
	return (&bed{addresses: i.Addresses, vhost: "/"}).target()
}

func ownBed(t *testing.T, i *probetest.Instance) *bed {
	t.Helper()
	b := &bed{addresses: i.Addresses, vhost: "/"}
	// The API answers before the AMQP listener does.
	wait(t, "the listener", func() bool {
		conn, err := net.Dial("tcp", b.addresses["amqp"])
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
	b.conn = b.connect(t)
	return b
}

// TestTapOverRestart kills the broker under a tap.
func TestTapOverRestart(t *testing.T) {
	i := probetest.Own(t, "rabbitmq")
	b := ownBed(t, i)
	b.exchange(t, "x", "fanout", nil)
	persist(t, i)
	p := b.open(t, nil)
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	got := make(chan probes.Record, 1<<16)
	ended := make(chan tap.Stats, 1)
	go func() {
		stats, _ := tap.Run(ctx, p, probes.TailQuery{Subject: "exchange/x"}, tap.Options{Target: "test", Check: p.Check,
			Retry: tap.Retry{Min: time.Millisecond, Max: 50 * time.Millisecond},
			Sinks: []tap.Sink{tap.SinkFunc(func(_ context.Context, r probes.Record) error { got <- r; return nil })}})
		ended <- stats
	}()
	arrives := func(kind probes.Kind) {
		t.Helper()
		for {
			select {
			case r := <-got:
				if r.Kind == kind {
					return
				}
			case <-time.After(30 * time.Second):
				t.Fatalf("no %s", kind)
			}
		}
	}
	b.bound(t, "x")
	b.publish(t, "x", "", []byte("before"))
	arrives(probes.Message)
	i.Kill()
	arrives(probes.Gap)
	i.Start()
	b = ownBed(t, i)
	b.bound(t, "x")
	b.publish(t, "x", "", []byte("after"))
	arrives(probes.Message)
	stop()
	if s := <-ended; s.Unknown == 0 || s.Reconnects == 0 {
		t.Errorf("%+v", s)
	}
}
