package tap_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"iscope/probes"
	"iscope/probes/tap"
)

func TestRingKeepsTheNewestWithinItsBytesAndCountsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20_000).Draw(t, "limit")
		sizes := rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 200).Draw(t, "sizes")
		ring := tap.NewRing(limit)
		for i, n := range sizes {
			ring.Write(t.Context(), probes.Record{ID: fmt.Sprint(i), Body: make([]byte, n)})
		}
		s := ring.Stats()
		if s.Next != uint64(len(sizes)) || s.Lost != s.First {
			t.Fatalf("stats %+v after %d writes", s, len(sizes))
		}
		if s.Bytes > limit && s.Next-s.First > 1 {
			t.Fatalf("%d bytes kept, limit %d", s.Bytes, limit)
		}
		dst := make([]probes.Record, len(sizes))
		first, n := ring.Window(0, dst)
		if first != s.First || uint64(n) != s.Next-s.First {
			t.Fatalf("window %d+%d, stats %+v", first, n, s)
		}
		for i := range n {
			if want := fmt.Sprint(first + uint64(i)); dst[i].ID != want {
				t.Fatalf("record %d is %s", i, dst[i].ID)
			}
		}
	})
}

func TestRingCountsRemarksAmongWhatItKeeps(t *testing.T) {
	kinds := []probes.Kind{probes.Message, probes.Gap, probes.Notice, probes.Message}
	ring := tap.NewRing(20 * (&probes.Record{}).Size())
	for i := range 100 {
		ring.Write(t.Context(), probes.Record{Kind: kinds[i%4]})
	}
	s := ring.Stats()
	if s.First == 0 || s.Next != 100 {
		t.Fatalf("%+v", s)
	}
	for from := uint64(0); from < 100; from++ {
		for to := uint64(0); to < 102; to++ {
			want := uint64(0)
			for seq := max(from, s.First); seq < min(to, s.Next); seq++ {
				if seq%4 == 1 || seq%4 == 2 {
					want++
				}
			}
			if got := ring.Remarks(from, to); got != want {
				t.Fatalf("%d remarks from %d to %d, want %d", got, from, to, want)
			}
		}
	}
	ring.Clear()
	if n := ring.Remarks(0, 1000); n != 0 {
		t.Errorf("%d remarks in a cleared ring", n)
	}
}

func TestRingWakesOnceForABurst(t *testing.T) {
	ring := tap.NewRing(1 << 20)
	for range 100 {
		ring.Write(t.Context(), probes.Record{})
	}
	<-ring.Changed()
	select {
	case <-ring.Changed():
		t.Fatal("a second token for one burst")
	default:
	}
}

func TestClearLosesNothing(t *testing.T) {
	ring := tap.NewRing(1 << 20)
	for range 5 {
		ring.Write(t.Context(), probes.Record{})
	}
	ring.Clear()
	if s := ring.Stats(); s.First != 5 || s.Next != 5 || s.Lost != 0 || s.Bytes != 0 {
		t.Fatalf("stats %+v", s)
	}
	if _, ok := ring.At(4); ok {
		t.Fatal("a cleared record is still there")
	}
}

func TestRatesForgetWhatIsOld(t *testing.T) {
	now := time.Unix(1000, 0)
	rates := tap.NewRates(10, func() time.Time { return now })
	for range 50 {
		rates.Write(t.Context(), probes.Record{Kind: probes.Message})
	}
	now = now.Add(time.Second)
	if got := rates.PerSecond(); got != 10 {
		t.Fatalf("%v per second over 5 s, want 10", got)
	}
	now = now.Add(time.Minute)
	if got := rates.PerSecond(); got != 0 {
		t.Fatalf("%v per second a minute later", got)
	}
}

func BenchmarkRingWindow(b *testing.B) {
	ring := tap.NewRing(64 << 20)
	for i := range 100_000 {
		ring.Write(b.Context(), probes.Record{ID: fmt.Sprint(i), Body: make([]byte, 200)})
	}
	dst := make([]probes.Record, 50)
	b.ReportAllocs()
	for b.Loop() {
		ring.Window(ring.Stats().Next-50, dst)
	}
}
