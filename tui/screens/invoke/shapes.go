package invoke

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/form"
	"iscope/tui/screens/invoke/jsondoc"
	"iscope/tui/session"
)

// formed is what a target says a method's document looks like.
type formed struct {
	by   *screen
	ref  probes.Ref
	form probes.Form
	err  error
}

// shapes asks for the form of the method under the cursor, once, one at a time:
// whoever runs through the list asks for none of those passed on the way.
func (v *screen) shapes() tea.Cmd {
	d := v.draft()
	if d == nil || d.formed || v.forming || !v.s.Can(d.ref.Target, "form") {
		return nil
	}
	d.formed, v.forming = true, true
	ref := d.ref
	return func() tea.Msg {
		ctx, stop := session.Bounded(v.s)
		defer stop()
		out := formed{by: v, ref: ref}
		conn, err := v.s.Conn(ctx, ref.Target)
		if err != nil {
			out.err = err
			return out
		}
		former, err := conn.Former()
		if err == nil {
			out.form, err = former.Form(ctx, ref.Subject)
		}
		out.err = err
		return out
	}
}

func (v *screen) takeForm(m formed) tea.Cmd {
	if m.by != v {
		return nil
	}
	v.forming = false
	if d := v.drafts[m.ref]; d != nil && m.err == nil {
		d.takeForm(m.form)
	}
	return v.shapes()
}

// takeForm shows the request as a form from here on. A document that nobody has
// touched becomes what is required of it; the rest is on the form, not set.
func (d *draft) takeForm(shapes probes.Form) {
	if shapes.Root.Kind == probes.ShapeNone {
		return
	}
	onDocument := d.cursor >= d.above()
	d.body = true
	d.form = form.New(shapes)
	d.verdict = ""
	d.check()
	if d.fresh == d.doc.Value() {
		if v := d.form.Starter(d.parsed); v != nil {
			d.doc.Set(v.Indent())
			d.fresh = d.doc.Value()
		}
	}
	d.check()
	d.asForm = d.valid && !isText(&shapes.Root)
	if onDocument {
		d.cursor = d.above()
	}
	d.cursor = max(0, min(d.cursor, d.slots()-1))
}

// isText: a document of which nothing is known is better typed as text.
func isText(s *probes.Shape) bool {
	return s.Kind == probes.ShapeAny || s.Kind == probes.ShapeObject && s.Of == ""
}

// maxFormed is the largest document that is shown as a form: a larger one has
// thousands of rows, and is better searched as text.
const maxFormed = 256 << 10

func (d *draft) showsForm() bool {
	return d.asForm && d.form != nil && d.valid && d.body && len(d.checked) <= maxFormed
}

// row is the form's row under the cursor; nil elsewhere.
func (d *draft) row() *form.Row {
	if i := d.cursor - d.above(); d.showsForm() && i >= 0 && i < len(d.form.Rows) {
		return &d.form.Rows[i]
	}
	return nil
}

// refuseView says why the other view cannot be shown.
func (v *screen) refuseView() string {
	d := v.draft()
	switch {
	case d == nil:
		return "choose a method first"
	case !d.body:
		return "this method takes no document"
	case d.form == nil:
		return "the target describes no form of this document"
	}
	if d.check(); len(d.checked) > maxFormed {
		return "the document is larger than 256 KiB: too many rows for a form"
	}
	if !d.asForm && !d.valid {
		return "the document is " + d.verdict
	}
	return ""
}

// turnView shows the document the other way, at the same place of it.
func (v *screen) turnView() tea.Cmd {
	d := v.draft()
	d.check()
	onDocument := d.cursor >= d.above()
	if d.showsForm() {
		var at jsondoc.Path
		if r := d.row(); r != nil {
			at = r.Path
		}
		d.asForm = false
		d.cursor = min(d.cursor, d.above())
		if place := d.parsed.At(at); place != nil && onDocument && len(at) > 0 {
			d.doc.PlaceAt(place.From)
		}
		return nil
	}
	d.asForm = true
	if !onDocument {
		return nil
	}
	at := d.parsed.Find(d.doc.Offset())
	d.form.Reveal(at)
	d.cursor = d.above() + d.form.Row(at)
	return nil
}

// written makes the form's document the text, after a change on the form.
func (d *draft) written(at string) {
	if at == "" || at != d.stretch {
		d.remember()
	}
	d.stretch = at
	text := ""
	if d.form.Doc != nil {
		text = d.form.Doc.Indent()
	}
	d.doc.Set(text)
	d.check()
	d.cursor = max(0, min(d.cursor, d.slots()-1))
}

// refuseFill says why the template cannot be put in.
func (v *screen) refuseFill() string {
	if d := v.draft(); d == nil || d.method.Template == nil {
		return "the target gives no template of this document"
	}
	return ""
}

// fill puts the template in, with every field at its example or empty value.
// What is filled in stays.
func (v *screen) fill() tea.Cmd {
	d := v.draft()
	d.check()
	if !d.valid {
		return kit.Send(kit.Toast{Text: "the document is " + d.verdict, Bad: true})
	}
	d.remember()
	d.doc.Set(merge(jsondoc.Of(d.method.Template), d.parsed).Indent())
	d.check()
	return kit.Say("every field is filled in; u takes it back")
}

// merge lays a document over another.
func merge(below, over *jsondoc.Value) *jsondoc.Value {
	switch {
	case over == nil && below == nil:
		return jsondoc.NewObject()
	case over == nil:
		return below.Clone()
	case below == nil || below.Kind != jsondoc.Object || over.Kind != jsondoc.Object:
		return over.Clone()
	}
	out := below.Clone()
	for i, k := range over.Keys {
		out.Set(k, merge(below.Get(k), over.Kids[i]))
	}
	return out
}

// aboutField is what the contract says of the row under the cursor.
func (d *draft) aboutField() (head, doc string) {
	r := d.row()
	switch {
	case r == nil && d.cursor < len(d.params):
		p := &d.params[d.cursor]
		return strings.TrimSpace(p.Name + " " + p.Type + ", in the " + p.In), p.Doc
	case r == nil:
		return "", ""
	case r.Kind == form.Group:
		return r.Label + ": at most one of these is set; enter chooses", ""
	case r.Kind == form.Extra:
		return r.Label + " is not in the contract; it is sent all the same", ""
	case r.Kind == form.Add:
		return "enter adds one", ""
	case r.Shape == nil:
		return "", ""
	}
	head, doc = form.Line(r.Shape), strings.Join(strings.Fields(r.Shape.Doc), " ")
	if r.Kind == form.Element || r.Kind == form.Entry {
		head = r.Path.String() + " " + head
	}
	for _, c := range r.Shape.Choices {
		if r.Value != nil && r.Value.Compact() == c.Value && c.Doc != "" {
			doc = form.Unquote(c.Value) + ": " + strings.Join(strings.Fields(c.Doc), " ")
		}
	}
	return head, doc
}
