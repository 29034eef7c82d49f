package session_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/probes/tap"
	"iscope/tui/session"
)

var dead = probes.Ref{Target: "shop", Subject: "dead"}

// buried is a fake with dead letters of a subject, all but one of which say so.
func buried(n int) *probetest.Fake {
	f := probetest.NewFake("shop")
	f.Seed("orders", 1)
	for i := range n {
		r := probes.Record{Body: fmt.Append(nil, i)}
		if i > 0 {
			r.Attrs = []probes.Attr{{Name: probes.AttrDeadOrigin, Value: "orders"}}
		}
		f.Append("dead", r)
	}
	f.Behave("dead", probetest.Manner{Dead: &probes.DeadLetter{Because: "named like one"}})
	return f
}

func ended(t *testing.T, s *session.Session, f *session.Feed) error {
	t.Helper()
	until(t, s, "the look has ended", func() bool { return f.State().Phase == tap.Ended })
	return f.State().Err
}

func TestALookEndsByItselfAndSaysWhatItDid(t *testing.T) {
	s := open(t, buried(5), nil)
	feed := s.Peek(dead, probes.PeekQuery{Limit: 3})
	if err := ended(t, s, feed); err != nil {
		t.Fatal(err)
	}
	if n := feed.Ring.Stats().Next; n != 3 {
		t.Fatalf("%d messages", n)
	}
	if text, bad := feed.Account(); text != "1 change" || bad {
		t.Fatal(text, bad)
	}
	again := s.Peek(dead, probes.PeekQuery{Limit: 3})
	if err := ended(t, s, again); err != nil {
		t.Fatal(err)
	}
	if all := s.Feeds(); len(all) != 1 || all[0] != again {
		t.Fatalf("%d feeds: the earlier look is still there", len(all))
	}
	if tail := s.Tail(dead, probes.TailQuery{Follow: true}); tail == again {
		t.Fatal("a tail of the same queue got the look")
	}
}

func TestLooksAndRedrivesAreWrites(t *testing.T) {
	f := buried(3)
	s := open(t, f, nil)
	if err := s.SetEnv("prod"); err != nil {
		t.Fatal(err)
	}
	if why := s.WriteRefusal(); !strings.Contains(why, ":write prod") {
		t.Fatal(why)
	}
	for _, feed := range []*session.Feed{s.Peek(dead, probes.PeekQuery{}), s.ShowDead(dead, probes.PeekQuery{})} {
		if err := ended(t, s, feed); !errors.Is(err, probes.ErrRefused) || len(feed.Deeds()) > 0 {
			t.Errorf("%v, %v", err, feed.Deeds())
		}
	}
	r := s.Redrive(dead, probes.RedriveQuery{})
	until(t, s, "the redrive is over", func() bool { return r.Account().Over })
	if a := r.Account(); !strings.Contains(a.Err, "read-only") || a.Sent > 0 || len(r.Deeds()) > 0 || len(f.Log("dead")) != 3 {
		t.Errorf("%+v", a)
	}
}

func TestARedriveIsCountedAndCanBeStopped(t *testing.T) {
	f := buried(5)
	f.Steps = make(chan struct{}, 3)
	for range 3 {
		f.Steps <- struct{}{}
	}
	s := open(t, f, nil)
	r := s.Redrive(dead, probes.RedriveQuery{})
	for r.Account().Sent < 2 { // it does not tell of each
		if s.Redriving() != r {
			t.Fatalf("not running: %+v", r.Account())
		}
	}
	r.Stop()
	until(t, s, "the redrive is over", func() bool { return s.Redriving() == nil })
	a := r.Account()
	if a.Sent != 2 || a.Failed != 1 || !a.Stopped || a.Err != "" || a.To["orders"] != 2 {
		t.Fatalf("%+v", a)
	}
	if len(a.Errors) != 1 || a.Errors[0].Count != 1 || len(f.Log("dead")) != 3 {
		t.Fatalf("%+v, %d left", a.Errors, len(f.Log("dead")))
	}
}

func TestWhatIsLeftIsKnownAfterTheEnd(t *testing.T) {
	f := buried(1)
	f.Behave("dead", probetest.Manner{Tapped: true, Stuck: true})
	s := open(t, f, nil)
	feed := s.Tail(dead, probes.TailQuery{Follow: true})
	until(t, s, "something was made", func() bool { text, _ := feed.Account(); return text == "1 queue of ours" })
	s.Close()
	if left := s.Left(); len(left) != 1 || !strings.HasPrefix(left[0].What, "queue iscope.tap") {
		t.Fatal(left)
	}
	if text, bad := feed.Account(); text != "1 left behind" || !bad {
		t.Fatal(text, bad)
	}
}

// A screen may ask for something until its last moment: nothing is begun then,
// and nobody waits for it.
func TestNothingBeginsAfterTheEnd(t *testing.T) {
	f := buried(3)
	s := open(t, f, nil)
	s.Close()
	s.Watch()
	s.Tail(dead, probes.TailQuery{}).End()
	s.Peek(dead, probes.PeekQuery{}).End()
	if r := s.Redrive(dead, probes.RedriveQuery{}); !r.Account().Over || s.Redriving() != nil || len(f.Log("dead")) != 3 {
		t.Fatalf("%+v", r.Account())
	}
}
