package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
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

func quiet(ctx context.Context, dir string, env []string, argv ...string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	const last = 2000
	if len(out) > last {
		out = append([]byte("…"), out[len(out)-last:]...)
	}
	return fmt.Errorf("%s: %w\n%s", strings.Join(argv[:min(3, len(argv))], " "), err, out)
}

// cacheEntry is the folder for what is built from a tool's pins with this Go.
// Other pins give another folder, so an entry never needs to be updated.
func cacheEntry(toolDir, name string) (string, error) {
	sum := sha256.New()
	fmt.Fprintln(sum, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	err := filepath.WalkDir(toolDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", d.Name(), len(content), content)
		return err
	})
	if err != nil {
		return "", err
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(base, "iscope-testenv", name+"-"+hex.EncodeToString(sum.Sum(nil)[:8])), nil
}

// ensure builds a server unless its cache entry exists. An entry appears by a
// rename when it is whole, so a build that was cut off leaves nothing that
// would be trusted.
func (b *bed) ensure(ctx context.Context, s *server) (string, error) {
	entry, err := cacheEntry(b.toolDir(s), s.name)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(entry); err == nil {
		return entry, nil
	}
	if err := s.available(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(entry), 0o755); err != nil {
		return "", err
	}
	half, err := os.MkdirTemp(filepath.Dir(entry), s.name+"-half-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(half)
	fmt.Fprintf(os.Stderr, "testenv: installing %s %s …\n", s.name, s.version)
	began := time.Now()
	if err := s.build(ctx, &builder{tool: b.toolDir(s), dir: half}); err != nil {
		return "", fmt.Errorf("installing %s: %w", s.name, err)
	}
	if err := os.Rename(half, entry); err != nil {
		return "", err
	}
	fmt.Fprintf(os.Stderr, "testenv: installed %s in %s\n", s.name, time.Since(began).Round(time.Second))
	return entry, nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
