package main

import (
	"runtime"
	"runtime/debug"
	numbers "runtime/metrics"
)

const (
	// roomyHeap is what the heap may grow to before it is collected, in bytes.
	roomyHeap = 16 << 20
	// Limits for the growth between two collections, in percent of what is alive.
	// Go's smallest heap is 4 MB at 100.
	usualGrowth, roomyGrowth = 100, 400
	// tightGrowth is for what is alive beyond roomyHeap up to largeHeap: there a
	// collection costs little, and twice the memory would be much.
	tightGrowth = 50
	largeHeap   = 32 << 20
)

// startRoomy lets the heap grow to 16 MB between collections: most verbs end
// before the first, and a tail, which keeps little alive and makes much garbage,
// needs a quarter of them. A tail of many partitions, which keeps a batch of each,
// stays below 64 MB with tightGrowth. Where more is alive, the usual rule holds. A
// GOGC from outside is left alone.
func startRoomy() {
	if usual := debug.SetGCPercent(roomyGrowth); usual != usualGrowth {
		debug.SetGCPercent(usual)
		return
	}
	afterCollection(roomyGrowth)
}

// afterCollection sets the growth anew after each collection; set is what it is
// now.
func afterCollection(set int) {
	garbage := new([16]byte) // at once, so found by the next collection
	runtime.AddCleanup(garbage, func(set int) {
		growth := growthFor(aliveBytes())
		if growth != set {
			debug.SetGCPercent(growth)
		}
		afterCollection(growth)
	}, set)
}

// growthFor is in steps: to change it stops all goroutines for a moment.
func growthFor(alive uint64) int {
	const step = 50
	if alive > largeHeap {
		return usualGrowth
	}
	growth := int(roomyHeap*100/max(alive, 1))/step*step - 100 // to the heap, beyond what is alive
	return min(max(growth, tightGrowth), roomyGrowth)
}

// aliveBytes is what the last collection left on the heap.
func aliveBytes() uint64 {
	s := []numbers.Sample{{Name: "/gc/heap/live:bytes"}}
	numbers.Read(s)
	if s[0].Value.Kind() != numbers.KindUint64 {
		return roomyHeap
	}
	return s[0].Value.Uint64()
}
