package invoke

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"iscope/probes"
	"iscope/replay/load"
	"iscope/tui/kit"
)

func TestLoadsAreDescribedInWords(t *testing.T) {
	for text, want := range map[string]load.Options{
		"100 calls, 20/s, 4 at once": {Count: 100, Rate: 20, Concurrency: 4},
		"50":                         {Count: 50},
		"30s, 2.5/s":                 {For: 30 * time.Second, Rate: 2.5},
		"10 times":                   {Count: 10},
	} {
		got, err := parseLoad(text)
		if d := cmp.Diff(want, got, cmpopts.IgnoreFields(load.Options{}, "Progress")); err != nil || d != "" {
			t.Errorf("%s: %v %s", text, err, d)
		}
	}
	for _, text := range []string{"", "20/s", "many calls", "-1 calls", "0 at once, 5", "-3s", "0/s, 5"} {
		if o, err := parseLoad(text); err == nil {
			t.Errorf("%q is %+v", text, o)
		}
	}
}

// describe types a load and returns what came of it.
func describe(t *testing.T, sc *screen, text string) []any {
	t.Helper()
	press(t, sc, "L")
	sc.question.answer.Set(text)
	var out []any
	for _, m := range run(t, sc, sc.Update(key("enter"))) {
		out = append(out, m)
	}
	return out
}

func TestALoadIsMeasured(t *testing.T) {
	sc, p := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	out := describe(t, sc, "40 calls, 4 at once")
	ask, ok := out[0].(kit.Ask)
	if !ok || ask.Title != "LOAD on fake.Svc/Store" || !strings.Contains(strings.Join(ask.Lines, " "), "40 calls, as fast as they come, at most 4 at once") ||
		!strings.Contains(strings.Join(ask.Lines, " "), "environment test (class local)") || len(p.Calls()) != 0 {
		t.Fatalf("%+v", out)
	}
	run(t, sc, ask.Yes[0].Run())
	if n := len(p.Calls()); n != 40 {
		t.Errorf("%d calls", n)
	}
	frame := ansi.Strip(sc.View(200, 60))
	for _, part := range []string{"● done   40 of 40 calls", "P99.9", "100.0%  OK (0)", "[Load]"} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
	checkSize(t, sc.View(80, 24), 80, 24)
	checkSize(t, sc.View(40, 7), 40, 7)
}

func TestLoadsKeepToTheirEnvironment(t *testing.T) {
	prod, p := build(t, "prod", true)
	choose(t, prod, "fake.Svc/Fail")
	out := describe(t, prod, "10 calls")
	if f, ok := out[0].(kit.Fail); !ok || !errors.Is(f.Err, probes.ErrRefused) || len(p.Calls()) != 0 {
		t.Errorf("%+v", out)
	}
	staging, _ := build(t, "staging", true)
	choose(t, staging, "fake.Svc/Fail")
	for _, text := range []string{"10 calls, 500/s", "10 calls, 1/s, 50 at once"} {
		if f, ok := describe(t, staging, text)[0].(kit.Fail); !ok || !errors.Is(f.Err, probes.ErrRefused) {
			t.Errorf("%s: %+v", text, f)
		}
	}
	if ask, ok := describe(t, staging, "10 calls")[0].(kit.Ask); !ok || !strings.Contains(strings.Join(ask.Lines, " "), "At most 50 calls a second") {
		t.Errorf("%+v", ask)
	}
	readonly, _ := build(t, "staging", false)
	choose(t, readonly, "fake.Svc/Store")
	if f, ok := describe(t, readonly, "10 calls")[0].(kit.Fail); !ok || !errors.Is(f.Err, probes.ErrRefused) {
		t.Errorf("%+v", f)
	}
}

func TestALoadIsStopped(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Stuck") // never answers
	ask := describe(t, sc, "5 calls")[0].(kit.Ask)
	over := make(chan struct{})
	cmd := ask.Yes[0].Run()
	go func() {
		defer close(over)
		run(t, sc, cmd)
	}()
	r := sc.loads[probes.Ref{Target: target, Subject: "fake.Svc/Stuck"}]
	if got := sc.refuseLoad(); !strings.Contains(got, "a load is running") {
		t.Error(got)
	}
	sc.Update(kit.Cancel{})
	<-over
	if now, ended := r.progress(); !ended || !now.Stopped {
		t.Errorf("%+v", now)
	}
	if frame := ansi.Strip(sc.View(200, 60)); !strings.Contains(frame, "stopped early") {
		t.Error(frame)
	}
}

func TestALoadOfAStreamSendsWhatTheLastCallSent(t *testing.T) {
	sc, p := build(t, "local", true)
	choose(t, sc, "fake.Svc/Echo")
	d := sc.draft()
	c := sc.newCall(d.ref, d.method, probes.Invocation{}, [][]byte{[]byte(`{"n":1}`), []byte(`{"n":2}`)})
	c.halfClose()
	run(t, sc, sc.start(c))
	ask, ok := describe(t, sc, "3 calls")[0].(kit.Ask)
	if !ok || !strings.Contains(strings.Join(ask.Lines, " "), "Each call sends 2 messages, as the call shown did, and half-closes.") {
		t.Fatalf("%+v", ask)
	}
	before := len(p.Calls())
	run(t, sc, ask.Yes[0].Run())
	if frame := ansi.Strip(sc.View(200, 60)); len(p.Calls())-before != 3 || !strings.Contains(frame, "● done   3 of 3 calls") {
		t.Errorf("%d calls\n%s", len(p.Calls())-before, frame)
	}
}

func TestALoadThatCannotSucceedIsGivenUp(t *testing.T) {
	sc, p := build(t, "local", true)
	p.wrong = &probes.Error{Target: target, Op: "encoding the document", Kind: probes.ErrUsage, Err: errors.New("no field is called x"), Hint: "did you mean y?"}
	choose(t, sc, "fake.Svc/Big")
	ask := describe(t, sc, "100000 calls")[0].(kit.Ask)
	run(t, sc, ask.Yes[0].Run())
	frame := strings.Join(strings.Fields(strings.ReplaceAll(ansi.Strip(sc.View(80, 24)), "│", " ")), " ")
	for _, part := range []string{"stopped early", "given up, because every call would fail", "no field is called x", "did you mean y?"} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
}
