package invoke

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
)

// draft is a request being filled in. Every method keeps its own.
type draft struct {
	ref     probes.Ref
	method  *probes.Method
	params  []param
	headers []*kit.Field // "name: value"
	body    bool         // the method takes a document
	doc     kit.Editor
	cursor  int // params, then headers, then the document

	checked string // text for which the following holds
	valid   bool
	wrong   int // line of the error, from 0; -1 if none
	verdict string
}

type param struct {
	probes.Param
	field kit.Field
}

func newDraft(ref probes.Ref, m *probes.Method) *draft {
	d := &draft{ref: ref, method: m, body: m.Template != nil || m.ClientStream, wrong: -1}
	for _, p := range m.Params {
		one := param{Param: p}
		one.field.Set(p.Example)
		d.params = append(d.params, one)
	}
	d.doc.Set(pretty(m.Template))
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

func pretty(doc []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, doc, "", "  ") != nil {
		return string(doc)
	}
	return out.String()
}

// slots is how many things can be filled in.
func (d *draft) slots() int {
	n := len(d.params) + len(d.headers)
	if d.body {
		n++
	}
	return n
}

// field is the one-line text under the cursor; nil on the document.
func (d *draft) field() *kit.Field {
	switch i := d.cursor; {
	case i < len(d.params):
		return &d.params[i].field
	case i < len(d.params)+len(d.headers):
		return d.headers[i-len(d.params)]
	}
	return nil
}

func (d *draft) onBody() bool { return d.body && d.cursor == d.slots()-1 }

// check looks whether the document is JSON, and if not where it breaks.
func (d *draft) check() {
	text := d.doc.Value()
	if d.verdict != "" && text == d.checked {
		return
	}
	d.checked, d.valid, d.wrong = text, true, -1
	if strings.TrimSpace(text) == "" {
		d.verdict = "empty: sent as an empty message"
		return
	}
	d.verdict = fmt.Sprintf("valid JSON, %d B", len(compact(text)))
	var raw json.RawMessage
	err := json.Unmarshal([]byte(text), &raw)
	if err == nil {
		return
	}
	d.valid = false
	at := len(text)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = min(at, max(0, int(syntax.Offset)-1))
	}
	before := text[:at]
	d.wrong = strings.Count(before, "\n")
	column := len([]rune(before[strings.LastIndexByte(before, '\n')+1:])) + 1
	d.verdict = fmt.Sprintf("no JSON: line %d, column %d: %s", d.wrong+1, column, err)
}

// compact is a document on one line, or itself if it is no JSON.
func compact(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return text
	}
	return out.String()
}

// document is what is sent; nil where nothing was typed.
func (d *draft) document() []byte {
	text := strings.TrimSpace(d.doc.Value())
	if !d.body || text == "" {
		return nil
	}
	return []byte(text)
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
	for i := range d.params {
		value, _ := probes.FindAttr(c.in.Params, d.params[i].Name)
		d.params[i].field.Set(value)
	}
	d.headers = nil
	for _, h := range c.in.Header {
		f := &kit.Field{}
		f.Set(h.Name + ": " + string(h.Value))
		d.headers = append(d.headers, f)
	}
	if docs := c.documents(); len(docs) > 0 {
		d.doc.Set(string(docs[len(docs)-1]))
	}
	d.cursor = max(0, d.slots()-1)
	d.check()
}

func (v *screen) navRequest(n kit.Nav) {
	d := v.draft()
	if d == nil {
		return
	}
	if n == kit.Enter {
		v.typing = d.slots() > 0
		return
	}
	if delta, ok := n.Delta(d.slots()); ok {
		d.cursor = max(0, min(d.cursor+delta, d.slots()-1))
	}
}

// maxPaste is what the document takes at once; larger ones come through the
// editor.
const maxPaste = 1 << 20

// typeRequest takes keys and pastes for the field or document under the cursor.
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
		switch key := msg.String(); {
		case key == "esc":
			v.typing = false
			return nil
		case key == "tab", key == "enter" && !d.onBody():
			d.cursor = (d.cursor + 1) % max(1, d.slots())
			return nil
		case key == "shift+tab":
			d.cursor = (d.cursor + d.slots() - 1) % max(1, d.slots())
			return nil
		}
	}
	if f := d.field(); f != nil {
		f.Update(msg)
		return nil
	}
	d.doc.Update(msg)
	d.check()
	return nil
}

// addHeader adds a header to fill in.
func (v *screen) addHeader() tea.Cmd {
	d := v.draft()
	d.headers = append(d.headers, &kit.Field{})
	d.cursor = len(d.params) + len(d.headers) - 1
	v.pane, v.typing = onRequest, true
	return nil
}
