// Command testenv starts the real servers that iscope is tested against, on
// loopback, in fresh folders, and stops them for certain.
//
//	go run ./cmd/testenv test            install what is missing, start it, run all tests, stop it
//	go run ./cmd/testenv up              start it and print a configuration for iscope
//	go run ./cmd/testenv run -- COMMAND  run any command beside the servers
//	go run ./cmd/testenv doctor          what is here, what is missing
//	go run ./cmd/testenv install core    build and fetch what is missing
//
// It uses the standard library only. What it installs is pinned below tools/,
// each as its own module, lock file, requirements or POM, so that the product's
// go.mod stays clean. Built servers are kept in the user's cache folder under the
// hash of what they were built from.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `usage: go run ./cmd/testenv VERB [flags] [NAME ...] [-- COMMAND]

  test      install, start, go test -race ./..., stop; -- ARGS replaces the arguments of go test
  run       start what is installed and run COMMAND beside it
  up        start what is installed and wait; prints a configuration for iscope
  install   build and fetch what is missing
  doctor    say what is here, what is missing and what installs it
  bench     run iscope and its peers side by side, write a table; -h lists its flags

NAME is a server or a profile: core (required in CI), peers, mesh, all.

flags:
  -profile a,b   only these; without it install takes core, test takes core and
                 what else is installed, the others take all
  -require a,b   fail where one of these is missing, or a test is skipped without leave
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "testenv: interrupted; nothing is left running")
		os.Exit(130)
	case errors.As(err, &exit):
		os.Exit(exit.ExitCode())
	case err != nil:
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("a verb is needed")
	}
	fs := flag.NewFlagSet("testenv", flag.ContinueOnError)
	fs.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	profile := fs.String("profile", "", "")
	require := fs.String("require", "", "")
	verb, names, command := args[0], args[1:], []string(nil)
	for i, a := range names {
		if a == "--" {
			names, command = names[:i], names[i+1:]
			break
		}
	}
	if verb == "bench" {
		return runBench(ctx, names)
	}
	if err := fs.Parse(names); err != nil {
		return err
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	chosen := strings.Trim(strings.Join(append(fs.Args(), *profile), ","), ",")
	more := chosen == ""
	if more && (verb == "test" || verb == "install") {
		chosen = core
	}
	b, err := newBed(root, servers(), chosen, *require)
	if err != nil {
		return err
	}
	b.more = more
	switch verb {
	case "doctor":
		return b.doctor(os.Stdout)
	case "install":
		return errors.Join(b.install(ctx)...)
	case "up":
		return b.up(ctx)
	case "run":
		if len(command) == 0 {
			return errors.New("run needs a command after --")
		}
		return b.beside(ctx, func() error { return b.command(ctx, command).Run() })
	case "test":
		return b.test(ctx, command)
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("unknown verb %q", verb)
}

// beside starts the servers, does something, and stops them. When it failed, the
// servers' logs are kept.
func (b *bed) beside(ctx context.Context, do func() error) error {
	if err := b.start(ctx); err != nil {
		b.stop(true)
		return err
	}
	b.printVersions(os.Stdout)
	err := errors.Join(do(), b.died())
	b.stop(err != nil)
	return err
}

// command is a process that knows where the servers are. It is interrupted, not
// killed, when ctx ends, so that it can clean up.
func (b *bed) command(ctx context.Context, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = b.root
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), envFile+"="+b.file, envRequire+"="+strings.Join(b.require, ","))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * grace
	return cmd
}

// up keeps the servers running until interrupted.
func (b *bed) up(ctx context.Context) error {
	return b.beside(ctx, func() error {
		fmt.Printf("\n  go run ./cmd/iscope --config %s\n\naddresses for tests: %s=%s\nrunning until interrupted\n", b.config, envFile, b.file)
		<-ctx.Done()
		return nil
	})
}
