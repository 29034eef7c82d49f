package topology

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"iscope/probes"
)

const (
	// KeepGone is for how long a thing that vanished stays listed as gone.
	KeepGone = 10 * time.Minute
	// maxGone bounds that list per source.
	maxGone = 1000
)

// Store holds the current claims of every target. It is safe for concurrent
// use.
type Store struct {
	now func() time.Time

	mu      sync.Mutex
	sources map[string]*source
}

type source struct {
	state  SourceState
	claims []probes.Claim
	gone   []Gone
}

// NewStore makes an empty store; now is the clock.
func NewStore(now func() time.Time) *Store {
	return &Store{now: now, sources: map[string]*source{}}
}

// Put takes one answer over. A complete one replaces everything the target has
// claimed so far; an incomplete one only adds and updates, because what it does
// not name may merely be hidden. It must answer a query without a Subject, and
// where a driver answers in several Snapshots they have to be joined first: see
// Round.
func (s *Store) Put(target string, snap probes.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	src := s.at(target)
	if snap.Complete {
		src.vanished(target, snap.Claims, now)
		src.claims = slices.Clone(snap.Claims)
	} else {
		src.claims = update(src.claims, snap.Claims)
	}
	src.reappeared(snap.Claims)
	src.state = SourceState{Target: target, Complete: snap.Complete, Missing: slices.Clone(snap.Missing), Seen: now}
}

// Fail marks a target's claims as stale and keeps them: that a source does not
// answer says nothing about what it described.
func (s *Store) Fail(target string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.at(target)
	if src.state.Err == "" {
		src.state.Since = s.now()
	}
	src.state.Err = err.Error()
}

// Forget drops a target that is no longer asked.
func (s *Store) Forget(target string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sources, target)
}

// Graph builds the graph of everything stored. The Sources, Gone and Now of o
// are set by the store.
func (s *Store) Graph(o BuildOptions) Graph {
	var claims []probes.Claim
	s.mu.Lock()
	now := s.now()
	o.Sources, o.Gone, o.Now = nil, nil, now
	for _, name := range slices.Sorted(maps.Keys(s.sources)) {
		src := s.sources[name]
		src.expire(now)
		claims = append(claims, src.claims...)
		o.Gone = append(o.Gone, src.gone...)
		o.Sources = append(o.Sources, src.state)
	}
	s.mu.Unlock()
	return Build(claims, o)
}

func (s *Store) at(target string) *source {
	src := s.sources[target]
	if src == nil {
		src = &source{state: SourceState{Target: target}}
		s.sources[target] = src
	}
	return src
}

// key is what a claim is about.
func key(c *probes.Claim) string {
	if c.Node != nil {
		return "n " + c.Node.ID
	}
	return "e " + edgeKey(c.Edge.From, c.Edge.To, c.Edge.Kind, c.Edge.Protocol)
}

func edgeKey(from, to string, kind probes.EdgeKind, protocol string) string {
	return from + "\x00" + to + "\x00" + string(kind) + "\x00" + protocol
}

func keys(claims []probes.Claim) map[string]bool {
	out := make(map[string]bool, len(claims))
	for i := range claims {
		out[key(&claims[i])] = true
	}
	return out
}

// update replaces the claims about what next names and keeps the others.
func update(old, next []probes.Claim) []probes.Claim {
	named := keys(next)
	out := slices.DeleteFunc(slices.Clone(old), func(c probes.Claim) bool { return named[key(&c)] })
	return append(out, next...)
}

// vanished lists what next no longer names.
func (s *source) vanished(target string, next []probes.Claim, now time.Time) {
	named := keys(next)
	for i := range s.claims {
		c := &s.claims[i]
		if k := key(c); named[k] {
			continue
		} else {
			named[k] = true // once, however many claims there were
		}
		g := Gone{By: target, At: now}
		if c.Node != nil {
			g.Node, g.Name, g.Kind = c.Node.ID, c.Node.Name, c.Node.Kind
		} else {
			g.From, g.To, g.EdgeKind = c.Edge.From, c.Edge.To, c.Edge.Kind
		}
		s.gone = append(s.gone, g)
	}
	s.gone = s.gone[max(0, len(s.gone)-maxGone):]
}

func (s *source) reappeared(next []probes.Claim) {
	if len(s.gone) == 0 {
		return
	}
	nodes, edges := map[string]bool{}, map[[3]string]bool{}
	for i := range next {
		if n := next[i].Node; n != nil {
			nodes[n.ID] = true
		} else if e := next[i].Edge; e != nil {
			edges[[3]string{e.From, e.To, string(e.Kind)}] = true
		}
	}
	s.gone = slices.DeleteFunc(s.gone, func(g Gone) bool {
		return g.Node != "" && nodes[g.Node] || g.Node == "" && edges[[3]string{g.From, g.To, string(g.EdgeKind)}]
	})
}

// expire drops what is valid no longer.
func (s *source) expire(now time.Time) {
	s.claims = slices.DeleteFunc(s.claims, func(c probes.Claim) bool { return c.TTL > 0 && now.Sub(c.Seen) > c.TTL })
	s.gone = slices.DeleteFunc(s.gone, func(g Gone) bool { return now.Sub(g.At) > KeepGone })
}

// Round joins the Snapshots of one Discover without Watch: complete if all of
// them are.
func Round(seq iter.Seq2[probes.Snapshot, error]) (probes.Snapshot, error) {
	out, n := probes.Snapshot{Complete: true}, 0
	for snap, err := range seq {
		if err != nil {
			return probes.Snapshot{}, err
		}
		n++
		out.Claims = append(out.Claims, snap.Claims...)
		out.Missing = append(out.Missing, snap.Missing...)
		out.Complete = out.Complete && snap.Complete
	}
	out.Complete = out.Complete && n > 0
	return out, nil
}

func sortGone(list []Gone) {
	slices.SortFunc(list, func(a, b Gone) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.By, b.By), cmp.Compare(a.Node, b.Node),
			cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
}
