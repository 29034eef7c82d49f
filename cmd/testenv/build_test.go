package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// built is a server that a shell script installs, in the folder of the build.
func built(text string) *server {
	return &server{name: "built", version: "1", profile: core, tool: "x", needs: []string{"sh"}, binary: func(s *site) string { return s.cache + "/bin" },
		build: func(ctx context.Context, b *builder) error {
			return b.run(ctx, b.dir, nil, "sh", "-c", text)
		}}
}

func cached(t *testing.T, b *bed) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(b.cache, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestInstallOnce(t *testing.T) {
	b := testBed(t, "", built("echo x >> bin"))
	for range 2 {
		if err := errors.Join(b.install(t.Context())...); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer b.stop(false)
	bin, err := os.ReadFile(b.answers["built"].Addresses["binary"])
	if string(bin) != "x\n" {
		t.Errorf("built %q %v, want one build", bin, err)
	}
}

func TestFailedInstallIsNotTrusted(t *testing.T) {
	b := testBed(t, "", built("echo x > bin; echo the source cannot be reached >&2; exit 1"))
	err := errors.Join(b.install(t.Context())...)
	if err == nil || !strings.Contains(err.Error(), "installing built") || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("error %v", err)
	}
	// The status of a failed install must not pass for that of a test run, which
	// ends the program without a word.
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Errorf("%v is an exit status", err)
	}
	if found := cached(t, b); len(found) > 0 {
		t.Errorf("left behind: %s", found)
	}
	if err := b.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer b.stop(false)
	if a := b.answers["built"]; a.OK || !strings.Contains(a.Reason, "testenv install built") {
		t.Errorf("%+v", a)
	}
}

func TestInterruptedInstall(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	b := testBed(t, "", built("sleep 100 & echo $$ > "+pidFile+".new; mv "+pidFile+".new "+pidFile+"; wait"))
	ctx, cancel := context.WithCancel(t.Context())
	var pid int
	go func() {
		defer cancel()
		for ctx.Err() == nil {
			if text, err := os.ReadFile(pidFile); err == nil {
				pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	err := errors.Join(b.install(ctx)...)
	if !errors.Is(err, context.Canceled) || pid == 0 {
		t.Errorf("error %v, pid %d", err, pid)
	}
	gone(t, pid)
	if found := cached(t, b); len(found) > 0 {
		t.Errorf("left behind: %s", found)
	}
}

func TestShortDisk(t *testing.T) {
	s := built("echo never")
	s.disk = 1 << 40
	b := testBed(t, "", s)
	err := errors.Join(b.install(t.Context())...)
	if err == nil || !strings.Contains(err.Error(), "MB free") {
		t.Errorf("error %v", err)
	}
}

func TestDoctorNamesWhatIsMissing(t *testing.T) {
	s := built("echo never")
	lacks := &server{name: "lacks", version: "1", profile: core, needs: []string{"no-such-program"}, packages: []string{"some-package"}}
	b := testBed(t, "", s, lacks, script("there", "echo up"))
	var out strings.Builder
	if err := b.doctor(&out); err == nil {
		t.Error("the doctor finds nothing wrong")
	}
	for _, want := range []string{"testenv install built", "no-such-program", "apt-get install --no-install-recommends some-package", "2 missing"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, &out)
		}
	}
	if !strings.Contains(out.String(), "there") || !strings.Contains(out.String(), "ready") {
		t.Errorf("what is there is not said to be:\n%s", &out)
	}
}
