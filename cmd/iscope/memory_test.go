package main

import (
	"runtime"
	"testing"
)

func TestGrowthFollowsWhatIsAlive(t *testing.T) {
	for _, c := range []struct {
		alive uint64
		want  int
	}{{0, 400}, {1 << 20, 400}, {3 << 20, 400}, {4 << 20, 300}, {6 << 20, 150}, {8 << 20, 100}, {12 << 20, 50}, {30 << 20, 50}, {33 << 20, 100}, {100 << 20, 100}, {1 << 40, 100}} {
		got := growthFor(c.alive)
		if got != c.want {
			t.Errorf("%d bytes alive: %d%%, want %d%%", c.alive, got, c.want)
		}
		if heap := c.alive + c.alive*uint64(got)/100; got > tightGrowth && got != usualGrowth && heap > roomyHeap {
			t.Errorf("%d bytes alive: the heap grows to %d", c.alive, heap)
		}
	}
	if runtime.GC(); aliveBytes() == 0 {
		t.Error("nothing is alive after a collection")
	}
}
