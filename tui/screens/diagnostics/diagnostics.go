// Package diagnostics is the screen of iscope's own state: how each target is
// doing, what was tried, why it failed, what to do, and the log.
package diagnostics

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

type screen struct {
	s      *session.Session
	o      kit.Options
	list   kit.List
	height int
	states []session.State // those that the filter leaves
	filter kit.Listing
	sifted kit.Sifted
	level  string // lowest level of the log shown
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	d := &screen{s: s, o: o, level: "info", filter: kit.NewListing(o)}
	d.lay()
	return d
}

// lay takes in how the targets are, those that the filter leaves, and keeps the
// cursor on its own.
func (d *screen) lay() {
	was := ""
	if d.list.Cursor < len(d.states) {
		was = d.states[d.list.Cursor].Name
	}
	d.states, d.sifted = nil, kit.Sifted{}
	for _, st := range d.s.States() {
		if !d.sifted.Row(d.filter.In, func() *filter.Row { return rowOf(&st) }) {
			continue
		}
		if st.Name == was {
			d.list.Cursor = len(d.states)
		}
		d.states = append(d.states, st)
	}
	d.list.Move(0, len(d.states))
}

// rowOf is a target as filters see it.
func rowOf(st *session.State) *filter.Row {
	r := &filter.Row{Kind: "target", Name: st.Name, Target: st.Name, Group: st.Driver, Address: st.Address, Reason: st.Error}
	if r.Reason == "" {
		r.Reason = strings.Join(st.Missing, "; ")
	}
	switch st.Phase {
	case session.Well:
		r.Health = probes.HealthOK.String()
	case session.Partly:
		r.Health = probes.HealthWarn.String()
	case session.Failed:
		r.Health = probes.HealthFail.String()
	}
	return r
}

func (d *screen) Name() string       { return "Diagnostics" }
func (d *screen) Crumb() safe.Text   { return safe.Text{} }
func (d *screen) Typing() bool       { return d.filter.Open() }
func (d *screen) Close()             {}
func (d *screen) Shown(bool) tea.Cmd { d.lay(); return nil }

func (d *screen) Bindings() []kit.Binding {
	if d.filter.Open() {
		return d.filter.Bindings("diagnostics.filter")
	}
	return []kit.Binding{
		{ID: "diagnostics.retry", Keys: []string{"r"}, Name: "retry", Hint: true, Doc: "ask this target again now", Refused: d.none,
			Run: func() tea.Cmd {
				name := d.states[d.list.Cursor].Name
				d.s.Retry(name)
				return kit.Say("asking " + safe.Line(name, 60).String() + " again")
			}},
		{ID: "diagnostics.copy", Keys: []string{"y"}, Name: "copy headless", Hint: true, Doc: "copy the command that checks this target",
			Refused: d.none, Run: func() tea.Cmd {
				return tea.Batch(tea.SetClipboard(d.command()), kit.Say("copied: "+d.command()))
			}},
		{ID: "diagnostics.level", Keys: []string{"D"}, Name: "log level", Doc: "which lines of the log are shown", Run: func() tea.Cmd {
			d.level = map[string]string{"info": "warn", "warn": "info"}[d.level]
			return kit.Say("log: " + d.level + " and above")
		}},
	}
}

func (d *screen) none() string {
	if len(d.states) == 0 {
		return "there are no targets"
	}
	return ""
}

func (d *screen) command() string {
	env := ""
	if d.s.Config != nil {
		env = "-e " + safe.Line(d.s.Env().Name, 60).String() + " "
	}
	return "iscope doctor " + env + safe.Line(d.states[min(d.list.Cursor, len(d.states)-1)].Name, 100).String()
}

func (d *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Changed:
		d.lay()
	case tea.KeyPressMsg, tea.PasteMsg:
		if d.filter.Update(msg).Changed {
			d.lay()
		}
	case kit.Go:
		if msg.Ref.Target != "" {
			d.filter.Lift()
			d.lay()
		}
		for i, st := range d.states {
			if st.Name == msg.Ref.Target {
				d.list.Cursor = i
			}
		}
	case kit.Nav:
		switch {
		case msg == kit.Back && d.filter.Text != "":
			d.filter.Lift()
			d.lay()
			return nil
		case msg == kit.Back:
			return kit.Send(kit.NotMine{})
		case msg == kit.Refresh:
			d.s.Retry("")
		case msg == kit.Find, msg == kit.Filter:
			d.filter.Ask(d.filter.Text)
			return nil
		}
		d.list.Nav(msg, len(d.states), d.height)
	}
	return nil
}

