package tui

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"iscope/inspectors/safe"
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
	p := &plain{w: o.Out, s: s, states: map[string]string{}}
	env := s.Env()
	mode := "read-only"
	if env.Write {
		mode = "writing allowed"
	}
	p.say("environment %s, class %s, %s; %d targets", env.Name, env.Class, mode, len(s.Targets()))
	if len(s.Targets()) == 0 {
		p.say("no targets: write an iscope.yaml, or try iscope demo")
		return nil
	}
	s.Watch()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.Changed():
		}
		dial, stop := session.Bounded(s)
		s.Dial(dial)
		stop()
		p.changes()
	}
}

type plain struct {
	w        io.Writer
	s        *session.Session
	states   map[string]string
	findings []string
}

func (p *plain) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintln(p.w, time.Now().UTC().Format("15:04:05Z")+" "+safe.Line(text, safe.Wide).String())
}

// changes says what is different from the last time.
func (p *plain) changes() {
	for _, st := range p.s.States() {
		if st.Phase == session.Unasked || st.Phase == session.Asking {
			continue
		}
		text := st.Name + " is " + st.Phase.String()
		if st.Error != "" {
			text += ": " + st.Error
		}
		if len(st.Missing) > 0 {
			text += ", left out: " + strings.Join(st.Missing, "; ")
		}
		if p.states[st.Name] == text {
			continue
		}
		p.states[st.Name] = text
		p.say("target %s", text)
		if st.Hint != "" {
			p.say("  to do: %s", st.Hint)
		}
	}
	var now []string
	for _, f := range p.s.Graph().Findings {
		now = append(now, string(f.Severity)+", "+f.Kind+": "+f.Text)
	}
	for _, f := range now {
		if !slices.Contains(p.findings, f) {
			p.say("found %s", f)
		}
	}
	for _, f := range p.findings {
		if !slices.Contains(now, f) {
			p.say("gone %s", f)
		}
	}
	p.findings = now
}
