package filter

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"iscope/probes"
)

// counters are the account of one filter.
type counters struct {
	judged, matched, faults atomic.Uint64

	mu    sync.Mutex
	first *Fault
	where string
}

// Stats is what a filter has done so far.
type Stats struct {
	Judged  uint64 `json:"judged"`
	Matched uint64 `json:"matched"`
	// Failed of Judged could not be judged, First is why the first of them
	// could not, and FirstAt which that was: text from outside.
	Failed  uint64 `json:"failed"`
	First   error  `json:"-"`
	FirstAt string `json:"first_at,omitempty"`
	// Absent are names in the filter that were looked for and not found so far:
	// they may be misspelt.
	Absent []string `json:"absent,omitempty"`
}

func (c *counters) failed(f *Fault, r *probes.Record, row *Row) {
	if c.faults.Add(1) != 1 {
		return
	}
	where := ""
	if row != nil {
		where = row.Target + "/" + row.Name
	} else {
		where = strings.TrimSpace(r.Source.String() + " " + r.ID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first, c.where = f, where
}

// Stats returns the account.
func (f *core) Stats() Stats {
	s := Stats{Judged: f.stats.judged.Load(), Matched: f.stats.matched.Load(), Failed: f.stats.faults.Load()}
	f.stats.mu.Lock()
	if f.stats.first != nil {
		s.First, s.FirstAt = f.stats.first, f.stats.where
	}
	f.stats.mu.Unlock()
	for i, name := range f.code.names {
		if f.names[i].Load() == neverFound {
			s.Absent = append(s.Absent, name)
		}
	}
	return s
}

// Unjudged says in a line how many could not be judged and why; "" if all
// could. noun is what they are, in the plural.
func (s Stats) Unjudged(noun string) string {
	if s.Failed == 0 {
		return ""
	}
	line := fmt.Sprintf("%d of %d %s could not be judged", s.Failed, s.Judged, noun)
	if s.First != nil {
		line += fmt.Sprintf(", first: %s: %v", s.FirstAt, s.First)
	}
	return line
}
