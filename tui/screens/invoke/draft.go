package invoke

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/form"
	"iscope/tui/screens/invoke/jsondoc"
)

// draft is a request being filled in. Every method keeps its own. Its document is
// the text; the form is another view of it.
type draft struct {
	ref     probes.Ref
	method  *probes.Method
	params  []param
	headers []*kit.Field // "name: value"
	from    origin       // the saved request that it was opened from
	body    bool         // the method takes a document
	doc     kit.Editor
	cursor  int // params, then headers, then the document or the form's rows

	form     *form.Form // nil until the contract's shapes are known, or where it has none
	asForm   bool       // the form is shown
	formed   bool       // the shapes have been asked for
	line     kit.Field  // what is typed on a row of the form
	rows     kit.List   // which of the form's rows are visible
	fresh    string     // the document nobody has changed yet
	undo     []string   // documents before the last changes
	stretch  string     // the path of the row that is being typed on: one step of undo
	isTyping bool       // in the document's text

	line0, lineOf string // the request as a command line, and of what it was made

	checked string // text for which the following holds
	valid   bool
	strict  bool // it can be sent as it is
	parsed  *jsondoc.Value
	wrong   int // line of the error, from 0; -1 if none
	fault   *jsondoc.Fault
	verdict string
}

type param struct {
	probes.Param
	field kit.Field
}

func newDraft(ref probes.Ref, m *probes.Method) *draft {
	d := &draft{ref: ref, method: m, body: m.Template != nil || m.ClientStream || m.Group == byHand, wrong: -1}
	for _, p := range m.Params {
		one := param{Param: p}
		one.field.Set(p.Example)
		d.params = append(d.params, one)
	}
	if v := jsondoc.Of(m.Template); v != nil {
		d.doc.Set(v.Indent())
	} else {
		d.doc.Set(string(m.Template))
	}
	d.fresh = d.doc.Value()
	if len(d.params) == 0 || d.body && !d.needs() {
		d.cursor = len(d.params)
	}
	d.check()
	return d
}

// needs reports whether a parameter has to be filled in first.
func (d *draft) needs() bool { return d.missing() != "" }

// missing names a required parameter without a value.
func (d *draft) missing() string {
	for i := range d.params {
		if p := &d.params[i]; p.Required && p.field.Value() == "" {
			return p.Name
		}
	}
	return ""
}

// above is how many one-line fields stand above the document.
func (d *draft) above() int { return len(d.params) + len(d.headers) }

// slots is how many things can be filled in.
func (d *draft) slots() int {
	switch {
	case d.showsForm():
		return d.above() + len(d.form.Rows)
	case d.body:
		return d.above() + 1
	}
	return d.above()
}

// field is the one-line text under the cursor; nil on the document.
func (d *draft) field() *kit.Field {
	switch i := d.cursor; {
	case i < len(d.params):
		return &d.params[i].field
	case i < d.above():
		return d.headers[i-len(d.params)]
	}
	return nil
}

// onBody reports whether the cursor is in the document's text.
func (d *draft) onBody() bool { return d.body && !d.showsForm() && d.cursor >= d.above() }

// check looks whether the document is JSON, and if not where it breaks, and
// brings the form up to it.
func (d *draft) check() {
	text := d.doc.Value()
	if d.verdict != "" && text == d.checked {
		return
	}
	d.checked, d.wrong = text, -1
	d.parsed, d.strict, d.fault = nil, true, nil
	if strings.TrimSpace(text) != "" {
		d.parsed, d.strict, d.fault = jsondoc.Parse(text)
	}
	d.valid = d.fault == nil
	switch {
	case d.fault != nil:
		d.wrong = d.fault.Line - 1
		d.verdict = "no JSON: " + d.fault.Error()
		return
	case d.parsed == nil && d.method.Group == byHand:
		d.verdict = "empty: sent without a body"
	case d.parsed == nil:
		d.verdict = "empty: sent as an empty message"
	default:
		d.verdict = fmt.Sprintf("valid JSON, %d B", len(d.parsed.Compact()))
	}
	if d.form != nil && len(text) <= maxFormed {
		d.form.Doc = d.parsed.Clone()
		d.form.Lay()
	}
}

