package probetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"iscope/probes"
)

// Fake is a driver's probe with every ability, kept in memory, whose faults
// follow a script. Screens, taps and replays are tested with it.
type Fake struct {
	Name string
	// NoResume leaves the position out of the errors of Tail.
	NoResume bool
	// Snapshots is what Discover yields, one per round.
	Snapshots []probes.Snapshot
	// CheckErr is what Check returns.
	CheckErr error
	// Clock is the time of seeded records; they are a second apart.
	Clock time.Time
	// DeadErr is what DeadLetters ends with, beside what it lists.
	DeadErr error
	// Steps, if set, lets Redrive go on by one message for each value.
	Steps chan struct{}

	mu     sync.Mutex
	grown  chan struct{} // closed and replaced on every publish
	logs   map[string][]probes.Record
	faults map[string]map[int]error
	sent   []probes.Record
	calls  []probes.Invocation
	// By subject: see Behave and Peek.
	manners map[string]Manner
	looks   map[string]int
}

// NewFake makes a fake target of that name.
func NewFake(name string) *Fake {
	return &Fake{Name: name, grown: make(chan struct{}), logs: map[string][]probes.Record{},
		faults: map[string]map[int]error{}, Clock: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
}

// Driver wraps the fake so that probes.Open finds it.
func (f *Fake) Driver() probes.Driver {
	return probes.Driver{Name: "fake", Doc: "an in-memory system for tests", Schemes: []probes.Scheme{{Name: "fake"}},
		Columns: []probes.Column{{Title: "OFFSET", Attr: probes.AttrOffset, Width: 8, Right: true},
			{Title: "KEY", Attr: "key", Width: 12}, {Title: "SUMMARY", Attr: "summary", Width: 40}},
		Open: func(context.Context, probes.Target) (probes.Probe, error) { return f, nil }}
}

// Conn opens the fake as a target of the given environment.
func (f *Fake) Conn(env probes.Environment) *probes.Conn {
	c, err := probes.Open(context.Background(), []probes.Driver{f.Driver()},
		probes.Target{Name: f.Name, Driver: "fake", Address: f.Name + ":1", Environment: env})
	if err != nil {
		panic(err) // the fake's Open cannot fail
	}
	return c
}

// Seed appends n JSON messages to a subject.
func (f *Fake) Seed(subject string, n int) {
	for i := range n {
		f.Append(subject, probes.Record{Key: []byte("k" + strconv.Itoa(i%7)),
			Body: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
}

// Append adds one record to a subject, as a producer beside us would.
func (f *Fake) Append(subject string, r probes.Record) probes.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.logs[subject]
	off := strconv.Itoa(len(log))
	r.ID, r.Source = off, probes.Ref{Target: f.Name, Subject: subject}
	if r.Kind == 0 {
		r.Kind = probes.Message
	}
	if r.Time.IsZero() {
		r.Time = f.Clock.Add(time.Duration(len(log)) * time.Second)
	}
	r.Attrs = append(slices.Clip(r.Attrs), probes.Attr{Name: probes.AttrOffset, Value: off})
	f.logs[subject] = append(log, r)
	close(f.grown)
	f.grown = make(chan struct{})
	return r
}

// FailAt makes the next Tail that is about to yield record n fail with that
// kind instead, once.
func (f *Fake) FailAt(subject string, n int, kind error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.faults[subject] == nil {
		f.faults[subject] = map[int]error{}
	}
	f.faults[subject][n] = kind
}

// Published returns what was published through the Publisher ability.
func (f *Fake) Published() []probes.Record {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

// Calls returns the invocations so far.
func (f *Fake) Calls() []probes.Invocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Check returns CheckErr.
func (f *Fake) Check(ctx context.Context) error {
	if f.CheckErr != nil {
		return f.CheckErr
	}
	return ctx.Err()
}

// Close does nothing.
func (f *Fake) Close() error { return nil }

// Discover yields Snapshots and, watching, waits for the end.
func (f *Fake) Discover(ctx context.Context, q probes.DiscoverQuery) iter.Seq2[probes.Snapshot, error] {
	return func(yield func(probes.Snapshot, error) bool) {
		for _, s := range f.Snapshots {
			if !yield(s, nil) {
				return
			}
		}
		if q.Watch {
			<-ctx.Done()
		}
	}
}

// Publish appends to the subject, which must exist.
func (f *Fake) Publish(ctx context.Context, r probes.Record) (probes.Record, error) {
	f.mu.Lock()
	_, ok := f.logs[r.Source.Subject]
	f.mu.Unlock()
	if !ok {
		return r, f.unknown("publishing", r.Source.Subject)
	}
	r = f.Append(r.Source.Subject, r)
	f.mu.Lock()
	f.sent = append(f.sent, r)
	f.mu.Unlock()
	return r, ctx.Err()
}

// Methods offers Echo (a read), Store (a write) and Fail (always NOT_FOUND).
func (f *Fake) Methods(context.Context) ([]probes.Method, error) {
	return []probes.Method{
		{Name: "fake.Svc/Echo", Group: "fake.Svc", Effect: probes.EffectRead, ClientStream: true, ServerStream: true,
			Template: json.RawMessage(`{"text":""}`)},
		{Name: "fake.Svc/Fail", Group: "fake.Svc", Effect: probes.EffectRead, Template: json.RawMessage(`{}`)},
		{Name: "fake.Svc/Store", Group: "fake.Svc", Effect: probes.EffectWrite, Template: json.RawMessage(`{"text":""}`)},
	}, nil
}

// Invoke answers every document with itself.
func (f *Fake) Invoke(ctx context.Context, in probes.Invocation) iter.Seq2[probes.Record, error] {
	return func(yield func(probes.Record, error) bool) {
		f.mu.Lock()
		f.calls = append(f.calls, in)
		call := "call-" + strconv.Itoa(len(f.calls))
		f.mu.Unlock()
		rec := probes.Record{Call: call, Source: probes.Ref{Target: f.Name, Subject: in.Method}, Time: f.Clock}
		for in.Next != nil {
			doc, err := in.Next(ctx)
			if err == io.EOF {
				break
			}
			if err != nil {
				yield(probes.Record{}, err)
				return
			}
			rec.Body = doc
			for _, rec.Kind = range []probes.Kind{probes.Request, probes.Response} {
				if !yield(rec, nil) {
					return
				}
			}
		}
		rec.Body, rec.Kind = nil, probes.End
		rec.Attrs = []probes.Attr{{Name: probes.AttrStatus, Value: "OK"}, {Name: probes.TimingTotal, Value: "1.5"}}
		if in.Method == "fake.Svc/Fail" {
			rec.Attrs[0].Value, rec.Err = "NOT_FOUND", "NOT_FOUND (5): no such thing"
		}
		yield(rec, nil)
	}
}

func (f *Fake) unknown(op, subject string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for n := range f.logs {
		names = append(names, n)
	}
	return &probes.Error{Target: f.Name, Op: op, Kind: probes.ErrNotFound, Err: fmt.Errorf("no subject %q", subject),
		Hint: probes.NearestHint(subject, names)}
}
