package tui

import (
	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
)

// asked makes an overlay of a question. What is under the cursor is "no"; where
// something has to be typed, anything else is no.
func asked(q kit.Ask) *menu {
	m := &menu{title: q.Title, text: q.Lines}
	if q.Typed != "" && len(q.Yes) == 1 {
		m.text = append(m.text[:len(m.text):len(m.text)], "Type "+q.Typed+" and enter to "+q.Yes[0].Text+"; esc leaves.")
		m.command = func(typed string) (tea.Cmd, bool) {
			if typed != q.Typed {
				return kit.Send(kit.Toast{Text: "not done: that is not " + safe.Line(q.Typed, 60).String(), Bad: true}), true
			}
			return q.Yes[0].Run(), true
		}
		return m
	}
	m.items = []item{{label: safe.Const("no"), key: "esc", run: func() tea.Cmd { return nil }}}
	for _, a := range q.Yes {
		m.items = append(m.items, item{label: safe.Line(a.Text, safe.Wide), run: a.Run})
	}
	return m
}
