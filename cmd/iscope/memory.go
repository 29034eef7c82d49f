package main

import (
	"runtime"
	"runtime/debug"
)

// roomyStart is the growth allowed before the first collection, in percent of
// Go's smallest heap of 4 MB.
const roomyStart = 400

// startRoomy lets the heap grow to 16 MB before it is collected for the first
// time: most verbs end before that, and need not pay for a collection. From then
// on the usual rule holds. A GOGC from outside is left alone.
func startRoomy() {
	usual := debug.SetGCPercent(roomyStart)
	if usual != 100 {
		debug.SetGCPercent(usual)
		return
	}
	first := new([16]byte) // garbage at once, so found by the first collection
	runtime.AddCleanup(first, func(percent int) { debug.SetGCPercent(percent) }, usual)
}
