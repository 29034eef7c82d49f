// Package invoke is the screen that calls methods: the list of what targets
// offer, a request to fill in, and the answers as they come.
package invoke

import (
	"cmp"
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
	filter  kit.Listing
	sifted  kit.Sifted // methods
	origin  probes.Ref // where the cursor was when the filter was opened
	later   *occasion  // to be taken up when its target has answered
	want    probes.Ref // to put the cursor on when its target has answered

	drafts   map[probes.Ref]*draft
	forming  bool    // a form is being asked for
	picker   *picker // open over everything else
	traces   bool    // each call begins a trace
	values   *kit.Secrets
	loads    map[probes.Ref]*burst // the last ones of each method
	question *question             // open below everything else
	pane     pane
	typing   bool // a field or the document has the focus
	confirm  *call

	calls   []*call // this session's, the oldest first
	shown   bool
	waits   *call // whose records are awaited
	ticking bool
	resp    response
	single  bool         // the last View had room for one pane
	height  map[pane]int // rows of each pane in the last View, for page keys
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	return &screen{s: s, o: o, chain: inspectors.Default(), targets: map[string]*offer{}, filter: kit.NewListing(o),
		drafts: map[probes.Ref]*draft{}, height: map[pane]int{}, traces: true, loads: map[probes.Ref]*burst{}, values: cmp.Or(o.Secrets, &kit.Secrets{})}
}

func (v *screen) Name() string { return "Invoke" }

func (v *screen) Crumb() safe.Text {
	if d := v.draft(); d != nil {
		return safe.Line(d.ref.String(), 60)
	}
	return safe.Text{}
}

func (v *screen) Typing() bool {
	return v.filter.Open() || v.question != nil || v.typing || v.picker != nil
}

// Close cancels the calls in flight and waits for them.
func (v *screen) Close() {
	for _, c := range v.calls {
		c.stop()
	}
	for _, r := range v.loads {
		r.end()
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
	return tea.Batch(v.load(), v.await(), v.shapes(), v.beatAgain())
}

// Update asks for the form of what is under the cursor whatever else it does.
func (v *screen) Update(msg tea.Msg) tea.Cmd {
	cmd := v.update(msg)
	if _, ok := msg.(formed); ok || !v.shown {
		return cmd
	}
	if more := v.shapes(); more != nil {
		return tea.Batch(cmd, more)
	}
	return cmd
}

func (v *screen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Changed:
		return tea.Batch(v.load(), v.takeLater())
	case listed:
		v.take(msg)
		return v.takeLater()
	case formed:
		return v.takeForm(msg)
	case unsaved:
		return v.showSaved(msg)
	case planned:
		return v.confirmLoad(msg)
	case named:
		return v.takeNamed(msg)
	case lined:
		return v.copyLine(msg)
	case remembered:
		return v.showPast(msg)
	case kit.Go:
		if msg.Ref.Target == "" {
			return tea.Batch(v.load(), v.await()) // back to what was there
		}
		v.want, v.typing, v.confirm, v.picker, v.question = msg.Ref, false, nil, nil, nil
		v.filter.Lift()
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
	case given:
		return v.gave(msg)
	case came:
		return v.came(msg)
	case ended:
		return v.ended(msg)
	case tick:
		return v.ticked(msg)
	case rendered, scanned, compared:
		return v.resp.took(v, msg)
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
	switch n {
	case kit.Back:
		return v.back()
	case kit.Find, kit.Filter:
		v.pane, v.origin = onMethods, probes.Ref{}
		if r, ok := v.current(); ok {
			v.origin = r.ref()
		}
		v.filter.Ask(v.filter.Text)
		return nil
	case kit.NextPane, kit.PrevPane:
		v.pane = (v.pane + map[kit.Nav]pane{kit.NextPane: 1, kit.PrevPane: 2}[n]) % 3
		v.resp.inBody = v.pane == onResponse && !v.streams()
		return nil
	case kit.NextTab, kit.PrevTab:
		if v.pane == onRequest && v.refuseView() == "" {
			return v.turnView()
		}
		return v.resp.turn(v, map[kit.Nav]int{kit.NextTab: 1, kit.PrevTab: -1}[n])
	case kit.Refresh:
		for _, o := range v.targets {
			o.asked = false
		}
		return v.load()
	case kit.CopyValue:
		return v.copyValue()
	}
	switch v.pane {
	case onRequest:
		return v.navRequest(n)
	case onResponse:
		return v.navResponse(n)
	}
	return v.navMethods(n)
}

// streams reports whether the shown call has more than one message to look at: the
// movement keys then choose among them first.
func (v *screen) streams() bool {
	c := v.call()
	return c != nil && (c.method.ClientStream || c.method.ServerStream)
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
	case v.filter.Text != "":
		v.filter.Lift()
		v.lay()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

// typed takes keys and pastes while a text has the focus.
func (v *screen) typed(msg tea.Msg) tea.Cmd {
	if v.picker != nil {
		return v.typePicker(msg)
	}
	if v.question != nil {
		return v.typeQuestion(msg)
	}
	if !v.filter.Open() {
		return v.typeRequest(msg)
	}
	if v.filter.Update(msg).Changed {
		was := v.draft()
		v.lay()
		v.toHit()
		if v.draft() != was {
			v.resp.reset()
		}
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

// beatAgain goes on with the clock when the screen comes up and something runs.
func (v *screen) beatAgain() tea.Cmd {
	if c := v.call(); c != nil && c.inFlight() || v.loading() != nil {
		return v.beat()
	}
	return nil
}

func (v *screen) ticked(t tick) tea.Cmd {
	if t.by != v {
		return nil
	}
	v.ticking = false
	if c := v.call(); v.shown && (c != nil && c.inFlight() || v.loading() != nil) {
		return v.beat()
	}
	return nil
}
