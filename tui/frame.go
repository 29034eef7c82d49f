package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// The smallest terminal that is drawn on.
const (
	minWidth  = 40
	minHeight = 10
)

// View draws the frame, or returns the last one while the terminal is still
// busy with it.
func (r *router) View() tea.View {
	if r.last == "" || r.idle() {
		r.last = r.draw()
	}
	v := tea.NewView(r.last)
	v.AltScreen = true
	v.WindowTitle = "iscope " + strings.ToUpper(string(r.s.Env().Class))
	if r.opt.Mouse {
		v.MouseMode = tea.MouseModeCellMotion
	}
	return v
}

func (r *router) draw() string {
	if r.w <= 0 || r.h <= 0 {
		return ""
	}
	if r.w < minWidth || r.h < minHeight {
		text := fmt.Sprintf("iscope needs %dx%d (now %dx%d); data is still being read", minWidth, minHeight, r.w, r.h)
		return kit.Lay([]string{kit.NewLine(r.k.Theme, r.w).Say(theme.Plain, text).String()}, r.w, r.h)
	}
	body := r.body(r.w, r.h-3)
	return strings.Join([]string{r.statusRow(), body, r.toastRow(), r.hintRow()}, "\n")
}

func (r *router) body(w, h int) string {
	switch {
	case r.overlay != nil:
		return r.overlay.view(r.k.Theme, w, h)
	case r.first != nil:
		return r.first.view(w, h)
	}
	return r.screen().View(w, h)
}

// statusRow: badge, where we are, what may be done, how the targets are, the
// time. What does not fit is left out from the right, the badge never.
func (r *router) statusRow() string {
	t := r.k.Theme
	env := r.s.Env()
	l := kit.NewLine(t, r.w).Say(theme.Plain, " ").Say(badgeStyle(env.Class), "["+badge(env)+"]").Say(theme.Plain, " ")
	right := r.statusRight(env)
	crumb := safe.Concat(kit.Text(fmt.Sprintf("iscope %s %d %s", t.Glyph(theme.Crumb), r.current, r.screen().Name())))
	if r.first != nil {
		crumb = kit.Text("iscope")
	} else if c := r.screen().Crumb(); c.Width() > 0 {
		crumb = safe.Concat(crumb, kit.Text(" "+t.Glyph(theme.Crumb)+" "), c)
	}
	l.Put(theme.Heading, crumb.Cut(max(0, l.Left()-len([]rune(right))-2)))
	l.Gap(safe.Width(right) + 1)
	return l.Say(theme.Plain, right).String()
}

func (r *router) statusRight(env probes.Environment) string {
	t := r.k.Theme
	mode := "RO"
	if env.Write {
		mode = "RW"
	}
	parts := []string{mode}
	well, bad := 0, 0
	states := r.s.States()
	for _, st := range states {
		switch st.Phase {
		case session.Well, session.Partly:
			well++
		case session.Failed:
			bad++
		}
	}
	probesPart := fmt.Sprintf("probes %d/%d", well, len(states))
	if bad > 0 {
		probesPart += fmt.Sprintf(" %s%d", t.Glyph(theme.Failed), bad)
	}
	parts = append(parts, probesPart)
	for _, f := range r.s.Feeds() {
		if path, n := f.Capturing(); path != "" {
			parts = append(parts, t.Glyph(theme.Rec)+" REC "+formatCount(n))
			break
		}
	}
	if d := r.s.Redriving(); d != nil {
		parts = append(parts, t.Glyph(theme.Follow)+" redrive "+formatCount(uint64(d.Account().Sent)))
	}
	parts = append(parts, r.k.Now().UTC().Format("15:04Z"))
	if r.w < 80 {
		parts = parts[:1]
	}
	return strings.Join(parts, " "+t.Glyph(theme.Bar)+" ")
}

// badge is the class in capitals, and the name where it says more.
func badge(e probes.Environment) string {
	class := strings.ToUpper(string(e.Class))
	name := safe.Line(e.Name, 20).String()
	if strings.EqualFold(name, string(e.Class)) {
		return class
	}
	return class + " " + name
}

func badgeStyle(c probes.Class) theme.Style {
	switch c {
	case probes.ClassLocal, probes.ClassDev:
		return theme.Good
	case probes.ClassStaging:
		return theme.Warn
	}
	return theme.Prod
}

func (r *router) toastRow() string {
	l := kit.NewLine(r.k.Theme, r.w).Say(theme.Plain, " ")
	style := theme.Plain
	if r.toast.bad {
		style = theme.Bad
	}
	return l.Put(style, safe.Line(r.toast.text, max(0, r.w-2))).String()
}

// maxHints is how many actions the last row names; the rest is behind "?".
const maxHints = 6

func (r *router) hintRow() string {
	l := kit.NewLine(r.k.Theme, r.w).Say(theme.Plain, " ")
	tail := r.hintTail()
	shown := 0
	bs := r.hints()
	for _, b := range bs {
		text := keyName(b.Keys[0]) + " " + b.Name
		if !b.Hint || b.Why() != "" || shown == maxHints || l.Left() < safe.Width(text)+safe.Width(tail)+5 {
			continue
		}
		shown++
		l.Say(theme.Accent, keyName(b.Keys[0])).Say(theme.Plain, " "+b.Name+"  ")
	}
	l.Gap(safe.Width(tail) + 1)
	return l.Say(theme.Dim, tail).String()
}

// hintTail is what works everywhere. While something is typed, nothing does.
func (r *router) hintTail() string {
	const everywhere = "? keys  : commands"
	switch {
	case r.overlay == nil && r.first == nil && r.screen().Typing():
		return ""
	case r.overlay == nil && r.first == nil && r.w >= 80 && r.filters():
		return "f filter  " + everywhere
	}
	return everywhere
}

// filters reports whether the screen has something to filter; a screen that does
// not say so has.
func (r *router) filters() bool {
	s, ok := r.screen().(kit.Sometimes)
	return !ok || s.Filters()
}

func (r *router) hints() []kit.Binding {
	switch {
	case r.overlay != nil:
		return r.overlay.hints()
	}
	_, bs := r.focused()
	return bs
}

// focused names what has the focus below any overlay, and its keys.
func (r *router) focused() (name string, bs []kit.Binding) {
	if r.first != nil {
		return "first run", r.first.bindings()
	}
	return r.screen().Name(), r.screen().Bindings()
}

// keyName is how a key is written for people.
func keyName(key string) string {
	switch key {
	case "enter":
		return "↵"
	case "space":
		return "space"
	}
	return key
}

func formatCount(n uint64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
