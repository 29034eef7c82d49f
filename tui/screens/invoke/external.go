package invoke

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/form"
	"iscope/tui/screens/invoke/jsondoc"
)

func (v *screen) refuseEdit() string {
	d := v.draft()
	switch {
	case d == nil:
		return "choose a method first"
	case !d.body:
		return "this method takes no document"
	}
	return ""
}

// errand is a document on its way through the editor.
type errand struct {
	by   *screen
	ref  probes.Ref
	path string
	text string       // as it was given
	at   jsondoc.Path // the one text of the document that it is; nil: all of it
}

type (
	toEdit struct { // the file is written
		errand
		err error
	}
	left struct { // the editor has ended
		errand
		err error
	}
	edited struct { // the file is read and gone
		errand
		text string
		err  error
	}
)

// commented is the document for the editor: with its schema as comments where
// that is known.
func (d *draft) commented() (text, name string) {
	d.check()
	if d.form == nil || !d.valid {
		return d.doc.Value(), "request.json"
	}
	return d.form.Commented(d.parsed, "The request of "+d.method.Name+". Lines that begin with // are comments.",
		"Take the // away from a field to set it."), "request.jsonc"
}

// edit writes the document to a file that only the user can read.
func (v *screen) edit() tea.Cmd {
	d := v.draft()
	if r := d.row(); r != nil && v.pane == onRequest && inLines(r) {
		return v.toEditor(errand{by: v, ref: d.ref, text: r.Value.Text, at: r.Path}, nameFor(r))
	}
	text, name := d.commented()
	return v.toEditor(errand{by: v, ref: d.ref, text: text}, name)
}

// inLines reports whether a row is a text of several lines, such as a query: it is
// edited as that, not as a string of JSON.
func inLines(r *form.Row) bool {
	return r.Value != nil && r.Value.Kind == jsondoc.String && strings.Contains(r.Value.Text, "\n")
}

// nameFor is a name by which an editor knows what a text is.
func nameFor(r *form.Row) string {
	if strings.EqualFold(r.Type(), "graphql") {
		return "request.graphql"
	}
	return "request.txt"
}

// toEditor writes a text to a file and opens the editor on it.
func (v *screen) toEditor(e errand, name string) tea.Cmd {
	return func() tea.Msg {
		dir, err := os.MkdirTemp("", "iscope-")
		if err != nil {
			return toEdit{errand{by: v}, fmt.Errorf("making a folder for the editor: %w", err)}
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(e.text), 0o600); err != nil {
			os.RemoveAll(dir)
			return toEdit{errand{by: v}, fmt.Errorf("writing the document for the editor: %w", err)}
		}
		e.path, e.text = path, strings.TrimRight(e.text, "\n")
		return toEdit{e, nil}
	}
}

// editor is the user's, with its arguments. There is no shell in between.
func editor() []string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if argv := strings.Fields(os.Getenv(name)); len(argv) > 0 {
			return argv
		}
	}
	return []string{"vi"}
}

func (v *screen) external(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case toEdit:
		if msg.by != v || msg.err != nil {
			return v.failed(msg.errand, msg.err)
		}
		argv := append(editor(), msg.path)
		return tea.ExecProcess(exec.Command(argv[0], argv[1:]...), func(err error) tea.Msg { return left{msg.errand, err} })
	case left:
		if msg.by != v {
			return nil
		}
		return func() tea.Msg { return msg.collect() }
	case edited:
		if d := v.drafts[msg.ref]; msg.by == v && msg.err == nil && d != nil {
			return d.takeEdited(msg)
		}
		return v.failed(msg.errand, msg.err)
	}
	return nil
}

// takeEdited takes the document in. One that is no JSON stays as it is, with the
// place of the fault: nothing typed is lost.
func (d *draft) takeEdited(e edited) tea.Cmd {
	if e.text == e.errand.text {
		return kit.Say("the editor changed nothing")
	}
	d.remember()
	if e.at != nil {
		d.check()
		d.doc.Set(jsondoc.Put(d.parsed.Clone(), e.at, jsondoc.NewText(e.text)).Indent())
		d.check()
		return nil
	}
	d.doc.Set(e.text)
	d.check()
	switch {
	case !d.valid:
		d.cursor = d.above()
		d.doc.PlaceAt(d.fault.Offset)
		return kit.Send(kit.Toast{Text: "the document is " + safe.Line(d.verdict, 120).String() + " (nothing is lost: e edits it again)", Bad: true})
	case d.parsed != nil && !d.strict:
		d.doc.Set(d.parsed.Indent()) // without the comments
		d.check()
	}
	d.cursor = max(0, min(d.cursor, d.slots()-1))
	return nil
}

func (v *screen) failed(e errand, err error) tea.Cmd {
	if e.by != v || err == nil {
		return nil
	}
	return kit.Send(kit.Fail{Err: err})
}

// maxDocument is what comes back from the editor at most.
const maxDocument = 8 << 20

// collect reads what the editor has left and removes it. When the editor failed
// the document stays as it was.
func (l left) collect() edited {
	defer os.RemoveAll(filepath.Dir(l.path))
	if l.err != nil {
		return edited{errand: l.errand, err: &probes.Error{Op: "running the editor " + editor()[0], Kind: probes.ErrUsage, Err: l.err,
			Hint: "set EDITOR to an editor that is installed"}}
	}
	f, err := os.Open(l.path)
	if err != nil {
		return edited{errand: l.errand, err: fmt.Errorf("reading the edited document: %w", err)}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = errors.New("the edited document is larger than 8 MiB")
	}
	return edited{l.errand, strings.TrimRight(string(text), "\n"), err}
}
