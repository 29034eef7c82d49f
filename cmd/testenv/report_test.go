package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	var out strings.Builder
	r := newReport(&out)
	for _, line := range []string{
		`{"Action":"start","Package":"iscope/a"}`,
		`{"Action":"run","Package":"iscope/a","Test":"TestX"}`,
		`{"Action":"output","Package":"iscope/a","Test":"TestX","Output":"    need.go:41: no real kafka: not installed\n"}`,
		`{"Action":"output","Package":"iscope/a","Test":"TestX","Output":"--- SKIP: TestX (0.00s)\n"}`,
		`{"Action":"skip","Package":"iscope/a","Test":"TestX"}`,
		`{"Action":"output","Package":"iscope/a","Test":"TestY","Output":"    y_test.go:3: broken\n"}`,
		`{"Action":"fail","Package":"iscope/a","Test":"TestY"}`,
		`{"Action":"output","Package":"iscope/a","Test":"TestHangs","Output":"panic: test timed out\n"}`,
		`{"Action":"output","Package":"iscope/a","Output":"FAIL\tiscope/a\t0.1s\n"}`,
		`{"Action":"fail","Package":"iscope/a"}`,
		`{"Action":"output","Package":"iscope/b","Test":"TestZ","Output":"noise\n"}`,
		`{"Action":"pass","Package":"iscope/b","Test":"TestZ"}`,
		`{"Action":"output","Package":"iscope/b","Output":"PASS\n"}`,
		`{"Action":"output","Package":"iscope/b","Output":"ok  \tiscope/b\t0.2s\n"}`,
		`{"Action":"pass","Package":"iscope/b"}`,
		`{"ImportPath":"iscope/c","Action":"build-output","Output":"c.go:1: syntax error\n"}`,
	} {
		r.add([]byte(line))
	}
	said := out.String()
	for _, want := range []string{"broken", "panic: test timed out", "syntax error"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in:\n%s", want, said)
		}
	}
	if strings.Contains(said, "noise") {
		t.Errorf("what a passing test says is printed:\n%s", said)
	}
	out.Reset()
	if n := r.printSkips(&out, nil, func(string) bool { return true }); n != 1 || !strings.Contains(out.String(), "a.TestX: no real kafka: not installed") {
		t.Errorf("%d skips without leave:\n%s", n, &out)
	}
	out.Reset()
	r.printClosing(&out)
	if !strings.HasSuffix(out.String(), "FAIL\tiscope/a\t0.1s\nok  \tiscope/b\t0.2s\n") {
		t.Errorf("closing lines:\n%s", &out)
	}
}

func TestLeaveToSkip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skips.txt")
	os.WriteFile(path, []byte("# comment\n\njaeger probes/jaeger.* takes minutes to build\n- tui.TestWide needs a wide terminal\n"), 0o600)
	list, err := readAllowed(path)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	all := func(test string, missing bool) (ok bool) {
		for _, l := range list {
			ok = ok || l.covers(test, func(string) bool { return missing })
		}
		return ok
	}
	if !all("probes/jaeger.TestTrace", true) || all("probes/jaeger.TestTrace", false) || !all("tui.TestWide", false) || all("tui.TestWider", true) {
		t.Error("leave is given to the wrong tests")
	}
	os.WriteFile(path, []byte("kafka probes/kafka.TestX\n"), 0o600)
	if _, err := readAllowed(path); err == nil || !strings.Contains(err.Error(), ":1:") {
		t.Errorf("a line without a reason: %v", err)
	}
}