func (d *screen) View(w, h int) string {
	th := d.o.Theme
	if d.sifted.All == 0 {
		return kit.Lay([]string{kit.NewLine(th, w).String(), kit.NewLine(th, w).Say(theme.Plain, "  No targets. : open URL adds one.").String()}, w, h)
	}
	d.height = max(1, min(len(d.states), h/2-1))
	rows := d.filter.Head(th, d.sifted.String()+" targets", w)
	rows = append(rows, kit.Unjudged(th, d.sifted.Unjudged, d.sifted.Why, "targets", w)...)
	rows = append(rows, d.head(w))
	from, to := d.list.Window(len(d.states), d.height)
	for i := from; i < to; i++ {
		rows = append(rows, d.row(&d.states[i], w, i == d.list.Cursor))
	}
	if d.list.Cursor < len(d.states) {
		rows = append(rows, d.detail(&d.states[d.list.Cursor], w)...)
	} else {
		rows = append(rows, kit.NewLine(th, w).Say(theme.Dim, "   No target matches the filter. esc lifts it.").String())
	}
	return kit.Lay(append(rows, d.log(w, h-len(rows))...), w, h)
}

func (d *screen) head(w int) string {
	return kit.NewLine(d.o.Theme, w).Say(theme.Plain, "   ").Col(theme.Dim, kit.Text("TARGET"), 20).Col(theme.Dim, kit.Text("DRIVER"), 8).
		Col(theme.Dim, kit.Text("STATE"), 10).Col(theme.Dim, kit.Text("SINCE"), 8).Say(theme.Dim, "ERROR").String()
}

func (d *screen) row(st *session.State, w int, cursor bool) string {
	glyph, style := kit.PhaseSign(d.o.Theme, st.Phase)
	l := kit.NewLine(d.o.Theme, w).Say(theme.Plain, " ").Say(style, glyph).Say(theme.Plain, " ")
	l.Col(theme.Plain, safe.Line(st.Name, 20), 20).Col(theme.Plain, safe.Line(st.Driver, 8), 8)
	l.Col(style, kit.Text(st.Phase.String()), 10).Col(theme.Plain, kit.Text(d.ago(st.Since)), 8)
	text := st.Error
	if text == "" {
		text = strings.Join(st.Missing, "; ")
	}
	if text == "" && st.Schemas.Error != "" {
		text = "schemas: " + st.Schemas.Error
	}
	l.Put(theme.Plain, safe.Line(text, max(0, l.Left())))
	if cursor {
		return l.Selected()
	}
	return l.String()
}

func (d *screen) ago(t time.Time) string {
	if t.IsZero() {
		return d.o.Theme.Glyph(theme.Dash)
	}
	age := d.o.Now().Sub(t)
	switch {
	case age < time.Minute:
		return "now"
	case age < time.Hour:
		return fmt.Sprintf("%dm", int(age.Minutes()))
	}
	return fmt.Sprintf("%dh%02d", int(age.Hours()), int(age.Minutes())%60)
}

// detail is all that is known of one target's trouble and what to do about it.
func (d *screen) detail(st *session.State, w int) []string {
	rows := []string{"", kit.NewLine(d.o.Theme, w).Say(theme.Plain, " ").Put(theme.Heading, safe.Line(st.Name, w)).String()}
	add := func(label, text string) {
		if text == "" {
			return
		}
		for _, r := range kit.Wrap(text, w-13) {
			rows = append(rows, kit.NewLine(d.o.Theme, w).Say(theme.Dim, fmt.Sprintf("  %-10s", label)).Put(theme.Plain, safe.Line(r, max(0, w-12))).String())
			label = ""
		}
	}
	rows[0] = kit.NewLine(d.o.Theme, w).String()
	add("address", st.Address)
	add("can", strings.Join(st.Can, ", "))
	add("last step", st.Step)
	add("error", st.Error)
	add("do", st.Hint)
	add("schemas", st.Schemas.Where)
	if st.Schemas.Error != "" {
		add("", st.Schemas.Error)
		add("do", cmp.Or(st.Schemas.Hint, "values that need it are shown undecoded meanwhile; it is asked again"))
	}
	for _, m := range st.Missing {
		add("left out", m)
	}
	if st.Final {
		add("", "Not tried again by itself: r asks again.")
	}
	add("headless", d.command())
	return rows
}

func (d *screen) log(w, h int) []string {
	if h < 3 {
		return nil
	}
	rows := []string{kit.NewLine(d.o.Theme, w).String(), kit.NewLine(d.o.Theme, w).Say(theme.Heading, " LOG ").Say(theme.Dim, d.level+" and above (D)").String()}
	entries := d.s.Log().Entries()
	var shown []string
	for _, e := range entries {
		if d.level == "warn" && e.Level != "warn" {
			continue
		}
		shown = append(shown, kit.NewLine(d.o.Theme, w).Say(theme.Dim, " "+e.At.UTC().Format("15:04:05")+" "+e.Level+" ").
			Put(theme.Plain, safe.Line(e.Text, max(0, w-16))).String())
	}
	return append(rows, shown[max(0, len(shown)-(h-2)):]...)
}
