package invoke

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/session"
)

// byHand is the group of methods that a person has named: HTTP takes any, whether
// a document describes it or not.
const byHand = "by hand"

// named is a method that a person has named.
type named struct {
	by     *screen
	target string
	method probes.Method
	err    error
}

func (v *screen) refuseByHand() string {
	if _, ok := v.current(); !ok {
		return "choose a target first"
	}
	return ""
}

// askMethod opens the line in which a method is named.
func (v *screen) askMethod() tea.Cmd {
	if r, ok := v.current(); ok {
		v.putMethod(r.target, "", "a method, as GET /path?q=1 or Service/Method")
	}
	return nil
}

func (v *screen) putMethod(target, first, help string) {
	v.pane = onMethods
	v.put(&question{label: "CALL", help: help, done: func(name string) (tea.Cmd, bool) {
		if name = strings.TrimSpace(name); name == "" {
			return nil, true
		}
		return v.name(target, name), true
	}}, first)
}

func (v *screen) name(target, name string) tea.Cmd {
	return func() tea.Msg {
		ctx, stop := session.Bounded(v.s)
		defer stop()
		conn, err := v.s.Conn(ctx, target)
		if err != nil {
			return named{v, target, probes.Method{}, err}
		}
		m, err := conn.Method(ctx, name)
		if err != nil {
			m = probes.Method{}
		}
		if m.Name == "" {
			m.Name = name // nothing could be listed; it may be there all the same
		}
		return named{v, target, m, err}
	}
}

// takeNamed adds the method to the list and goes to it. One that is in no
// contract is there all the same where the target may take it, and counts as
// changing something.
func (v *screen) takeNamed(m named) tea.Cmd {
	o := v.targets[m.target]
	if m.by != v || o == nil {
		return nil
	}
	verb, path, _ := strings.Cut(m.method.Name, " ")
	anyPath := strings.HasPrefix(path, "/") && verb == strings.ToUpper(verb)
	if m.err != nil && !(errors.Is(m.err, probes.ErrNotFound) && anyPath) {
		return v.notNamed(m)
	}
	if m.err != nil {
		o.added = append(o.added, methodOf(verb, m.method.Name))
	}
	v.filter.Lift()
	v.lay()
	v.find(probes.Ref{Target: m.target, Subject: m.method.Name})
	return v.await()
}

// methodOf is a method that no contract describes.
func methodOf(verb, name string) probes.Method {
	m := probes.Method{Name: name, Group: byHand}
	if verb == "GET" || verb == "HEAD" || verb == "OPTIONS" {
		m.Effect = probes.EffectRead // RFC 9110 §9.2.1
	}
	return m
}
