package invoke

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"iscope/probes"
	"iscope/tui/kit"
)

const savedStore = `name: store it
target: shop
variables: {text: "for all", token: "${env:ISCOPE_TEST_TOKEN}"}
environments: {test: {text: "for test"}}
method: fake.Svc/Store
header: {Authorization: "Bearer {{token}}", X-Key: "{{env.ISCOPE_TEST_TOKEN}}"}
document: {text: "{{text}} $${literal}", password: "${env:ISCOPE_TEST_TOKEN}"}
`

// secret would be quoted in JSON.
const secret = `s3cr3t"to<ken`

// opened is a screen with the saved request above on it.
func opened(t *testing.T) (*screen, *peer) {
	t.Helper()
	sc, p := build(t, "local", true)
	path := filepath.Join(t.TempDir(), "store.yaml")
	if err := os.WriteFile(path, []byte(savedStore), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, sc, sc.openSaved(path))
	return sc, p
}

func TestASavedRequestIsFilledInWhenItIsSent(t *testing.T) {
	t.Setenv("ISCOPE_TEST_TOKEN", secret)
	sc, p := opened(t)
	if got := compact(sc.draft().doc.Value()); got != `{"text":"for test ${literal}","password":"${env:ISCOPE_TEST_TOKEN}"}` {
		t.Error(got)
	}
	frame := ansi.Strip(sc.View(200, 60))
	if !strings.Contains(frame, "Authorization: Bearer ${env:ISCOPE_TEST_TOKEN}") || !strings.Contains(frame, "X-Key: ${env:ISCOPE_TEST_TOKEN}") {
		t.Error(frame)
	}
	press(t, sc, "s")
	calls := p.Calls()
	if len(calls) != 1 || string(calls[0].Header[0].Value) != "Bearer "+secret || string(calls[0].Header[1].Value) != secret {
		t.Fatalf("%+v", calls)
	}
	// The fake echoes what it was sent.
	for _, tab := range []int{tabText, tabTree, tabRaw, tabHex, tabHeaders} {
		run(t, sc, sc.toResponse(tab))
		if frame := ansi.Strip(sc.View(200, 60)); strings.Contains(frame, "s3cr3t") || tab == tabText && !strings.Contains(frame, "«redacted»") {
			t.Errorf("%s:\n%s", tabs[tab], frame)
		}
	}
	file, err := os.ReadFile(sc.s.History.Path())
	if err != nil || strings.Contains(string(file), "s3cr3t") || !strings.Contains(string(file), "Bearer ${env:ISCOPE_TEST_TOKEN}") {
		t.Errorf("%v %s", err, file)
	}
	// What the server has kept of it comes back with another call.
	p.answer = []byte(`{"kept":"s3cr3t\"to<ken"}`)
	choose(t, sc, "fake.Svc/Big")
	press(t, sc, "s")
	run(t, sc, sc.toResponse(tabRaw))
	if frame := ansi.Strip(sc.View(200, 60)); strings.Contains(frame, "s3cr3t") || !strings.Contains(frame, `"kept":"«redacted»"`) {
		t.Error(frame)
	}
	// So it does on the screen of another environment.
	later := New(sc.s, kit.Options{Now: sc.o.Now, Secrets: sc.values}).(*screen)
	t.Cleanup(later.Close)
	if v := (&vault{all: later.values}); strings.Contains(v.scrub("it is "+secret), "s3cr3t") {
		t.Error(v.scrub("it is " + secret))
	}
	choose(t, sc, "fake.Svc/Store")
	press(t, sc, "r")
	if calls := p.Calls(); len(calls) != 2 || string(calls[1].Header[0].Value) != "Bearer "+secret {
		t.Errorf("%+v", calls)
	}
}

func TestReferencesAreVariablesWhereTheyAreWritten(t *testing.T) {
	t.Setenv("ISCOPE_TEST_TOKEN", secret)
	sc, _ := opened(t)
	if line := sc.command(sc.draft()); !strings.Contains(line, `"$ISCOPE_TEST_TOKEN"`) || strings.Contains(line, "${env") {
		t.Error(line)
	}
	path := filepath.Join(t.TempDir(), "again.yaml")
	run(t, sc, sc.save(sc.draft(), path))
	file, err := os.ReadFile(path)
	for _, part := range []string{`iscope_test_token: `, "${env:ISCOPE_TEST_TOKEN}", "Bearer {{iscope_test_token}}", "$${literal}"} {
		if err != nil || !strings.Contains(string(file), part) {
			t.Errorf("no %q in %v\n%s", part, err, file)
		}
	}
	before := sc.draft().doc.Value()
	sc.draft().doc.Set("{}")
	run(t, sc, sc.openSaved(path))
	if got := sc.draft().doc.Value(); !strings.Contains(got, "${literal}") || len(got) < len(before)-20 {
		t.Errorf("%s\nwas\n%s", got, before)
	}
}

func TestAReferenceWithoutAValueIsRefused(t *testing.T) {
	sc, p := opened(t)
	f, ok := press(t, sc, "s")[0].(kit.Fail)
	if !ok || !strings.Contains(f.Err.Error(), "ISCOPE_TEST_TOKEN is not set") || probes.KindOf(f.Err) != probes.ErrUsage || len(p.Calls()) != 0 {
		t.Errorf("%+v", f)
	}
}
