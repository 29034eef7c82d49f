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
	text string // as it was given
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
	text, name := d.commented()
	ref := d.ref
	return func() tea.Msg {
		dir, err := os.MkdirTemp("", "iscope-")
		if err != nil {
			return toEdit{errand{by: v}, fmt.Errorf("making a folder for the editor: %w", err)}
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			os.RemoveAll(dir)
			return toEdit{errand{by: v}, fmt.Errorf("writing the document for the editor: %w", err)}
		}
		return toEdit{errand{v, ref, path, strings.TrimRight(text, "\n")}, nil}
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
