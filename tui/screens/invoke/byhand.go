package invoke

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
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
	v.pane, v.naming = onMethods, true
	v.prompt.Set("")
	return nil
}

// typeMethod takes keys while a method is being named.
func (v *screen) typeMethod(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			v.naming = false
			v.prompt.Set(v.filter)
			return nil
		case "enter":
			v.naming = false
			name := strings.TrimSpace(v.prompt.Value())
			v.prompt.Set(v.filter)
			if r, ok := v.current(); ok && name != "" {
				return v.name(r.target, name)
			}
			return nil
		}
	}
	v.prompt.Update(msg)
	return nil
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
		return kit.Send(kit.Fail{Err: m.err})
	}
	if m.err != nil {
		o.added = append(o.added, methodOf(verb, m.method.Name))
	}
	v.filter = ""
	v.prompt.Set("")
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
