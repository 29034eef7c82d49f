package topology

import (
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"iscope/probes"
)

// clock is a clock that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func complete(s *said) probes.Snapshot { return probes.Snapshot{Claims: s.claims, Complete: true} }

func has(g Graph, name string) bool { _, ok := g.Find(name); return ok }

func TestStore(t *testing.T) {
	c := &clock{noon}
	s := NewStore(c.now)
	s.Put("c", complete(from("c").service("a").service("b").calls("a", "b", probes.Declared)))

	// Incomplete answers delete nothing.
	s.Put("c", probes.Snapshot{Claims: from("c").service("n").claims, Missing: []string{"services hidden"}})
	g := s.Graph(BuildOptions{})
	if !has(g, "a") || !has(g, "b") || !has(g, "n") || len(g.Edges) != 1 || len(g.Gone) != 0 {
		t.Fatalf("after an incomplete answer: %s", text(g))
	}
	if f := find(g, FindingIncomplete); len(f) != 1 || !strings.Contains(f[0].Text, "services hidden") || f[0].Severity != SeverityWarning {
		t.Errorf("findings %+v", g.Findings)
	}

	// Complete ones do, and it is listed.
	c.t = c.t.Add(time.Minute)
	s.Put("c", complete(from("c").service("a").service("n")))
	g = s.Graph(BuildOptions{})
	if has(g, "b") || len(g.Edges) != 0 || len(g.Gone) != 2 || len(find(g, FindingIncomplete)) != 0 {
		t.Fatalf("after a complete answer: %s gone %+v", text(g), g.Gone)
	}
	for _, gone := range g.Gone {
		if gone.By != "c" || !gone.At.Equal(c.t) || gone.Node != "service:c/b" && gone.To != "service:c/b" {
			t.Errorf("gone: %+v", gone)
		}
	}

	// What comes back is not gone, and the rest is forgotten after a while.
	s.Put("c", complete(from("c").service("a").service("b").service("n")))
	if g = s.Graph(BuildOptions{}); len(g.Gone) != 1 || g.Gone[0].To == "" {
		t.Errorf("after it came back: %+v", g.Gone)
	}
	c.t = c.t.Add(KeepGone + time.Second)
	if g = s.Graph(BuildOptions{}); len(g.Gone) != 0 {
		t.Errorf("for ever gone: %+v", g.Gone)
	}
}

func TestStoreKeepsWhatAFailedSourceSaid(t *testing.T) {
	c := &clock{noon}
	s := NewStore(c.now)
	s.Put("c", complete(from("c").service("a")))
	s.Put("d", complete(from("d").service("x")))
	c.t = c.t.Add(90 * time.Second)
	s.Fail("c", errors.New("connection refused"))
	c.t = c.t.Add(10 * time.Second)
	s.Fail("c", errors.New("still refused"))
	s.Fail("never", errors.New("no such host"))
	g := s.Graph(BuildOptions{})
	a, _ := g.Find("a")
	x, _ := g.Find("x")
	if a == nil || !a.Stale || x == nil || x.Stale || len(g.Gone) != 0 {
		t.Fatalf("%s", text(g))
	}
	if st := g.Sources[0]; st.Err != "still refused" || !st.Since.Equal(noon.Add(90*time.Second)) || !st.Seen.Equal(noon) {
		t.Errorf("%+v", st)
	}
	f := find(g, FindingIncomplete)
	if len(f) != 2 || !strings.Contains(f[0].Text, "1m40s old") || !strings.Contains(f[1].Text, "never does not answer: no such host") {
		t.Errorf("%+v", f)
	}
	s.Put("c", complete(from("c").service("a")))
	s.Forget("never")
	if g = s.Graph(BuildOptions{}); g.Nodes[0].Stale || len(g.Findings) != 0 || len(g.Sources) != 2 {
		t.Errorf("after it came back: %s %+v", text(g), g.Findings)
	}
}

func TestStoreExpires(t *testing.T) {
	c := &clock{noon}
	s := NewStore(c.now)
	snap := complete(from("c").service("lease"))
	snap.Claims[0].TTL = time.Minute
	s.Put("c", snap)
	if !has(s.Graph(BuildOptions{}), "lease") {
		t.Error("gone too soon")
	}
	c.t = c.t.Add(2 * time.Minute)
	if has(s.Graph(BuildOptions{}), "lease") {
		t.Error("valid for ever")
	}
}

func TestRound(t *testing.T) {
	seq := func(list ...any) iter.Seq2[probes.Snapshot, error] {
		return func(yield func(probes.Snapshot, error) bool) {
			for _, x := range list {
				err, _ := x.(error)
				snap, _ := x.(probes.Snapshot)
				if !yield(snap, err) {
					return
				}
			}
		}
	}
	whole, part := complete(from("c").service("a")), probes.Snapshot{Claims: from("c").service("b").claims, Missing: []string{"x"}}
	if got, err := Round(seq(whole, part)); err != nil || got.Complete || len(got.Claims) != 2 || len(got.Missing) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Round(seq(whole, whole)); err != nil || !got.Complete {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Round(seq()); err != nil || got.Complete {
		t.Errorf("no answer is not a complete one: %+v, %v", got, err)
	}
	if _, err := Round(seq(whole, errors.New("lost"))); err == nil {
		t.Error("an error got lost")
	}
}

func find(g Graph, kind string) (out []Finding) {
	for _, f := range g.Findings {
		if f.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}
