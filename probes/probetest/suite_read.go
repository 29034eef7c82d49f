package probetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"iscope/probes"
)

// DiscoverCase asks for what a target has.
type DiscoverCase struct {
	Kinds   []probes.NodeKind // nodes of each of these must be claimed
	Subject string            // a node's name that can be asked for alone
	Unknown string            // one that does not exist, "" if names are not checked
}

func (c *DiscoverCase) run(t *testing.T, s *Suite) {
	d, err := s.open(t, nil).Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	nodes := c.collect(t, d, s, probes.DiscoverQuery{})
	for _, kind := range c.Kinds {
		if !slices.ContainsFunc(nodes, func(n *probes.Node) bool { return n.Kind == kind }) {
			t.Errorf("no node of kind %s among %d", kind, len(nodes))
		}
	}
	if c.Subject != "" {
		nodes = c.collect(t, d, s, probes.DiscoverQuery{Subject: c.Subject, Detail: true})
		if !slices.ContainsFunc(nodes, func(n *probes.Node) bool { return n.Name == c.Subject }) {
			t.Errorf("asked for %s, got %d nodes without it", c.Subject, len(nodes))
		}
	}
	if c.Unknown != "" {
		for _, err := range d.Discover(limit(t), probes.DiscoverQuery{Subject: c.Unknown, Detail: true}) {
			wantKind(t, err, probes.ErrNotFound)
		}
	}
}

func (c *DiscoverCase) collect(t *testing.T, d probes.Discoverer, s *Suite, q probes.DiscoverQuery) (nodes []*probes.Node) {
	t.Helper()
	for snap, err := range d.Discover(limit(t), q) {
		if err != nil {
			t.Fatal(err)
		}
		for _, claim := range snap.Claims {
			if (claim.Node == nil) == (claim.Edge == nil) {
				t.Errorf("a claim has to be of a node or of an edge: %+v", claim)
			}
			if claim.By != s.Target.Name || claim.Call == "" || claim.Seen.IsZero() {
				t.Errorf("a claim does not say who, how and when: %+v", claim)
			}
			if claim.Node != nil {
				nodes = append(nodes, claim.Node)
			}
		}
	}
	return nodes
}

// TailCase asks for a stream.
type TailCase struct {
	Subject string
	Unknown string // a subject that does not exist
	// Produce appends n records to Subject by other means than the driver, and
	// returns their bodies. It may be called repeatedly.
	Produce func(t *testing.T, n int) [][]byte
	// Live is set for streams without a past: only what comes after the start is
	// read.
	Live bool
}

func (c *TailCase) run(t *testing.T, s *Suite) {
	tailer, err := s.open(t, nil).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	if c.Unknown != "" {
		t.Run("names what it does not find", func(t *testing.T) {
			ended := false
			for _, err := range tailer.Tail(limit(t), probes.TailQuery{Subject: c.Unknown}) {
				wantKind(t, err, probes.ErrNotFound)
				ended = true
			}
			if !ended {
				t.Fatal("the tail of an unknown subject just ended")
			}
		})
	}
	if !c.Live {
		t.Run("reads the past, once and whole", func(t *testing.T) { c.testPast(t, s, tailer) })
		t.Run("reads the newest", func(t *testing.T) { c.testLast(t, tailer) })
	}
	t.Run("follows", func(t *testing.T) { c.testFollow(t, tailer) })
}

func (c *TailCase) testPast(t *testing.T, s *Suite, tailer probes.Tailer) {
	want := c.Produce(t, 50)
	seen := map[string]bool{}
	var got, copies [][]byte
	for rec, err := range tailer.Tail(limit(t), probes.TailQuery{Subject: c.Subject,
		From: probes.Position{Kind: probes.PosEarliest}, Until: probes.Position{Kind: probes.PosLatest}}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.ID == "" || seen[rec.ID] {
			t.Fatalf("id %q is empty or came twice", rec.ID)
		}
		seen[rec.ID] = true
		if (rec.Source != probes.Ref{Target: s.Target.Name, Subject: c.Subject}) {
			t.Fatalf("source is %v", rec.Source)
		}
		got, copies = append(got, rec.Body), append(copies, bytes.Clone(rec.Body))
	}
	for i := range got {
		if !bytes.Equal(got[i], copies[i]) {
			t.Fatalf("record %d changed after it was yielded", i)
		}
	}
	if missing := without(want, got); len(missing) > 0 {
		t.Fatalf("%d of %d records are missing, such as %q", len(missing), len(want), missing[0])
	}
}

func (c *TailCase) testLast(t *testing.T, tailer probes.Tailer) {
	c.Produce(t, 20)
	want := c.Produce(t, 5)
	var got [][]byte
	for rec, err := range tailer.Tail(limit(t), probes.TailQuery{Subject: c.Subject, Last: 5}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, rec.Body)
	}
	if len(got) != 5 || len(without(want, got)) > 0 {
		t.Fatalf("the last five are %q, want %q", got, want)
	}
}

// testFollow starts at the present, produces once the tail runs, and reads it.
func (c *TailCase) testFollow(t *testing.T, tailer probes.Tailer) {
	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	recs := make(chan probes.Record)
	ended := make(chan error, 1)
	go func() {
		defer close(recs)
		for rec, err := range tailer.Tail(ctx, probes.TailQuery{Subject: c.Subject, Follow: true}) {
			if err != nil {
				ended <- err
				return
			}
			select {
			case recs <- rec:
			case <-ctx.Done():
				return
			}
		}
		ended <- fmt.Errorf("the tail ended by itself")
	}()
	// What is produced before the tail has started is not its business, so
	// produce until something arrives.
	for {
		c.Produce(t, 1)
		select {
		case <-recs:
			stop()
			for range recs {
			}
			return
		case err := <-ended:
			t.Fatal(err)
		case <-ctx.Done():
			t.Fatal("nothing arrived")
		default:
		}
	}
}

func without(want, got [][]byte) (missing [][]byte) {
	have := map[string]bool{}
	for _, g := range got {
		have[string(g)] = true
	}
	for _, w := range want {
		if !have[string(w)] {
			missing = append(missing, w)
		}
	}
	return missing
}
