package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"iscope/probes"
	"iscope/probes/topology"
)

// peer is one target of the environment: its connection, opened when first
// needed, and how it is doing.
type peer struct {
	s      *Session
	name   string
	url    *probes.Target // given on the spot
	ctx    context.Context
	cancel context.CancelFunc

	opening sync.Mutex // one attempt at a time

	mu       sync.Mutex
	conn     *probes.Conn
	state    State
	reading  *Reading
	watching bool
	again    chan struct{} // retry at once
}

// Phase is how a target is doing.
type Phase uint8

const (
	Unasked Phase = iota
	Asking
	Well
	Partly // it answers, and leaves something out
	Failed
)

func (p Phase) String() string {
	return [...]string{"not asked", "asking", "ok", "partial", "failed"}[p]
}

// State is what Diagnostics shows of a target.
type State struct {
	Name, Driver, Address string
	Phase                 Phase
	Since                 time.Time
	Step                  string // what was last attempted
	Err                   error
	Error                 string // without secrets
	Hint                  string
	Missing               []string
	Can                   []string
	Final                 bool // it is not tried again by itself
	Schemas               Schemed
}

func (p *peer) open(ctx context.Context) (*probes.Conn, error) {
	p.opening.Lock()
	defer p.opening.Unlock()
	p.mu.Lock()
	conn := p.conn
	p.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	t, err := p.target()
	if err == nil {
		conn, err = probes.Open(ctx, p.s.Drivers, t)
	}
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn = conn
	p.state.Driver, p.state.Address = conn.Driver.Name, conn.Target.Address
	for _, a := range []string{"discover", "tail", "publish", "invoke", "schema", "form", "contract", "peek", "deadletter"} {
		if conn.Can(a) {
			p.state.Can = append(p.state.Can, a)
		}
	}
	return conn, nil
}

func (p *peer) target() (probes.Target, error) {
	env := p.s.Env()
	if p.url != nil {
		t := *p.url
		t.Environment.Write = env.Write
		return t, nil
	}
	t, err := p.s.Config.Target(env.Name, p.name)
	t.Environment = env
	return t, err
}

// setWrite applies a change of mode: the connection is opened anew, because an
// open one keeps the rules it was opened with.
func (p *peer) setWrite() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		fresh := *p.conn
		fresh.Target.Environment.Write = true
		p.conn = &fresh
	}
}

// end stops watching and closes the connection, without waiting.
func (p *peer) end() {
	p.cancel()
	if !p.s.spawn(p.close) {
		p.close()
	}
}

func (p *peer) close() {
	p.cancel()
	p.mu.Lock()
	conn, reading := p.conn, p.reading
	p.conn = nil
	p.mu.Unlock()
	if reading != nil {
		reading.close()
	}
	if conn != nil {
		conn.Close()
	}
}

// Watch begins to ask every target of the environment what it knows, and goes
// on doing so. It returns at once.
func (s *Session) Watch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		p.reads()
		p.mu.Lock()
		if !p.watching && p.ctx.Err() == nil {
			p.watching, p.again = true, make(chan struct{}, 1)
			store := s.store
			s.spawn(func() { p.watch(store) })
		}
		p.mu.Unlock()
	}
}

// Retry asks a target again now; "" asks all that failed.
func (s *Session) Retry(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if name != "" && p.name != name {
			continue
		}
		p.mu.Lock()
		if p.again != nil {
			select {
			case p.again <- struct{}{}:
			default:
			}
		}
		p.mu.Unlock()
	}
}

