// Command testenv starts the real servers that iscope is tested against, on
// loopback, in fresh folders, and stops them for certain.
//
//	go run ./cmd/testenv test            install what is missing, start it, run all tests, stop it
//	go run ./cmd/testenv up              start it and print a configuration for iscope
//	go run ./cmd/testenv run -- COMMAND  run any command beside the servers
//	go run ./cmd/testenv doctor          what is here, what is missing
//	go run ./cmd/testenv install         build and fetch what is missing
//
// It uses the standard library only. What it installs is pinned below tools/,
// each as its own module, lock file or POM, so that the product's go.mod stays
// clean. Built servers are kept in the user's cache folder under the hash of
// what they were built from.
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

const usage = `usage: go run ./cmd/testenv VERB [flags] [-- COMMAND]

  test      install, start, go vet, go test -race ./..., stop
  run       start the servers and run COMMAND beside them
  up        start the servers and wait; prints a configuration for iscope
  install   build and fetch what is missing
  doctor    say what is here and what is missing

flags:
  -servers a,b   only these (default: all)
  -require a,b   fail instead of skipping where one of these is missing ("all")
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:])
	var exit *exec.ExitError
	switch {
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
	only := fs.String("servers", "", "")
	require := fs.String("require", "", "")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	bed, err := newBed(*only, *require)
	if err != nil {
		return err
	}
	switch args[0] {
	case "doctor":
		return bed.doctor()
	case "install":
		return errors.Join(bed.install(ctx)...)
	case "up":
		return bed.up(ctx)
	case "run":
		if fs.NArg() == 0 {
			return errors.New("run needs a command after --")
		}
		return bed.beside(ctx, fs.Args())
	case "test":
		return bed.test(ctx, fs.Args())
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("unknown verb %q", args[0])
}

// test runs the whole suite beside the servers. Arguments after -- replace the
// packages and flags of go test.
func (b *bed) test(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"-race", "./..."}
	}
	for _, err := range b.install(ctx) {
		fmt.Fprintln(os.Stderr, "testenv:", err)
	}
	return b.beside(ctx, append([]string{"go", "test"}, args...))
}

// beside starts the servers, runs a command with their addresses in its
// environment, and stops them.
func (b *bed) beside(ctx context.Context, argv []string) error {
	stop, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	b.printVersions()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = b.root
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), envFile+"="+b.file, envRequire+"="+strings.Join(b.require, ","))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd.Run()
}

// up keeps the servers running until interrupted.
func (b *bed) up(ctx context.Context) error {
	stop, err := b.start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	path, err := b.writeConfig()
	if err != nil {
		return err
	}
	b.printVersions()
	fmt.Printf("\n  go run ./cmd/iscope --config %s\n\nrunning until interrupted\n", path)
	<-ctx.Done()
	return nil
}
