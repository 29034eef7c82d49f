package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script is a server that is a shell script. It says "up" on its first line of
// output when it is ready.
func script(name, text string, after ...string) *server {
	return &server{name: name, version: "1", profile: core, needs: []string{"sh"}, after: after,
		start: func(_ context.Context, s *site) (plan, error) {
			port, err := s.freePort()
			env := []string{"PORT=" + fmt.Sprint(port)}
			for name, a := range s.others {
				env = append(env, name+"="+a["addr"])
			}
			log := filepath.Join(s.data, "log.txt")
			return plan{argv: []string{"sh", "-c", text}, env: env, addresses: map[string]string{"addr": loopback(port), "data": s.data},
				ready: func(context.Context) error {
					b, err := os.ReadFile(log)
					if err == nil && !strings.Contains(string(b), "up") {
						err = fmt.Errorf("not up")
					}
					return err
				}}, err
		}}
}

func testBed(t *testing.T, require string, all ...*server) *bed {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "cmd", "testenv", "tools", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := newBed(root, all, "", require)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// gone waits until no process of the group whose head has that pid is left.
func gone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if syscall.Kill(-pid, 0) == syscall.ESRCH {
			return
		}
	}
	t.Errorf("processes of group %d are left running", pid)
}

func leftovers(t *testing.T) []string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "iscope-testenv-*"))
	if err != nil {
		t.Fatal(err)
	}
	return left
}

func TestServersStartInOrderAndStop(t *testing.T) {
	b := testBed(t, "", script("second", `echo "up after $first"; exec sleep 100`, "first"), script("first", "echo up; sleep 100 & sleep 100"))
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := b.answers["first"].Addresses["addr"]
	log, err := os.ReadFile(filepath.Join(b.answers["second"].Addresses["data"], "log.txt"))
	if err != nil || !strings.Contains(string(log), "up after "+addr) {
		t.Errorf("second was not told of first at %s: %q %v", addr, log, err)
	}
	var pids []int
	for _, p := range b.running {
		pids = append(pids, p.cmd.Process.Pid)
	}
	b.stop(false)
	for _, pid := range pids {
		gone(t, pid) // also the sleep that first left in the background
	}
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestServerThatIgnoresTheRequestToStop(t *testing.T) {
	b := testBed(t, "", script("deaf", `trap "" TERM; echo up; while :; do sleep 1; done`))
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := b.running[0].cmd.Process.Pid
	b.stop(false)
	gone(t, pid)
}

func TestServerThatDiesWhileStarting(t *testing.T) {
	b := testBed(t, "weak", script("weak", "echo no room at the inn; exit 3"), script("leans", "echo up; exec sleep 100", "weak"))
	err := b.beside(t.Context(), func() error { t.Error("ran without a required server"); return nil })
	if err == nil || !strings.Contains(err.Error(), "weak") || !strings.Contains(err.Error(), "no room at the inn") {
		t.Errorf("error %v", err)
	}
	if r := b.answers["leans"].Reason; !strings.Contains(r, "needs weak") {
		t.Errorf("reason %q", r)
	}
}

func TestServerThatDiesDuringTheRun(t *testing.T) {
	b := testBed(t, "", script("weak", "echo up; exec sleep 100"))
	err := b.beside(t.Context(), func() error {
		b.running[0].signal(syscall.SIGKILL)
		<-b.running[0].done
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "weak ended during the run") {
		t.Errorf("error %v", err)
	}
	logs := leftovers(t)
	if len(logs) != 1 || !strings.Contains(logs[0], "logs") {
		t.Errorf("the logs were not kept, or more: %s", logs)
	}
}

func TestInterruptedWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var pid int
	slow := script("slow", "")
	slow.start = func(_ context.Context, s *site) (plan, error) {
		return plan{argv: []string{"sh", "-c", "echo $$ > pid.new; mv pid.new pid; sleep 100 & wait"},
			ready: func(context.Context) error {
				text, err := os.ReadFile(filepath.Join(s.data, "pid"))
				if err == nil {
					pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
					cancel()
				}
				return errors.Join(err, errors.New("not up"))
			}}, nil
	}
	b := testBed(t, "", slow)
	if err := b.beside(ctx, func() error { t.Error("ran all the same"); return nil }); err == nil || pid == 0 {
		t.Errorf("error %v, pid %d", err, pid)
	}
	gone(t, pid)
	if left := leftovers(t); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}

func TestUnknownNames(t *testing.T) {
	_, err := newBed(t.TempDir(), servers(), "kafak", "")
	if err == nil || !strings.Contains(err.Error(), "kafka") {
		t.Errorf("error %v", err)
	}
}

func TestServersAreListedAfterWhatTheyNeed(t *testing.T) {
	listed := map[string]bool{}
	for _, s := range servers() {
		for _, first := range s.after {
			if !listed[first] {
				t.Errorf("%s runs after %s, which is not listed before it", s.name, first)
			}
		}
		listed[s.name] = true
	}
}

func TestPortsAreNotGivenTwice(t *testing.T) {
	var p ports
	seen := map[int]bool{}
	for range 20 {
		taken, err := p.take(50)
		if err != nil {
			t.Fatal(err)
		}
		for _, port := range taken {
			if seen[port] || port < firstPort || port > lastPort {
				t.Fatalf("port %d", port)
			}
			seen[port] = true
		}
	}
}

// A port may be taken between asking and binding.
func TestServerIsStartedAgainWithAnotherPort(t *testing.T) {
	first := filepath.Join(t.TempDir(), "first")
	b := testBed(t, "unlucky", script("unlucky", "if mkdir "+first+"; then echo port $PORT is taken; exit 1; fi; echo up; exec sleep 100"))
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer b.stop(false)
	if a := b.answers["unlucky"]; !a.OK {
		t.Error(a.Reason)
	}
}