// watch asks until the peer ends. What fails is tried again, ever more slowly;
// refused credentials only when the user says so.
func (p *peer) watch(store *topology.Store) {
	const first, most = 2 * time.Second, time.Minute
	wait := first
	for p.ctx.Err() == nil {
		began := time.Now()
		err := p.discover(store)
		if p.ctx.Err() != nil {
			return
		}
		if time.Since(began) > most {
			wait = first
		}
		final := err != nil && !probes.Transient(err)
		if err != nil {
			store.Fail(p.name, errors.New(p.s.clean(err.Error())))
			p.failed(err, final)
		}
		var timer <-chan time.Time
		if !final {
			timer = time.After(wait)
		}
		select {
		case <-p.ctx.Done():
		case <-p.again:
			wait = first
		case <-timer:
			wait = min(2*wait, most)
		}
	}
}

func (p *peer) discover(store *topology.Store) error {
	p.set(func(s *State) { s.Phase, s.Step = Asking, "opening" })
	conn, err := p.open(p.ctx)
	if err != nil {
		return err
	}
	p.set(func(s *State) { s.Step = "check" })
	if err := conn.Check(p.ctx); err != nil {
		return err
	}
	d, err := conn.Discoverer()
	if errors.Is(err, probes.ErrUnsupported) {
		p.set(func(s *State) { s.Phase, s.Step = Well, "check" })
		<-p.ctx.Done()
		return nil
	}
	p.set(func(s *State) { s.Step = "discover" })
	for snap, err := range d.Discover(p.ctx, probes.DiscoverQuery{Watch: true}) {
		if err != nil {
			return err
		}
		store.Put(p.name, snap)
		p.answered(snap)
	}
	if p.ctx.Err() != nil {
		return nil
	}
	return &probes.Error{Target: p.name, Op: "watching", Kind: probes.ErrUnreachable, Err: errors.New("the source stopped answering")}
}

func (p *peer) answered(snap probes.Snapshot) {
	p.set(func(s *State) {
		s.Err, s.Error, s.Hint, s.Final, s.Missing = nil, "", "", false, snap.Missing
		if s.Phase = Well; !snap.Complete {
			s.Phase = Partly
		}
	})
}

func (p *peer) failed(err error, final bool) {
	text := p.s.clean(err.Error())
	p.s.log.Add("warn", text)
	p.set(func(s *State) {
		s.Phase, s.Err, s.Error, s.Hint, s.Final = Failed, err, text, p.s.clean(probes.HintOf(err)), final
	})
}

func (p *peer) set(change func(*State)) {
	p.mu.Lock()
	before := p.state.Phase
	change(&p.state)
	if p.state.Phase != before {
		p.state.Since = p.s.Now()
	}
	p.mu.Unlock()
	p.s.touch()
}

// States is how every target is doing.
func (s *Session) States() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]State, 0, len(s.order))
	for _, name := range s.order {
		p := s.peers[name]
		p.mu.Lock()
		st, reading := p.state, p.reading
		p.mu.Unlock()
		st.Name, st.Schemas = name, reading.State()
		out = append(out, st)
	}
	return out
}

// Graph is what all sources together say. Where the environment allows it,
// registered instances are dialled every now and then by Dial.
func (s *Session) Graph() topology.Graph {
	s.mu.Lock()
	store := s.store
	o := topology.BuildOptions{Aliases: map[string][]string{}}
	for name, p := range s.peers {
		p.mu.Lock()
		if p.conn != nil {
			o.Aliases[name] = p.conn.Target.Aliases
		}
		p.mu.Unlock()
	}
	s.mu.Unlock()
	return store.Graph(o)
}

// dialEvery bounds how often registered instances are tried.
const dialEvery = 15 * time.Second

// Dial tries whether registered instances listen, where the environment allows
// it and unless it did so a moment ago. It blocks for some seconds.
func (s *Session) Dial(ctx context.Context) {
	s.mu.Lock()
	store, now := s.store, s.Now()
	if !s.env.Dial || now.Sub(s.dialed) < dialEvery {
		s.mu.Unlock()
		return
	}
	s.dialed = now
	s.mu.Unlock()
	claims := topology.Dial(ctx, s.Graph(), topology.DialOptions{})
	store.Put(topology.ByDial, probes.Snapshot{Claims: claims, Complete: true})
	s.touch()
}
