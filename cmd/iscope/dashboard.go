package main

import (
	"context"
	"errors"
	"os"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"iscope/config"
	"iscope/inspectors"
	"iscope/probes"
	"iscope/tui"
	"iscope/tui/session"
)

// screenOpts are the flags of the dashboard alone.
type screenOpts struct{ plain, ascii, mouse bool }

// dashboard makes opening it what iscope does without a verb.
func dashboard(a *app, root *cobra.Command) {
	f := root.Flags()
	f.BoolVar(&a.screen.plain, "plain", false, "lines instead of a dashboard, for screen readers and logs")
	f.BoolVar(&a.screen.ascii, "ascii", false, "no characters beyond ASCII in the dashboard")
	f.BoolVar(&a.screen.mouse, "mouse", false, "take mouse clicks (text is then selected with shift)")
	root.RunE = func(cmd *cobra.Command, _ []string) error { return a.openDashboard(cmd.Context()) }
}

func (a *app) openDashboard(ctx context.Context) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	o := a.dashboardOptions(cfg)
	if a.screen.plain {
		return tui.RunPlain(ctx, o)
	}
	if !a.tty() || !term.IsTerminal(a.in.Fd()) || os.Getenv("TERM") == "dumb" {
		return &probes.Error{Op: "opening the dashboard", Kind: probes.ErrUsage,
			Err:  errors.New("standard input and output are not a terminal that can show it"),
			Hint: "run a verb instead (iscope topology -o json; iscope help lists them), or iscope --plain"}
	}
	outcome, err := tui.Run(ctx, o)
	if err == nil && outcome.Demo {
		return a.demo(ctx, demoOpts{seed: 1})
	}
	return err
}

func (a *app) dashboardOptions(cfg *config.Config) tui.Options {
	o := tui.Options{Config: cfg, Environment: a.env, NoColor: a.noColor || os.Getenv("NO_COLOR") != "",
		ASCII: a.screen.ascii, Mouse: a.screen.mouse, In: a.in, Out: a.out,
		Session: session.Options{Drivers: a.drivers, Write: a.write, ReadOnly: a.readOnly, CaptureDir: captureDir(),
			Redact: a.policy.Record, RedactText: a.policy.Text, Redaction: a.policy.String(), Version: version,
			Schemas: a.screenSchemas, History: a.history()}}
	if cfg != nil {
		ui := cfg.UI()
		o.NoColor, o.ASCII, o.Mouse = o.NoColor || ui.NoColor, o.ASCII || ui.ASCII, o.Mouse || ui.Mouse
		if dir := cfg.Captures().Dir; dir != "" {
			o.Session.CaptureDir = dir
		}
	}
	return o
}

// screenSchemas is setup for the dashboard, which has other places than stderr to
// say that a registry does not answer.
func (a *app) screenSchemas(from probes.Schemas, report func(error)) (inspectors.Setup, error) {
	s, err := a.setup(from)
	s.Registry.Report = report
	return s, err
}
