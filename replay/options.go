package replay

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"iscope/probes"
)

const (
	defaultInFlight  = 32
	defaultDrain     = 5 * time.Second
	defaultErrors    = 10
	defaultErrorRate = 0.5
)

// Sink takes records, as tap's sinks do: Write blocks for as long as it needs.
type Sink interface {
	Write(ctx context.Context, r probes.Record) error
}

// SendOptions says how to send a plan.
type SendOptions struct {
	Pace  Pace
	Speed float64 // for Times: 2 is twice as fast as recorded
	Rate  float64 // for Rate: items a second
	// MaxRate is the ceiling for any pace, a second; 0 is the plan's.
	MaxRate float64
	// MaxInFlight is how many items may be under way at once; 0 is 32. When
	// they all are, the rest is late, which the report tells.
	MaxInFlight int
	// MaxGap shortens longer silences of the recording; 0 keeps them.
	MaxGap time.Duration
	// Timeout bounds one item beyond the time its own requests take; 0 is the
	// destination's.
	Timeout time.Duration
	// Drain bounds the wait for what is under way when a run is stopped; 0 is
	// 5 s. After it the rest is cut off.
	Drain time.Duration
	// StopAfterErrors stops the run after that many errors in a row; 0 is 10,
	// negative is never.
	StopAfterErrors int
	// ErrorRate stops the run when more than this share of the last 50 went
	// wrong; 0 is 0.5, 1 is never.
	ErrorRate float64
	// OnResult is called for every item that was sent or failed, from one
	// goroutine; it must not block.
	OnResult func(Result)
	// Results takes the records of the replay itself. It is called from one
	// goroutine at a time; while it blocks, the replay does.
	Results Sink
	// Run names the run in the marks on its traffic; "" draws a name.
	Run string
}

// AttrReplayOf ties a record of a replay to the record or call it replays.
const AttrReplayOf = "iscope.replay.of"

// Result is what became of one item.
type Result struct {
	N         int           `json:"n"` // in the order of the plan, from 0
	Operation string        `json:"operation"`
	Of        string        `json:"of"` // the recorded call or record
	To        string        `json:"to"`
	Due       time.Duration `json:"due_ns"`  // after the start of the run
	Late      time.Duration `json:"late_ns"` // actually sent, after Due
	Took      time.Duration `json:"took_ns"`
	Recorded  string        `json:"recorded,omitempty"` // status then
	Now       string        `json:"now,omitempty"`      // status now
	Different bool          `json:"different,omitempty"`
	Err       error         `json:"-"` // why it failed; nil if it was sent

	fault bool // the status is one of a destination in trouble
}

func newRunID() string {
	b := make([]byte, 4)
	rand.Read(b) // never fails, see crypto/rand
	return hex.EncodeToString(b)
}
