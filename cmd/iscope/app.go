package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"iscope/config"
	"iscope/inspectors/redact"
	"iscope/probes"
)

// app is what all verbs share: the streams, the flags that every verb takes, and
// the way from a name on the command line to an open target.
type app struct {
	in       *os.File
	out, err *os.File
	drivers  []probes.Driver
	policy   *redact.Policy // what captures, logs and errors leave out

	// Flags of the root command.
	configPath string
	env        string
	output     string // "", "json", "text"
	write      bool
	readOnly   bool
	noColor    bool
	screen     screenOpts
	spot       onTheSpot // flags of verbs that take a target
	forgetful  bool      // calls are not kept in the history: the demo's tour

	loading sync.Mutex     // a capture resolves its targets at once
	cfg     *config.Config // loaded once, by load
}

func newApp(in, out, errOut *os.File) *app {
	return &app{in: in, out: out, err: errOut, drivers: drivers(), policy: redact.NewPolicy()}
}

// tty reports whether people read what we print.
func (a *app) tty() bool { return term.IsTerminal(a.out.Fd()) }

// json reports whether output is JSON lines: when asked for, and whenever a
// program reads it.
func (a *app) json() bool {
	if a.output == "" {
		return !a.tty()
	}
	return a.output == "json"
}

// note says something to the person beside the output proper. It stays quiet
// when nobody watches.
func (a *app) note(format string, args ...any) {
	if term.IsTerminal(a.err.Fd()) {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// warn says on stderr what must not be missed, watched or not.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintln(a.err, "iscope: "+a.clean(fmt.Sprintf(format, args...)))
}

// load finds and loads the configuration. nil without an error means that there
// is none.
func (a *app) load() (*config.Config, error) {
	a.loading.Lock()
	defer a.loading.Unlock()
	if a.cfg != nil {
		return a.cfg, nil
	}
	at, err := config.Find(a.configPath, os.Getenv)
	if err != nil || at.Origin == config.FromNowhere {
		return nil, err
	}
	a.cfg, err = config.Load(at, a.drivers)
	return a.cfg, err
}

// environment returns the one that --env names, or the default.
func (a *app) environment(cfg *config.Config) (probes.Environment, error) {
	e, err := cfg.Environment(a.env)
	return a.mode(e), err
}

// mode applies --write and --read-only to an environment.
func (a *app) mode(e probes.Environment) probes.Environment {
	e.Write = (e.Write || a.write) && !a.readOnly
	return e
}

// target resolves what stands on the command line: a configured name, with a
// subject after the first slash, or a URL.
func (a *app) target(arg string) (probes.Target, string, error) {
	if probes.IsURL(arg) {
		t, subject, err := probes.ParseURL(a.drivers, arg)
		t.Environment = a.mode(t.Environment)
		return t, subject, err
	}
	cfg, err := a.load()
	if err != nil {
		return probes.Target{}, "", err
	}
	if cfg == nil {
		return probes.Target{}, "", &probes.Error{Target: arg, Op: "reading the target", Kind: probes.ErrUsage,
			Err:  errors.New("there is no configuration that could define it"),
			Hint: "give a URL such as kafka://127.0.0.1:9092/topic, or a file with --config"}
	}
	env, err := a.environment(cfg)
	if err != nil {
		return probes.Target{}, "", err
	}
	ref := probes.ParseRef(arg)
	t, err := cfg.Target(env.Name, ref.Target)
	t.Environment = env
	return t, ref.Subject, err
}

// open resolves and opens a target. The caller closes it.
func (a *app) open(ctx context.Context, arg string) (*probes.Conn, string, error) {
	t, subject, err := a.target(arg)
	if err != nil {
		return nil, "", err
	}
	if err := a.spot.apply(a.drivers, &t); err != nil {
		return nil, "", err
	}
	conn, err := probes.Open(ctx, a.drivers, t)
	return conn, subject, err
}

// all opens every target of the environment, for verbs that were given none.
func (a *app) all(ctx context.Context) ([]*probes.Conn, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	if cfg == nil {
		return nil, &probes.Error{Op: "looking for targets", Kind: probes.ErrUsage,
			Err:  errors.New("no target was given and there is no configuration"),
			Hint: "name a target, or pass --config, or try: iscope demo"}
	}
	env, err := a.environment(cfg)
	if err != nil {
		return nil, err
	}
	return a.each(ctx, cfg.TargetNames(env.Name))
}

// some opens the targets named, or all of the environment.
func (a *app) some(ctx context.Context, args []string) ([]*probes.Conn, error) {
	if len(args) == 0 {
		return a.all(ctx)
	}
	return a.each(ctx, args)
}

func (a *app) each(ctx context.Context, args []string) ([]*probes.Conn, error) {
	var conns []*probes.Conn
	for _, arg := range args {
		conn, _, err := a.open(ctx, arg)
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, conn)
	}
	return conns, nil
}

func closeAll(conns []*probes.Conn) {
	for _, c := range conns {
		c.Close()
	}
}

// captureDir is where captures made in the dashboard go: the user's state
// folder (XDG Base Directory Specification).
func captureDir() string {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "captures"
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "iscope", "captures")
}

// args checks the number of arguments with a message that shows the usage line.
func args(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, got []string) error {
		if len(got) >= least && (most < 0 || len(got) <= most) {
			return nil
		}
		return usageError(cmd, fmt.Errorf("%d arguments given", len(got)))
	}
}

func usageError(cmd *cobra.Command, err error) error {
	return &probes.Error{Op: "reading the command line", Kind: probes.ErrUsage, Err: err,
		Hint: "usage: " + cmd.UseLine()}
}

// stdin reads a document given as "-" or "@file", or returns it as it is.
func (a *app) document(arg string) ([]byte, error) {
	switch {
	case arg == "-" || arg == "@-":
		return io.ReadAll(a.in)
	case len(arg) > 1 && arg[0] == '@':
		b, err := os.ReadFile(arg[1:])
		if err != nil {
			return nil, &probes.Error{Op: "reading the request", Kind: probes.ErrUsage, Err: err}
		}
		return b, nil
	}
	return []byte(arg), nil
}
