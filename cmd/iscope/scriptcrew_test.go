package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// crew are the processes a script has running in the background. Unlike
// testscript's own, what they print can be waited for, so that a script
// interrupts a tail when it has begun and not after a while.
//
//	start NAME PROGRAM ARG…
//	await NAME stdout|stderr PATTERN [VARIABLE]   VARIABLE becomes the first group
//	urge NAME PATTERN METHOD URL FILE             call URL again and again, with N counting, until NAME prints PATTERN
//	interrupt NAME                                as Ctrl-C does
//	hangup NAME                                   close its standard input
//	ended NAME CODE                               wait; its output is in NAME.stdout and NAME.stderr
type crew struct{ members map[string]*process }

type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *watched
	stderr *watched
	done   chan struct{} // closed when it has ended and err is set
	err    error
}

// patience bounds a wait for a condition; nothing is measured with it.
const patience = 30 * time.Second

// watched keeps what was written and tells that there is more.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

// Write keeps p.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	select {
	case w.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (w *watched) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.buf.Bytes())
}

type crewKey struct{}

func startCrew(env *testscript.Env) {
	c := &crew{members: map[string]*process{}}
	env.Values[crewKey{}] = c
	env.Defer(func() {
		for _, p := range c.members {
			p.cmd.Process.Kill()
			<-p.done
		}
	})
}

func find(ts *testscript.TestScript, name string) *process {
	p := ts.Value(crewKey{}).(*crew).members[name]
	if p == nil {
		ts.Fatalf("nothing was started as %s", name)
	}
	return p
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "start NAME PROGRAM ARG…")
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	p := &process{cmd: exec.Command(path, args[2:]...), done: make(chan struct{}),
		stdout: &watched{more: make(chan struct{}, 1)}, stderr: &watched{more: make(chan struct{}, 1)}}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), p.stdout, p.stderr
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE", "ISCOPE_CONFIG", "BOOTSTRAP", "GRPC", "HTTP"} {
		p.cmd.Env = append(p.cmd.Env, name+"="+ts.Getenv(name))
	}
	p.stdin, err = p.cmd.StdinPipe()
	ts.Check(err)
	ts.Check(p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	ts.Value(crewKey{}).(*crew).members[args[0]] = p
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 3, "await NAME stdout|stderr PATTERN [VARIABLE]")
	p := find(ts, args[0])
	stream := map[string]*watched{"stdout": p.stdout, "stderr": p.stderr}[args[1]]
	if stream == nil {
		ts.Fatalf("%s is neither stdout nor stderr", args[1])
	}
	pattern, err := regexp.Compile("(?m)" + args[2])
	ts.Check(err)
	give := time.NewTimer(patience)
	defer give.Stop()
	for over := false; ; {
		if m := pattern.FindSubmatch(stream.bytes()); m != nil {
			if len(args) > 3 {
				ts.Setenv(args[3], string(m[1]))
			}
			return
		}
		if over {
			ts.Fatalf("%s never said %s\n[stdout]\n%s[stderr]\n%s", args[0], args[2], p.stdout.bytes(), p.stderr.bytes())
		}
		select {
		case <-stream.more:
		case <-p.done:
			over = true
		case <-give.C:
			over = true
		}
	}
}

// urge is for tails that tell of changes only and do not say from when on.
func urge(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 5, "urge NAME PATTERN METHOD URL FILE")
	p := find(ts, args[0])
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	for n, end := 0, time.Now().Add(patience); !pattern.Match(p.stdout.bytes()); n++ {
		if time.Now().After(end) {
			ts.Fatalf("%s never said %s\n[stdout]\n%s[stderr]\n%s", args[0], args[1], p.stdout.bytes(), p.stderr.bytes())
		}
		ts.Setenv("N", strconv.Itoa(n))
		call(ts, neg, args[2:])
		select {
		case <-p.stdout.more:
		case <-p.done:
			ts.Fatalf("%s has ended: %v\n%s", args[0], p.err, p.stderr.bytes())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "interrupt NAME")
	ts.Check(find(ts, args[0]).cmd.Process.Signal(os.Interrupt))
}

func hangup(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 1, "hangup NAME")
	ts.Check(find(ts, args[0]).stdin.Close())
}

func ended(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, neg, args, 2, "ended NAME CODE")
	p := find(ts, args[0])
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("%s goes on\n[stdout]\n%s[stderr]\n%s", args[0], p.stdout.bytes(), p.stderr.bytes())
	}
	got := 0
	var exit *exec.ExitError
	if errors.As(p.err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(p.err)
	}
	if want := number(ts, args[1]); got != want {
		ts.Fatalf("%s ended with exit code %d, want %d\n[stdout]\n%s[stderr]\n%s", args[0], got, want, p.stdout.bytes(), p.stderr.bytes())
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stdout"), p.stdout.bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".stderr"), p.stderr.bytes(), 0o600))
}
