package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"iscope/inspectors"
	"iscope/inspectors/schema"
	"iscope/probes"
)

// Reading is how the bodies of one target are decoded by its schemas. It is there
// at once; what it needs is opened and fetched in the background, and Changed
// says so when it has come. nil decodes what needs no schema.
type Reading struct {
	s     *Session
	name  string
	ctx   context.Context // ends with the target
	ended context.Context // has ended: who asks with it is never kept waiting
	ready chan struct{}   // closed once opened, or known to be nothing

	mu      sync.Mutex
	schemas *inspectors.Schemas // nil: not opened yet, or nothing is configured
	where   string
	err     string
	hint    string
	version uint64
	waiting map[schema.Query]bool
}

// Schemed is what Diagnostics shows of a target's schemas.
type Schemed struct {
	Where       string // "registry http://…", "2 files"; "" if none are configured
	Error, Hint string // why they are not there, without secrets
}

// Reading returns how bodies of a target are decoded; nil where that is not known
// here, as of a system that only a capture names.
func (s *Session) Reading(target string) *Reading {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.peers[target]; p != nil {
		return p.reads()
	}
	return nil
}

// EnvOf decodes a record of any target without blocking, WaitingEnvOf blocks for
// what it needs.
func (s *Session) EnvOf(r *probes.Record) inspectors.Env { return s.Reading(r.Source.Target).Env() }

// WaitingEnvOf is EnvOf for work in the background.
func (s *Session) WaitingEnvOf(r *probes.Record) inspectors.Env {
	return s.Reading(r.Source.Target).Waiting()
}

// reads opens the reading at the first call.
func (p *peer) reads() *Reading {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reading == nil && p.s.Schemas != nil && p.ctx.Err() == nil {
		ended, end := context.WithCancel(p.ctx)
		end()
		r := &Reading{s: p.s, name: p.name, ctx: p.ctx, ended: ended, ready: make(chan struct{}), waiting: map[schema.Query]bool{}}
		p.reading = r
		if !p.s.spawn(func() { r.open(p) }) {
			close(r.ready)
		}
	}
	return p.reading
}

func (r *Reading) open(p *peer) {
	defer close(r.ready)
	t, err := p.target()
	if err != nil || t.Schemas.IsZero() {
		return // opening the target says what is wrong with it
	}
	r.set(func() { r.where = r.s.clean(whereOf(t.Schemas)) })
	setup, err := r.s.Schemas(t.Schemas, r.report)
	var opened *inspectors.Schemas
	if err == nil {
		opened, err = inspectors.OpenSchemas(r.ctx, setup)
	}
	if err != nil {
		r.report(err)
		return
	}
	r.set(func() { r.schemas = opened })
}

func whereOf(s probes.Schemas) string {
	var parts []string
	if s.Registry != "" {
		parts = append(parts, "registry "+s.Registry)
	}
	if n := len(s.Files); n > 0 {
		parts = append(parts, plural(n, "file"))
	}
	return strings.Join(parts, ", ")
}

// report says once that schemas are not to be had, and with nil that they are
// again.
func (r *Reading) report(err error) {
	if err == nil {
		r.s.log.Add("info", r.name+": the schema registry answers again")
		r.set(func() { r.err, r.hint = "", "" })
		return
	}
	text := r.s.clean(err.Error())
	r.s.log.Add("warn", fmt.Sprintf("%s: %s; values are shown undecoded meanwhile", r.name, text))
	r.set(func() { r.err, r.hint = text, r.s.clean(probes.HintOf(err)) })
}

// set changes what bodies look like, and says so.
func (r *Reading) set(change func()) {
	r.mu.Lock()
	change()
	r.version++
	r.mu.Unlock()
	r.s.touch()
}

// Version grows whenever the same body may be decoded differently from before.
func (r *Reading) Version() uint64 {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.version
}

// State is how the schemas are doing.
func (r *Reading) State() Schemed {
	if r == nil {
		return Schemed{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return Schemed{r.where, r.err, r.hint}
}

// Env decodes without ever blocking: for screens. What is not there yet is
// pending, and fetched.
func (r *Reading) Env() inspectors.Env {
	if r == nil {
		return inspectors.Env{}
	}
	if f, over := r.finder(); f == nil && over {
		return inspectors.Env{}
	}
	return inspectors.Env{Schemas: patient{r}}
}

// Waiting decodes and blocks for schemas: for work in the background.
func (r *Reading) Waiting() inspectors.Env {
	if r == nil {
		return inspectors.Env{}
	}
	return inspectors.Env{Schemas: waiting{r}}
}

// finder is nil as long as nothing is opened, and for good if over.
func (r *Reading) finder() (f schema.Finder, over bool) {
	select {
	case <-r.ready:
		over = true
	default:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.schemas == nil {
		return nil, over
	}
	return r.schemas, over
}

// close ends what is being fetched and waits for it. The target has ended.
func (r *Reading) close() {
	<-r.ready
	r.mu.Lock()
	opened := r.schemas
	r.mu.Unlock()
	if opened != nil {
		opened.Close()
	}
}

// waiting is the finder that blocks.
type waiting struct{ r *Reading }

// Find blocks until the schemas are opened, and then for as long as they do.
func (w waiting) Find(ctx context.Context, q schema.Query) (schema.Found, error) {
	select {
	case <-w.r.ready:
	case <-ctx.Done():
		return schema.Found{}, schema.ErrPending
	}
	f, _ := w.r.finder()
	if f == nil {
		return schema.Found{}, schema.ErrNone
	}
	return f.Find(ctx, q)
}

// patient is the finder that never blocks.
type patient struct{ r *Reading }

// Find returns what is there, and has the rest fetched.
func (p patient) Find(_ context.Context, q schema.Query) (schema.Found, error) {
	f, over := p.r.finder()
	switch {
	case f == nil && over:
		return schema.Found{}, schema.ErrNone
	case f == nil:
		return schema.Found{}, schema.ErrPending
	}
	found, err := f.Find(p.r.ended, q)
	if mayCome(err) {
		p.r.fetch(f, q)
	}
	return found, err
}

// mayCome reports whether the same question may have another answer soon.
func mayCome(err error) bool { return errors.Is(err, schema.ErrPending) || probes.Transient(err) }

const (
	// fetches bounds how many schemas of one target are waited for at once.
	fetches = 8
	// How often a schema that does not come is asked for again.
	firstPause = 100 * time.Millisecond
	mostPause  = 15 * time.Second
)

// fetch waits for a schema in the background. Where too many are waited for
// already, the next draw asks again: it comes when one of those is there.
func (r *Reading) fetch(f schema.Finder, q schema.Query) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting[q] || len(r.waiting) >= fetches {
		return
	}
	r.waiting[q] = true
	if !r.s.spawn(func() { r.wait(f, q) }) {
		delete(r.waiting, q)
	}
}

func (r *Reading) wait(f schema.Finder, q schema.Query) {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		if _, err := f.Find(r.ctx, q); !mayCome(err) {
			break
		}
		next := time.NewTimer(pause)
		select {
		case <-next.C:
		case <-r.ctx.Done():
			next.Stop()
			return
		}
	}
	r.set(func() { delete(r.waiting, q) })
}
