package probetest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"iscope/probes"
)

// Suite is what every driver must do, whatever its system. A driver's test
// fills in how to reach a running system and how to make traffic on it, and
// calls Run; parts left nil are not asked for.
type Suite struct {
	Driver probes.Driver
	// Target reaches a healthy system and allows writing.
	Target   probes.Target
	Discover *DiscoverCase
	Tail     *TailCase
	Publish  *PublishCase
	Invoke   *InvokeCase
}

// patience bounds every single step: a step that needs longer hangs.
const patience = 2 * time.Minute

// Run runs the suite.
func Run(t *testing.T, suite Suite) {
	s := &suite
	t.Run("answers a check", func(t *testing.T) {
		if err := s.open(t, nil).Check(limit(t)); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("says where it connects", s.testAddresses)
	t.Run("stops when told", s.testCancelled)
	t.Run("says that nothing listens", s.testNothingListens)
	t.Run("does not wait for ever", s.testBlackHole)
	t.Run("refuses to write where that is not allowed", s.testReadOnly)
	s.RunParts(t, *s)
}

// testAddresses: addresses are complete, whatever of them the configuration says.
func (s *Suite) testAddresses(t *testing.T) {
	all, err := s.open(t, nil).Addresses(limit(t))
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, a := range all {
		host, port, err := net.SplitHostPort(a)
		if path, unix := strings.CutPrefix(a, "unix:"); unix && path != "" {
			continue
		}
		if err != nil || host == "" || port == "" {
			t.Errorf("%q is neither host:port nor unix:PATH", a)
		}
	}
}

// RunParts runs only the abilities' cases of parts, against s's target.
func (s *Suite) RunParts(t *testing.T, parts Suite) {
	if parts.Discover != nil {
		t.Run("discover", func(t *testing.T) { parts.Discover.run(t, s) })
	}
	if parts.Tail != nil {
		t.Run("tail", func(t *testing.T) { parts.Tail.run(t, s) })
	}
	if parts.Publish != nil {
		t.Run("publish", func(t *testing.T) { parts.Publish.run(t, s) })
	}
	if parts.Invoke != nil {
		t.Run("invoke", func(t *testing.T) { parts.Invoke.run(t, s) })
	}
}

// open opens the target, changed by edit, and sees to it that closing it leaves
// no goroutine behind.
func (s *Suite) open(t *testing.T, edit func(*probes.Target)) *probes.Conn {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	target := s.Target
	target.Environment.Write = true
	if edit != nil {
		edit(&target)
	}
	conn, err := probes.Open(limit(t), []probes.Driver{s.Driver}, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := goleak.Find(ignore, goleak.IgnoreTopFunction("testing.(*T).Run")); err != nil {
			t.Errorf("after Close: %v", err)
		}
	})
	return conn
}

func limit(t testing.TB) context.Context {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	t.Cleanup(stop)
	return ctx
}

func (s *Suite) testCancelled(t *testing.T) {
	conn := s.open(t, nil)
	ctx, stop := context.WithCancel(limit(t))
	stop()
	if err := conn.Check(ctx); err == nil {
		t.Error("Check succeeded after its context had ended")
	}
	if s.Tail != nil {
		tailer, err := conn.Tailer()
		if err != nil {
			t.Fatal(err)
		}
		for range tailer.Tail(ctx, probes.TailQuery{Subject: s.Tail.Subject}) {
		}
	}
	if s.Discover != nil {
		d, err := conn.Discoverer()
		if err != nil {
			t.Fatal(err)
		}
		for range d.Discover(ctx, probes.DiscoverQuery{Watch: true}) {
		}
	}
}

func (s *Suite) testNothingListens(t *testing.T) {
	conn := s.open(t, s.at(Nowhere))
	wantKind(t, conn.Check(limit(t)), probes.ErrUnreachable)
}

// testBlackHole connects to something that accepts and never answers.
func (s *Suite) testBlackHole(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go io.Copy(io.Discard, c)
		}
	}()
	ctx := limit(t)
	target := s.Target
	s.at(ln.Addr().String())(&target)
	conn, err := probes.Open(ctx, []probes.Driver{s.Driver}, target)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	wantKind(t, conn.Check(ctx), probes.ErrTimeout)
}

// at points a target elsewhere, with credentials that must not show up in the
// error that follows.
func (s *Suite) at(addr string) func(*probes.Target) {
	return func(t *probes.Target) {
		if i := strings.Index(t.Address, "://"); i >= 0 {
			addr = t.Address[:i+3] + addr
		}
		t.Address, t.Timeout = addr, time.Second
		t.Auth.Password = probes.NewSecret(planted)
		if t.Auth.Mechanism == "" {
			t.Auth.Token = probes.NewSecret(planted)
		}
	}
}

const planted = "hunter2-never-shown"

func wantKind(t *testing.T, err, kind error) {
	t.Helper()
	switch {
	case !errors.Is(err, kind):
		t.Fatalf("error %v (kind %v), want kind %q", err, probes.KindOf(err), kind)
	case strings.Contains(err.Error()+probes.HintOf(err), planted):
		t.Fatalf("the error shows a secret: %v", err)
	}
	var e *probes.Error
	if !errors.As(err, &e) || e.Target == "" || e.Op == "" {
		t.Fatalf("%v does not name its target and operation (%#v)", err, e)
	}
}

func (s *Suite) testReadOnly(t *testing.T) {
	conn := s.open(t, func(t *probes.Target) { t.Environment = probes.Environment{Name: "p", Class: probes.ClassProd} })
	if conn.Can("publish") {
		_, err := conn.Publisher()
		wantKind(t, err, probes.ErrRefused)
	}
	if !conn.Can("invoke") {
		return
	}
	for _, err := range conn.Invoke(limit(t), probes.Method{}, probes.Invocation{Method: "anything"}) {
		wantKind(t, err, probes.ErrRefused)
	}
}
