package invoke

import (
	"context"
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
	return func() tea.Msg {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return kit.Fail{Err: fmt.Errorf("saving the request: %w", err)}
		}
		secrets, err := request.Write(path, name, []request.Saved{{Name: name, Request: r}})
		if err != nil {
			return kit.Fail{Err: err}
		}
		text := "saved as " + safe.Line(path, 120).String()
		if len(secrets) > 0 {
			text += "; to be set in the environment: " + safe.Line(strings.Join(secrets, ", "), 120).String()
		}
		return kit.Toast{Text: text}
	}
}

func (v *screen) askOpen() tea.Cmd {
	return v.put(&question{label: "OPEN", help: "a file of saved requests, as S writes it", done: func(path string) (tea.Cmd, bool) {
		if path = strings.TrimSpace(path); path == "" {
			return nil, true
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
	req  request.Request
	err  error
}

// openSaved reads a file in the background and fills in its variables for the
// environment at hand. References to secrets stay as they are: their values are
// not for the screen.
func (v *screen) openSaved(path string) tea.Cmd {
	env := v.s.Env().Name
	return func() tea.Msg {
		out := unsaved{by: v, path: path}
		file, err := request.Load(path)
		if err != nil {
			out.err = err
			return out
		}
		var made *request.Request
		run := request.Runner{Environment: env, Getenv: os.Getenv, KeepGoing: true,
			Resolve: func(_, text string) (string, error) { return text, nil },
			Judge:   func(context.Context, string, *probes.Record) (bool, error) { return true, nil },
			Call: func(_ context.Context, r *request.Request, _ bool) (*request.Answer, error) {
				made = r
				return &request.Answer{}, nil
			}}
		for result := range run.Run(v.s.Context(), file) {
			s := step{name: result.Name, err: result.Err}
			if made != nil {
				s.req, s.err = *made, nil
			} else if s.err == nil {
				s.err = fmt.Errorf("%s", result.Error)
			}
			made = nil
			out.steps = append(out.steps, s)
		}
		return out
	}
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
			doc = s.err.Error()
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
	return v.takeUp(occasion{ref: probes.Ref{Target: s.req.Target, Subject: s.req.Method}, entry: &request.Entry{Request: s.req}})
}
