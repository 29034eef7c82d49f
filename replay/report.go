package replay

import (
	"errors"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"iscope/probes"
)

// Report accounts for a run: Planned = Sent + Skipped + Failed + NotSent,
// always.
type Report struct {
	Run     string `json:"run"`
	Planned int    `json:"planned"`
	Sent    int    `json:"sent"` // confirmed by the destination, or answered, with whatever status
	Skipped int    `json:"skipped"`
	Failed  int    `json:"failed"`   // attempted, and it is not known to have arrived
	NotSent int    `json:"not_sent"` // never attempted

	Skips    []Reason `json:"skips,omitempty"`
	Failures []Reason `json:"failures,omitempty"`
	Unsent   []Reason `json:"unsent,omitempty"`

	// Compared calls have a recorded status; Differences of them ended
	// otherwise now, Changes says how.
	Compared    int      `json:"compared"`
	Differences int      `json:"differences"`
	Changes     []Reason `json:"changes,omitempty"`

	// Service is measured from sending, Response from when it was due: a slow
	// destination shows in the second even where it delayed the sending.
	Service  Latency `json:"service_ms"`
	Response Latency `json:"response_ms"`
	// Late is how far behind the schedule items were sent.
	Late Latency `json:"late_ms"`
	// Held is how many items the ceiling put off.
	Held int           `json:"held"`
	Took time.Duration `json:"took_ns"`

	// Damage of the capture: what was lost there was never planned.
	Damage []Damage `json:"damage,omitempty"`
}

// Latency summarizes a distribution in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Max   float64 `json:"max"`
}

// tallies counts by reason, in order of appearance.
type tallies struct {
	list []Reason
	at   map[string]int
}

func (t *tallies) add(reason, example string, n int) {
	if t.at == nil {
		t.at = map[string]int{}
	}
	i, ok := t.at[reason]
	if !ok {
		i = len(t.list)
		t.at[reason] = i
		t.list = append(t.list, Reason{Reason: reason, Example: example})
	}
	t.list[i].Count += n
}

// account collects a report.
type account struct {
	rep                      Report
	held                     int
	failures, unsent, change tallies
	service, response, late  *hdrhistogram.Histogram
}

// Histograms count microseconds up to an hour, to three digits.
const (
	histogramMax    = int64(time.Hour / time.Microsecond)
	histogramDigits = 3
)

func newAccount(p *Plan, run string) *account {
	h := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, histogramMax, histogramDigits) }
	return &account{service: h(), response: h(), late: h(), rep: Report{Run: run, Planned: p.Planned,
		Skipped: p.Skipped, Skips: p.Skips, Damage: p.Damage}}
}

// add takes in one result.
func (a *account) add(res Result) {
	record(a.late, res.Late)
	var lost *sinkError
	if res.Err != nil && !errors.As(res.Err, &lost) {
		a.rep.Failed++
		a.failures.add(failure(res.Err), fmt.Sprintf("%s %s: %v", res.Operation, res.Of, res.Err), 1)
		return
	}
	a.rep.Sent++
	record(a.service, res.Took)
	record(a.response, res.Took+res.Late)
	if res.Recorded == "" || res.Now == "" {
		return
	}
	a.rep.Compared++
	if res.Different {
		a.rep.Differences++
		a.change.add(res.Recorded+" → "+res.Now, res.Operation+" "+res.Of, 1)
	}
}

// failure groups errors: by kind, so that a thousand refused connections are
// one line.
func failure(err error) string {
	if errors.Is(err, errCutOff) {
		return failCutOff
	}
	if k := probes.KindOf(err); k != nil {
		return k.Error()
	}
	return "other"
}

func (a *account) notSent(reason string, n int) {
	if n > 0 {
		a.rep.NotSent += n
		a.unsent.add(reason, "", n)
	}
}

func (a *account) report(took time.Duration) Report {
	r := a.rep
	r.Failures, r.Unsent, r.Changes = a.failures.list, a.unsent.list, a.change.list
	r.Service, r.Response, r.Late = summarize(a.service), summarize(a.response), summarize(a.late)
	r.Held, r.Took = a.held, took
	return r
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(0, d.Microseconds()), histogramMax)) // within its range
}

func summarize(h *hdrhistogram.Histogram) Latency {
	ms := func(us int64) float64 { return float64(us) / 1000 }
	return Latency{Count: h.TotalCount(), P50: ms(h.ValueAtQuantile(50)), P90: ms(h.ValueAtQuantile(90)),
		P99: ms(h.ValueAtQuantile(99)), Max: ms(h.Max())}
}
