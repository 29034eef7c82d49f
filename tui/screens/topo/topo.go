// Package topo is the screen of who talks to whom: every service, topic and
// group that any source names, the worst first, as a picture, a tree or a table,
// with what follows from it and who said so.
package topo

import (
	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology/draw"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// look is how the graph is shown.
type look uint8

const (
	asGraph look = iota
	asTree
	asTable
)

func (l look) String() string { return [...]string{"GRAPH", "TREE", "TABLE"}[l] }

// pane is what the movement keys act on.
type pane uint8

const (
	onList pane = iota
	onDetail
	onFindings
)

// maxDepth is how far a neighbourhood can reach; further than that it is the
// whole graph almost always.
const maxDepth = 6

type screen struct {
	s *session.Session
	o kit.Options

	m       *model // nil until the first answer
	loading bool
	dirty   bool // something changed while loading

	look   look
	focus  string // ID whose neighbourhood is shown, "" for everything
	depth  int
	want   string          // what to put the cursor on when it appears
	open   map[string]bool // branches of the tree by node
	filter kit.Listing
	sifted kit.Sifted // what it does to the nodes

	rows     []row
	list     kit.List
	moved    bool // the cursor has been put somewhere by the user
	findings kit.List
	scroll   kit.Scroll
	detail   bool // the detail has been opened
	pane     pane

	// Left by the last View: page keys and the panes there are depend on it.
	height, detailHeight, detailRows int
	visible                          map[pane]bool
	pic                              drawn
}

// drawn is the last picture and what it was made of.
type drawn struct {
	m        *model
	w, depth int
	cursor   string
	shown    int // connected nodes in it
	whole    bool
	draw.Picture
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	return &screen{s: s, o: o, depth: 1, filter: kit.NewListing(o), open: map[string]bool{}, visible: map[pane]bool{onList: true}}
}

func (t *screen) Name() string { return "Topology" }

func (t *screen) Crumb() safe.Text {
	if t.focus != "" && t.m != nil {
		return safe.Line(t.m.name(t.focus), 60)
	}
	return safe.Text{}
}

func (t *screen) Typing() bool { return t.filter.Open() }
func (t *screen) Close()       {}

func (t *screen) Shown(up bool) tea.Cmd {
	if !up {
		return nil
	}
	return t.load()
}

func (t *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Changed:
		return t.load()
	case computed:
		return t.take(msg)
	case kit.Go:
		return t.goTo(msg.Ref)
	case kit.Nav:
		return t.nav(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		t.typed(msg)
	}
	return nil
}

// goTo puts the cursor on what the reference means.
func (t *screen) goTo(ref probes.Ref) tea.Cmd {
	if ref.Target == "" {
		return nil
	}
	t.want, t.focus, t.pane = ref.String(), "", onList
	t.filter.Lift()
	return t.load()
}

// load computes the graph in the background, one computation at a time.
func (t *screen) load() tea.Cmd {
	if t.loading {
		t.dirty = true
		return nil
	}
	t.loading, t.dirty = true, false
	return t.compute()
}

func (t *screen) take(c computed) tea.Cmd {
	if c.by != t {
		return nil
	}
	t.loading = false
	if c.m.focus != t.focus || c.m.depth != t.depth {
		return t.load()
	}
	t.m = c.m
	t.lay()
	if t.dirty {
		return t.load()
	}
	return nil
}

func (t *screen) current() (row, bool) {
	if t.list.Cursor < 0 || t.list.Cursor >= len(t.rows) {
		return row{}, false
	}
	return t.rows[t.list.Cursor], true
}

func (t *screen) nav(n kit.Nav) tea.Cmd {
	switch n {
	case kit.Back:
		return t.back()
	case kit.Find, kit.Filter:
		t.filter.Ask(t.filter.Text)
	case kit.Right, kit.Left:
		t.fold(n == kit.Right)
	case kit.Enter:
		return t.enter()
	case kit.ShowDetail:
		t.detail, t.scroll = !t.detail, kit.Scroll{}
	case kit.NextPane:
		t.turn(1)
	case kit.PrevPane:
		t.turn(-1)
	case kit.CopyValue:
		return t.copy()
	case kit.Refresh:
		t.s.Retry("")
		return t.load()
	default:
		t.move(n)
	}
	return nil
}

func (t *screen) move(n kit.Nav) {
	switch t.pane {
	case onDetail:
		t.scroll.Nav(n, t.detailRows, max(1, t.detailHeight))
	case onFindings:
		t.findings.Nav(n, t.findingCount(), max(1, t.height))
	default:
		if t.list.Nav(n, len(t.rows), max(1, t.height)) {
			t.scroll, t.want, t.moved = kit.Scroll{}, "", true
		}
	}
}

// turn gives the focus to the next pane that is on screen.
func (t *screen) turn(by int) {
	const panes = int(onFindings) + 1
	for range panes {
		if t.pane = pane((int(t.pane) + by + panes) % panes); t.visible[t.pane] {
			return
		}
	}
	t.pane = onList
}

// enter opens the detail of what is under the cursor; from a finding it goes to
// what the finding is about.
func (t *screen) enter() tea.Cmd {
	if t.pane == onFindings {
		return t.openFinding()
	}
	if _, ok := t.current(); ok {
		t.moved = true
		t.detail, t.scroll, t.pane = true, kit.Scroll{}, onDetail
	}
	return nil
}

// back closes what is open, innermost first.
func (t *screen) back() tea.Cmd {
	switch {
	case t.pane == onFindings:
		t.pane = onList
	case t.detail:
		t.detail, t.pane = false, onList
	case t.pane != onList:
		t.pane = onList
	case t.filter.Text != "":
		t.filter.Lift()
		t.lay()
	case t.focus != "":
		t.want, t.focus = t.focus, ""
		return t.load()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

func (t *screen) typed(msg tea.Msg) {
	if t.filter.Update(msg).Changed {
		t.lay()
	}
}
