package topo

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/probes/topology"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

func (t *screen) findingCount() int {
	if t.m == nil {
		return 0
	}
	return len(t.m.findings)
}

// findingRows is the list at the bottom: as much of it as leaves room for the
// rest.
func (t *screen) findingRows(w, h int) []string {
	th := t.o.Theme
	if h < 8 {
		return nil
	}
	n := t.findingCount()
	if n == 0 {
		return []string{kit.NewLine(th, w).Say(theme.Dim, " FINDINGS none").String()}
	}
	rows := []string{t.findingHead(w)}
	room := min(n, max(1, h/6))
	if t.pane == onFindings {
		room = min(n, max(1, h/3))
	}
	t.visible[onFindings] = true
	from, to := t.findings.Window(n, room)
	for i := from; i < to; i++ {
		f := &t.m.findings[i]
		glyph, style := severitySign(th, f.severity)
		l := kit.NewLine(th, w).Say(style, " "+glyph+" ").Col(style, kit.Text(string(f.severity)), 7).
			Col(theme.Dim, safe.Line(f.kind, 10), 10).Put(theme.Plain, safe.Line(f.text, safe.Wide))
		if t.pane == onFindings && i == t.findings.Cursor {
			rows = append(rows, l.Selected())
			continue
		}
		rows = append(rows, l.String())
	}
	return rows
}

func (t *screen) findingHead(w int) string {
	th := t.o.Theme
	l := kit.NewLine(th, w).Say(theme.Heading, fmt.Sprintf(" FINDINGS %d", t.findingCount()))
	for _, s := range []topology.Severity{topology.SeverityError, topology.SeverityWarning, topology.SeverityInfo} {
		count := 0
		for i := range t.m.findings {
			if t.m.findings[i].severity == s {
				count++
			}
		}
		if count > 0 {
			glyph, style := severitySign(th, s)
			l.Say(style, fmt.Sprintf("  %s%d", glyph, count)).Say(theme.Plain, " "+string(s))
		}
	}
	if t.pane == onFindings {
		return l.Say(theme.Dim, "   enter goes there, esc leaves").String()
	}
	return l.Say(theme.Dim, "   tab goes here").String()
}

func severitySign(th theme.Theme, s topology.Severity) (string, theme.Style) {
	switch s {
	case topology.SeverityError:
		return th.Glyph(theme.Failed), theme.Bad
	case topology.SeverityWarning:
		return th.Glyph(theme.Warning), theme.Warn
	}
	return th.Glyph(theme.Dot), theme.Dim
}

// openFinding goes to what a finding is about: a node here, a source in
// Diagnostics.
func (t *screen) openFinding() tea.Cmd {
	if t.findings.Cursor < 0 || t.findings.Cursor >= t.findingCount() {
		return nil
	}
	f := t.m.findings[t.findings.Cursor]
	if f.node == "" {
		return kit.Send(kit.Go{Screen: kit.Diagnostics, Ref: probes.Ref{Target: f.target}})
	}
	t.filter.Lift()
	t.pane = onList
	t.lay()
	if !t.select1(f.node) {
		return kit.Say("what the finding is about is not in the focus; esc shows everything")
	}
	t.detail, t.scroll = true, kit.Scroll{}
	return nil
}
