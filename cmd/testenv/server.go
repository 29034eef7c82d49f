package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// server is one real system: how to get it, start it and know that it is ready.
type server struct {
	name    string
	version string   // "" where Debian decides: start says it then
	profile string   // core, peers or mesh
	needs   []string // programs on PATH, or files, that it runs with
	builds  []string // those that only its install takes
	// packages are the Debian packages that bring both. They are installed where
	// this program may.
	packages []string
	// disk is how much room the install takes while it is made, in MB: build
	// caches included.
	disk int
	// tool is the folder below tools/ whose files pin the install, "" if nothing
	// has to be built.
	tool string
	// build makes the server in b.dir, an empty folder that becomes the cache
	// entry when it returns nil.
	build func(ctx context.Context, b *builder) error
	// after are the servers that must run before this one is started.
	after []string
	// start prepares and describes the process. It is nil for a program that
	// tests run by themselves: binary says where it is then.
	start  func(ctx context.Context, s *site) (plan, error)
	binary func(s *site) string
	// config is the target in iscope.yaml that shows it, nil if no driver does.
	config func(addresses map[string]string) string
}

// site is where one server runs.
type site struct {
	cache string // what was installed
	tool  string // tools/<tool>
	data  string // a fresh folder, also the process's working directory
	// others are the addresses of the servers named in after.
	others map[string]map[string]string
	ports  *ports
}

// plan is a process to start.
type plan struct {
	argv      []string
	env       []string
	version   string // if it is not known before
	addresses map[string]string
	ready     func(ctx context.Context) error // nil when it answers
}

// freePorts returns n loopback ports for this server alone.
func (s *site) freePorts(n int) ([]int, error) { return s.ports.take(n) }

func (s *site) freePort() (int, error) {
	taken, err := s.ports.take(1)
	if err != nil {
		return 0, err
	}
	return taken[0], nil
}

// tcpReady is ready when something accepts.
func tcpReady(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
}

// httpReady is ready when a GET answers 200 and the body satisfies ok.
func httpReady(url string, ok func(body string) bool) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		body := make([]byte, 4096)
		n, _ := resp.Body.Read(body)
		if resp.StatusCode != http.StatusOK || ok != nil && !ok(string(body[:n])) {
			return fmt.Errorf("%s answers %s", url, resp.Status)
		}
		return nil
	}
}

// waitReady asks until the server is ready, has died or time is up.
func waitReady(ctx context.Context, ready func(context.Context) error, died <-chan struct{}) error {
	ctx, stop := context.WithTimeout(ctx, 90*time.Second)
	defer stop()
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := ready(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-died:
			return errors.New("it ended while starting")
		case <-ctx.Done():
			return fmt.Errorf("not ready in time: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
