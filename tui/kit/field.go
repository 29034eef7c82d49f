package kit

import (
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/tui/theme"
)

// Field is one line of typed text.
type Field struct {
	// Max bounds its length in characters; 0 is 64 Ki. What does not fit is refused
	// whole: a part of what was pasted would be something else.
	Max int

	text    []rune
	pos     int
	refused bool
}

const maxField = 64 << 10

// Refused reports whether the last key or paste did not fit.
func (f *Field) Refused() bool { return f.refused }

// Value is what has been typed.
func (f *Field) Value() string { return string(f.text) }

// Set replaces the text and puts the cursor at its end.
func (f *Field) Set(s string) {
	f.text = []rune(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " "))
	f.pos = len(f.text)
}

// Update takes keys and pastes and reports whether it had a use for it.
// Newlines in a paste become spaces: a paste is text, never a command.
func (f *Field) Update(msg tea.Msg) bool {
	f.refused = false
	switch msg := msg.(type) {
	case tea.PasteMsg:
		f.insert(strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ").Replace(msg.Content))
		return true
	case tea.KeyPressMsg:
		return f.key(msg)
	}
	return false
}

func (f *Field) insert(s string) {
	most := f.Max
	if most == 0 {
		most = maxField
	}
	in := []rune(s)
	if f.refused = len(f.text)+len(in) > most; f.refused {
		return
	}
	f.text = append(f.text[:f.pos:f.pos], append(in, f.text[f.pos:]...)...)
	f.pos += len(in)
}

func (f *Field) key(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "left":
		f.pos = max(0, f.pos-1)
	case "right":
		f.pos = min(len(f.text), f.pos+1)
	case "home", "ctrl+a":
		f.pos = 0
	case "end", "ctrl+e":
		f.pos = len(f.text)
	case "backspace":
		if f.pos > 0 {
			f.text = append(f.text[:f.pos-1], f.text[f.pos:]...)
			f.pos--
		}
	case "delete":
		if f.pos < len(f.text) {
			f.text = append(f.text[:f.pos], f.text[f.pos+1:]...)
		}
	case "ctrl+u":
		f.text, f.pos = nil, 0
	case "ctrl+w":
		f.deleteWord()
	default:
		if k.Text == "" || k.Mod&^tea.ModShift != 0 {
			return false
		}
		f.insert(k.Text)
	}
	return true
}

func (f *Field) deleteWord() {
	i := f.pos
	for i > 0 && unicode.IsSpace(f.text[i-1]) {
		i--
	}
	for i > 0 && !unicode.IsSpace(f.text[i-1]) {
		i--
	}
	f.text = append(f.text[:i], f.text[f.pos:]...)
	f.pos = i
}

// from is where what is drawn begins if w cells are for what is before the cursor.
func (f *Field) from(w int) int {
	from := f.pos
	for room := w; from > 0; from-- {
		// A rune in its place is at most as wide as it is alone.
		if room -= safe.Line(string(f.text[from-1]), safe.Wide).Width(); room < 0 {
			break
		}
	}
	return from
}

// before is the end of the text before the cursor that fits into w cells.
func (f *Field) before(w int) safe.Text {
	return safe.Line(string(f.text[f.from(w):f.pos]), safe.Wide).Cut(w)
}

// Cell is where a character stands in the field drawn that wide, the first being
// 0; false if it is not in sight.
func (f *Field) Cell(i, width int) (cell int, ok bool) {
	from := f.from(max(0, width-2))
	if i < from || i > len(f.text) {
		return 0, false
	}
	cell = safe.Line(string(f.text[from:i]), safe.Wide).Width()
	return cell, cell < width
}

// Draw adds the field to a row, with a cursor when it has the focus. What does
// not fit goes at the left. Only what can be visible is looked at, however much
// was pasted.
func (f *Field) Draw(l *Line, width int, focus bool) *Line {
	before := f.before(max(0, width-2))
	l.Put(theme.Plain, before)
	at, after := " ", []rune(nil)
	if f.pos < len(f.text) {
		at, after = string(f.text[f.pos]), f.text[f.pos+1:min(len(f.text), f.pos+1+max(0, width))]
	}
	style := theme.Plain
	if focus {
		style = theme.Reverse
	}
	l.Put(style, safe.Line(at, 8))
	return l.Put(theme.Plain, safe.Line(string(after), max(0, width-before.Width()-1)))
}
