package invoke

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/form"
	"iscope/tui/theme"
)

// picker is a list to choose from, which is searched by typing: an enum's values,
// the members of a oneof, ways to copy.
type picker struct {
	title string
	words []string // from outside
	docs  []string // beside words
	now   int      // what is chosen at present; -1 for nothing
	pick  func(i int) tea.Cmd

	typed kit.Field
	list  kit.List
	shown []int
}

func (v *screen) choose(p *picker) tea.Cmd {
	p.filter()
	p.list.Cursor = max(0, p.now)
	v.picker = p
	return nil
}

func (p *picker) filter() {
	names := kit.NewNames(p.typed.Value())
	p.shown, p.list = p.shown[:0], kit.List{}
	for i, w := range p.words {
		if names.Match(w, p.doc(i)) {
			p.shown = append(p.shown, i)
		}
	}
}

func (p *picker) doc(i int) string {
	if i < len(p.docs) {
		return p.docs[i]
	}
	return ""
}

// typePicker takes keys while the list is open.
func (v *screen) typePicker(msg tea.Msg) tea.Cmd {
	p := v.picker
	k, isKey := msg.(tea.KeyPressMsg)
	if !isKey {
		p.typed.Update(msg)
		p.filter()
		return nil
	}
	moves := map[string]int{"up": -1, "ctrl+p": -1, "down": 1, "ctrl+n": 1, "tab": 1, "shift+tab": -1, "pgup": -10, "pgdown": 10}
	switch key := k.String(); {
	case key == "esc":
		v.picker = nil
	case key == "enter" && len(p.shown) > 0:
		v.picker = nil
		return p.pick(p.shown[p.list.Cursor])
	case moves[key] != 0:
		p.list.Move(moves[key], len(p.shown))
	default:
		if p.typed.Update(k) {
			p.filter()
		}
	}
	return nil
}

func (v *screen) pickerView(w, h int) string {
	th, p := v.o.Theme, v.picker
	head := kit.NewLine(th, w).Say(theme.Plain, " ").Put(theme.Heading, safe.Line(p.title, safe.Wide)).
		Say(theme.Dim, fmt.Sprintf("   %d of %d; type to search", len(p.shown), len(p.words)))
	rows := []string{head.String(), p.typed.Draw(kit.NewLine(th, w).Say(theme.Accent, " : "), w-4, true).String()}
	width := 12
	for _, i := range p.shown[:min(len(p.shown), 200)] {
		width = max(width, min(w/2, safe.Line(p.words[i], safe.Wide).Width()))
	}
	from, to := p.list.Window(len(p.shown), h-len(rows))
	for n := from; n < to; n++ {
		i := p.shown[n]
		l := kit.NewLine(th, w).Say(theme.Plain, "   ")
		if i == p.now {
			l = kit.NewLine(th, w).Say(theme.Good, " "+th.Glyph(theme.OK)+" ")
		}
		l.Col(theme.Plain, safe.Line(p.words[i], safe.Wide), width).Say(theme.Plain, " ").Put(theme.Dim, safe.Line(p.doc(i), safe.Wide))
		if n == p.list.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return kit.Lay(rows, w, h)
}

// pickValue opens the list of what can stand on the form's row under the cursor.
func (v *screen) pickValue(d *draft) tea.Cmd {
	r := *d.row()
	words, docs, now := d.form.Choices(&r)
	if len(words) == 0 {
		return nil
	}
	none := "(not set)"
	if r.Kind == form.Element || r.Kind == form.Entry {
		none = "(remove)"
	}
	clear := slices.Concat([]string{none}, words)
	return v.choose(&picker{title: r.Label + "  " + r.Type(), words: clear, docs: slices.Concat([]string{""}, docs), now: now + 1,
		pick: func(i int) tea.Cmd {
			d.form.Pick(&r, i-1)
			d.written("")
			return nil
		}})
}

// shift takes the next or the previous of the choices of the row under the
// cursor, and reports whether it has any.
func (d *draft) shift(by int) bool {
	r := *d.row()
	words, _, now := d.form.Choices(&r)
	if len(words) == 0 || r.Branch && by < 0 {
		return false
	}
	least := -1
	if r.Kind == form.Element || r.Kind == form.Entry {
		least = 0 // it would be gone
	}
	d.form.Pick(&r, max(least, min(now+by, len(words)-1)))
	d.written(r.Path.String() + "\x00choice")
	return true
}
