package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"iscope/probes"
	"iscope/tui"
)

func TestExitCodes(t *testing.T) {
	for code, errs := range map[int][]error{
		0:   {nil},
		1:   {errDifferent, errors.Join(errDifferent)},
		2:   {probes.ErrUsage, probes.ErrUnsupported, errors.New("whatever it is")},
		3:   {probes.ErrUnreachable, probes.ErrTimeout, probes.ErrTLS, probes.ErrProtocol, context.DeadlineExceeded},
		4:   {probes.ErrAuth, probes.ErrDenied},
		5:   {probes.ErrNotFound},
		6:   {probes.ErrRefused},
		7:   {probes.ErrIncomplete},
		8:   {probes.ErrLimit},
		70:  {tui.ErrPanic},
		130: {context.Canceled},
	} {
		for _, err := range errs {
			if err != nil {
				err = fmt.Errorf("wrapped: %w", err)
			}
			if got := exitCode(err); got != code {
				t.Errorf("%v: %d, want %d", err, got, code)
			}
		}
	}
}

// A bug in a driver ends with words, not with a bare trace.
func TestPanicIsReported(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := newApp(os.Stdin, file, file)
	a.drivers = []probes.Driver{{Name: "bad", Schemes: []probes.Scheme{{Name: "bad"}},
		Open: func(context.Context, probes.Target) (probes.Probe, error) { panic("boom \x1b[2J") }}}
	if code := run(t.Context(), []string{"list", "bad://127.0.0.1:1"}, a); code != 70 {
		t.Errorf("exit code %d", code)
	}
	said, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	if s := string(said); !strings.Contains(s, "internal error: boom") || !strings.Contains(s, "bug in iscope") || strings.Contains(s, "\x1b") {
		t.Errorf("said %q", s)
	}
}
