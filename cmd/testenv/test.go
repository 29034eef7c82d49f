package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// test installs what the profile asks for, starts that and whatever else is
// installed, and runs the whole suite beside it. Arguments replace the packages
// and flags of go test.
func (b *bed) test(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"-race", "./..."}
	}
	allowed, err := readAllowed(filepath.Join(b.root, "cmd", "testenv", "skips.txt"))
	if err != nil {
		return err
	}
	for _, err := range b.install(ctx) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "testenv:", err)
		}
	}
	if b.more {
		b.chosen = b.withNeeded(append(nameAll(b.chosen), b.alreadyHere()...))
	}
	return b.beside(ctx, func() error { return b.goTest(ctx, args, allowed) })
}

func nameAll(servers []*server) (names []string) {
	for _, s := range servers {
		names = append(names, s.name)
	}
	return names
}

// alreadyHere are the servers that need no installing, nor does what they run
// after.
func (b *bed) alreadyHere() (names []string) {
	for _, s := range b.all {
		_, err := b.installed(s)
		if err == nil && !slices.ContainsFunc(s.after, func(first string) bool { return !slices.Contains(names, first) }) {
			names = append(names, s.name)
		}
	}
	return names
}

// goTest runs go test and reports in this order: what fails, as it happens; the
// servers it talked to; what was skipped and why; and at last the test runner's
// own closing lines.
func (b *bed) goTest(ctx context.Context, args []string, allowed []leave) error {
	cmd := b.command(ctx, append([]string{"go", "test", "-json"}, args...))
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r := newReport(os.Stdout)
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			r.add(bytes.TrimSpace(line))
		}
		if err != nil {
			break
		}
	}
	err = cmd.Wait()
	fmt.Println()
	b.printVersions(os.Stdout)
	unexcused := r.printSkips(os.Stdout, allowed, b.missing)
	r.printClosing(os.Stdout)
	if err == nil && len(b.require) > 0 && unexcused > 0 {
		return fmt.Errorf("%d tests were skipped without a reason in cmd/testenv/skips.txt", unexcused)
	}
	return err
}

// missing reports whether a server did not run and was not required.
func (b *bed) missing(name string) bool { a, asked := b.answers[name]; return asked && !a.OK || !asked }

// leave is a line of skips.txt: a test that may be skipped.
type leave struct {
	server  string // only while this one is missing; "-" always
	test    string // package.Test, a trailing * stands for any rest
	because string
}

// readAllowed reads lines of three fields; # begins a comment.
func readAllowed(path string) (list []leave, err error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := 0
	for line := range strings.Lines(string(content)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if len(f) < 3 {
			return nil, fmt.Errorf("%s:%d: want a server or -, a test, and a reason", path, n)
		}
		list = append(list, leave{f[0], f[1], strings.Join(f[2:], " ")})
	}
	return list, nil
}

func (l leave) covers(test string, missing func(string) bool) bool {
	if l.server != "-" && !missing(l.server) {
		return false
	}
	if prefix, any := strings.CutSuffix(l.test, "*"); any {
		return strings.HasPrefix(test, prefix)
	}
	return test == l.test
}
