package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// router is the program's model: it sends keys to where they belong and draws
// the frame around the current screen.
type router struct {
	opt     Options
	k       kit.Options
	s       *session.Session
	idle    func() bool // the terminal has taken the last frame
	screens map[int]kit.Screen
	globals []kit.Binding

	w, h    int
	current int
	history []int
	overlay *menu
	toast   toast
	armed   time.Time // the first of two ctrl+c
	last    string    // the frame shown
	outcome Outcome
	first   *firstRun // instead of the screens, until there is a target
}

type toast struct {
	text string
	bad  bool
}

func newRouter(o Options, s *session.Session, idle func() bool) *router {
	r := &router{opt: o, k: o.kit(), s: s, idle: idle, current: kit.Topology}
	r.screens = newScreens(s, r.k)
	r.globals = r.bindings()
	if o.Config == nil {
		r.first = newFirstRun(r)
	}
	return r
}

func (r *router) close() {
	for _, s := range r.screens {
		s.Close()
	}
}

type (
	changed struct{} // something of the session
	minute  struct{}
	// caughtUp: the terminal has taken everything, after a frame was dropped.
	caughtUp struct{}
)

// Init starts watching: the first frame is on its way by then.
func (r *router) Init() tea.Cmd {
	start := func() tea.Msg {
		r.s.Watch()
		return nil
	}
	cmds := []tea.Cmd{start, r.awaitChange(), nextMinute(r.k.Now()), r.screen().Shown(true)}
	if r.first != nil {
		cmds = append(cmds, look)
	}
	return tea.Batch(cmds...)
}

// awaitChange waits for the session, then for the rest of the frame: what comes
// meanwhile is drawn with it.
func (r *router) awaitChange() tea.Cmd {
	return func() tea.Msg {
		<-r.s.Changed()
		time.Sleep(kit.Frame)
		return changed{}
	}
}

func nextMinute(now time.Time) tea.Cmd {
	wait := now.Truncate(time.Minute).Add(time.Minute).Sub(now)
	return tea.Tick(wait, func(time.Time) tea.Msg { return minute{} })
}

func (r *router) screen() kit.Screen { return r.screens[r.current] }

// Update handles the router's own messages and passes the others on.
func (r *router) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		r.w, r.h = msg.Width, msg.Height
		r.last = "" // of another size
		return r, nil
	case tea.KeyPressMsg:
		return r, r.key(msg)
	case tea.PasteMsg:
		return r, r.paste(msg)
	case changed:
		return r, tea.Batch(r.awaitChange(), r.dial(), r.screen().Update(kit.Changed{}))
	case minute:
		return r, nextMinute(r.k.Now())
	case caughtUp:
		return r, nil // drawn by View
	case kit.Go:
		return r, r.open(msg)
	case kit.Toast:
		r.toast = toast{msg.Text, msg.Bad}
		return r, nil
	case kit.Fail:
		r.fail(msg.Err)
		return r, nil
	case kit.Ask:
		r.show(asked(msg))
		return r, nil
	case listeners:
		if r.first != nil {
			r.first.take(msg)
		}
		return r, nil
	case kit.NotMine:
		return r, r.back()
	}
	// Answers to what a screen asked for may come after it was left.
	var cmds []tea.Cmd
	for _, s := range r.screens {
		cmds = append(cmds, s.Update(msg))
	}
	return r, tea.Batch(cmds...)
}

// dial tries registered instances where the environment allows it.
func (r *router) dial() tea.Cmd {
	return func() tea.Msg {
		ctx, stop := session.Bounded(r.s)
		defer stop()
		r.s.Dial(ctx)
		return nil
	}
}

func (r *router) paste(msg tea.PasteMsg) tea.Cmd {
	switch {
	case r.overlay != nil:
		r.overlay.field.Update(msg)
		r.overlay.refilter()
	case r.first != nil:
		return r.first.update(msg)
	case r.screen().Typing():
		return r.screen().Update(msg)
	}
	return nil // a paste is never keys
}

// open brings a screen up with something in it.
func (r *router) open(g kit.Go) tea.Cmd {
	s := r.screens[g.Screen]
	if s == nil {
		return nil
	}
	r.first, r.overlay = nil, nil
	var hide tea.Cmd
	if g.Screen != r.current {
		hide = r.screen().Shown(false)
		r.history = append(r.history, r.current)
		if len(r.history) > 50 {
			r.history = r.history[1:]
		}
		r.current = g.Screen
	}
	r.toast = toast{}
	return tea.Batch(hide, s.Shown(true), s.Update(g))
}

// back returns to the screen before; at the root it does nothing.
func (r *router) back() tea.Cmd {
	if len(r.history) == 0 {
		return nil
	}
	to := r.history[len(r.history)-1]
	r.history = r.history[:len(r.history)-1]
	hide := r.screen().Shown(false)
	r.current = to
	return tea.Batch(hide, r.screen().Shown(true))
}

func (r *router) fail(err error) {
	if err == nil {
		return
	}
	text := err.Error()
	if hint := probes.HintOf(err); hint != "" {
		text += " – " + hint
	}
	if clean := r.opt.Session.RedactText; clean != nil {
		text = clean(text)
	}
	r.s.Log().Add("warn", text)
	r.toast = toast{text, true}
}
