package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"iscope/probes"
	"iscope/probes/tap"
	"iscope/replay"
)

// RingBytes is what a tail keeps in memory.
const RingBytes = 64 << 20

// Feed is a running tail: it reads until it is ended, whether a screen shows it
// or not. A look into a queue is a feed too, which ends by itself.
type Feed struct {
	Ref     probes.Ref
	Ring    *tap.Ring
	Rates   *tap.Rates
	Columns []probes.Column // known once the target is open
	Impact  string
	// Looked is what the look asked for that this feed is; nil: it is a tail.
	Looked *probes.PeekQuery

	s      *Session
	ledger *probes.Ledger
	cancel context.CancelFunc
	done   chan struct{}
	gate   gate

	mu      sync.Mutex
	state   tap.State
	err     string
	hint    string
	writer  *replay.Writer
	capture string // path being recorded
}

// Tail starts reading a subject, or returns the feed that already does.
func (s *Session) Tail(ref probes.Ref, q probes.TailQuery) *Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		if f.Ref == ref && f.Looked == nil && f.State().Phase != tap.Ended {
			return f
		}
	}
	f, ctx := s.newFeed(ref)
	s.feeds = append(s.feeds, f)
	q.Subject, q.Ledger = ref.Subject, f.ledger
	f.start(func() { f.run(ctx, q) })
	return f
}

// newFeed makes a feed that nobody reads yet, and the context that End ends.
func (s *Session) newFeed(ref probes.Ref) (*Feed, context.Context) {
	ctx, cancel := context.WithCancel(s.ctx)
	f := &Feed{Ref: ref, Ring: tap.NewRing(RingBytes), Rates: tap.NewRates(300, s.Now), s: s, ledger: s.newLedger(), cancel: cancel, done: make(chan struct{})}
	f.gate.open()
	return f, ctx
}

func (f *Feed) start(read func()) {
	started := f.s.spawn(func() {
		defer close(f.done)
		defer f.cancel()
		read()
	})
	if !started {
		f.cancel()
		close(f.done)
	}
}

// Feeds are the running and ended tails, the oldest first.
func (s *Session) Feeds() []*Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Feed(nil), s.feeds...)
}

// Drop forgets an ended feed.
func (s *Session) Drop(f *Feed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feeds = slices.DeleteFunc(s.feeds, func(x *Feed) bool { return x == f })
}

func (f *Feed) run(ctx context.Context, q probes.TailQuery) {
	conn, err := f.s.Conn(ctx, f.Ref.Target)
	var tailer probes.Tailer
	if err == nil {
		tailer, err = conn.Tailer()
	}
	if err != nil {
		f.set(tap.State{Phase: tap.Ended, Err: err})
		return
	}
	f.opened(conn)
	// The capture comes first and blocks; the ring never does.
	tap.Run(ctx, tailer, q, tap.Options{Target: f.Ref.Target, Check: conn.Check, OnState: f.set, Now: f.s.Now,
		Sinks: []tap.Sink{&f.gate, tap.SinkFunc(f.record), f.Rates, f.Ring}})
}

func (f *Feed) opened(conn *probes.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Columns, f.Impact = conn.Driver.Columns, conn.Driver.Impact
}

func (f *Feed) set(st tap.State) {
	if errors.Is(st.Err, context.Canceled) {
		st.Err = nil // somebody asked for that
	}
	f.mu.Lock()
	f.state = st
	f.err, f.hint = "", ""
	if st.Err != nil {
		f.err, f.hint = f.s.clean(st.Err.Error()), f.s.clean(probes.HintOf(st.Err))
		f.s.log.Add("warn", f.err)
	}
	f.mu.Unlock()
	f.s.touch()
}

// State is where the tap is.
func (f *Feed) State() tap.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Trouble is why it is reconnecting or has ended, and what to do, "" if all is
// well.
func (f *Feed) Trouble() (err, hint string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err, f.hint
}

// Look returns how its driver wants records listed, and what it does to the
// system.
func (f *Feed) Look() (columns []probes.Column, impact string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Columns, f.Impact
}

// End stops reading and waits for it. What was read stays.
func (f *Feed) End() {
	f.cancel()
	<-f.done
	f.EndCapture()
}

// Stop ends reading without waiting for it.
func (f *Feed) Stop() { f.cancel() }

// Hold stops pulling from the source (true) or goes on (false): back-pressure,
// not loss.
func (f *Feed) Hold(hold bool) {
	if hold {
		f.gate.shut()
	} else {
		f.gate.open()
	}
}

// Held reports whether the source is held.
func (f *Feed) Held() bool { return f.gate.isShut() }

func (f *Feed) record(ctx context.Context, r probes.Record) error {
	f.mu.Lock()
	w := f.writer
	f.mu.Unlock()
	if w == nil {
		return nil
	}
	return w.Write(ctx, r)
}

// Capturing is the path being recorded to, "" if none, and how many records are
// in it.
func (f *Feed) Capturing() (path string, records uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writer == nil {
		return "", 0
	}
	return f.capture, f.writer.Stats().Records
}

// Capture starts recording into a new file of the capture folder. It asks the
// target who it is, so it may block.
func (f *Feed) Capture(ctx context.Context) (path string, err error) {
	if path, _ := f.Capturing(); path != "" {
		return path, nil
	}
	conn, err := f.s.Conn(ctx, f.Ref.Target)
	if err != nil {
		return "", err
	}
	info, err := replay.TargetOf(ctx, conn)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(f.s.CaptureDir, 0o700); err != nil {
		return "", fmt.Errorf("making the capture folder: %w", err)
	}
	path = filepath.Join(f.s.CaptureDir, fileName(f.Ref)+"-"+f.s.Now().UTC().Format("20060102-150405")+".mcap")
	w, err := replay.Create(path, replay.WriterOptions{Version: f.s.Version, Environment: conn.Target.Environment,
		Redact: f.s.Redact, Redaction: f.s.Redaction})
	if err != nil {
		return "", err
	}
	if err := w.AddTarget(info); err != nil {
		w.Close()
		return "", err
	}
	f.mu.Lock()
	f.writer, f.capture = w, path
	f.mu.Unlock()
	f.s.touch()
	return path, nil
}

// EndCapture finishes the recording, if there is one.
func (f *Feed) EndCapture() (replay.Summary, error) {
	f.mu.Lock()
	w := f.writer
	f.writer = nil
	f.mu.Unlock()
	if w == nil {
		return replay.Summary{}, nil
	}
	defer f.s.touch()
	return w.Close()
}

// fileName makes a reference fit for a file's name anywhere.
func fileName(r probes.Ref) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' {
			return c
		}
		return '_'
	}, r.Target+"-"+r.Subject)
}
