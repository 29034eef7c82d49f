// Package session is what the screens share and what outlives them: the
// environment, open targets, what is known of the topology, running tails and
// recordings. It knows no terminal: screens are told that something changed and
// ask for what they show.
package session

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"iscope/config"
	"iscope/inspectors"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/replay/request"
)

// Options of a session.
type Options struct {
	Config     *config.Config // nil: only targets given by URL
	Drivers    []probes.Driver
	Write      bool // allow writing in every environment
	ReadOnly   bool // allow it nowhere
	CaptureDir string
	Redact     func(probes.Record) probes.Record
	RedactText func(string) string // for errors and the log
	Redaction  string              // the policy in words, for capture files
	Version    string
	// Schemas says how to open what a target's configuration says of schemas.
	// report is told once when a registry stops answering, and with nil when it
	// answers again. nil: no schemas are used.
	Schemas func(from probes.Schemas, report func(error)) (inspectors.Setup, error)
	// History keeps the calls that are made beyond the session; nil: nothing does.
	History *request.History
	Now     func() time.Time
	// OnPanic is told of a panic in a goroutine of the session, which would end
	// the process with the terminal in a state nobody can type in. nil: it does.
	OnPanic func(error)
}

// Session is safe for concurrent use.
type Session struct {
	Options
	ctx  context.Context
	stop context.CancelFunc
	// starting is held while something is started, so that Close knows of all.
	starting sync.Mutex
	wait     sync.WaitGroup
	log      *Log
	changed  chan struct{} // one slot: something of States, Graph or Feeds

	mu     sync.Mutex
	env    probes.Environment
	write  map[string]bool // environments allowed by :write
	peers  map[string]*peer
	order  []string
	store  *topology.Store
	feeds  []*Feed
	drives []*Redrive // those that have not ended
	left   []probes.Deed
	dialed time.Time
}

// New makes a session in the given environment, "" for the default one. It
// touches no network.
func New(o Options, env string) (*Session, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Session{Options: o, ctx: ctx, stop: stop, changed: make(chan struct{}, 1), write: map[string]bool{}, log: &Log{now: o.Now}}
	if err := s.SetEnv(env); err != nil {
		stop()
		return nil, err
	}
	return s, nil
}

// Close ends everything the session started and waits for it.
func (s *Session) Close() {
	s.starting.Lock()
	s.stop() // nothing is started from here on
	s.starting.Unlock()
	s.wait.Wait()
	s.mu.Lock()
	feeds, peers := s.feeds, s.peers
	s.mu.Unlock()
	for _, f := range feeds {
		f.EndCapture()
	}
	for _, p := range peers {
		p.close()
	}
}

// spawn runs f in a goroutine that Close waits for. When the session has ended it
// does not, and returns false: a screen may ask for something until its last
// moment.
func (s *Session) spawn(f func()) bool {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.ctx.Err() != nil {
		return false
	}
	s.wait.Go(func() {
		if s.OnPanic != nil {
			defer func() {
				if p := recover(); p != nil {
					s.OnPanic(fmt.Errorf("%v\n%s", p, debug.Stack()))
				}
			}()
		}
		f()
	})
	return true
}

// Changed receives a token when something changed since the last one was taken.
func (s *Session) Changed() <-chan struct{} { return s.changed }

func (s *Session) touch() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Env is the current environment, with Write as it is in force.
func (s *Session) Env() probes.Environment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.env
}

// Environments are the names one can switch to.
func (s *Session) Environments() []string {
	if s.Config == nil {
		return nil
	}
	return s.Config.EnvironmentNames()
}

// SetEnv switches. The mode is the configured one again, unless :write has
// allowed more for that environment.
func (s *Session) SetEnv(name string) error {
	env := probes.Environment{Name: "none", Class: probes.ClassUnknown}
	var names []string
	if s.Config != nil {
		var err error
		if env, err = s.Config.Environment(name); err != nil {
			return err
		}
		names = s.Config.TargetNames(env.Name)
	}
	s.mu.Lock()
	old := s.peers
	env.Write = (env.Write || s.Write || s.write[env.Name]) && !s.ReadOnly
	s.env, s.peers, s.order = env, map[string]*peer{}, nil
	s.store = topology.NewStore(s.Now)
	for _, n := range names {
		s.add(n)
	}
	s.mu.Unlock()
	for _, p := range old {
		p.end()
	}
	s.touch()
	return nil
}

// AllowWrite allows writing in the current environment until the session ends,
// when its name was typed right. It refuses where --read-only pins the mode.
func (s *Session) AllowWrite(typed string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ReadOnly:
		return "--read-only was given: nothing can be written in this session"
	case typed != s.env.Name:
		return "type the environment's name to allow writing: :write " + s.env.Name
	}
	s.write[typed], s.env.Write = true, true
	for _, p := range s.peers {
		p.setWrite()
	}
	s.touch()
	return ""
}

// WriteRefusal says why nothing may be written in the current environment, and
// what allows it; "" if writing is allowed.
func (s *Session) WriteRefusal() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.env.Write:
		return ""
	case s.ReadOnly:
		return "--read-only was given: nothing can be written in this session"
	}
	return fmt.Sprintf("environment %q (class %s) is read-only; :write %s allows writing until you quit", s.env.Name, s.env.Class, s.env.Name)
}

// add makes a target known. The lock is held.
func (s *Session) add(name string) *peer {
	p := &peer{s: s, name: name}
	p.ctx, p.cancel = context.WithCancel(s.ctx)
	s.peers[name] = p
	s.order = append(s.order, name)
	return p
}

// AddURL makes a target given on the spot part of the session.
func (s *Session) AddURL(u string) (probes.Ref, error) {
	t, subject, err := probes.ParseURL(s.Drivers, u)
	if err != nil {
		return probes.Ref{}, err
	}
	s.mu.Lock()
	t.Environment = s.env
	p := s.peers[t.Name]
	if p == nil {
		p = s.add(t.Name)
		p.url = &t
	}
	s.mu.Unlock()
	s.Watch()
	return probes.Ref{Target: t.Name, Subject: subject}, nil
}

// Targets are the names of the environment's targets in the file's order.
func (s *Session) Targets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.order)
}

// Conn opens a target once and returns it from then on. It may block.
func (s *Session) Conn(ctx context.Context, name string) (*probes.Conn, error) {
	s.mu.Lock()
	p := s.peers[name]
	names := slices.Clone(s.order)
	s.mu.Unlock()
	if p == nil {
		return nil, &probes.Error{Target: name, Op: "opening", Kind: probes.ErrNotFound,
			Hint: probes.NearestHint(name, names)}
	}
	return p.open(ctx)
}

// Log is iscope's own log of this session.
func (s *Session) Log() *Log { return s.log }

// clean takes secrets out of an error's text.
func (s *Session) clean(text string) string {
	if s.RedactText != nil {
		text = s.RedactText(text)
	}
	return strings.TrimSpace(text)
}
