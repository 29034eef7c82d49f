package invoke

import (
	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/form"
)

// navRequest moves in the request, and begins typing or choosing with enter.
func (v *screen) navRequest(n kit.Nav) tea.Cmd {
	d := v.draft()
	if d == nil {
		return nil
	}
	if r := d.row(); r != nil {
		switch n {
		case kit.Enter:
			return v.enterRow(d)
		case kit.Left:
			if !d.shift(-1) {
				v.closeRow(d)
			}
			return nil
		case kit.Right:
			if !d.form.SetOpen(r, true) {
				d.shift(1)
			}
			return nil
		}
	}
	if n == kit.Enter {
		v.typing = d.slots() > 0
		return nil
	}
	if delta, ok := n.Delta(max(1, v.height[onRequest])); ok {
		d.cursor = max(0, min(d.cursor+delta, d.slots()-1))
	}
	return nil
}

// closeRow closes the branch under the cursor, or goes to the one it is in.
func (v *screen) closeRow(d *draft) {
	r := *d.row()
	if d.form.SetOpen(&r, false) {
		return
	}
	for i := d.cursor - d.above() - 1; i >= 0; i-- {
		if d.form.Rows[i].Depth < r.Depth {
			d.cursor = d.above() + i
			return
		}
	}
}

// enterRow does what a row of the form is there for.
func (v *screen) enterRow(d *draft) tea.Cmd {
	r := *d.row()
	shape := d.form.Resolved(&r)
	isMap := r.Kind == form.Add && shape != nil && shape.Kind == probes.ShapeMap
	switch {
	case isMap:
		d.line.Set("")
		v.typing = true
	case r.Kind == form.Add:
		v.added(d, d.form.Append(&r, ""))
	case r.Kind == form.Group, r.Shape != nil && r.Shape.Kind == probes.ShapeUnion, shape != nil && shape.Kind == probes.ShapeEnum:
		return v.pickValue(d)
	case shape != nil && shape.Kind == probes.ShapeBool:
		_, _, now := d.form.Choices(&r)
		d.form.Pick(&r, max(0, 1-max(0, now)))
		d.written("")
	case r.Branch:
		d.form.Toggle(&r)
		d.cursor = max(0, min(d.cursor, d.slots()-1))
	case inLines(&r):
		return v.edit()
	default:
		v.typeRow(d, &r)
	}
	return nil
}

// typeRow begins typing on a row.
func (v *screen) typeRow(d *draft, r *form.Row) {
	d.line.Set(d.form.Typed(r))
	d.stretch = ""
	v.typing = true
}

// added goes to a row that was just added, and types there if it takes text.
func (v *screen) added(d *draft, p interface{ String() string }) {
	d.written("")
	for i := range d.form.Rows {
		r := &d.form.Rows[i]
		if (r.Kind != form.Element && r.Kind != form.Entry) || r.Path.String() != p.String() {
			continue
		}
		d.cursor = d.above() + i
		if words, _, _ := d.form.Choices(r); len(words) == 0 && !r.Branch {
			v.typeRow(d, r)
		}
		return
	}
}

// maxPaste is what the document takes at once; larger ones come through the
// editor.
const maxPaste = 1 << 20

// typeRequest takes keys and pastes for the field, row or document under the
// cursor.
func (v *screen) typeRequest(msg tea.Msg) tea.Cmd {
	d := v.draft()
	if d == nil {
		v.typing = false
		return nil
	}
	switch msg := msg.(type) {
	case tea.PasteMsg:
		if len(msg.Content) > maxPaste {
			return kit.Send(kit.Toast{Text: "more than 1 MiB was pasted; esc, then e edits the document in your editor", Bad: true})
		}
	case tea.KeyPressMsg:
		if v.leaveField(d, msg.String()) {
			return nil
		}
	}
	switch f := d.field(); {
	case f != nil:
		f.Update(msg)
	case d.row() != nil:
		d.typed(msg)
	default:
		if !d.isTyping {
			d.remember()
			d.isTyping = true
		}
		d.doc.Update(msg)
		d.check()
	}
	return nil
}

// leaveField handles the keys that end or move the typing.
func (v *screen) leaveField(d *draft, key string) bool {
	step := 0
	switch {
	case key == "esc":
		v.typing, d.isTyping = false, false
		return true
	case key == "enter" && d.row() != nil:
		v.typing = false
		if r := *d.row(); r.Kind == form.Add {
			v.added(d, d.form.Append(&r, d.line.Value()))
		}
		return true
	case key == "tab", key == "enter" && !d.onBody():
		step = 1
	case key == "shift+tab":
		step = d.slots() - 1
	default:
		return false
	}
	d.cursor, d.isTyping = (d.cursor+step)%max(1, d.slots()), false
	if r := d.row(); r != nil {
		v.typing = false
		if words, _, _ := d.form.Choices(r); len(words) == 0 && !r.Branch && r.Kind != form.Add {
			v.typeRow(d, r)
		}
	}
	return true
}

// typed puts what is typed into the row's place at once: the document is always
// what the form shows.
func (d *draft) typed(msg tea.Msg) {
	r := *d.row()
	before := d.line.Value()
	d.line.Update(msg)
	if r.Kind == form.Add || d.line.Value() == before {
		return
	}
	d.form.Type(&r, d.line.Value())
	d.written(r.Path.String())
	d.cursor = d.above() + d.form.Row(r.Path)
}

// addHeader adds a header to fill in.
func (v *screen) addHeader() tea.Cmd {
	d := v.draft()
	d.headers = append(d.headers, &kit.Field{})
	d.cursor = d.above() - 1
	v.pane, v.typing = onRequest, true
	return nil
}

// refuseRow says why a key of the form has nothing to act on.
func (v *screen) refuseRow() string {
	d := v.draft()
	switch {
	case d == nil || v.pane != onRequest:
		return "go to a field of the request first (tab)"
	case d.row() == nil && d.cursor >= d.above():
		return "this is for the form; v shows it"
	}
	return ""
}

// unset takes away the field, element or entry under the cursor, and a
// parameter's or header's text.
func (v *screen) unset() tea.Cmd {
	d := v.draft()
	i := d.cursor - len(d.params)
	switch r := d.row(); {
	case r != nil:
		one := *r
		d.form.Clear(&one)
		d.written("")
	case i >= 0 && i < len(d.headers):
		d.headers = append(d.headers[:i:i], d.headers[i+1:]...)
		d.cursor = max(0, min(d.cursor, d.slots()-1))
	case d.field() != nil:
		d.field().Set("")
	}
	return nil
}

// space sets an empty value, or the other one of two; in the answer it holds the
// list.
func (v *screen) space() tea.Cmd {
	d := v.draft()
	if v.pane == onResponse {
		return v.hold()
	}
	r := *d.row()
	if shape := d.form.Resolved(&r); r.Kind != form.Add && r.Kind != form.Group && shape != nil && shape.Kind != probes.ShapeBool {
		d.form.Empty(&r)
		d.written("")
		return nil
	}
	return v.enterRow(d)
}

func (v *screen) refuseSpace() string {
	switch d := v.draft(); {
	case v.pane == onResponse:
		return v.refuseHold()
	case d == nil || v.pane != onRequest || d.row() == nil:
		return "this is for a field of the form, or the messages of a stream"
	}
	return ""
}

func (v *screen) refuseUndo() string {
	if d := v.draft(); d == nil || len(d.undo) == 0 {
		return "the document has not been changed"
	}
	return ""
}

func (v *screen) undo() tea.Cmd {
	if !v.draft().back() {
		return kit.Say("there is nothing more to undo")
	}
	return nil
}
