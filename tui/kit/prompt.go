package kit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/tui/theme"
)

// Prompt is the row in which a filter is typed: tab completes, up and down go
// through what was typed before, ctrl+u clears. Where what is typed does not
// compile, it says where and why below.
type Prompt struct {
	label    string // "FILTER"
	twin     string // what tab switches to where nothing is to be completed; "" for none
	complete func(string) []filter.Candidate
	history  *History

	open   bool
	field  Field
	at     int    // in the history; its length is the draft
	draft  string // what was typed before going back
	offers []filter.Candidate
	offer  int
	wrong  *filter.Error
}

// Open reports whether something is being typed.
func (p *Prompt) Open() bool { return p.open }

// Typed is what has been typed.
func (p *Prompt) Typed() string { return strings.TrimSpace(p.field.Value()) }

func (p *Prompt) begin(text string) {
	p.open, p.at, p.offers, p.wrong = true, p.history.Len(), nil, nil
	p.field.Max = maxTyped
	p.field.Set(text)
}

// key takes a key or a paste that is not for the end of typing. changed says that
// the text is another; leave, that tab has nothing to complete.
func (p *Prompt) key(msg tea.Msg) (changed, leave bool) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "tab":
			return p.tab(1)
		case "shift+tab":
			if len(p.offers) == 0 {
				return false, p.twin != ""
			}
			return p.tab(-1)
		case "up":
			return p.recall(-1), false
		case "down":
			return p.recall(1), false
		}
	}
	before := p.field.text
	p.field.Update(msg)
	p.offers = nil
	if p.field.Refused() {
		p.fault(fmt.Errorf("a filter has at most %d characters", maxTyped))
		return false, false
	}
	return !slices.Equal(before, p.field.text), false
}

// maxTyped is what a filter may have: see filter.Compile.
const maxTyped = 4096

// tab goes through the ways of completing the last name.
func (p *Prompt) tab(by int) (changed, leave bool) {
	text := p.field.Value()
	if len(p.offers) > 0 {
		p.offer = (p.offer + by + len(p.offers)) % len(p.offers)
	} else {
		if text != "" || p.twin == "" {
			p.offers, p.offer = p.complete(text), 0
		}
		if len(p.offers) == 0 || len(p.offers) == 1 && p.offers[0].Text == text {
			p.offers = nil
			return false, p.twin != ""
		}
	}
	p.field.Set(p.offers[p.offer].Text)
	if len(p.offers) == 1 {
		p.offers = nil
	}
	return true, false
}

// recall goes back and forth in the history.
func (p *Prompt) recall(by int) (changed bool) {
	to := p.at + by
	if to < 0 || to > p.history.Len() {
		return false
	}
	if p.at == p.history.Len() {
		p.draft = p.field.Value()
	}
	p.at, p.offers = to, nil
	if to == p.history.Len() {
		p.field.Set(p.draft)
	} else {
		p.field.Set(p.history.At(to))
	}
	return true
}

// fault keeps what is wrong with the text, to be shown.
func (p *Prompt) fault(err error) {
	p.wrong = nil
	if err != nil && !errors.As(err, &p.wrong) {
		p.wrong = &filter.Error{Source: p.field.Value(), Column: 1, Message: err.Error()}
	}
}

// maxRight keeps the count from taking the room of what is typed.
const maxRight = 44

// Rows draws the prompt, and below it what can be completed or what is wrong.
// right stands at the right of it: how many match.
func (p *Prompt) Rows(t theme.Theme, right string, w int) []string {
	label := " " + p.label + " "
	right = safe.Line(right, min(maxRight, w/2)).String()
	width := max(8, w-safe.Width(label)-safe.Width(right)-2)
	l := NewLine(t, w).Say(theme.Accent, label)
	p.field.Draw(l, width, true)
	rows := []string{l.Gap(safe.Width(right)+1).Say(theme.Dim, right).String()}
	switch {
	case len(p.offers) > 0:
		return append(rows, p.offered(t, w))
	case p.wrong != nil:
		return append(rows, p.faulty(t, len(label), width, w)...)
	}
	return rows
}

// offered is the row of what tab goes through, from the one it is at.
func (p *Prompt) offered(t theme.Theme, w int) string {
	l := NewLine(t, w).Say(theme.Plain, "   ")
	at := p.offers[p.offer]
	l.Put(theme.Reverse, safe.Line(at.Name, 40)).Say(theme.Plain, " ")
	if at.Doc != "" {
		l.Put(theme.Dim, safe.Line(at.Doc, max(20, w/2))).Say(theme.Plain, " ")
	}
	for i := 1; i < len(p.offers); i++ {
		name := safe.Line(p.offers[(p.offer+i)%len(p.offers)].Name, 40)
		if l.Left() < name.Width()+3 {
			return l.Say(theme.Dim, " "+t.Glyph(theme.Ellipsis)).String()
		}
		l.Say(theme.Plain, " ").Put(theme.Plain, name)
	}
	return l.String()
}

// faulty puts a caret below the place that is wrong, and why beside or below it.
func (p *Prompt) faulty(t theme.Theme, indent, width, w int) []string {
	text := fmt.Sprintf("column %d: %s", p.wrong.Column, p.wrong.Message)
	if p.wrong.Hint != "" {
		text += "; " + p.wrong.Hint
	}
	cell, inSight := p.field.Cell(p.wrong.Column-1, width)
	caret := NewLine(t, w)
	if inSight {
		caret.Say(theme.Plain, strings.Repeat(" ", indent+cell)).Say(theme.Bad, "^ ")
		if safe.Width(text) < caret.Left() {
			return []string{caret.Put(theme.Bad, safe.Line(text, safe.Wide)).String()}
		}
	}
	page := Page{Theme: t, W: w}
	page.Wrap(theme.Bad, "", text)
	const most = 3
	page.Rows = page.Rows[:min(len(page.Rows), most)]
	if !inSight {
		return page.Rows
	}
	return append([]string{caret.String()}, page.Rows...)
}

// Bindings are for the hint row: while something is typed, keys are text.
func (p *Prompt) Bindings(id string) []Binding {
	none := func() tea.Cmd { return nil }
	tab := Binding{ID: id + ".complete", Keys: []string{"tab"}, Name: "completes", Doc: "complete the name that is being typed", Hint: true, Run: none}
	if p.twin != "" {
		tab.Name, tab.Doc = "completes, or "+p.twin, "complete the name that is being typed; where there is nothing to complete, "+p.twin
	}
	return []Binding{
		{ID: id + ".take", Keys: []string{"enter"}, Name: "take it", Doc: "take what was typed", Hint: true, Run: none},
		{ID: id + ".leave", Keys: []string{"esc"}, Name: "as before", Doc: "leave everything as it was before typing", Hint: true, Run: none},
		tab,
		{ID: id + ".history", Keys: []string{"up"}, Name: "history", Doc: "what was typed before", Hint: true, Run: none},
		{ID: id + ".clear", Keys: []string{"ctrl+u"}, Name: "clears", Doc: "empty the row", Hint: true, Run: none},
	}
}
