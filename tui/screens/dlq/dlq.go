// Package dlq is the screen of dead letters: the queues and topics that hold
// them, the messages with the reason of their death, and the way to send chosen
// ones again, which is planned first and asked for.
package dlq

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// level is how far in one is: esc goes one back.
type level uint8

const (
	onPlaces level = iota
	onMessages
	onPlan
)

type screen struct {
	s *session.Session
	o kit.Options

	level    level
	places   places
	messages messages
	plan     *plan // nil until the first

	prompt  kit.Field // of a destination
	asking  bool
	ticking bool
	height  int // of the list, for page keys
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	chain := inspectors.Default()
	return &screen{s: s, o: o, places: places{by: map[string]*answer{}, filter: kit.NewListing(o)},
		messages: messages{filter: kit.NewFilter(o), pane: kit.NewRecordPane(o.Theme, chain), rows: kit.NewDeadRows(o.Theme, chain)}}
}

func (d *screen) Name() string { return "DLQ" }

func (d *screen) Crumb() safe.Text {
	if d.level == onPlaces {
		return safe.Text{}
	}
	return safe.Line(d.messages.place.ref.String(), 60)
}

func (d *screen) Typing() bool {
	return d.asking || d.places.filter.Open() || d.messages.filter.Open()
}

// Filters reports whether f does something.
func (d *screen) Filters() bool { return d.level != onPlan }

// Close lets go of what is being looked at. A redrive is the session's.
func (d *screen) Close() { d.messages.drop() }

func (d *screen) Shown(up bool) tea.Cmd {
	if !up {
		return nil
	}
	d.catchUp()
	return tea.Batch(d.load(), d.beat())
}

// catchUp takes in what was read since the last time, and makes the plan that
// waits for it.
func (d *screen) catchUp() {
	m := &d.messages
	over := !m.reading() // asked first: what is there then is all
	m.refresh(d.s)
	if m.planned && over {
		m.planned = false
		if d.level == onMessages && m.count() > 0 {
			d.makePlan()
		}
	}
}

func (d *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Changed:
		d.catchUp()
		return tea.Batch(d.load(), d.beat())
	case listed:
		d.take(msg)
	case tick:
		return d.ticked(msg)
	case show:
		if msg.by == d {
			return d.show(msg)
		}
	case begin:
		if msg.by == d {
			return d.start()
		}
	case kit.Go:
		return d.goTo(msg.Ref)
	case kit.Cancel:
		if d.running() {
			return d.stop()
		}
	case kit.Nav:
		return d.nav(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		return d.typed(msg)
	}
	return nil
}

// tick redraws what grows without a word from the session.
type tick struct{ by *screen }

const beatEvery = 250 * time.Millisecond

// beat draws a few times a second while something is under way.
func (d *screen) beat() tea.Cmd {
	if d.ticking || !d.running() && !d.messages.reading() {
		return nil
	}
	d.ticking = true
	return tea.Tick(beatEvery, func(time.Time) tea.Msg { return tick{d} })
}

func (d *screen) ticked(msg tick) tea.Cmd {
	if msg.by != d {
		return nil
	}
	d.ticking = false
	d.catchUp()
	return d.beat()
}

// goTo opens a place by its name; of a target alone, the cursor goes there.
func (d *screen) goTo(ref probes.Ref) tea.Cmd {
	switch {
	case ref.Target == "":
		return nil
	case ref.Subject == "":
		d.level, d.places.want = onPlaces, ref
		d.places.lay()
		return nil
	}
	d.places.want = ref
	return d.open(d.places.known(ref), false)
}

func (d *screen) nav(n kit.Nav) tea.Cmd {
	if d.level == onMessages && d.messages.detail && d.messages.pane.Nav(n) {
		return nil
	}
	switch n {
	case kit.Back:
		return d.back()
	case kit.Enter:
		return d.enter()
	case kit.Refresh:
		return d.again()
	case kit.Find, kit.Filter:
		switch d.level {
		case onPlaces:
			d.places.filter.Ask(d.places.filter.Text)
		case onMessages:
			d.messages.filter.Ask(d.messages.filter.Text)
		}
	case kit.ShowDetail:
		d.messages.detail = d.level == onMessages && !d.messages.detail
	case kit.CopyValue:
		return d.copy()
	default:
		d.move(n)
	}
	return nil
}

func (d *screen) move(n kit.Nav) {
	h := max(1, d.height)
	switch d.level {
	case onPlaces:
		if d.places.list.Nav(n, len(d.places.shown), h) {
			d.places.want = probes.Ref{}
		}
	case onMessages:
		if d.messages.list.Nav(n, len(d.messages.shown), h) {
			d.messages.pane.Rewind()
		}
	case onPlan:
		d.plan.scroll.Nav(n, d.plan.rows, h)
	}
}

// enter goes one further in.
func (d *screen) enter() tea.Cmd {
	switch d.level {
	case onPlaces:
		if p, ok := d.places.current(); ok {
			return d.open(p, false)
		}
	case onMessages:
		d.messages.detail = true
		d.messages.pane.Reset()
	}
	return nil
}

// back closes what is open, innermost first.
func (d *screen) back() tea.Cmd {
	switch {
	case d.level == onPlan:
		d.level = onMessages
	case d.level == onMessages && d.messages.detail:
		d.messages.detail = false
	case d.level == onPlaces && d.places.filter.Text != "":
		d.places.filter.Lift()
		d.places.lay()
	case d.level == onMessages && d.messages.filter.Text != "":
		d.messages.filter.Lift()
		d.messages.lay(d.s)
	case d.level == onMessages:
		d.level = onPlaces
		return d.reload()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

func (d *screen) ask(old string) {
	d.asking = true
	d.prompt.Set(old)
}

// typed takes keys while something is typed.
func (d *screen) typed(msg tea.Msg) tea.Cmd {
	switch {
	case d.places.filter.Open():
		if d.places.filter.Update(msg).Changed {
			d.places.lay()
		}
		return nil
	case d.messages.filter.Open():
		if d.messages.filter.Update(msg).Changed {
			d.messages.lay(d.s)
		}
		return nil
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			d.asking = false
			return nil
		case "enter":
			d.asking = false
			d.plan.redirect(strings.TrimSpace(d.prompt.Value()))
			return nil
		}
	}
	d.prompt.Update(msg)
	return nil
}

func (d *screen) copy() tea.Cmd {
	r, ok := d.messages.current()
	if d.level != onMessages || !ok {
		return nil
	}
	return kit.CopyBody(&r, d.s.EnvOf(&r))
}
