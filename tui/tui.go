// Package tui is the dashboard: a router with eight screens. It draws what the
// session knows and never talks to a system itself.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/config"
	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/screens/captures"
	"iscope/tui/screens/diagnostics"
	"iscope/tui/screens/dlq"
	"iscope/tui/screens/endpoints"
	"iscope/tui/screens/invoke"
	"iscope/tui/screens/replays"
	"iscope/tui/screens/tail"
	"iscope/tui/screens/topo"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// Options of the dashboard.
type Options struct {
	Session     session.Options
	Config      *config.Config // nil: the first-run screen
	Environment string
	NoColor     bool
	ASCII       bool
	Mouse       bool
	In, Out     *os.File
}

// Outcome is what the user wants after the dashboard has ended.
type Outcome struct {
	Demo bool // start the demo instead
}

// Run shows the dashboard until the user quits or ctx ends. The first frame is
// drawn before anything is asked of the network. The terminal is as it was when
// Run returns, also after a panic, which comes back as an error.
func Run(ctx context.Context, o Options) (Outcome, error) {
	o.Session.Config = o.Config
	var p *tea.Program
	bug := make(chan error, 1)
	o.Session.OnPanic = func(err error) {
		select {
		case bug <- err:
		default: // the first one says enough
		}
		p.Quit() // in good order, so that the terminal can be typed in
	}
	s, err := session.New(o.Session, o.Environment)
	if err != nil {
		return Outcome{}, err
	}
	defer leave(s, o.Out)
	out := newGatedWriter(o.Out)
	r := newRouter(o, s, out.idle)
	// The session watches only from the first frame on: see router.Init.
	p = tea.NewProgram(r, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(out), tea.WithFPS(framesPerSecond()))
	out.onIdle(func() { p.Send(caughtUp{}) })
	_, err = p.Run()
	out.drain(500 * time.Millisecond)
	r.close()
	select {
	case err = <-bug:
		return r.outcome, fmt.Errorf("%w: %w", ErrPanic, err)
	default:
	}
	switch {
	case errors.Is(err, tea.ErrInterrupted), ctx.Err() != nil:
		return r.outcome, ctx.Err()
	case errors.Is(err, tea.ErrProgramPanic):
		return r.outcome, fmt.Errorf("%w: %w", ErrPanic, err)
	}
	return r.outcome, err
}

// leave ends the session, and says what could not be removed or put back: when
// the last tails have ended, no screen can any more.
func leave(s *session.Session, w io.Writer) {
	s.Close()
	for _, d := range s.Left() {
		fmt.Fprintln(w, "iscope: left behind:", safe.Line(session.DeedText(d), safe.Wide))
	}
}

// ErrPanic marks a bug in the dashboard.
var ErrPanic = errors.New("the dashboard failed")

// framesPerSecond is lower over ssh, where every byte travels.
func framesPerSecond() int {
	if os.Getenv("SSH_CONNECTION") != "" {
		return 15
	}
	return 30
}

func newScreens(s *session.Session, o kit.Options) map[int]kit.Screen {
	return map[int]kit.Screen{
		kit.Topology:    topo.New(s, o),
		kit.Endpoints:   endpoints.New(s, o),
		kit.Tail:        tail.New(s, o),
		kit.Invoke:      invoke.New(s, o),
		kit.Captures:    captures.New(s, o),
		kit.Replay:      replays.New(s, o),
		kit.Diagnostics: diagnostics.New(s, o),
		kit.DeadLetters: dlq.New(s, o),
	}
}

func (o *Options) kit() kit.Options {
	now := o.Session.Now
	if now == nil {
		now = time.Now
	}
	return kit.Options{Theme: theme.Theme{NoColor: o.NoColor, ASCII: o.ASCII}, Now: now, Filters: &kit.History{}, Listings: &kit.History{}, Secrets: &kit.Secrets{}}
}
