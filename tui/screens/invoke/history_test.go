package invoke

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/replay/request"
	"iscope/tui/kit"
)

// again is a screen of a later session with the same history.
func again(t *testing.T, sc *screen) *screen {
	t.Helper()
	later := New(sc.s, kit.Options{Now: func() time.Time { return clock.Add(24 * time.Hour) }}).(*screen)
	t.Cleanup(later.Close)
	run(t, later, later.Update(kit.Changed{}))
	later.ticking, later.traces = true, false
	return later
}

func TestTheHistoryOutlivesTheSessionWithoutSecrets(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	d := sc.draft()
	sc.addHeader()
	typing(sc, "Authorization: Bearer s3cr3t-token")
	sc.Update(key("esc"))
	d.doc.Set(`{"text":"first","password":"hunter2"}`)
	press(t, sc, "s")
	file, err := os.ReadFile(sc.s.History.Path())
	if err != nil || strings.Contains(string(file), "s3cr3t") || strings.Contains(string(file), "hunter2") || !strings.Contains(string(file), `\"text\":\"first\"`) {
		t.Fatalf("%v %s", err, file)
	}
	later := again(t, sc)
	press(t, later, "t")
	if later.picker == nil || len(later.picker.words) != 1 {
		t.Fatal("the call of the session before is not listed")
	}
	out := run(t, later, later.Update(key("enter")))
	if toast, ok := out[0].(kit.Toast); !ok || !strings.HasPrefix(toast.Text, "secrets are not kept; fill in again: header Authorization, document 1") {
		t.Errorf("%+v", out)
	}
	if got := press(t, later, "s"); !strings.HasPrefix(got[0].(string), "a header holds a placeholder") {
		t.Error(got)
	}
}

func TestCallsByHandComeBackFromTheHistory(t *testing.T) {
	sc, _ := build(t, "local", true)
	press(t, sc, "i")
	typing(sc, "GET /health?x=1&token=abc")
	run(t, sc, sc.Update(key("enter")))
	press(t, sc, "s")
	file, err := os.ReadFile(sc.s.History.Path())
	if err != nil || strings.Contains(string(file), "abc") {
		t.Fatalf("%v %s", err, file)
	}
	later := again(t, sc)
	press(t, later, "t")
	run(t, later, later.Update(key("enter")))
	if d := later.draft(); d == nil || !strings.HasPrefix(d.ref.Subject, "GET /health?x=1&token=") || d.method.Effect != probes.EffectRead {
		t.Errorf("%+v", d)
	}
}

func TestCopyMenuOffersTools(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	press(t, sc, "y")
	if words := strings.Join(sc.picker.words, " "); !strings.HasPrefix(words, "as iscope as curl as grpcurl") {
		t.Error(words)
	}
	typing(sc, "iscope")
	out := run(t, sc, sc.Update(key("enter")))
	if len(out) != 2 {
		t.Fatalf("%+v", out)
	}
	for _, m := range out {
		if toast, ok := m.(kit.Toast); ok && !strings.HasPrefix(toast.Text, "copied the iscope command line") {
			t.Error(toast)
		}
	}
	press(t, sc, "y")
	typing(sc, "as curl")
	out = run(t, sc, sc.Update(tea.KeyPressMsg{Code: tea.KeyEnter}))
	if _, ok := out[0].(kit.Fail); !ok {
		t.Errorf("curl cannot call a fake: %+v", out)
	}
}

func TestSavedRequestsAreFiles(t *testing.T) {
	sc, p := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	d := sc.draft()
	d.doc.Set(`{"text":"first","password":"hunter2"}`)
	path := filepath.Join(t.TempDir(), "requests", "store.yaml")
	press(t, sc, "S")
	if got := sc.question.answer.Value(); got != "requests/store.yaml" {
		t.Error(got)
	}
	sc.question.answer.Set(path)
	out := run(t, sc, sc.Update(key("enter")))
	toast, ok := out[0].(kit.Toast)
	file, err := os.ReadFile(path)
	if !ok || err != nil || !strings.Contains(toast.Text, "to be set in the environment") || strings.Contains(string(file), "hunter2") {
		t.Fatalf("%+v %v\n%s", out, err, file)
	}
	d.doc.Set(`{}`)
	press(t, sc, "O")
	sc.question.answer.Set(path)
	out = run(t, sc, sc.Update(key("enter")))
	if got := compact(d.doc.Value()); got != `{"text":"first","password":"${env:PASSWORD}"}` || len(p.Calls()) != 0 {
		t.Errorf("%s %+v", got, out)
	}
	if f, ok := press(t, sc, "s")[0].(kit.Fail); !ok || !strings.Contains(f.Err.Error(), "PASSWORD is not set") {
		t.Errorf("%+v", f)
	}
	press(t, sc, "O")
	sc.question.answer.Set(path + ".none")
	if f, ok := run(t, sc, sc.Update(key("enter")))[0].(kit.Fail); !ok {
		t.Errorf("%+v", f)
	}
}

func TestCallsOfOtherEnvironmentsAreRepeatedHere(t *testing.T) {
	sc, _ := build(t, "local", true)
	for _, e := range []request.Entry{
		{Time: clock, Request: request.Request{Target: target, Environment: "staging", Method: "fake.Svc/Store", Documents: []string{`{"text":"there"}`}}, Status: "OK"},
		{Time: clock, Request: request.Request{Target: "not-here", Environment: "staging", Method: "fake.Svc/Store"}, Status: "OK"},
	} {
		if err := sc.s.History.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	press(t, sc, "t")
	if sc.picker == nil || len(sc.picker.words) != 1 || !strings.Contains(sc.picker.words[0], "OK (0) in staging") {
		t.Fatalf("%+v", sc.picker)
	}
	run(t, sc, sc.Update(key("enter")))
	if d := sc.draft(); compact(d.doc.Value()) != `{"text":"there"}` || d.method.Name != "fake.Svc/Store" {
		t.Errorf("%+v", d)
	}
}