// document is what was typed; nil where nothing was.
func (d *draft) document() []byte {
	d.check()
	switch text := strings.TrimSpace(d.doc.Value()); {
	case !d.body || text == "":
		return nil
	case d.strict || d.parsed == nil:
		return []byte(text)
	}
	return []byte(d.parsed.Indent()) // without comments
}

// maxFile is what of a file goes into a document.
const maxFile = 32 << 20

// prepare returns what is sent: times, durations, bytes and files in the form the
// target takes. It reads files, so it is called in the background.
func (d *draft) prepare(now time.Time) func() ([]byte, error) {
	doc, f, parsed := d.document(), d.form, d.parsed.Clone()
	if f == nil || parsed == nil || doc == nil {
		return func() ([]byte, error) { return doc, nil }
	}
	shapes := form.New(f.Shapes)
	return func() ([]byte, error) {
		out, err := shapes.Resolve(parsed, form.Resolver{Now: now, File: readFile})
		if err != nil || jsondoc.Equal(out, parsed) {
			return doc, err
		}
		return []byte(out.Indent()), nil
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("it is larger than 32 MiB")
	}
	return b, err
}

// values are the parameters that have one.
func (d *draft) values() (out []probes.Attr) {
	for i := range d.params {
		if value := d.params[i].field.Value(); value != "" {
			out = append(out, probes.Attr{Name: d.params[i].Name, Value: value})
		}
	}
	return out
}

// fields are the headers; bad is the first that is none.
func (d *draft) fields() (out []probes.Field, bad string) {
	for _, h := range d.headers {
		if strings.TrimSpace(h.Value()) == "" {
			continue
		}
		name, value, ok := strings.Cut(h.Value(), ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, h.Value()
		}
		out = append(out, probes.Field{Name: name, Value: []byte(strings.TrimSpace(value))})
	}
	return out, ""
}

// restore puts an earlier call's request back.
func (d *draft) restore(c *call) {
	docs := c.documents()
	var doc []byte
	if len(docs) > 0 {
		doc = docs[len(docs)-1]
	}
	d.take(c.in.Params, c.in.Header, doc)
}

// take fills the request in.
func (d *draft) take(params []probes.Attr, header []probes.Field, doc []byte) {
	for i := range d.params {
		value, _ := probes.FindAttr(params, d.params[i].Name)
		d.params[i].field.Set(value)
	}
	d.headers = nil
	for _, h := range header {
		f := &kit.Field{}
		f.Set(h.Name + ": " + string(h.Value))
		d.headers = append(d.headers, f)
	}
	if doc != nil {
		d.remember()
		d.doc.Set(string(doc))
		if v := jsondoc.Of(doc); v != nil {
			d.doc.Set(v.Indent())
		}
	}
	d.check()
	d.cursor = min(d.above(), max(0, d.slots()-1))
}

// maxUndo bounds what undo goes back.
const maxUndo = 100

// remember keeps the document as it is for undo.
func (d *draft) remember() {
	text := d.doc.Value()
	if n := len(d.undo); n > 0 && d.undo[n-1] == text {
		return
	}
	d.undo = append(d.undo, text)
	if len(d.undo) > maxUndo {
		d.undo = d.undo[1:]
	}
}

// back undoes the last change, and reports whether there was one.
func (d *draft) back() bool {
	for len(d.undo) > 0 {
		last := d.undo[len(d.undo)-1]
		d.undo = d.undo[:len(d.undo)-1]
		if last != d.doc.Value() {
			d.doc.Set(last)
			d.check()
			d.cursor = max(0, min(d.cursor, d.slots()-1))
			return true
		}
	}
	return false
}

// compact is a document on one line, or itself if it is no JSON.
func compact(text string) string {
	if v := jsondoc.Of([]byte(text)); v != nil {
		return v.Compact()
	}
	return text
}
