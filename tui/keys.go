package tui

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/tui/kit"
)

// twice is within how long a second ctrl+c quits.
const twice = 2 * time.Second

// key sends a key press to what has the focus: an overlay, a text field, the
// screen's bindings, the global ones.
func (r *router) key(k tea.KeyPressMsg) tea.Cmd {
	name := k.String()
	if name == "ctrl+c" {
		return r.interrupt()
	}
	r.toast = toast{}
	switch {
	case r.overlay != nil:
		return r.overlayKey(k)
	case r.first != nil:
		return r.first.update(k)
	case r.screen().Typing():
		return r.screen().Update(k)
	}
	if b := find(r.screen().Bindings(), name); b != nil {
		return r.run(b)
	}
	if b := find(r.globals, name); b != nil {
		return r.run(b)
	}
	return nil
}

func find(bs []kit.Binding, key string) *kit.Binding {
	i := slices.IndexFunc(bs, func(b kit.Binding) bool { return slices.Contains(b.Keys, key) })
	if i < 0 {
		return nil
	}
	return &bs[i]
}

// run runs a binding, or says why it cannot.
func (r *router) run(b *kit.Binding) tea.Cmd {
	if why := b.Why(); why != "" {
		r.toast = toast{b.Name + ": " + why, true}
		return nil
	}
	return b.Run()
}

// interrupt cancels what is going on; twice in a row it quits, always.
func (r *router) interrupt() tea.Cmd {
	now := r.k.Now()
	if now.Sub(r.armed) < twice {
		return tea.Quit
	}
	r.armed = now
	if r.overlay != nil {
		r.overlay = nil
		return nil
	}
	r.toast = toast{"ctrl+c again quits", false}
	return r.screen().Update(kit.Cancel{})
}

// quit goes back, or ends at the root; it asks where something is going on.
func (r *router) quit() tea.Cmd {
	if len(r.history) > 0 {
		return r.back()
	}
	for _, f := range r.s.Feeds() {
		if path, n := f.Capturing(); path != "" {
			r.show(asked(quitting("A recording is running (" + formatCount(n) + " records). Finish it and quit?")))
			return nil
		}
	}
	if d := r.s.Redriving(); d != nil {
		r.show(asked(quitting(fmt.Sprintf("A redrive is running (%d sent). Stop it and quit?", d.Account().Sent))))
		return nil
	}
	return tea.Quit
}

func quitting(question string) kit.Ask {
	return kit.Ask{Title: question, Yes: []kit.Answer{{Text: "yes", Run: func() tea.Cmd { return tea.Quit }}}}
}

func (r *router) nav(n kit.Nav) func() tea.Cmd {
	return func() tea.Cmd { return r.screen().Update(n) }
}

// bindings are the global keys. The table in README.md is made from them.
func (r *router) bindings() []kit.Binding {
	bs := []kit.Binding{
		{ID: "help", Keys: []string{"?", "f1"}, Name: "keys", Doc: "all keys of what has the focus; type to search, enter runs", Run: r.openHelp},
		{ID: "palette", Keys: []string{":", "ctrl+p"}, Name: "commands", Doc: "any action by name; also: tail REF, peek REF, dlq REF, open URL, env NAME, write NAME", Run: r.openPalette},
		{ID: "env", Keys: []string{"E"}, Name: "environment", Doc: "switch to another environment", Run: r.openEnv},
		{ID: "quit", Keys: []string{"q"}, Name: "back", Doc: "back; quits at the root", Run: r.quit},
		{ID: "previous", Keys: []string{"-"}, Name: "previous", Doc: "the previous screen", Run: r.back},
		{ID: "suspend", Keys: []string{"ctrl+z"}, Name: "suspend", Doc: "to the shell; fg comes back", Refused: noSuspend, Run: func() tea.Cmd { return tea.Suspend }},
		{ID: "redraw", Keys: []string{"ctrl+l"}, Name: "redraw", Doc: "draw the screen anew", Run: func() tea.Cmd { return tea.ClearScreen }},
	}
	for n := kit.Topology; n <= kit.LastScreen; n++ {
		bs = append(bs, kit.Binding{ID: "screen." + r.screens[n].Name(), Keys: []string{string(rune('0' + n))},
			Name: r.screens[n].Name(), Doc: "open " + r.screens[n].Name(), Run: func() tea.Cmd { return r.open(kit.Go{Screen: n}) }})
	}
	for _, m := range navKeys {
		bs = append(bs, kit.Binding{ID: "nav." + m.name, Keys: m.keys, Name: m.name, Doc: m.doc, Run: r.nav(m.nav)})
	}
	return bs
}

var navKeys = []struct {
	nav  kit.Nav
	keys []string
	name string
	doc  string
}{
	{kit.Up, []string{"k", "up"}, "up", "up"},
	{kit.Down, []string{"j", "down"}, "down", "down"},
	{kit.Left, []string{"h", "left"}, "left", "left, or close a branch"},
	{kit.Right, []string{"l", "right"}, "right", "right, or open a branch"},
	{kit.Top, []string{"g", "home"}, "top", "the first row"},
	{kit.Bottom, []string{"G", "end"}, "bottom", "the last row"},
	{kit.HalfUp, []string{"ctrl+u"}, "half up", "half a page up"},
	{kit.HalfDown, []string{"ctrl+d"}, "half down", "half a page down"},
	{kit.PageUp, []string{"pgup", "ctrl+b"}, "page up", "a page up"},
	{kit.PageDown, []string{"pgdown", "ctrl+f"}, "page down", "a page down"},
	{kit.Enter, []string{"enter"}, "open", "open what is under the cursor"},
	{kit.Back, []string{"esc"}, "close", "close what is open; never quits"},
	{kit.NextPane, []string{"tab"}, "next pane", "the focus to the next pane"},
	{kit.PrevPane, []string{"shift+tab"}, "pane before", "the focus to the pane before"},
	{kit.NextTab, []string{"]"}, "next tab", "the next tab"},
	{kit.PrevTab, []string{"["}, "tab before", "the tab before"},
	{kit.Find, []string{"/"}, "find", "find in streams, filter in lists"},
	{kit.Filter, []string{"f", "&"}, "filter", "show only what matches"},
	{kit.NextHit, []string{"n"}, "next hit", "the next hit"},
	{kit.PrevHit, []string{"N"}, "hit before", "the hit before"},
	{kit.Refresh, []string{"R", "ctrl+r"}, "refresh", "ask again"},
	{kit.CopyValue, []string{"c"}, "copy", "copy the value under the cursor (OSC 52)"},
	{kit.ShowDetail, []string{"d"}, "detail", "the detail pane on and off"},
}
