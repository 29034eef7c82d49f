package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// The contract with the tests: see probes/probetest/need.go, which this program
// does not import because it uses the standard library only.
const (
	envFile    = "ISCOPE_TESTENV"
	envRequire = "ISCOPE_REQUIRE"
)

type answer struct {
	OK        bool              `json:"ok"`
	Version   string            `json:"version,omitempty"`
	Addresses map[string]string `json:"addresses,omitempty"`
	Reason    string            `json:"reason,omitempty"`
}

// bed is one run of the chosen servers.
type bed struct {
	root    string // the repository
	cache   string // where installed servers are kept
	all     []*server
	chosen  []*server // in the order of all, with what they need
	more    bool      // whatever else is installed may be started too
	require []string
	dir     string // data and logs of this run
	file    string // the JSON for the tests
	config  string // an iscope.yaml with all that has a driver
	ports   ports
	control *control

	mu      sync.Mutex
	answers map[string]answer
	running []*process
}

// newBed chooses servers by names of servers and profiles, comma separated.
func newBed(root string, all []*server, chosen, require string) (*bed, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	b := &bed{root: root, cache: filepath.Join(cache, "iscope-testenv"), all: all, answers: map[string]answer{}}
	names, err := b.expand(chosen)
	if err != nil {
		return nil, err
	}
	if b.require, err = b.expand(require); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names, _ = b.expand("all")
	} else {
		names = append(names, b.require...)
	}
	b.chosen = b.withNeeded(names)
	return b, nil
}

// expand turns names of servers and profiles into names of servers.
func (b *bed) expand(list string) (names []string, err error) {
	for _, word := range strings.Split(list, ",") {
		before := len(names)
		for _, s := range b.all {
			if word == s.name || word == s.profile || word == "all" {
				names = append(names, s.name)
			}
		}
		if len(names) == before && word != "" {
			return nil, fmt.Errorf("no server or profile %q; there are core, peers, mesh, all and %s", word, strings.Join(b.names(), ", "))
		}
	}
	return names, nil
}

func (b *bed) names() (names []string) {
	for _, s := range b.all {
		names = append(names, s.name)
	}
	return names
}

// withNeeded returns the named servers and those that they run after.
func (b *bed) withNeeded(names []string) []*server {
	wanted := map[string]bool{}
	for len(names) > 0 {
		name := names[0]
		names = names[1:]
		for _, s := range b.all {
			if s.name == name && !wanted[name] {
				wanted[name] = true
				names = append(names, s.after...)
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(b.all), func(s *server) bool { return !wanted[s.name] })
}

// findRoot walks up to the repository, so that the command works from any of
// its folders.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module iscope\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("run this inside a checkout of iscope")
		}
		dir = parent
	}
}

func (b *bed) toolDir(s *server) string {
	return filepath.Join(b.root, "cmd", "testenv", "tools", s.tool)
}

// start starts all chosen servers at once. One that does not come up is an
// answer with a reason, not a failure, unless it is required. Call stop also
// after an error.
func (b *bed) start(ctx context.Context) (err error) {
	sweepRuns()
	if b.dir, err = os.MkdirTemp("", fmt.Sprint(runs, os.Getpid(), "-")); err != nil {
		return err
	}
	if b.control, err = newControl(ctx, b); err != nil {
		return err
	}
	b.startAll(ctx)
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, name := range b.require {
		if a := b.answers[name]; !a.OK {
			return fmt.Errorf("required server %s: %s", name, a.Reason)
		}
	}
	if b.config, err = b.writeConfig(); err != nil {
		return err
	}
	b.answers["testenv"].Addresses["config"] = b.config
	b.file = filepath.Join(b.dir, "servers.json")
	content, err := json.MarshalIndent(b.answers, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(b.file, content, 0o600)
}

// runs begins the names of the folders of runs; the process's number follows.
const runs = "iscope-testenv-"

// sweepRuns removes the folders of runs that were killed.
func sweepRuns() {
	old, _ := filepath.Glob(filepath.Join(os.TempDir(), runs+"*-*"))
	for _, dir := range old {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), runs), "-")
		if pid, err := strconv.Atoi(number); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
}

func (b *bed) startAll(ctx context.Context) {
	up := map[string]chan struct{}{}
	for _, s := range b.chosen {
		up[s.name] = make(chan struct{})
	}
	var wait sync.WaitGroup
	for _, s := range b.chosen {
		wait.Go(func() {
			defer close(up[s.name])
			for _, first := range s.after {
				<-up[first] // closed in any case: start has a time limit
			}
			a := b.startOne(ctx, s)
			b.mu.Lock()
			defer b.mu.Unlock()
			b.answers[s.name] = a
		})
	}
	wait.Wait()
}

// startOne tries again with other ports when a server does not come up: one may
// have been taken between asking and binding.
func (b *bed) startOne(ctx context.Context, s *server) answer {
	var err error
	for range 2 {
		var i *instance
		if i, err = b.prepare(ctx, s); err != nil {
			break // not for want of a port
		}
		if i.plan.argv == nil {
			return i.answer()
		}
		if err = i.launch(ctx); err == nil {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.running = append(b.running, i.proc)
			return i.answer()
		}
		if ctx.Err() != nil {
			break
		}
	}
	return answer{Reason: err.Error()}
}

// died reports servers that ended while they were needed.
func (b *bed) died() error {
	var errs []error
	for _, p := range b.running {
		select {
		case <-p.done:
			errs = append(errs, fmt.Errorf("%s ended during the run: %v", p.name, p.cmd.ProcessState))
		default:
		}
	}
	return errors.Join(errs...)
}

// stop stops everything, keeping the logs if asked to.
func (b *bed) stop(keepLogs bool) {
	if b.control != nil {
		b.control.close()
	}
	var wait sync.WaitGroup
	for _, p := range b.running {
		wait.Go(p.stop)
	}
	wait.Wait()
	if keepLogs && len(b.running) > 0 {
		b.keepLogs()
	}
	os.RemoveAll(b.dir)
}

// keepLogs moves the logs out of the folder that is about to be removed.
func (b *bed) keepLogs() {
	dir, err := os.MkdirTemp("", runs+"logs-")
	for _, p := range b.running {
		err = errors.Join(err, copyFile(p.log, filepath.Join(dir, p.name+".log")))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv: keeping the logs:", err)
		return
	}
	fmt.Fprintln(os.Stderr, "testenv: the servers' logs are in", dir)
}

func (b *bed) printVersions(w io.Writer) {
	for _, s := range b.all {
		a, started := b.answers[s.name]
		switch {
		case a.OK:
			fmt.Fprintf(w, "testenv: %-10s %s\n", s.name, a.Version)
		case started:
			fmt.Fprintf(w, "testenv: %-10s missing: %s\n", s.name, a.Reason)
		}
	}
}

// writeConfig writes an iscope.yaml that shows every server.
func (b *bed) writeConfig() (string, error) {
	var y strings.Builder
	y.WriteString("environments:\n  testenv:\n    class: local\n    targets:\n")
	for _, s := range b.chosen {
		if a := b.answers[s.name]; a.OK && s.config != nil {
			for line := range strings.Lines(s.config(a.Addresses)) {
				y.WriteString("      " + line)
			}
			y.WriteString("\n")
		}
	}
	path := filepath.Join(b.dir, "iscope.yaml")
	return path, os.WriteFile(path, []byte(y.String()), 0o600)
}
