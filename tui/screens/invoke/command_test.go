package invoke

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"iscope/tui/kit"
)

func TestCommandLine(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "GET /orders/{id}")
	d := sc.draft()
	d.params[0].field.Set("it's $HOME")
	sc.addHeader()
	typing(sc, "X-Id: 7")
	sc.Update(key("esc"))
	press(t, sc, "y")
	if sc.picker == nil || !sc.Typing() {
		t.Fatal("y opens no menu")
	}
	got := run(t, sc, sc.Update(key("enter")))
	want := `iscope invoke -e test shop 'GET /orders/{id}' -p 'id=it'\''s $HOME' -p view=FULL -H 'X-Id: 7'`
	if line := sc.command(d); line != want || len(got) != 2 {
		t.Errorf("%s\n%v", line, got)
	}
	choose(t, sc, "fake.Svc/Store")
	if line := sc.command(sc.draft()); line != `iscope invoke -e test shop fake.Svc/Store -d '{"text":""}'` {
		t.Error(line)
	}
}

func TestEditorRoundTrip(t *testing.T) {
	sc, _ := build(t, "local", true)
	choose(t, sc, "fake.Svc/Store")
	written := sc.edit()().(toEdit)
	info, err := os.Stat(written.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(err, info)
	}
	if err := os.WriteFile(written.path, []byte("{\"text\": 1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, sc, sc.Update(left{errand: written.errand}))
	if got := sc.draft().doc.Value(); got != `{"text": 1}` {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Dir(written.path)); !errors.Is(err, os.ErrNotExist) {
		t.Error("the folder stays", err)
	}
	written = sc.edit()().(toEdit)
	out := run(t, sc, sc.Update(left{errand: written.errand, err: errors.New("exit status 1")}))
	if f, ok := out[0].(kit.Fail); !ok || sc.draft().doc.Value() != `{"text": 1}` {
		t.Errorf("%v", f)
	}
}
