// Package endpoints is the screen of what targets offer: topics and groups,
// services and their instances, methods to call.
package endpoints

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

type screen struct {
	s *session.Session
	o kit.Options

	nodes      map[string][]*node // by target
	open       map[string]bool    // branches, by id; targets start open
	rows       []line
	list       kit.List
	height     int
	filter     kit.Listing
	sifted     kit.Sifted // nodes, without the groups of methods
	origin     string     // the row the cursor was on when the filter was opened
	detail     bool
	inPane     bool // movement scrolls what is beside the tree
	scroll     kit.Scroll
	rowsIn     int // of the pane in the last View
	heightP    int
	contracts  map[schemaRef]contract
	describing bool // a contract is being asked for
	shown      bool
	asked      map[string]bool // targets whose methods have been asked for
	trouble    map[string]string
	want       probes.Ref // to put the cursor on when it appears
}

// node is one thing a target offers.
type node struct {
	id, kind, name, note string
	target               string
	subject              string // by which the target knows it
	group, addr          string
	health, reason       string
	method               *probes.Method
	claims               []probes.Claim
	kids                 []*node
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	return &screen{s: s, o: o, filter: kit.NewListing(o), nodes: map[string][]*node{}, open: map[string]bool{}, asked: map[string]bool{}, trouble: map[string]string{},
		contracts: map[schemaRef]contract{}}
}

func (e *screen) Name() string { return "Endpoints" }

func (e *screen) Crumb() safe.Text {
	if r, ok := e.current(); ok {
		return crumb(r.ref().String())
	}
	return safe.Text{}
}

func (e *screen) Typing() bool { return e.filter.Open() }
func (e *screen) Close()       {}

func (e *screen) Shown(up bool) tea.Cmd {
	if e.shown = up; !up {
		return nil
	}
	return tea.Batch(e.refresh(), e.describe())
}

func (e *screen) Bindings() []kit.Binding {
	if e.filter.Open() {
		return e.filter.Bindings("endpoints.filter")
	}
	return []kit.Binding{
		{ID: "endpoints.tail", Keys: []string{"t"}, Name: "tail", Hint: true, Doc: "read this stream", Refused: e.refuseTail,
			Run: func() tea.Cmd { return e.send(kit.Tail) }},
		{ID: "endpoints.peek", Keys: []string{"p"}, Name: "peek", Hint: true, Refused: e.refusePeek,
			Doc: "look into this queue by receiving and returning messages; asks first", Run: func() tea.Cmd {
				r, _ := e.current()
				return kit.Peek(e.s, r.ref(), "")
			}},
		{ID: "endpoints.invoke", Keys: []string{"i"}, Name: "invoke", Hint: true, Doc: "call this method", Refused: e.refuseInvoke,
			Run: func() tea.Cmd { return e.send(kit.Invoke) }},
		{ID: "endpoints.topology", Keys: []string{"o"}, Name: "topology", Hint: true, Doc: "show it in the topology", Refused: e.nothing,
			Run: func() tea.Cmd { return e.send(kit.Topology) }},
		{ID: "endpoints.diagnose", Keys: []string{"x"}, Name: "diagnose", Doc: "how this target is doing", Refused: e.nothing,
			Run: func() tea.Cmd { return e.send(kit.Diagnostics) }},
	}
}

func (e *screen) send(screen int) tea.Cmd {
	r, _ := e.current()
	return kit.Send(kit.Go{Screen: screen, Ref: r.ref()})
}

func (e *screen) nothing() string {
	if _, ok := e.current(); !ok {
		return "there is nothing to choose yet"
	}
	return ""
}

func (e *screen) refuseTail() string {
	r, ok := e.current()
	switch {
	case !ok:
		return e.nothing()
	case !e.s.Can(r.target, "tail"):
		return "this target has no streams"
	case r.node != nil && !streamed(r.node.kind):
		return "a " + r.node.kind + " is no stream"
	case r.node == nil && !e.tailsWhole(r.target):
		return "choose a topic of it"
	}
	return ""
}

// streamed reports whether something of that kind can be read.
func streamed(kind string) bool {
	switch probes.NodeKind(kind) {
	case probes.NodeTopic, probes.NodeQueue, probes.NodeExchange, probes.NodeService:
		return true
	}
	return false
}

// tailsWhole reports whether a target is itself a stream: a registry's changes.
func (e *screen) tailsWhole(target string) bool {
	return !slices.ContainsFunc(e.nodes[target], func(n *node) bool { return n.kind != string(probes.NodeService) && streamed(n.kind) })
}

func (e *screen) refusePeek() string {
	r, ok := e.current()
	switch {
	case !ok:
		return e.nothing()
	case r.node == nil || r.node.kind != string(probes.NodeQueue):
		return "a look is into a queue, and this is none"
	}
	return kit.PeekRefused(e.s, r.ref())
}

func (e *screen) refuseInvoke() string {
	if _, ok := e.current(); !ok {
		return e.nothing()
	}
	if r, _ := e.current(); !e.s.Can(r.target, "invoke") {
		return "this target has nothing to call"
	}
	return ""
}

// Update asks for the contract of what is under the cursor whatever else it does.
func (e *screen) Update(msg tea.Msg) tea.Cmd {
	if d, ok := msg.(described); ok {
		return e.takeContract(d)
	}
	cmd := e.update(msg)
	if !e.shown {
		return cmd
	}
	if more := e.describe(); more != nil {
		return tea.Batch(cmd, more)
	}
	return cmd
}

func (e *screen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Changed:
		return e.refresh()
	case loaded:
		e.take(msg)
	case kit.Go:
		if msg.Ref.Target == "" {
			break // back to what was there
		}
		e.want = msg.Ref
		e.open[msg.Ref.Target] = true
		e.filter.Lift()
		e.lay()
	case kit.Nav:
		return e.nav(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		e.typed(msg)
	}
	return nil
}

func (e *screen) nav(n kit.Nav) tea.Cmd {
	r, ok := e.current()
	if e.inPane || e.detail {
		if e.scroll.Nav(n, e.rowsIn, max(1, e.heightP)) {
			return nil
		}
	}
	switch n {
	case kit.NextPane, kit.PrevPane:
		e.inPane = !e.inPane
	case kit.Back:
		return e.back()
	case kit.Find, kit.Filter:
		e.origin = ""
		if ok {
			e.origin = r.id()
		}
		e.filter.Ask(e.filter.Text)
	case kit.Right, kit.Enter:
		if ok && r.branch() && !e.isOpen(&r) {
			e.open[r.id()] = true
			e.lay()
		} else if ok && n == kit.Enter {
			e.detail, e.scroll = true, kit.Scroll{}
		}
	case kit.Left:
		if ok {
			e.open[r.id()] = false
			e.lay()
		}
	case kit.ShowDetail:
		e.detail = !e.detail
	case kit.Refresh:
		clear(e.asked)
		return e.refresh()
	default:
		if e.list.Nav(n, len(e.rows), max(1, e.height)) {
			e.scroll, e.want = kit.Scroll{}, probes.Ref{}
		}
	}
	return nil
}

func (e *screen) back() tea.Cmd {
	switch {
	case e.inPane:
		e.inPane = false
	case e.detail:
		e.detail = false
	case e.filter.Text != "":
		e.filter.Lift()
		e.lay()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

func (e *screen) typed(msg tea.Msg) {
	if e.filter.Update(msg).Changed {
		e.lay()
		e.toHit()
	}
}
