package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/sahilm/fuzzy"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// menu is the one overlay there is: a list one types into. Help, the palette,
// the environment switcher and questions are menus.
type menu struct {
	title string
	text  []string // below the title, wrapped
	items []item
	// command runs what was typed when no item is chosen; nil where only items
	// count. It reports whether it understood.
	command func(typed string) (tea.Cmd, bool)
	// verbs begin commands that take a name: behind one, an item counts only if it
	// begins with it, too, so that a name nobody has runs no action.
	verbs []string

	field kit.Field
	list  kit.List
	shown []int // indexes into items
}

type item struct {
	label safe.Text
	key   string // shown at the right, so that the palette teaches the keys
	why   string // why it cannot run now
	run   func() tea.Cmd
}

func (m *menu) refilter() {
	m.list = kit.List{}
	m.shown = m.shown[:0]
	typed := m.field.Value()
	if typed == "" {
		for i := range m.items {
			m.shown = append(m.shown, i)
		}
		return
	}
	verb, _, named := strings.Cut(typed, " ")
	named = named && slices.Contains(m.verbs, verb)
	for _, hit := range fuzzy.FindFrom(typed, m) {
		if !named || strings.HasPrefix(hit.Str, verb+" ") {
			m.shown = append(m.shown, hit.Index)
		}
	}
}

// String and Len let fuzzy search the items.
func (m *menu) String(i int) string { return m.items[i].label.String() }

// Len is the number of items.
func (m *menu) Len() int { return len(m.items) }

func (m *menu) view(t theme.Theme, w, h int) string {
	page := &kit.Page{Theme: t, W: w}
	page.Add(theme.Heading, "%s", m.title)
	for _, text := range m.text {
		page.Wrap(theme.Plain, "", text)
	}
	prompt := kit.NewLine(t, w).Say(theme.Accent, " : ")
	rows := append(page.Rows, m.field.Draw(prompt, w-4, true).String())
	from, to := m.list.Window(len(m.shown), h-len(rows))
	for i := from; i < to; i++ {
		it := m.items[m.shown[i]]
		l := kit.NewLine(t, w).Say(theme.Plain, "   ")
		style := theme.Plain
		if it.why != "" {
			style = theme.Dim
		}
		keyWidth := safe.Width(it.key)
		l.Put(style, it.label.Cut(max(0, w-keyWidth-6)))
		l.Gap(keyWidth+2).Say(theme.Dim, it.key)
		if i == m.list.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return kit.Lay(rows, w, h)
}

func (m *menu) hints() []kit.Binding {
	return []kit.Binding{{Keys: []string{"enter"}, Name: "run", Hint: true}, {Keys: []string{"esc"}, Name: "close", Hint: true}}
}

func (r *router) overlayKey(k tea.KeyPressMsg) tea.Cmd {
	m := r.overlay
	switch k.String() {
	case "esc":
		r.overlay = nil
	case "up", "ctrl+p":
		m.list.Move(-1, len(m.shown))
	case "down", "ctrl+n", "tab":
		m.list.Move(1, len(m.shown))
	case "pgdown":
		m.list.Move(10, len(m.shown))
	case "pgup":
		m.list.Move(-10, len(m.shown))
	case "enter":
		return r.choose(m)
	default:
		if m.field.Update(k) {
			m.refilter()
		}
	}
	return nil
}

func (r *router) choose(m *menu) tea.Cmd {
	if m.command != nil {
		r.overlay = nil // a command may open another
		if cmd, ok := m.command(strings.TrimSpace(m.field.Value())); ok {
			return cmd
		}
		r.overlay = m
	}
	if len(m.shown) == 0 {
		if typed := m.field.Value(); typed != "" {
			r.toast = toast{fmt.Sprintf("nothing is called %q here", typed), true}
		}
		return nil
	}
	it := m.items[m.shown[m.list.Cursor]]
	if it.why != "" {
		r.toast = toast{it.why, true}
		return nil
	}
	r.overlay = nil
	return it.run()
}

func (r *router) openHelp() tea.Cmd {
	name, bs := r.focused()
	m := &menu{title: "KEYS of " + name + ", then everywhere. Type to search; enter runs."}
	for _, b := range append(bs, r.globals...) {
		m.items = append(m.items, bindingItem(b, fmt.Sprintf("%-16s %s", strings.Join(names(b.Keys), " "), b.Doc)))
	}
	r.show(m)
	return nil
}

func bindingItem(b kit.Binding, label string) item {
	why := b.Why()
	if why != "" {
		label += " (" + why + ")"
	}
	return item{label: safe.Line(label, 200), key: strings.Join(names(b.Keys), " "), why: why, run: b.Run}
}

func names(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = keyName(k)
	}
	return out
}

// maxTyped is more than any name or command has.
const maxTyped = 1000

func (r *router) show(m *menu) {
	m.field.Max = maxTyped
	m.refilter()
	r.overlay = m
}

func (r *router) openEnv() tea.Cmd {
	m := &menu{title: "ENVIRONMENT"}
	for _, name := range r.s.Environments() {
		m.items = append(m.items, item{label: safe.Line(name, 60), run: func() tea.Cmd { return r.setEnv(name) }})
	}
	if len(m.items) == 0 {
		r.toast = toast{"there is no configuration with environments", true}
		return nil
	}
	r.show(m)
	return nil
}

func (r *router) setEnv(name string) tea.Cmd {
	if r.s.Redriving() != nil {
		r.toast = toast{"a redrive is running: stop it or wait for its end (8)", true}
		return nil
	}
	if err := r.s.SetEnv(name); err != nil {
		r.fail(err)
		return nil
	}
	for _, s := range r.screens {
		s.Close()
	}
	r.screens = newScreens(r.s, r.k)
	r.globals = r.bindings()
	r.history = nil // the screen stays: what one looks at is looked at elsewhere
	if r.current != kit.Topology {
		r.history = []int{kit.Topology}
	}
	watch := func() tea.Msg {
		r.s.Watch()
		return kit.Toast{Text: "environment " + name}
	}
	return tea.Batch(watch, r.screen().Shown(true))
}
