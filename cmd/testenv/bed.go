package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	servers []*server
	require []string
	dir     string // data and logs of this run
	file    string // the JSON for the tests

	mu      sync.Mutex
	answers map[string]answer
	running []*process
}

func newBed(only, require string) (*bed, error) {
	root, err := findRoot()
	if err != nil {
		return nil, err
	}
	b := &bed{root: root, servers: servers(), answers: map[string]answer{}}
	var names []string
	for _, s := range b.servers {
		names = append(names, s.name)
	}
	if only != "" {
		wanted := strings.Split(only, ",")
		if err := known(wanted, names); err != nil {
			return nil, err
		}
		b.servers = slices.DeleteFunc(b.servers, func(s *server) bool { return !slices.Contains(wanted, s.name) })
	}
	switch require {
	case "":
	case "all":
		b.require = names
	default:
		b.require = strings.Split(require, ",")
	}
	return b, known(b.require, names)
}

func known(wanted, names []string) error {
	for _, w := range wanted {
		if !slices.Contains(names, w) {
			return fmt.Errorf("no server %q; there are %s", w, strings.Join(names, ", "))
		}
	}
	return nil
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

// install builds what is missing, one after the other: each build uses all
// cores by itself.
func (b *bed) install(ctx context.Context) (errs []error) {
	for _, s := range b.servers {
		if _, err := b.ensure(ctx, s); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return append(errs, ctx.Err())
		}
	}
	return errs
}

func (b *bed) doctor() error {
	for _, s := range b.servers {
		state := "installed"
		entry, err := cacheEntry(b.toolDir(s), s.name)
		if err != nil {
			return err
		}
		if _, err := os.Stat(entry); err != nil {
			state = "not installed; run: go run ./cmd/testenv install -servers " + s.name
			if err := s.available(); err != nil {
				state = err.Error()
			}
		}
		fmt.Printf("%-10s %-16s %s\n", s.name, s.version, state)
	}
	return nil
}

// start starts all servers at once and returns how to stop them. A server that
// does not come up is an answer with a reason, not a failure, unless it is
// required.
func (b *bed) start(ctx context.Context) (stop func(), err error) {
	if b.dir, err = os.MkdirTemp("", "iscope-testenv-"); err != nil {
		return nil, err
	}
	var wait sync.WaitGroup
	for _, s := range b.servers {
		wait.Go(func() { b.startOne(ctx, s) })
	}
	wait.Wait()
	stop = func() { b.stop() }
	if err := ctx.Err(); err != nil {
		stop()
		return nil, err
	}
	for _, name := range b.require {
		if a := b.answers[name]; !a.OK {
			stop()
			return nil, fmt.Errorf("required server %s: %s", name, a.Reason)
		}
	}
	b.file = filepath.Join(b.dir, "servers.json")
	content, err := json.MarshalIndent(b.answers, "", "  ")
	if err == nil {
		err = os.WriteFile(b.file, content, 0o600)
	}
	if err != nil {
		stop()
	}
	return stop, err
}

func (b *bed) startOne(ctx context.Context, s *server) {
	a, err := b.tryStart(ctx, s)
	for range 2 { // a port may have been taken between asking and binding
		if err == nil || ctx.Err() != nil || a.Version == "" {
			break
		}
		a, err = b.tryStart(ctx, s)
	}
	if err != nil {
		a = answer{Reason: err.Error()}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answers[s.name] = a
}

// tryStart returns an answer with a Version when the server is installed, even
// if it did not come up.
func (b *bed) tryStart(ctx context.Context, s *server) (a answer, err error) {
	entry, err := cacheEntry(b.toolDir(s), s.name)
	if err != nil {
		return a, err
	}
	if _, err := os.Stat(entry); err != nil {
		if err := s.available(); err != nil {
			return a, err
		}
		return a, fmt.Errorf("not installed; run: go run ./cmd/testenv install -servers %s", s.name)
	}
	a.Version = s.version
	data, err := os.MkdirTemp(b.dir, s.name+"-")
	if err != nil {
		return a, err
	}
	p, err := s.start(ctx, &site{cache: entry, tool: b.toolDir(s), data: data})
	if err != nil {
		return a, err
	}
	proc, err := launch(p, data)
	if err != nil {
		return a, err
	}
	if err := waitReady(ctx, p.ready, proc.done); err != nil {
		proc.stop()
		return a, fmt.Errorf("%w; %s", err, proc.tail())
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = append(b.running, proc)
	return answer{OK: true, Version: s.version, Addresses: p.addresses}, nil
}

func (b *bed) stop() {
	var wait sync.WaitGroup
	for _, p := range b.running {
		wait.Go(p.stop)
	}
	wait.Wait()
	os.RemoveAll(b.dir)
}

func (b *bed) printVersions() {
	for _, s := range b.servers {
		if a := b.answers[s.name]; a.OK {
			fmt.Printf("testenv: %s %s at %s\n", s.name, a.Version, a.Addresses)
		} else {
			fmt.Printf("testenv: no %s: %s\n", s.name, a.Reason)
		}
	}
}

// writeConfig writes an iscope.yaml that shows every server.
func (b *bed) writeConfig() (string, error) {
	var y strings.Builder
	y.WriteString("environments:\n  testenv:\n    class: local\n    targets:\n")
	for _, s := range b.servers {
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
