package tui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"iscope/inspectors/safe"
	"iscope/probes/topology"
	"iscope/tui/session"
)

// RunPlain is the dashboard in lines, for screen readers, logs and terminals that
// can do no more: how the targets are and what is wrong, then every change as it
// comes, until ctx ends. Nothing is drawn over, states are words.
func RunPlain(ctx context.Context, o Options) error {
	o.Session.Config = o.Config
	s, err := session.New(o.Session, o.Environment)
	if err != nil {
		return err
	}
	defer s.Close()
	return runPlain(ctx, o, s, o.Out)
}

func runPlain(ctx context.Context, o Options, s *session.Session, w io.Writer) error {
	p := &plain{w: w, s: s, now: o.kit().Now, states: map[string]string{}}
	env := s.Env()
	mode := "read-only"
	if env.Write {
		mode = "writing allowed"
	}
	p.say("environment %s, class %s, %s; %d targets", env.Name, env.Class, mode, len(s.Targets()))
	if len(s.Targets()) == 0 {
		p.say("no targets: write an iscope.yaml, or try iscope demo")
		return p.err
	}
	s.Watch()
	for p.err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.Changed():
		}
		p.changes()
		dial, stop := context.WithTimeout(ctx, session.Patience)
		s.Dial(dial) // what it finds is a change
		stop()
	}
	return p.err
}

// plain remembers what has been said.
type plain struct {
	w        io.Writer
	s        *session.Session
	now      func() time.Time
	states   map[string]string
	findings []topology.Finding
	err      error // of writing: nobody reads any more
}

func (p *plain) say(format string, args ...any) {
	text := safe.Line(fmt.Sprintf(format, args...), safe.Wide)
	if _, err := fmt.Fprintln(p.w, p.now().UTC().Format("15:04:05Z"), text); p.err == nil {
		p.err = err
	}
}

// changes says what is different from the last time.
func (p *plain) changes() {
	for _, st := range p.s.States() {
		if st.Phase != session.Unasked && st.Phase != session.Asking {
			p.state(&st)
		}
	}
	p.found(p.s.Graph().Findings)
}

func (p *plain) state(st *session.State) {
	text := st.Name + " is " + st.Phase.String()
	if st.Error != "" {
		text += ": " + st.Error
	}
	if len(st.Missing) > 0 {
		text += ", left out: " + strings.Join(st.Missing, "; ")
	}
	if p.states[st.Name] == text {
		return
	}
	p.states[st.Name] = text
	p.say("target %s", text)
	if st.Hint != "" {
		p.say("to do for %s: %s", st.Name, st.Hint)
	}
}

func (p *plain) found(findings []topology.Finding) {
	for i := range findings {
		if f := &findings[i]; !has(p.findings, f) {
			p.say("found %s, %s: %s", f.Severity, f.Kind, f.Text)
		}
	}
	for i := range p.findings {
		if f := &p.findings[i]; !has(findings, f) {
			p.say("gone %s, %s: %s", f.Severity, f.Kind, f.Text)
		}
	}
	p.findings = findings
}

// has looks for the same finding. Its text is left out: numbers in it change all
// the time, and a screen reader would read every one.
func has(in []topology.Finding, f *topology.Finding) bool {
	return slices.ContainsFunc(in, func(x topology.Finding) bool {
		return x.Kind == f.Kind && x.Severity == f.Severity && x.Node == f.Node && x.Target == f.Target
	})
}
