package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// builder is handed to a server's build.
type builder struct {
	tool string // the folder with the pins
	dir  string // to build into
}

// run runs a command and returns its output only when it failed.
func (b *builder) run(ctx context.Context, dir string, env []string, argv ...string) error {
	return quiet(ctx, dir, env, argv...)
}

// quiet runs a command in a group of its own, so that what it started ends with
// it when ctx does.
func quiet(ctx context.Context, dir string, env []string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.SysProcAttr = groupOfItsOwn()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	// Not wrapped: an exit status in the chain would pass for that of a test run.
	return fmt.Errorf("%s: %v\n%s", strings.Join(argv[:min(3, len(argv))], " "), err, lastBytes(out))
}

// entry is the folder for what is built from a server's pins with this Go. Other
// pins give another folder, so an entry never needs to be updated.
func (b *bed) entry(s *server) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	err := filepath.WalkDir(b.toolDir(s), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", d.Name(), len(content), content)
		return err
	})
	return filepath.Join(b.cache, s.name+"-"+hex.EncodeToString(sum.Sum(nil)[:8])), err
}

// installed returns where a server is, or why it cannot be started and what
// would change that.
func (b *bed) installed(s *server) (entry string, err error) {
	if s.build == nil {
		return "", s.available(false)
	}
	if entry, err = b.entry(s); err != nil {
		return "", err
	}
	if _, err := os.Stat(entry); err == nil {
		return entry, s.available(false)
	}
	if err := s.available(true); err != nil {
		return "", err
	}
	return "", fmt.Errorf("not installed; run: go run ./cmd/testenv install %s", s.name)
}

// install gets what is missing. Go builds use all cores by themselves and come
// one after the other; what is mostly downloaded goes on beside them.
func (b *bed) install(ctx context.Context) (errs []error) {
	if err := b.installPackages(ctx); err != nil {
		errs = append(errs, err)
	}
	b.sweep()
	var mu sync.Mutex
	lane := func(golang bool) {
		for _, s := range b.chosen {
			if slices.Contains(s.builds, "go") != golang || ctx.Err() != nil {
				continue
			}
			if err := b.ensure(ctx, s); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		}
	}
	var wait sync.WaitGroup
	wait.Go(func() { lane(true) })
	wait.Go(func() { lane(false) })
	wait.Wait()
	return append(errs, ctx.Err())
}

// half marks folders of builds that are not finished. None is ever trusted.
const half = "-half-"

// sweep removes what builds that were killed have left behind.
func (b *bed) sweep() {
	old, _ := filepath.Glob(filepath.Join(b.cache, "*"+half+"*"))
	for _, dir := range old {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 2*time.Hour {
			os.RemoveAll(dir)
		}
	}
}

// ensure builds a server unless its cache entry exists. An entry appears by a
// rename when it is whole, so a build that was cut off leaves nothing that
// would be trusted.
func (b *bed) ensure(ctx context.Context, s *server) error {
	if _, err := b.installed(s); err == nil {
		return nil
	}
	if err := s.available(true); err != nil {
		return err
	}
	entry, err := b.entry(s)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(b.cache, 0o755); err != nil {
		return err
	}
	if err := enoughDisk(b.cache, s.disk); err != nil {
		return fmt.Errorf("installing %s: %w", s.name, err)
	}
	dir, err := os.MkdirTemp(b.cache, s.name+half)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(os.Stderr, "testenv: installing %s %s …\n", s.name, s.version)
	began := time.Now()
	if err := s.build(ctx, &builder{tool: b.toolDir(s), dir: dir}); err != nil {
		return fmt.Errorf("installing %s: %w\nnothing of it was kept; once the cause is gone, run: go run ./cmd/testenv install %s", s.name, err, s.name)
	}
	if err := os.Rename(dir, entry); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	fmt.Fprintf(os.Stderr, "testenv: installed %s in %s\n", s.name, time.Since(began).Round(time.Second))
	return nil
}

// enoughDisk refuses to begin what would fill the disk half-way.
func enoughDisk(dir string, needMB int) error {
	freeMB, err := freeDisk(dir)
	if err != nil || freeMB >= needMB {
		return nil // where it cannot be asked, the build will tell
	}
	return fmt.Errorf("%d MB needed while it is built, %d MB free in %s; free some, or point XDG_CACHE_HOME, GOCACHE and GOMODCACHE at a larger disk", needMB, freeMB, dir)
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
