package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// report gathers what go test -json says (go doc test2json).
type report struct {
	w       io.Writer // failures go here at once
	output  map[string][]string
	skips   []skip
	closing []string // the lines go test ends each package with
	passed  int
	failed  int
}

type skip struct{ test, why string }

// event is one line of go test -json.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
}

func newReport(w io.Writer) *report { return &report{w: w, output: map[string][]string{}} }

// add takes one line.
func (r *report) add(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		fmt.Fprintf(r.w, "%s\n", line) // the go command itself has something to say
		return
	}
	id := strings.TrimPrefix(e.Package, "iscope/") + "." + e.Test
	switch e.Action {
	case "output":
		r.output[id] = append(r.output[id], e.Output)
	case "build-output":
		io.WriteString(r.w, e.Output)
	case "skip":
		if e.Test == "" {
			r.closePackage(id) // no test files
			return
		}
		r.skips = append(r.skips, skip{id, reason(r.output[id])})
		delete(r.output, id)
	case "pass":
		if e.Test == "" {
			r.closePackage(id)
			return
		}
		r.passed++
		delete(r.output, id)
	case "fail":
		if e.Test != "" {
			r.failed++
		}
		r.fail(id, e.Test == "")
	}
}

// closePackage keeps the last line of a package: "ok  iscope/probes 1.2s".
func (r *report) closePackage(id string) {
	if lines := r.output[id]; len(lines) > 0 {
		r.closing = append(r.closing, lines[len(lines)-1])
	}
	delete(r.output, id)
}

// fail prints what a failed test, or a package outside its tests, has said.
func (r *report) fail(id string, whole bool) {
	lines := r.output[id]
	delete(r.output, id)
	for _, l := range lines {
		io.WriteString(r.w, l)
	}
	if !whole {
		return
	}
	// A test that was running when the package died has said something too.
	for other, lines := range r.output {
		if strings.HasPrefix(other, id) {
			for _, l := range lines {
				io.WriteString(r.w, l)
			}
			delete(r.output, other)
		}
	}
	if len(lines) > 0 {
		r.closing = append(r.closing, lines[len(lines)-1])
	}
}

// reason is what a skipped test gave as its reason.
func reason(output []string) string {
	for _, l := range slices.Backward(output) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "---") || strings.HasPrefix(l, "===") {
			continue
		}
		if _, said, ok := strings.Cut(l, ".go:"); ok {
			_, l, _ = strings.Cut(said, ": ")
		}
		return l
	}
	return "no reason given"
}

// printSkips lists what was skipped and returns how many skips have no leave.
func (r *report) printSkips(w io.Writer, allowed []leave, missing func(string) bool) (unexcused int) {
	for _, s := range r.skips {
		because := ""
		for _, l := range allowed {
			if l.covers(s.test, missing) {
				because = l.because
			}
		}
		if because == "" {
			unexcused++
			fmt.Fprintf(w, "skipped  %s: %s\n", s.test, s.why)
		} else {
			fmt.Fprintf(w, "skipped  %s: %s (allowed: %s)\n", s.test, s.why, because)
		}
	}
	return unexcused
}

// printClosing prints the test runner's own closing lines.
func (r *report) printClosing(w io.Writer) {
	fmt.Fprintf(w, "%d tests and subtests passed, %d failed, %d skipped\n\n", r.passed, r.failed, len(r.skips))
	for _, l := range r.closing {
		io.WriteString(w, l)
	}
}
