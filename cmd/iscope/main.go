// Command iscope shows, tails, calls, captures and replays the communication
// between services: as a terminal dashboard, and verb by verb for scripts.
//
// The verbs are one file each; drivers.go lists the systems it can read;
// exit.go maps failures to exit codes.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

func main() { os.Exit(Main()) }

// Main runs the command with the process's own streams and arguments and
// returns the exit code. Tests of the verbs run it in processes of their own.
func Main() int {
	startRoomy()
	quiet()
	// Ctrl-C ends the verb in good order; a second one ends the process.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	// net/http logs what peers do wrong. It comes back as an error, too, and
	// lines that nobody sanitized have no place on a terminal.
	log.SetOutput(io.Discard)
	return run(ctx, os.Args[1:], newApp(os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line. A panic becomes exit code 70 with enough said
// to report it.
func run(ctx context.Context, args []string, a *app) (code int) {
	defer func() {
		if p := recover(); p != nil {
			code = a.crashed(p, debug.Stack())
		}
	}()
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	return a.finish(ctx, err)
}
