package invoke

import (
	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// question is a line that is typed before something is done: a load, a file's
// name.
type question struct {
	label, help string
	answer      kit.Field
	// done takes the answer. It returns false where the line stays open, because
	// the answer was not understood.
	done func(answer string) (tea.Cmd, bool)
	// lines takes a paste of several lines; nil: it is put on the line.
	lines func(text string) tea.Cmd
}

func (v *screen) put(q *question, first string) tea.Cmd {
	q.answer.Set(first)
	v.question = q
	return nil
}

func (v *screen) typeQuestion(msg tea.Msg) tea.Cmd {
	q := v.question
	if p, ok := msg.(tea.PasteMsg); ok && q.lines != nil {
		if cmd := q.lines(p.Content); cmd != nil {
			v.question = nil
			return cmd
		}
	}
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			v.question = nil
			return nil
		case "enter":
			cmd, closes := q.done(q.answer.Value())
			if closes {
				v.question = nil
			}
			return cmd
		}
	}
	q.answer.Update(msg)
	return nil
}

// mostHelp bounds the rows of a question's help.
const mostHelp = 3

func (v *screen) questionRows(w int) []string {
	th, q := v.o.Theme, v.question
	l := kit.NewLine(th, w).Say(theme.Accent, " "+q.label+" ")
	rows := []string{q.answer.Draw(l, max(8, l.Left()-1), true).String()}
	for i, piece := range kit.Wrap(q.help, w-8) {
		if i < mostHelp {
			rows = append(rows, kit.NewLine(th, w).Say(theme.Plain, "      ").Put(theme.Dim, safe.Line(piece, safe.Wide)).String())
		}
	}
	return rows
}
