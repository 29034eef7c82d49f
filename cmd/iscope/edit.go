package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"iscope/probes"
	"iscope/tui/screens/invoke/form"
	"iscope/tui/screens/invoke/jsondoc"
)

// edit lets the user edit the document, the template if none was given, and
// returns it as the only document. What is no JSON is shown again with the
// fault; the text is never lost.
func (a *app) edit(ctx context.Context, conn *probes.Conn, m probes.Method, data []string) ([]string, error) {
	doc := []byte(m.Template)
	if len(data) == 1 {
		var err error
		if doc, err = a.document(data[0]); err != nil {
			return nil, err
		}
	}
	if doc == nil {
		return nil, &probes.Error{Target: conn.Target.Name, Op: "editing the request", Kind: probes.ErrUsage,
			Err: fmt.Errorf("%s takes no document", m.Name)}
	}
	shapes, text := commented(ctx, conn, m, doc)
	parsed, err := a.editText(ctx, text)
	if err != nil {
		return nil, err
	}
	if shapes != nil {
		resolver := form.Resolver{Now: time.Now(), File: os.ReadFile}
		if parsed, err = shapes.Resolve(parsed, resolver); err != nil {
			return nil, &probes.Error{Target: conn.Target.Name, Op: "reading the edited request", Kind: probes.ErrUsage, Err: err}
		}
	}
	return []string{parsed.Compact()}, nil
}

// commented is the document for the editor, with its schema as comments where
// the driver knows one; the form is nil where it does not.
func commented(ctx context.Context, conn *probes.Conn, m probes.Method, doc []byte) (*form.Form, string) {
	v, _, fault := jsondoc.Parse(string(doc))
	if fault != nil {
		return nil, string(doc)
	}
	former, err := conn.Former()
	if err != nil {
		return nil, v.Indent() + "\n"
	}
	shapes, err := former.Form(ctx, m.Name)
	if err != nil {
		return nil, v.Indent() + "\n"
	}
	f := form.New(shapes)
	return f, f.Commented(v, "The request of "+m.Name+". Lines that begin with // are comments.",
		"Take the // away from a field to set it. An empty file gives up.")
}

// editText runs the editor on a text until it is JSON or nothing.
func (a *app) editText(ctx context.Context, text string) (*jsondoc.Value, error) {
	dir, err := os.MkdirTemp("", "iscope-")
	if err != nil {
		return nil, editError(err, "")
	}
	path := filepath.Join(dir, "request.jsonc")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, editError(err, "")
	}
	for line := 0; ; {
		saved, err := a.runEditor(ctx, path, line)
		if err != nil {
			return nil, editError(err, "the text is in "+path)
		}
		if !saved {
			hint := "save the file, changed or not, to go on"
			if line > 0 {
				hint += "; the text is in " + path
			} else {
				os.RemoveAll(dir)
			}
			return nil, editError(errors.New("the editor has saved nothing: given up"), hint)
		}
		edited, err := os.ReadFile(path)
		if err != nil {
			return nil, editError(err, "the text is in "+path)
		}
		if strings.TrimSpace(string(edited)) == "" {
			os.RemoveAll(dir)
			return nil, editError(errors.New("the file is empty: given up"), "")
		}
		v, _, fault := jsondoc.Parse(string(edited))
		if fault == nil {
			return v, os.RemoveAll(dir)
		}
		// Without a person, or with an editor that changes nothing, it would go
		// on for ever.
		if !term.IsTerminal(a.in.Fd()) || string(edited) == text {
			return nil, editError(fmt.Errorf("the document is no JSON: %w", fault), "the text is in "+path)
		}
		a.warn("the document is no JSON: %v; edit it again (an empty file gives up)", fault)
		text, line = string(edited), fault.Line
	}
}

func editError(err error, hint string) error {
	return &probes.Error{Op: "editing the request", Kind: probes.ErrUsage, Err: err, Hint: hint}
}

// runEditor runs the user's editor, with its arguments and without a shell in
// between. Most editors take +LINE. It reports whether the file was saved: who
// leaves an editor without that wants nothing to happen.
func (a *app) runEditor(ctx context.Context, path string, line int) (saved bool, err error) {
	before := time.Unix(1, 0) // in the past, whatever the file system's clock
	if err := os.Chtimes(path, before, before); err != nil {
		return false, err
	}
	argv := []string{"vi"}
	for _, name := range []string{"EDITOR", "VISUAL"} {
		if words := strings.Fields(os.Getenv(name)); len(words) > 0 {
			argv = words
		}
	}
	if line > 0 && takesLine(argv[0]) {
		argv = append(argv, "+"+strconv.Itoa(line))
	}
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], path)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = a.in, a.out, a.err
	if !a.tty() { // what goes to a file or a program is the answer, not the editor's screen
		cmd.Stdout = a.err
	}
	if err := cmd.Run(); err != nil {
		return false, fmt.Errorf("running %s: %w", argv[0], err)
	}
	info, err := os.Stat(path)
	return err == nil && !info.ModTime().Equal(before), err
}

// takesLine reports whether an editor is known to take +LINE; to others it would
// be the name of a file.
func takesLine(editor string) bool {
	switch filepath.Base(editor) {
	case "vi", "vim", "nvim", "view", "nano", "pico", "emacs", "emacsclient", "micro", "joe", "kak", "mg", "ne", "jed":
		return true
	}
	return false
}
