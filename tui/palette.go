package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// openPalette lists every action by name, and what can be tailed.
func (r *router) openPalette() tea.Cmd {
	m := &menu{title: "COMMANDS: an action, or: tail|peek|dlq REF · open URL · env|write NAME · quit", command: r.command,
		verbs: []string{"tail", "open", "peek"}}
	_, bs := r.focused()
	for _, b := range append(bs, r.globals...) {
		if strings.HasPrefix(b.ID, "nav.") {
			continue
		}
		m.items = append(m.items, bindingItem(b, b.Name+": "+b.Doc))
	}
	m.items = append(m.items, r.subjects()...)
	r.show(m)
	return nil
}

// subjects are what can be read and looked into, as commands.
func (r *router) subjects() (items []item) {
	g, states := r.s.Graph(), r.s.States()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if ref, ok := session.Stream(states, n); ok && n.Kind != probes.NodeService && n.Kind != probes.NodeGateway {
			items = append(items, item{label: safe.Line("tail "+ref.String(), 120), key: "t",
				run: func() tea.Cmd { return kit.Send(kit.Go{Screen: kit.Tail, Ref: ref}) }})
		}
		if ref, ok := session.Queue(states, n); ok {
			items = append(items, item{label: safe.Line("peek "+ref.String(), 120), key: "p", why: r.s.WriteRefusal(),
				run: func() tea.Cmd { return kit.Peek(r.s, ref, "") }})
		}
	}
	return items
}

// command runs a typed command line.
func (r *router) command(typed string) (tea.Cmd, bool) {
	verb, rest, _ := strings.Cut(typed, " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "q", "quit":
		return tea.Quit, true
	case "tail", "open":
		if !strings.Contains(rest, "/") { // not a reference yet: the list completes it
			return nil, false
		}
		return r.goTo(rest, verb == "tail"), true
	case "peek":
		if !strings.Contains(rest, "/") {
			return nil, false
		}
		return r.peek(probes.ParseRef(rest)), true
	case "dlq":
		return kit.Send(kit.Go{Screen: kit.DeadLetters, Ref: probes.ParseRef(rest)}), true
	case "env":
		if rest == "" {
			return r.openEnv(), true
		}
		return r.setEnv(rest), true
	case "write":
		if why := r.s.AllowWrite(rest); why != "" {
			return kit.Send(kit.Toast{Text: why, Bad: true}), true
		}
		return kit.Say("writing is allowed in " + rest + " until you quit"), true
	}
	return nil, false
}

// peek asks whether to look into a queue, if that can be.
func (r *router) peek(ref probes.Ref) tea.Cmd {
	if why := kit.PeekRefused(r.s, ref); why != "" {
		return kit.Send(kit.Toast{Text: "peek: " + why, Bad: true})
	}
	return kit.Peek(r.s, ref, "")
}

// goTo opens a reference or a URL: a stream in Tail, anything else in Endpoints.
func (r *router) goTo(arg string, stream bool) tea.Cmd {
	ref := probes.ParseRef(arg)
	if probes.IsURL(arg) {
		var err error
		if ref, err = r.s.AddURL(arg); err != nil {
			r.fail(err)
			return nil
		}
	}
	screen := kit.Endpoints
	if stream || ref.Subject != "" && !strings.HasPrefix(arg, "http") && !strings.HasPrefix(arg, "grpc") {
		screen = kit.Tail
	}
	return kit.Send(kit.Go{Screen: screen, Ref: ref})
}
