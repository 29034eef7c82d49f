package replay

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"iscope/probes"
)

// defaultCeiling is the rate, per second, above which nothing is sent to a
// shared system unless told.
const defaultCeiling = 50

// guard keeps a replay away from where it must not go.
type guard struct {
	p       *Plan
	info    *Info
	resolve func(ctx context.Context, host string) ([]string, error)
}

func newGuard(p *Plan, info *Info) *guard {
	g := &guard{p: p, info: info, resolve: p.opt.Resolve}
	if g.resolve == nil {
		g.resolve = lookup
	}
	return g
}

// check fills in the plan's destinations and ceiling. refused says why the plan
// must not be sent; err, that this could not be found out.
func (g *guard) check(ctx context.Context, uses map[useKey]*use) (refused, err error) {
	keys := slices.SortedFunc(maps.Keys(uses), func(a, b useKey) int {
		if a.from != b.from {
			return strings.Compare(a.from, b.from)
		}
		return a.route - b.route
	})
	for _, key := range keys {
		u := uses[key]
		rt := &g.p.opt.To[u.route]
		t := rt.Conn.Target
		env := t.Environment
		g.p.Routes = append(g.p.Routes, Destination{From: u.from, To: probes.Ref{Target: t.Name, Subject: rt.Subject}.String(),
			Address: bareAddress(t.Address), Environment: env.Name, Class: env.Class, Count: u.publish + u.calls})
		if env.Class != probes.ClassLocal && env.Class != probes.ClassDev {
			g.p.Ceiling = defaultCeiling
		}
		why, err := g.route(ctx, u, rt)
		if err != nil {
			return nil, err
		}
		if refused == nil {
			refused = why
		}
	}
	return refused, nil
}

func (g *guard) route(ctx context.Context, u *use, rt *Route) (refused, err error) {
	env := rt.Conn.Target.Environment
	if env.Class == probes.ClassProd && !env.ReplayToProd {
		return g.refuse(rt, fmt.Errorf("environment %q is production", env.Name),
			"replay to another environment; only the environment's own configuration can allow this, there is no flag"), nil
	}
	if u.writes > 0 {
		if err := rt.Conn.Writable(fmt.Sprintf("replaying %d writes", u.writes)); err != nil {
			return err, nil
		}
	}
	same, err := g.sameSystem(ctx, u.from, rt)
	if err != nil || same == "" || g.elsewhere(u, rt) {
		return nil, err
	}
	return g.refuse(rt, fmt.Errorf("it would go back to where it was recorded: %s", same),
		"choose another target; messages may go to another subject of the same system (TARGET/SUBJECT) where its environment is local or dev"), nil
}

func (g *guard) refuse(rt *Route, err error, hint string) error {
	return &probes.Error{Target: rt.Conn.Target.Name, Op: "planning the replay", Kind: probes.ErrRefused, Err: err, Hint: hint}
}

// elsewhere reports whether messages go to a subject of the recorded system
// that none of them came from, in an environment where that is harmless: how
// one tries a consumer on a laptop's own broker.
func (g *guard) elsewhere(u *use, rt *Route) bool {
	return u.calls == 0 && rt.Subject != "" && !u.subjects[rt.Subject] && harmless(rt.Conn.Target.Environment.Class)
}

func harmless(c probes.Class) bool { return c == probes.ClassLocal || c == probes.ClassDev }

// sameSystem says by what the destination is known to be the recorded system,
// "" if by nothing. Names, addresses and the system's own identity each
// suffice. A recorded target of which nothing is known could be any system.
func (g *guard) sameSystem(ctx context.Context, from string, rt *Route) (string, error) {
	t := rt.Conn.Target
	rec, ok := g.info.target(from)
	if !ok || rec.Address == "" {
		if harmless(t.Environment.Class) && t.Name != from {
			return "", nil
		}
		return fmt.Sprintf("the capture does not say where %q was, so it may be this", from), nil
	}
	if rec.Name == t.Name && rec.Environment == t.Environment.Name {
		return fmt.Sprintf("%q in environment %q", t.Name, t.Environment.Name), nil
	}
	if addr := g.sameAddress(ctx, rec.Address, t.Address); addr != "" {
		return "address " + addr, nil
	}
	if rec.Identity == "" {
		return "", nil
	}
	id, err := identity(ctx, rt.Conn)
	if err != nil {
		return "", err
	}
	if id == rec.Identity {
		return "cluster " + id, nil
	}
	return "", nil
}
