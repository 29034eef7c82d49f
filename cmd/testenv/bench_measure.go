package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// measureVerb makes this program run another one and say what it took. That is a
// process of its own because the kernel counts the memory of whoever starts a
// program as that program's own peak, until it has used more; this one stays
// smaller than anything it measures.
const measureVerb = "measure"

// sample is what one measurement took.
type sample struct {
	CPU   time.Duration // user and system
	Wall  time.Duration
	RSS   int64 // peak, in bytes, of the largest process
	bytes int64 // written to standard output
	// Backlog is the most that was seen waiting for a tool that is fed.
	Backlog int
}

// measureOptions say how a tool is run.
type measureOptions struct {
	times int // in a row
	// interrupt ends each run with SIGINT when it has written something: Wall is then
	// the longest time from there to its end.
	interrupt bool
	file      string // new, for its standard output
}

// measure runs a command.
func (s *benchSite) measure(ctx context.Context, argv []string, o measureOptions) (m sample, err error) {
	out, err := os.OpenFile(o.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return m, err
	}
	defer out.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return m, err
	}
	defer read.Close()
	var said bytes.Buffer
	flags := []string{"-times", fmt.Sprint(o.times), fmt.Sprint("-interrupt=", o.interrupt)}
	cmd := exec.CommandContext(ctx, s.measurer[0], slices.Concat(s.measurer[1:], flags, argv)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = s.dir, out, &said, []*os.File{write}
	// No configuration of whoever runs the bench may play a part.
	cmd.Env = append(os.Environ(), "ISCOPE_CONFIG=", "XDG_CONFIG_HOME="+s.dir, "KCAT_CONFIG="+os.DevNull)
	cmd.SysProcAttr = groupOfItsOwn()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Start()
	write.Close()
	if err != nil {
		return m, err
	}
	answer, readErr := io.ReadAll(read) // ends when the process does
	if err := cmd.Wait(); err != nil {
		return m, fmt.Errorf("%w: %s", err, bytes.TrimSpace(lastBytes(said.Bytes())))
	}
	if err := errors.Join(readErr, json.Unmarshal(answer, &m)); err != nil {
		return m, err
	}
	info, err := out.Stat()
	if err == nil {
		m.bytes = info.Size()
	}
	return m, err
}

// measureChild is the other side: it answers on file descriptor 3.
func measureChild(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet(measureVerb, flag.ContinueOnError)
	times, interrupt := fs.Int("times", 1, ""), fs.Bool("interrupt", false, "")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return errors.New("measure needs a command")
	}
	const answer = 3
	syscall.CloseOnExec(answer) // it is none of the tool's business
	var m sample
	for range *times {
		cmd := exec.CommandContext(ctx, fs.Arg(0), fs.Args()[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if *interrupt {
			took, err := runInterrupted(ctx, cmd)
			if err != nil {
				return err
			}
			m.Wall = max(m.Wall, took)
		} else {
			began := time.Now()
			if err := cmd.Run(); err != nil {
				return err
			}
			m.Wall += time.Since(began)
		}
		m.CPU += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			m.RSS = max(m.RSS, peakBytes(usage))
		}
	}
	return json.NewEncoder(os.NewFile(answer, "answer")).Encode(m)
}

// runInterrupted ends a command that has written something to standard output,
// and returns how long that took. Its exit code is its own business.
func runInterrupted(ctx context.Context, cmd *exec.Cmd) (time.Duration, error) {
	before, err := os.Stdout.Stat()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for wrote := false; !wrote; {
		select {
		case err := <-ended:
			return 0, fmt.Errorf("ended before it was told to: %w", errors.Join(err, ctx.Err()))
		case <-tick.C:
		}
		now, err := os.Stdout.Stat()
		if err != nil {
			return 0, errors.Join(err, cmd.Process.Kill(), <-ended)
		}
		wrote = now.Size() > before.Size()
	}
	began := time.Now()
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return 0, errors.Join(err, <-ended)
	}
	err = <-ended
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return 0, err
	}
	return time.Since(began), ctx.Err()
}

// peakBytes: Linux and the BSDs count in kB, macOS in bytes (getrusage(2)).
func peakBytes(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}

// iscopeVersion asks a binary of ours.
func iscopeVersion(ctx context.Context, path string) (string, error) {
	out, err := exec.CommandContext(ctx, path, "version", "-o", "json").Output()
	if err != nil {
		return "", fmt.Errorf("asking iscope for its version: %w", err)
	}
	var v struct{ Version, Revision string }
	if err := json.Unmarshal(out, &v); err != nil {
		return "", fmt.Errorf("asking iscope for its version: %w", err)
	}
	if v.Revision == "" {
		return v.Version, nil
	}
	return v.Version + " " + v.Revision, nil
}
