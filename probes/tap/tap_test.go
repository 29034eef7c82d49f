package tap_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/probes/tap"
)

// collect is a sink that keeps everything.
type collect struct{ recs []probes.Record }

func (c *collect) Write(_ context.Context, r probes.Record) error {
	c.recs = append(c.recs, r)
	return nil
}

func (c *collect) messages() (ids []string) {
	for _, r := range c.recs {
		if r.Kind == probes.Message {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func TestTenDisconnectsLoseAndDoubleNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := probetest.NewFake("shop")
		f.Seed("orders", 1000)
		for i := range 10 {
			f.FailAt("orders", 50+90*i, probes.ErrUnreachable)
		}
		var got collect
		stats, err := tap.Run(t.Context(), f, probes.TailQuery{Subject: "orders",
			From: probes.Position{Kind: probes.PosEarliest}, Until: probes.Position{Kind: probes.PosLatest}},
			tap.Options{Target: "shop", Sinks: []tap.Sink{&got}})
		if err != nil {
			t.Fatal(err)
		}
		ids := got.messages()
		if len(ids) != 1000 || stats.Records != 1000 || stats.Reconnects != 10 || stats.Incomplete() {
			t.Fatalf("%d messages, stats %+v", len(ids), stats)
		}
		for i, id := range ids {
			if id != fmt.Sprint(i) {
				t.Fatalf("message %d has id %s", i, id)
			}
		}
	})
}

func TestSourceThatCannotResumeLeavesAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := probetest.NewFake("shop")
		f.NoResume = true
		f.Seed("orders", 10)
		f.FailAt("orders", 4, probes.ErrUnreachable)
		var got collect
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go func() {
			time.Sleep(time.Minute) // virtual: well after the reconnection
			stop()
		}()
		stats, err := tap.Run(ctx, f, probes.TailQuery{Subject: "orders", From: probes.Position{Kind: probes.PosEarliest}},
			tap.Options{Sinks: []tap.Sink{&got}})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v", err)
		}
		if stats.Records != 4 || stats.Unknown != 1 || !stats.Incomplete() {
			t.Fatalf("stats %+v", stats)
		}
		if last := got.recs[len(got.recs)-1]; last.Kind != probes.Gap {
			t.Fatalf("the last record is a %s, not a gap", last.Kind)
		}
	})
}

func TestCredentialsAreNeverRetried(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 5)
	f.FailAt("orders", 2, probes.ErrAuth)
	stats, err := tap.Run(t.Context(), f, probes.TailQuery{Subject: "orders", From: probes.Position{Kind: probes.PosEarliest}},
		tap.Options{})
	if !errors.Is(err, probes.ErrAuth) || stats.Reconnects != 0 || stats.Records != 2 {
		t.Fatalf("error %v, stats %+v", err, stats)
	}
}

func TestPeerDownAtTheStartFailsAtOnce(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 5)
	f.FailAt("orders", 5, probes.ErrUnreachable)
	_, err := tap.Run(t.Context(), f, probes.TailQuery{Subject: "orders"}, tap.Options{})
	if !errors.Is(err, probes.ErrUnreachable) {
		t.Fatalf("error %v", err)
	}
}

func TestLimitCountsRecordsOnly(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 100)
	var got collect
	stats, err := tap.Run(t.Context(), f, probes.TailQuery{Subject: "orders", From: probes.Position{Kind: probes.PosEarliest}},
		tap.Options{Sinks: []tap.Sink{&got}, Limit: 7})
	if err != nil || stats.Records != 7 || len(got.recs) != 7 {
		t.Fatalf("error %v, %d records, stats %+v", err, len(got.recs), stats)
	}
}

func TestSinkErrorEndsTheTapAndIsNotRetried(t *testing.T) {
	f := probetest.NewFake("shop")
	f.Seed("orders", 3)
	full := errors.New("disk full")
	_, err := tap.Run(t.Context(), f, probes.TailQuery{Subject: "orders", From: probes.Position{Kind: probes.PosEarliest}},
		tap.Options{Sinks: []tap.Sink{tap.SinkFunc(func(context.Context, probes.Record) error { return full })}})
	if !errors.Is(err, full) {
		t.Fatalf("error %v", err)
	}
}

func BenchmarkPump(b *testing.B) {
	f := probetest.NewFake("shop")
	f.Seed("orders", b.N)
	ring := tap.NewRing(64 << 20)
	b.ReportAllocs()
	b.ResetTimer()
	_, err := tap.Run(b.Context(), f, probes.TailQuery{Subject: "orders", From: probes.Position{Kind: probes.PosEarliest},
		Until: probes.Position{Kind: probes.PosLatest}}, tap.Options{Sinks: []tap.Sink{ring, tap.NewRates(300, nil)}})
	if err != nil {
		b.Fatal(err)
	}
}
