package invoke

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

func (v *screen) openHistory() tea.Cmd {
	v.past, v.history = true, kit.List{}
	return nil
}

// past calls, the newest first.
func (v *screen) pastCalls() []*call {
	out := slices.Clone(v.calls)
	slices.Reverse(out)
	return out
}

func (v *screen) navHistory(n kit.Nav) tea.Cmd {
	switch n {
	case kit.Back:
		v.past = false
	case kit.Enter:
		v.past = false
		return v.takeUp(v.pastCalls()[v.history.Cursor])
	default:
		v.history.Nav(n, len(v.calls), max(1, v.height[onMethods]))
	}
	return nil
}

// takeUp puts an earlier call's request and answers on screen again.
func (v *screen) takeUp(c *call) tea.Cmd {
	v.filter = ""
	v.lay()
	if !v.find(c.ref) || v.draft() == nil || v.draft().ref != c.ref {
		return kit.Send(kit.Toast{Text: "the target does not offer this method any more", Bad: true})
	}
	v.draft().restore(c)
	v.pane = onRequest
	v.resp.reset()
	v.resp.pinned = c
	return v.await()
}

func (v *screen) historyView(w, h int) string {
	th := v.o.Theme
	rows := []string{kit.NewLine(th, w).Say(theme.Heading, fmt.Sprintf(" HISTORY %d calls", len(v.calls))).
		Say(theme.Dim, "   enter takes one up again, esc closes").String()}
	calls := v.pastCalls()
	from, to := v.history.Window(len(calls), h-1)
	v.height[onMethods] = max(1, h-1)
	for i := from; i < to; i++ {
		c := calls[i]
		p := c.progress()
		word, style := outcome(th, &p)
		l := kit.NewLine(th, w).Say(theme.Plain, " ").Col(theme.Dim, kit.Text(p.began.UTC().Format("15:04:05")), 8).
			Col(style, word, 16).Col(theme.Bold, safe.Line(c.ref.String(), 80), min(48, max(16, w/3)))
		for _, a := range c.in.Params {
			l.Put(theme.Plain, safe.Line(a.Name+"="+a.Value, 40)).Say(theme.Plain, " ")
		}
		if docs := c.documents(); len(docs) > 0 {
			r := probes.Record{Body: docs[len(docs)-1]}
			l.Put(theme.Dim, safe.Line(v.chain.Summary(&r, 4*l.Left()+64), max(0, l.Left())))
		}
		if i == v.history.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return kit.Lay(rows, w, h)
}
