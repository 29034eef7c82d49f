// Package load makes one call many times and measures it as its callers would
// see it.
//
// The load is open: calls have intended start times that do not depend on how
// fast earlier ones were answered, and a call's latency counts from its intended
// start. A system that stalls thereby shows the waiting it causes, which a loop
// that waits for each answer would leave out (coordinated omission).
package load

import "time"

// Ceilings for systems that others share, unless their environment says more.
const (
	MaxRate        = 50.0 // calls a second
	MaxConcurrency = 8
)

// Options say how much load is made.
type Options struct {
	// Rate is the number of calls a second, evenly spread; 0 makes the next call
	// as soon as one of Concurrency is free, and latencies then count from there.
	Rate float64
	// Concurrency is how many calls are under way at once. Calls that find all
	// of them busy start late, and are counted.
	Concurrency int
	// Count ends the load after that many calls, For after that time; the first
	// of the two does, and one has to be given.
	Count int
	For   time.Duration
	// Progress is told twice a second how far the load is; nil: nobody is. It is
	// called by one goroutine, and not any more when Run has returned.
	Progress func(Report)
}

// Outcome is how one call ended.
type Outcome struct {
	Status string // what it is counted under: "OK", "503 Service Unavailable"
	Err    string // why it counts as failed; "" if it does not
	Peer   string // the instance that answered, "" if unknown
}

// Latency is a distribution in microseconds.
type Latency struct {
	Mean float64 `json:"mean_us"`
	Min  int64   `json:"min_us"`
	P50  int64   `json:"p50_us"`
	P90  int64   `json:"p90_us"`
	P95  int64   `json:"p95_us"`
	P99  int64   `json:"p99_us"`
	P999 int64   `json:"p99_9_us"`
	Max  int64   `json:"max_us"`
}

// Status is the calls that ended alike.
type Status struct {
	Status string `json:"status"`
	Count  int    `json:"count"`
	Failed bool   `json:"failed"`
	// Sample is the first error of them.
	Sample string `json:"sample,omitempty"`
}

// Instance is the calls that one instance answered.
type Instance struct {
	Peer   string `json:"peer"`
	Count  int    `json:"count"`
	Failed int    `json:"failed"`
	P50    int64  `json:"p50_us"`
	P99    int64  `json:"p99_us"`
}

// Report is what a load has shown, so far or at its end.
type Report struct {
	Planned int `json:"planned,omitempty"` // by Count, or by Rate and For; 0 if unknown
	Calls   int `json:"calls"`
	Failed  int `json:"failed"`
	// Late calls started more than a millisecond after their time because all
	// were busy.
	Late    int     `json:"late"`
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"rate"` // calls a second that were achieved
	// Latency counts from the intended start, Service from the actual one. The
	// two are the same where Options.Rate is 0.
	Latency Latency `json:"latency"`
	Service Latency `json:"service"`
	// Timer is how late this machine itself began calls, in microseconds: 99 of
	// 100 were not later. It is no part of the latencies.
	Timer     int64      `json:"timer_p99_us,omitempty"`
	Statuses  []Status   `json:"statuses"`
	Instances []Instance `json:"instances,omitempty"`
	// Stopped says that the load was ended before it was done.
	Stopped bool `json:"stopped,omitempty"`
}
