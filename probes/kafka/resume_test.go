package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"iscope/probes"
	"iscope/probes/tap"
)

// tappedWire is a TCP proxy whose connections can be cut.
type tappedWire struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	done  sync.WaitGroup
}

func newTappedWire(t *testing.T, to string) *tappedWire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &tappedWire{Listener: ln}
	w.done.Go(func() { w.accept(to) })
	t.Cleanup(func() { ln.Close(); w.cut(); w.done.Wait() })
	return w
}

func (w *tappedWire) accept(to string) {
	for {
		in, err := w.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", to)
		if err != nil {
			in.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, in, out)
		w.mu.Unlock()
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			w.done.Go(func() { io.Copy(pair[0], pair[1]); pair[0].Close() })
		}
	}
}

func (w *tappedWire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// TestTapSurvivesCutConnections cuts all connections again and again while
// records flow. Nothing may be lost or come twice.
func TestTapSurvivesCutConnections(t *testing.T) {
	// kfake names its brokers by their listeners: put the proxy where it
	// believes to listen.
	real, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := newTappedWire(t, real.Addr().String())
	f := fakeBed(t, kfake.ListenFn(func(string, string) (net.Listener, error) { return &posing{real, w.Addr()}, nil }))
	topic := f.topic(t, 3)
	const total = 3000
	f.numbered(t, topic, 3, 0, total/2)
	p := f.open(t, nil)

	ctx, stop := context.WithCancel(limit(t))
	defer stop()
	seen := map[string]int{}
	sink := tap.SinkFunc(func(_ context.Context, r probes.Record) error {
		if r.Kind != probes.Message {
			return nil
		}
		seen[string(r.Body)]++
		if len(seen)%500 == 0 {
			w.cut()
		}
		if len(seen) == total/2 {
			f.numbered(t, topic, 3, total/2, total)
		}
		return nil
	})
	stats, err := tap.Run(ctx, p, probes.TailQuery{Subject: topic, From: earliest, Follow: true},
		tap.Options{Target: "test", Sinks: []tap.Sink{sink}, Limit: total, Retry: tap.Retry{Min: time.Millisecond, Max: 10 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Reconnects == 0 || stats.Incomplete() {
		t.Errorf("%+v", stats)
	}
	for _, n := range numbers(0, total) {
		if seen[n] != 1 {
			t.Fatalf("record %s came %d times", n, seen[n])
		}
	}
}

// posing is a listener that gives another address for its own.
type posing struct {
	net.Listener
	as net.Addr
}

func (p *posing) Addr() net.Addr { return p.as }

// TestTailResumesAfterARestart stops the broker under a running tail, with its
// data kept, and starts it again.
func TestTailResumesAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first := fakeBed(t, kfake.DataDir(dir))
	_, port, _ := net.SplitHostPort(first.addr)
	topic := first.topic(t, 2)
	first.numbered(t, topic, 2, 0, 10)
	p := first.open(t, nil)
	var got []probes.Record
	var broken error
	for r, err := range p.Tail(limit(t), probes.TailQuery{Subject: topic, From: earliest, Follow: true}) {
		if broken = err; err != nil {
			break
		}
		if got = append(got, r); len(got) == 10 {
			first.cluster.Close()
		}
	}
	e := wantError(t, broken, probes.ErrUnreachable, "")
	if !probes.Transient(e) || e.Resume == "" {
		t.Fatalf("not to be resumed: %#v", e)
	}
	again := fakeBed(t, kfake.DataDir(dir), kfake.Ports(atoi(t, port)))
	again.numbered(t, topic, 2, 10, 20)
	pl, err := parseResume(e.Resume)
	if err != nil {
		t.Fatal(err)
	}
	for i := range pl.Parts {
		pl.Parts[i].Stop = 10
	}
	got = append(got, read(t, p, probes.TailQuery{Subject: topic, Resume: pl.resume()})...)
	if d := cmp.Diff(numbers(0, 20), bodies(got)); d != "" {
		t.Error(d)
	}
}

// TestLastIsResumed fails before the first record is out.
func TestLastIsResumed(t *testing.T) {
	f := fakeBed(t)
	topic := f.topic(t, 2)
	f.numbered(t, topic, 2, 0, 50)
	p := f.open(t, nil)
	cuts := 2 // the first might hit an idle link, which is replaced in silence
	f.cluster.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		f.cluster.KeepControl()
		if cuts > 0 {
			cuts--
			return nil, errors.New("cut"), true
		}
		return nil, nil, false
	})
	e := tailError(t, p, probes.TailQuery{Subject: topic, Last: 5}, probes.ErrUnreachable, "")
	if e.Resume == "" {
		t.Fatal("nothing to resume from")
	}
	f.numbered(t, topic, 2, 50, 60) // after the tail was asked for
	if d := cmp.Diff(numbers(45, 50), bodies(read(t, p, probes.TailQuery{Subject: topic, Last: 5, Resume: e.Resume}))); d != "" {
		t.Error(d)
	}
}
