package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"iscope/config"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/probes/tap"
	"iscope/replay"
	"iscope/tui/session"
)

const twoEnvironments = `
default: dev
environments:
  dev: {class: dev, targets: {shop: {url: "fake://shop:1"}}}
  prod: {class: prod, targets: {shop: {url: "fake://shop:1"}, other: {url: "fake://other:1"}}}
`

// open makes a session over one fake, which all targets share.
func open(t *testing.T, f *probetest.Fake, change func(*session.Options)) *session.Session {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	drivers := []probes.Driver{f.Driver()}
	cfg, err := config.Load(write(t, twoEnvironments), drivers)
	if err != nil {
		t.Fatal(err)
	}
	o := session.Options{Config: cfg, Drivers: drivers, CaptureDir: filepath.Join(t.TempDir(), "captures")}
	if change != nil {
		change(&o)
	}
	s, err := session.New(o, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if err := goleak.Find(ignore, goleak.IgnoreTopFunction("testing.(*T).Run")); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t *testing.T, text string) config.Location {
	t.Helper()
	path := filepath.Join(t.TempDir(), "iscope.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := config.Find(path, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// until waits for a condition by the session's own wakes.
func until(t *testing.T, s *session.Session, what string, ok func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	for !ok() {
		select {
		case <-s.Changed():
		case <-ctx.Done():
			t.Fatalf("%s never came true; states %+v", what, s.States())
		}
	}
}

func TestModeFollowsTheEnvironment(t *testing.T) {
	s := open(t, probetest.NewFake("shop"), nil)
	if e := s.Env(); e.Name != "dev" || !e.Write {
		t.Fatalf("starts in %+v", e)
	}
	if err := s.SetEnv("prod"); err != nil {
		t.Fatal(err)
	}
	conn, err := s.Conn(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Publisher(); !errors.Is(err, probes.ErrRefused) {
		t.Fatalf("publishing in prod: %v", err)
	}
	if why := s.AllowWrite("dev"); why == "" {
		t.Fatal("writing was allowed under another name")
	}
	if why := s.AllowWrite("prod"); why != "" {
		t.Fatal(why)
	}
	if conn, err = s.Conn(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Publisher(); err != nil {
		t.Fatalf("publishing after :write prod: %v", err)
	}
}

func TestReadOnlyPinsTheMode(t *testing.T) {
	s := open(t, probetest.NewFake("shop"), func(o *session.Options) { o.ReadOnly = true })
	if s.Env().Write || s.AllowWrite("dev") == "" {
		t.Fatal("--read-only did not hold")
	}
}

func TestAnUnknownEnvironmentChangesNothing(t *testing.T) {
	s := open(t, probetest.NewFake("shop"), nil)
	if err := s.SetEnv("prdo"); err == nil || !strings.Contains(err.Error()+probes.HintOf(err), "prod") {
		t.Fatalf("error %v", err)
	}
	if s.Env().Name != "dev" {
		t.Fatalf("now in %s", s.Env().Name)
	}
}

func TestWatchingTellsHowTargetsAre(t *testing.T) {
	f := probetest.NewFake("shop")
	id := probes.NodeID(probes.NodeTopic, "shop", "orders")
	f.Snapshots = []probes.Snapshot{{Complete: true, Claims: []probes.Claim{{By: "shop", Call: "test", Class: probes.Declared,
		Node: &probes.Node{ID: id, Kind: probes.NodeTopic, Name: "orders"}}}}}
	s := open(t, f, nil)
	s.Watch()
	until(t, s, "shop is well", func() bool { return s.States()[0].Phase == session.Well })
	g := s.Graph()
	if _, ok := g.Find("orders"); !ok {
		t.Fatalf("no orders in %+v", g.Nodes)
	}
}

func TestRefusedCredentialsAreFinalUntilRetried(t *testing.T) {
	f := probetest.NewFake("shop")
	f.CheckErr = &probes.Error{Target: "shop", Op: "checking", Kind: probes.ErrAuth, Hint: "look at auth"}
	s := open(t, f, nil)
	s.Watch()
	until(t, s, "shop has failed", func() bool { return s.States()[0].Phase == session.Failed })
	if st := s.States()[0]; !st.Final || st.Hint != "look at auth" {
		t.Fatalf("state %+v", st)
	}
}

func TestFeedRecordsBeforeItShows(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 3)
	s := open(t, f, nil)
	feed := s.Tail(probes.Ref{Target: "shop", Subject: "orders"}, probes.TailQuery{Last: 3, Follow: true})
	until(t, s, "the feed is live", func() bool { return feed.State().Phase == tap.Live })
	path, err := feed.Capture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		f.Append("orders", probes.Record{Body: []byte(`{"late":true}`)})
	}
	for feed.Ring.Stats().Next < 8 {
		<-feed.Ring.Changed()
	}
	// What is in the ring has been through the capture.
	if _, n := feed.Capturing(); n < 5 {
		t.Fatalf("%d records in the capture, 5 on screen", n)
	}
	sum, err := feed.EndCapture()
	if err != nil || sum.Records < 5 {
		t.Fatalf("%+v, %v", sum, err)
	}
	r, err := replay.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if i := r.Info(); i.Records != sum.Records || i.Targets[0].Name != "shop" {
		t.Fatalf("info %+v", i)
	}
	files, err := s.Captures()
	if err != nil || len(files) != 1 || files[0].Info.Records != sum.Records {
		t.Fatalf("%+v, %v", files, err)
	}
}

func TestHoldingStopsTheReadingNotTheKeys(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 1)
	s := open(t, f, nil)
	feed := s.Tail(probes.Ref{Target: "shop", Subject: "orders"}, probes.TailQuery{Last: 1, Follow: true})
	<-feed.Ring.Changed()
	feed.Hold(true)
	f.Append("orders", probes.Record{Body: []byte("held")})
	if !feed.Held() || feed.Ring.Stats().Next != 1 {
		t.Fatalf("ring %+v", feed.Ring.Stats())
	}
	feed.Hold(false)
	for feed.Ring.Stats().Next < 2 {
		<-feed.Ring.Changed()
	}
}

func TestAFeedOfSomethingUnknownEndsWithTheReason(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 1)
	s := open(t, f, nil)
	feed := s.Tail(probes.Ref{Target: "shop", Subject: "order"}, probes.TailQuery{Last: 1})
	until(t, s, "the feed has ended", func() bool { return feed.State().Phase == tap.Ended })
	if text, hint := feed.Trouble(); !strings.Contains(text+hint, "orders") {
		t.Fatalf("%q, %q", text, hint)
	}
	s.Drop(feed)
	if len(s.Feeds()) != 0 {
		t.Fatal("the feed was not forgotten")
	}
}
