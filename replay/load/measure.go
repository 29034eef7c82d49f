package load

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept from a microsecond to an hour with three digits.
const (
	histogramMax    = int64(time.Hour / time.Microsecond)
	histogramDigits = 3
	// Each instance has one, so two digits are enough for them.
	instanceDigits = 2
	// maxShards bounds the accounts, whatever the concurrency: a histogram takes
	// some 200 KiB.
	maxShards = 16
	// Beyond these numbers of different statuses and instances the rest count
	// together.
	maxStatuses  = 50
	maxInstances = 100
	maxSample    = 400 // bytes of an error
	others       = "others"
	// late is how far behind its time a call may start.
	late = time.Millisecond
)

// shard is the account of some of the goroutines.
type shard struct {
	mu        sync.Mutex
	calls     int
	failed    int
	late      int
	latency   *hdrhistogram.Histogram
	service   *hdrhistogram.Histogram
	timer     *hdrhistogram.Histogram // how late this machine was by itself
	statuses  map[string]*status
	instances map[string]*instance
}

type status struct {
	Status
	sampled time.Duration // when the sample was taken
}

type instance struct {
	count, failed int
	service       *hdrhistogram.Histogram
}

func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, histogramMax, digits)
}

func newShard() *shard {
	return &shard{latency: newHistogram(histogramDigits), service: newHistogram(histogramDigits),
		timer: newHistogram(instanceDigits), statuses: map[string]*status{}, instances: map[string]*instance{}}
}

// note takes one call in. The times count from the beginning of the load.
func (w *shard) note(o Outcome, intended, started, ended time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	if o.Err != "" {
		w.failed++
	}
	if started-intended > late {
		w.late++
	}
	record(w.latency, ended-intended)
	record(w.service, ended-started)
	w.status(o, ended)
	if o.Peer == "" {
		return
	}
	at := w.instances[o.Peer]
	if at == nil {
		peer := o.Peer
		if len(w.instances) >= maxInstances {
			peer = others
		}
		if at = w.instances[peer]; at == nil {
			at = &instance{service: newHistogram(instanceDigits)}
			w.instances[peer] = at
		}
	}
	at.count++
	if o.Err != "" {
		at.failed++
	}
	record(at.service, ended-started)
}

// own takes in how late a call began because of this machine.
func (w *shard) own(late time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	record(w.timer, late)
}

func (w *shard) status(o Outcome, at time.Duration) {
	s := w.statuses[o.Status]
	if s == nil {
		name := o.Status
		if len(w.statuses) >= maxStatuses {
			name = others
		}
		if s = w.statuses[name]; s == nil {
			s = &status{Status: Status{Status: name}}
			w.statuses[name] = s
		}
	}
	s.Count++
	if o.Err != "" && !s.Failed {
		s.Failed, s.Sample, s.sampled = true, strings.ToValidUTF8(o.Err[:min(len(o.Err), maxSample)], ""), at
	}
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	// In range by construction, so that it cannot fail.
	_ = h.RecordValue(min(max(d.Microseconds(), 1), histogramMax))
}

// report adds the accounts up. It may be called while the load runs.
func (l *Load) report() Report {
	r := Report{Planned: l.planned, Stopped: l.stopped.Load()}
	latency, service, timer := newHistogram(histogramDigits), newHistogram(histogramDigits), newHistogram(instanceDigits)
	statuses, instances := map[string]*status{}, map[string]*instance{}
	for _, w := range l.shards {
		w.into(&r, latency, service, timer, statuses, instances)
	}
	took := time.Duration(l.ended.Load())
	if took == 0 && !l.began.IsZero() {
		took = time.Since(l.began)
	}
	r.Seconds = took.Seconds()
	if took > 0 {
		r.Rate = float64(r.Calls) / took.Seconds()
	}
	r.Latency, r.Service = summarize(latency), summarize(service)
	if timer.TotalCount() > 0 {
		r.Timer = timer.ValueAtQuantile(99)
	}
	for _, s := range statuses {
		r.Statuses = append(r.Statuses, s.Status)
	}
	slices.SortFunc(r.Statuses, func(a, b Status) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Status, b.Status)) })
	for peer, at := range instances {
		r.Instances = append(r.Instances, Instance{Peer: peer, Count: at.count, Failed: at.failed,
			P50: at.service.ValueAtQuantile(50), P99: at.service.ValueAtQuantile(99)})
	}
	slices.SortFunc(r.Instances, func(a, b Instance) int { return cmp.Compare(a.Peer, b.Peer) })
	return r
}

func (w *shard) into(r *Report, latency, service, timer *hdrhistogram.Histogram, statuses map[string]*status, instances map[string]*instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls == 0 {
		return
	}
	r.Calls += w.calls
	r.Failed += w.failed
	r.Late += w.late
	latency.Merge(w.latency)
	service.Merge(w.service)
	timer.Merge(w.timer)
	for name, s := range w.statuses {
		sum := statuses[name]
		if sum == nil {
			sum = &status{Status: Status{Status: name}}
			statuses[name] = sum
		}
		sum.Count += s.Count
		if s.Failed && (!sum.Failed || s.sampled < sum.sampled) {
			sum.Failed, sum.Sample, sum.sampled = true, s.Sample, s.sampled
		}
	}
	for peer, at := range w.instances {
		sum := instances[peer]
		if sum == nil {
			sum = &instance{service: newHistogram(instanceDigits)}
			instances[peer] = sum
		}
		sum.count += at.count
		sum.failed += at.failed
		sum.service.Merge(at.service)
	}
}

func summarize(h *hdrhistogram.Histogram) Latency {
	if h.TotalCount() == 0 {
		return Latency{}
	}
	return Latency{Mean: h.Mean(), Min: h.Min(), P50: h.ValueAtQuantile(50), P90: h.ValueAtQuantile(90), P95: h.ValueAtQuantile(95),
		P99: h.ValueAtQuantile(99), P999: h.ValueAtQuantile(99.9), Max: h.Max()}
}
