// Package invoke is the screen that calls methods: the list of what targets
// offer, a request to fill in, and the answers as they come.
package invoke

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// pane is what the movement keys act on.
type pane uint8

const (
	onMethods pane = iota
	onRequest
	onResponse
)

type screen struct {
	s     *session.Session
	o     kit.Options
	chain inspectors.Chain

	targets map[string]*offer
	rows    []row
	list    kit.List
	moved   bool // the cursor has been put somewhere by the user
	filter  string
	asking  bool
	prompt  kit.Field
	want    probes.Ref // to put the cursor on when its target has answered

	drafts  map[probes.Ref]*draft
	pane    pane
	typing  bool // a field or the document has the focus
	confirm *call

	calls   []*call // this session's, the oldest first
	shown   bool
	waits   *call // whose records are awaited
	ticking bool
	resp    response
	past    bool // the history is open
	history kit.List

	single bool         // the last View had room for one pane
	height map[pane]int // rows of each pane in the last View, for page keys
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	return &screen{s: s, o: o, chain: inspectors.Default(), targets: map[string]*offer{},
		drafts: map[probes.Ref]*draft{}, height: map[pane]int{}}
}

func (v *screen) Name() string { return "Invoke" }

func (v *screen) Crumb() safe.Text {
	if d := v.draft(); d != nil {
		return safe.Line(d.ref.String(), 60)
	}
	return safe.Text{}
}

func (v *screen) Typing() bool { return v.asking || v.typing }

// Close cancels the calls in flight and waits for them.
func (v *screen) Close() {
	for _, c := range v.calls {
		c.stop()
	}
	for _, c := range v.calls {
		c.running.Wait()
	}
}

func (v *screen) Shown(up bool) tea.Cmd {
	v.shown = up
	if !up {
		v.confirm = nil
		return nil
	}
	return tea.Batch(v.load(), v.await())
}

func (v *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Changed:
		return v.load()
	case listed:
		v.take(msg)
		return nil
	case kit.Go:
		v.want, v.filter, v.past, v.typing, v.confirm = msg.Ref, "", false, false, nil
		v.pane = onMethods
		v.lay()
		return tea.Batch(v.load(), v.await())
	case kit.Nav:
		return v.nav(msg)
	case kit.Cancel:
		return v.cancel()
	case tea.KeyPressMsg, tea.PasteMsg:
		return v.typed(msg)
	case checked:
		return v.checked(msg)
	case came:
		return v.came(msg)
	case ended:
		return v.ended(msg)
	case tick:
		return v.ticked(msg)
	case toEdit, left, edited:
		return v.external(msg)
	}
	return nil
}

func (v *screen) nav(n kit.Nav) tea.Cmd {
	if v.confirm != nil {
		c := v.confirm
		v.confirm = nil
		if n == kit.Enter {
			return v.start(c)
		}
		if n == kit.Back {
			return kit.Say("not sent")
		}
	}
	if v.past {
		return v.navHistory(n)
	}
	switch n {
	case kit.Back:
		return v.back()
	case kit.Find, kit.Filter:
		v.pane, v.asking = onMethods, true
		v.prompt.Set(v.filter)
		return nil
	case kit.NextPane:
		v.pane = (v.pane + 1) % 3
		return nil
	case kit.PrevPane:
		v.pane = (v.pane + 2) % 3
		return nil
	case kit.NextTab:
		v.resp.turn(1)
		return nil
	case kit.PrevTab:
		v.resp.turn(-1)
		return nil
	case kit.Refresh:
		for _, o := range v.targets {
			o.asked = false
		}
		return v.load()
	case kit.CopyValue:
		return v.copyBody()
	}
	switch v.pane {
	case onRequest:
		v.navRequest(n)
		return nil
	case onResponse:
		v.navResponse(n)
		return nil
	}
	return v.navMethods(n)
}

func (v *screen) navMethods(n kit.Nav) tea.Cmd {
	switch n {
	case kit.Enter, kit.Right:
		if len(v.rows) > 0 {
			v.pane = onRequest
		}
		return nil
	}
	if v.list.Nav(n, len(v.rows), max(1, v.height[onMethods])) {
		v.want, v.moved = probes.Ref{}, true
		v.resp.reset()
	}
	return v.await()
}

// back closes what is open, innermost first.
func (v *screen) back() tea.Cmd {
	switch {
	case v.pane == onResponse && v.resp.inBody:
		v.resp.inBody = false
	case v.pane != onMethods:
		v.pane--
	case v.filter != "":
		v.filter = ""
		v.lay()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

// typed takes keys and pastes while a text has the focus.
func (v *screen) typed(msg tea.Msg) tea.Cmd {
	if !v.asking {
		return v.typeRequest(msg)
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			v.asking, v.filter = false, ""
			v.lay()
			return nil
		case "enter":
			v.asking = false
			return nil
		}
	}
	if v.prompt.Update(msg) {
		v.filter = v.prompt.Value()
		v.lay()
	}
	return v.await()
}

// tick redraws a running call a few times a second, for its clock.
type tick struct{ by *screen }

func (v *screen) beat() tea.Cmd {
	if v.ticking {
		return nil
	}
	v.ticking = true
	return tea.Tick(250*time.Millisecond, func(time.Time) tea.Msg { return tick{v} })
}

func (v *screen) ticked(t tick) tea.Cmd {
	if t.by != v {
		return nil
	}
	v.ticking = false
	if c := v.call(); v.shown && c != nil && c.inFlight() {
		return v.beat()
	}
	return nil
}
