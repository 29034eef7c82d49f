package topo

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/session"
)

func (t *screen) Bindings() []kit.Binding {
	if t.filter.Open() {
		return t.filter.Bindings("topo.filter")
	}
	return []kit.Binding{
		{ID: "topo.look", Keys: []string{"a"}, Name: "graph/tree/table", Hint: true,
			Doc: "show it as a picture, a tree or a table", Run: t.nextLook},
		{ID: "topo.focus", Keys: []string{"o"}, Name: "focus", Hint: true, Refused: t.nothing,
			Doc: "only what is near this; again or esc: everything", Run: t.setFocus},
		{ID: "topo.tail", Keys: []string{"t"}, Name: "tail", Hint: true, Refused: t.refuseTail,
			Doc: "read the stream of this topic, queue or exchange, or what the registry says of this service", Run: t.tail},
		{ID: "topo.peek", Keys: []string{"p"}, Name: "peek", Hint: true, Refused: t.refusePeek,
			Doc: "look into this queue by receiving and returning messages; asks first", Run: t.peek},
		{ID: "topo.invoke", Keys: []string{"i"}, Name: "invoke", Hint: true, Refused: t.refuseInvoke,
			Doc: "call a method of this", Run: t.invoke},
		{ID: "topo.wider", Keys: []string{"+"}, Name: "wider", Refused: t.unfocused,
			Doc: "one edge further around the focus", Run: func() tea.Cmd { return t.setDepth(1) }},
		{ID: "topo.narrower", Keys: []string{"_"}, Name: "narrower", Refused: t.unfocused,
			Doc: "one edge less around the focus", Run: func() tea.Cmd { return t.setDepth(-1) }},
	}
}

func (t *screen) nextLook() tea.Cmd {
	t.look = (t.look + 1) % (asTable + 1)
	t.lay()
	return nil
}

// nothing says why there is nothing under the cursor.
func (t *screen) nothing() string {
	if _, ok := t.current(); !ok {
		return "nothing is known yet"
	}
	return ""
}

func (t *screen) unfocused() string {
	if t.focus == "" {
		return "everything is shown; o first focuses what is under the cursor"
	}
	return ""
}

func (t *screen) setFocus() tea.Cmd {
	r, _ := t.current()
	id := t.m.whole(r.node.ID)
	t.want = id
	if t.focus == id {
		t.focus = ""
	} else {
		t.focus, t.depth = id, 1
	}
	return t.load()
}

func (t *screen) setDepth(by int) tea.Cmd {
	t.depth = max(1, min(maxDepth, t.depth+by))
	return t.load()
}

func (t *screen) refuseTail() string {
	r, ok := t.current()
	if !ok {
		return t.nothing()
	}
	if _, ok := session.Stream(t.m.states, r.node); !ok {
		return "no source streams this " + string(r.node.Kind) + "; topics, queues, exchanges and registered services can be read"
	}
	return ""
}

func (t *screen) refusePeek() string {
	r, ok := t.current()
	if !ok {
		return t.nothing()
	}
	ref, ok := session.Queue(t.m.states, r.node)
	if !ok {
		return "a look is into a queue, and this is none that can be looked into"
	}
	return kit.PeekRefused(t.s, ref)
}

func (t *screen) peek() tea.Cmd {
	r, _ := t.current()
	ref, _ := session.Queue(t.m.states, r.node)
	return kit.Peek(t.s, ref, "")
}

func (t *screen) tail() tea.Cmd {
	r, _ := t.current()
	ref, _ := session.Stream(t.m.states, r.node)
	return kit.Send(kit.Go{Screen: kit.Tail, Ref: ref})
}

func (t *screen) refuseInvoke() string {
	r, ok := t.current()
	if !ok {
		return t.nothing()
	}
	if _, ok := t.m.callable(r.node); !ok {
		return "no target of this environment describes methods of it"
	}
	return ""
}

func (t *screen) invoke() tea.Cmd {
	r, _ := t.current()
	ref, _ := t.m.callable(r.node)
	return kit.Send(kit.Go{Screen: kit.Invoke, Ref: ref})
}

// copy copies the name under the cursor.
func (t *screen) copy() tea.Cmd {
	r, ok := t.current()
	if !ok {
		return nil
	}
	if strings.ContainsFunc(r.node.Name, unicode.IsControl) {
		return kit.Send(kit.Toast{Text: "the name holds control bytes; copying it could run something", Bad: true})
	}
	return tea.Batch(tea.SetClipboard(r.node.Name), kit.Say("copied "+safe.Line(r.node.Name, 80).String()))
}
