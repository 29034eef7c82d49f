package consul_test

import (
	"context"
	"errors"
	"io"
	"log"
	"strings"
	"testing"

	"iscope/probes"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

const (
	twoNodes = `[{"Node":"n","Address":"10.0.0.1","Services":[{"ID":"a1","Service":"a","Port":80},{"ID":"b1","Service":"b","Port":81}],` +
		`"Checks":[{"Node":"n","CheckID":"c","Name":"c","Status":"passing","ServiceID":"a1"}]}]`
	oneNode = `[{"Node":"n","Address":"10.0.0.1","Services":[{"ID":"a1","Service":"a","Port":90}],` +
		`"Checks":[{"Node":"n","CheckID":"c","Name":"c","Status":"critical","Output":"boom","ServiceID":"a1"}]}]`
)

// TestIndexGoesBackwards: after a restore the index is lower, and what was
// restored must be seen nevertheless.
func TestIndexGoesBackwards(t *testing.T) {
	f := newFakeAgent(t)
	f.put("/v1/catalog/services", `{"before":[]}`)
	d, step := discoverer(t, f.target()), 0
	for snap, err := range d.Discover(t.Context(), probes.DiscoverQuery{Watch: true}) {
		if err != nil {
			t.Fatal(err)
		}
		switch names := services(snap); {
		case step == 0 && names == "before":
			f.restart()
			f.put("/v1/catalog/services", `{"restored":[]}`)
			step++
		case step == 1 && names == "restored":
			f.put("/v1/catalog/services", `{"after":[]}`)
			step++
		case step == 2 && names == "after":
			return
		default:
			t.Fatalf("step %d: services %q", step, names)
		}
	}
}

// TestLost: a tail whose agent goes away says where it was, and goes on there
// with an agent that has changed meanwhile.
func TestLost(t *testing.T) {
	f := newFakeAgent(t)
	f.put("/v1/catalog/services", `{"a":[],"b":[]}`)
	f.put("/v1/internal/ui/nodes", twoNodes)
	d, err := open(t, f.target()).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	var lost *probes.Error
	for rec, err := range d.Tail(t.Context(), probes.TailQuery{From: probes.Position{Kind: probes.PosEarliest}}) {
		if err != nil {
			if !errors.As(err, &lost) {
				t.Fatal(err)
			}
			break
		}
		if rec.Kind == probes.Notice {
			f.put("/v1/catalog/services", `{"a":[],"b":[],"x":[]}`)
			continue
		}
		f.Listener.Close() // now that the polls are running
		f.CloseClientConnections()
	}
	if !probes.Transient(lost) || lost.Resume == "" {
		t.Fatalf("error %v, transient %v, resume %q", lost, probes.Transient(lost), lost.Resume)
	}
	again := newFakeAgent(t)
	again.put("/v1/catalog/services", `{"a":[],"c":[]}`)
	again.put("/v1/internal/ui/nodes", oneNode)
	d, err = open(t, again.target()).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"change":"registered","service":"c"}`,
		`{"change":"moved","service":"a","instance":"a1","node":"n","address":"10.0.0.1:90","from":"10.0.0.1:80","to":"10.0.0.1:90"}`,
		`{"change":"health","service":"a","instance":"a1","node":"n","address":"10.0.0.1:90","from":"ok","to":"fail","reason":"c: boom"}`,
		`{"change":"gone","service":"b","instance":"b1","node":"n","address":"10.0.0.1:81"}`,
		`{"change":"gone","service":"b"}`,
		`{"change":"gone","service":"x"}`,
	}
	for rec, err := range d.Tail(t.Context(), probes.TailQuery{Resume: lost.Resume}) {
		if err != nil {
			t.Fatal(err)
		}
		if string(rec.Body) != want[0] {
			t.Errorf("event %s, want %s", rec.Body, want[0])
		}
		if want = want[1:]; len(want) == 0 {
			break
		}
	}
}

// TestFilteredAbsence: what disappears from a filtered answer is not called
// gone.
func TestFilteredAbsence(t *testing.T) {
	f := newFakeAgent(t)
	f.put("/v1/catalog/services", `{"a":[],"b":[]}`)
	tailer, err := open(t, f.target()).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	earliest := probes.Position{Kind: probes.PosEarliest} // for the notice that tells of the start
	for rec, err := range tailer.Tail(t.Context(), probes.TailQuery{From: earliest}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == probes.Notice {
			f.set("/v1/catalog/services", doc{body: `{"a":[]}`, status: 200, header: map[string][]string{"X-Consul-Results-Filtered-By-Acls": {"true"}}})
			continue
		}
		if status, _ := rec.Attr(probes.AttrStatus); status != "not listed" || rec.Source.Subject != "b" {
			t.Errorf("%s of %s", status, rec.Source.Subject)
		}
		return
	}
}

func TestTailCannot(t *testing.T) {
	f := newFakeAgent(t)
	tailer, err := open(t, f.target()).Tailer()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		q    probes.TailQuery
		kind error
	}{
		{probes.TailQuery{Last: 5}, probes.ErrUnsupported},
		{probes.TailQuery{Until: probes.Position{Kind: probes.PosLatest}}, probes.ErrUnsupported},
		{probes.TailQuery{Resume: "{"}, probes.ErrUsage},
		{probes.TailQuery{Subject: "nope"}, probes.ErrNotFound},
	} {
		n := 0
		for _, err := range tailer.Tail(t.Context(), tt.q) {
			wantKind(t, err, tt.kind)
			n++
		}
		if n != 1 {
			t.Errorf("%+v: %d results, want one error", tt.q, n)
		}
	}
}

// TestCloseEndsWatches: closing waits for what runs and lets nothing new start.
func TestCloseEndsWatches(t *testing.T) {
	f := newFakeAgent(t)
	conn := open(t, f.target())
	d, err := conn.Discoverer()
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		var last error
		for _, err := range d.Discover(context.Background(), probes.DiscoverQuery{Watch: true}) {
			if last = err; err == nil {
				close(started)
			}
		}
		ended <- last
	}()
	<-started
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("the watch ended with %v", err)
	}
	if _, err := once(t, d, probes.DiscoverQuery{}); err == nil {
		t.Error("a closed target answered")
	}
}
