package invoke

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay/request"
	"iscope/tui/kit"
)

// savedDir is where saved requests are by default: beside the code, so that they
// are checked in with it.
const savedDir = "requests"

// askSave opens the line for the name of the file.
func (v *screen) askSave() tea.Cmd {
	d := v.draft()
	name := strings.ToLower(strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, d.method.Name[strings.LastIndexByte(strings.TrimSuffix(d.method.Name, "/"), '/')+1:]), "-"))
	if name == "" {
		name = "request"
	}
	return v.put(&question{label: "SAVE AS", help: "a file for iscope run; secrets become variables of the environment", done: func(path string) (tea.Cmd, bool) {
		if path = strings.TrimSpace(path); path == "" {
			return nil, true
		}
		return v.save(d, path), true
	}}, filepath.Join(savedDir, name+".yaml"))
}

// save writes the request in the background, without its secrets.
func (v *screen) save(d *draft, path string) tea.Cmd {
	r := v.written(d, v.toSend(d))
	r.Environment = "" // the file is for all of them
	r = v.s.Mask(r, d.method, false)
	name := d.method.Name
	r, vars, isTemplate := template(r)
	return func() tea.Msg {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return kit.Fail{Err: fmt.Errorf("saving the request: %w", err)}
		}
		secrets, err := request.Write(path, name, []request.Saved{{Name: name, Request: r, Variables: vars, Template: isTemplate}})
		if err != nil {
			return kit.Fail{Err: err}
		}
		text := "saved as " + safe.Line(path, 120).String()
		if len(secrets) > 0 {
			text += "; to be set in the environment: " + safe.Line(strings.ToUpper(strings.Join(secrets, ", ")), 120).String()
		}
		return kit.Toast{Text: text}
	}
}

func (v *screen) askOpen() tea.Cmd {
	curl := func(text string) tea.Cmd {
		if !isCurl(text) {
			return nil
		}
		return v.paste(text)
	}
	return v.put(&question{label: "OPEN", lines: curl, help: "a file of saved requests, as S writes it; or paste a curl command", done: func(path string) (tea.Cmd, bool) {
		if path = strings.TrimSpace(path); path == "" {
			return nil, true
		}
		if isCurl(path) {
			return v.paste(path), true
		}
		return v.openSaved(path), true
	}}, savedDir+string(filepath.Separator))
}

// unsaved is what a file of requests holds.
type unsaved struct {
	by    *screen
	path  string
	steps []step
	err   error
}

// step is one request of a file, its variables filled in as far as they are known.
type step struct {
	name string
	from origin
	req  request.Request
	err  error
}

// openSaved reads a file in the background and fills in its variables for the
// environment at hand. References to secrets stay as they are until a call is
// made: their values are not for the screen.
func (v *screen) openSaved(path string) tea.Cmd {
	env := v.s.Env().Name
	answers := v.answered(path, env)
	ctx := v.s.Context()
	return func() tea.Msg {
		out := unsaved{by: v, path: path}
		file, err := request.Load(path)
		if err != nil {
			out.err = err
			return out
		}
		rehearse(ctx, file, v.unsent(env), len(file.Steps), answers, func(n int, made *request.Request, result *request.Result) {
			s := step{name: result.Name, from: origin{path, n}, err: result.Err}
			switch {
			case made != nil:
				s.req, s.err = *made, nil
			case s.err == nil:
				s.err = errors.New(result.Error)
			}
			if s.err != nil {
				s.err = taken(file, n, s.err)
			}
			out.steps = append(out.steps, s)
		})
		return out
	}
}

// taken words an unknown variable that an earlier step's answer will have.
func taken(file *request.File, n int, err error) error {
	for i := range file.Steps[:n] {
		for _, c := range file.Steps[i].Capture {
			if strings.Contains(err.Error(), "unknown variable {{"+c.Name+"}}") {
				return &probes.Error{Target: file.Path, Op: "filling in the request", Kind: probes.ErrUsage,
					Err:  fmt.Errorf("{{%s}} is taken from an earlier answer", c.Name),
					Hint: fmt.Sprintf("send %q first, then open this one", cmp.Or(file.Steps[i].Name, fmt.Sprintf("step %d", i+1)))}
			}
		}
	}
	return err
}

// showSaved shows what a file holds; of one request, the request.
func (v *screen) showSaved(m unsaved) tea.Cmd {
	switch {
	case m.by != v:
		return nil
	case m.err != nil:
		return kit.Send(kit.Fail{Err: m.err})
	case len(m.steps) == 1:
		return v.takeSaved(m.steps[0])
	}
	p := &picker{title: "SAVED REQUESTS of " + m.path, now: -1, pick: func(i int) tea.Cmd { return v.takeSaved(m.steps[i]) }}
	for _, s := range m.steps {
		p.words = append(p.words, s.name)
		doc := s.req.Target + "/" + s.req.Method
		if s.err != nil {
			doc = strings.TrimSuffix(s.err.Error()+"; "+probes.HintOf(s.err), "; ")
		}
		p.docs = append(p.docs, doc)
	}
	return v.choose(p)
}

// takeSaved puts a saved request on screen.
func (v *screen) takeSaved(s step) tea.Cmd {
	if s.err != nil {
		return kit.Send(kit.Fail{Err: s.err})
	}
	return v.takeUp(occasion{ref: probes.Ref{Target: s.req.Target, Subject: s.req.Method}, entry: &request.Entry{Request: s.req}, from: s.from})
}
