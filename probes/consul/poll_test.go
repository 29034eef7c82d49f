package consul

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestNextIndex(t *testing.T) {
	for _, tt := range []struct{ sent, got, want uint64 }{
		{0, 0, 1}, // no header, or a bug: 0 again would not block
		{0, 7, 7},
		{7, 7, 7},
		{7, 9, 9},
		{7, 3, 0}, // backwards: start over
		{1, 0, 0},
	} {
		if got := nextIndex(tt.sent, tt.got); got != tt.want {
			t.Errorf("after %d came %d: next %d, want %d", tt.sent, tt.got, got, tt.want)
		}
	}
}

func TestBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, start := newBucket(), time.Now()
		var at []time.Duration
		for range 4 {
			if err := b.take(t.Context()); err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Since(start))
		}
		if at[0] != 0 || at[1] != 0 || at[2] != pollEvery || at[3] != 2*pollEvery {
			t.Errorf("a burst of two and then one per second, not at %v", at)
		}
		time.Sleep(10 * pollEvery)
		mark := time.Now()
		for range 2 {
			if err := b.take(t.Context()); err != nil || time.Since(mark) != 0 {
				t.Errorf("after a pause: %v after %v", err, time.Since(mark))
			}
		}
		ctx, stop := context.WithTimeout(t.Context(), pollEvery/2)
		defer stop()
		if err := b.take(ctx); err == nil {
			t.Error("the end of the context was not noticed")
		}
	})
}

func TestCut(t *testing.T) {
	long := strings.Repeat("ä", maxReason)
	if got := cut(long); len(got) > maxReason || !utf8.ValidString(got) || !strings.HasSuffix(got, "ä…") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
	if got := cut("short"); got != "short" {
		t.Error(got)
	}
}
