package kit

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/tui/theme"
)

// Editor is a text of several lines that is typed into. Lines are not wrapped:
// the view moves with the cursor. Tabs become two blanks, so that every rune is
// drawn where it stands.
type Editor struct {
	lines     [][]rune
	row, col  int
	top, left int
}

// Value is the text, lines separated by LF.
func (e *Editor) Value() string {
	var b strings.Builder
	for i, l := range e.lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(string(l))
	}
	return b.String()
}

// Set replaces the text and puts the cursor at its beginning.
func (e *Editor) Set(s string) {
	*e = Editor{}
	for _, l := range strings.Split(plainLines(s), "\n") {
		e.lines = append(e.lines, []rune(l))
	}
}

// Cursor is where the cursor is, from 0.
func (e *Editor) Cursor() (row, col int) { return e.row, e.col }

// Lines is how many there are.
func (e *Editor) Lines() int { return max(1, len(e.lines)) }

func plainLines(s string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "  ").Replace(s)
}

// Update takes keys and pastes and reports whether it had a use for it. A paste
// is text, never a command.
func (e *Editor) Update(msg tea.Msg) bool {
	if len(e.lines) == 0 {
		e.lines = [][]rune{nil}
	}
	switch msg := msg.(type) {
	case tea.PasteMsg:
		e.insert(plainLines(msg.Content))
		return true
	case tea.KeyPressMsg:
		return e.move(msg.String()) || e.erase(msg.String()) || e.write(msg)
	}
	return false
}

func (e *Editor) line() []rune { return e.lines[e.row] }

// move handles the keys that only move.
func (e *Editor) move(key string) bool {
	switch key {
	case "left":
		if e.col > 0 {
			e.col--
		} else if e.row > 0 {
			e.row--
			e.col = len(e.line())
		}
	case "right":
		if e.col < len(e.line()) {
			e.col++
		} else if e.row < len(e.lines)-1 {
			e.row, e.col = e.row+1, 0
		}
	case "up":
		e.to(e.row-1, e.col)
	case "down":
		e.to(e.row+1, e.col)
	case "pgup":
		e.to(e.row-10, e.col)
	case "pgdown":
		e.to(e.row+10, e.col)
	case "home", "ctrl+a":
		e.col = 0
	case "end", "ctrl+e":
		e.col = len(e.line())
	case "ctrl+home":
		e.to(0, 0)
	case "ctrl+end":
		e.to(len(e.lines)-1, 1<<30)
	default:
		return false
	}
	return true
}

func (e *Editor) to(row, col int) {
	e.row = max(0, min(row, len(e.lines)-1))
	e.col = max(0, min(col, len(e.line())))
}

// erase handles the keys that take text away.
func (e *Editor) erase(key string) bool {
	switch key {
	case "backspace":
		if e.col > 0 {
			e.lines[e.row] = slices.Delete(e.line(), e.col-1, e.col)
			e.col--
		} else if e.row > 0 {
			e.row--
			e.col = len(e.line())
			e.join()
		}
	case "delete":
		if e.col < len(e.line()) {
			e.lines[e.row] = slices.Delete(e.line(), e.col, e.col+1)
		} else {
			e.join()
		}
	case "ctrl+u":
		e.lines[e.row] = slices.Delete(e.line(), 0, e.col)
		e.col = 0
	case "ctrl+k":
		e.lines[e.row] = e.line()[:e.col]
	case "ctrl+w":
		i := e.col
		for i > 0 && unicode.IsSpace(e.line()[i-1]) {
			i--
		}
		for i > 0 && !unicode.IsSpace(e.line()[i-1]) {
			i--
		}
		e.lines[e.row] = slices.Delete(e.line(), i, e.col)
		e.col = i
	default:
		return false
	}
	return true
}

// join appends the next line to the cursor's.
func (e *Editor) join() {
	if e.row == len(e.lines)-1 {
		return
	}
	e.lines[e.row] = append(e.line(), e.lines[e.row+1]...)
	e.lines = slices.Delete(e.lines, e.row+1, e.row+2)
}

// write handles what adds text. A new line begins under the one before.
func (e *Editor) write(k tea.KeyPressMsg) bool {
	if k.String() == "enter" {
		indent := 0
		for indent < e.col && e.line()[indent] == ' ' {
			indent++
		}
		e.insert("\n" + strings.Repeat(" ", indent))
		return true
	}
	if k.Text == "" || k.Mod&^tea.ModShift != 0 {
		return false
	}
	e.insert(plainLines(k.Text))
	return true
}

func (e *Editor) insert(s string) {
	parts := strings.Split(s, "\n")
	after := slices.Clone(e.line()[e.col:])
	e.lines[e.row] = append(e.line()[:e.col:e.col], []rune(parts[0])...)
	e.col += len([]rune(parts[0]))
	if len(parts) > 1 {
		fresh := make([][]rune, 0, len(parts)-1)
		for _, p := range parts[1:] {
			fresh = append(fresh, []rune(p))
		}
		e.lines = slices.Insert(e.lines, e.row+1, fresh...)
		e.row += len(fresh)
		e.col = len(e.line())
	}
	e.lines[e.row] = append(e.line(), after...)
}

// Rows draws the text in h rows of w cells, with a cursor when it has the focus
// and line wrong (from 0; -1 for none) marked. Only what is visible is looked at.
func (e *Editor) Rows(t theme.Theme, w, h int, focus bool, wrong int) []string {
	e.show(w, h)
	rows := make([]string, 0, max(0, h))
	for i := e.top; i < min(len(e.lines), e.top+h); i++ {
		l := NewLine(t, w)
		if i == wrong {
			l.Say(theme.Bad, t.Glyph(theme.Failed))
		} else {
			l.Say(theme.Plain, " ")
		}
		text := e.lines[i]
		if !focus || i != e.row {
			rows = append(rows, l.Put(theme.Plain, part(text, e.left, e.left+w)).String())
			continue
		}
		l.Put(theme.Plain, part(text, e.left, e.col))
		at := " "
		if e.col < len(text) {
			at = string(text[e.col])
		}
		rows = append(rows, l.Put(theme.Reverse, safe.Line(at, 8)).Put(theme.Plain, part(text, e.col+1, e.col+1+w)).String())
	}
	return rows
}

func part(text []rune, from, to int) safe.Text {
	to = min(to, len(text))
	if from >= to {
		return safe.Text{}
	}
	return safe.Line(string(text[from:to]), safe.Wide)
}

// show moves the view so that the cursor is in it.
func (e *Editor) show(w, h int) {
	if len(e.lines) == 0 {
		e.lines = [][]rune{nil}
	}
	e.top = max(min(e.top, e.row), e.row-max(1, h)+1)
	e.left = min(e.left, e.col)
	room := max(1, w-3)
	e.left = max(e.left, e.col-room) // a rune takes a cell or more
	for e.left < e.col && part(e.line(), e.left, e.col).Width() > room {
		e.left++
	}
}
