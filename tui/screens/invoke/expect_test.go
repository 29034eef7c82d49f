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

const chain = `target: shop
variables: {want: A-790}
environments: {test: {want: A-791}}
steps:
  - name: make it
    method: fake.Svc/Big
    header: {X-Key: "${env:ISCOPE_TEST_TOKEN}"}
    capture: {order: body.id}
    expect: ['body.id == {{want}}', 'body.secret == "${env:ISCOPE_TEST_TOKEN}"', 'nonsense here']
  - name: find it
    method: GET /orders/{id}
    params: {id: "{{order}}"}
`

func TestSavedRequestsAreChainedAndHeldToWhatTheyExpect(t *testing.T) {
	t.Setenv("ISCOPE_TEST_TOKEN", "s3cr3t-token")
	sc, p := build(t, "local", true)
	p.answer = []byte(`{"id":"A-790","secret":"s3cr3t-token"}`)
	path := filepath.Join(t.TempDir(), "chain.yaml")
	if err := os.WriteFile(path, []byte(chain), 0o600); err != nil {
		t.Fatal(err)
	}
	step := func(n int) []any {
		run(t, sc, sc.openSaved(path))
		if sc.picker == nil || len(sc.picker.words) != 2 {
			t.Fatal("the steps are not offered")
		}
		for range n {
			sc.Update(key("down"))
		}
		var out []any
		for _, m := range run(t, sc, sc.Update(key("enter"))) {
			out = append(out, m)
		}
		return out
	}
	out := step(1)
	if f, ok := out[0].(kit.Fail); !ok || !strings.Contains(f.Err.Error(), "{{order}} is taken from an earlier answer") ||
		probes.HintOf(f.Err) != `send "make it" first, then open this one` {
		t.Errorf("%+v", out)
	}
	step(0)
	press(t, sc, "s")
	frame := strings.Join(strings.Fields(strings.ReplaceAll(ansi.Strip(sc.View(200, 60)), "│", " ")), " ")
	for _, part := range []string{`not as expected: body.id == "A-791"; body.id is "A-790"`, "not as expected: nonsense here"} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, ansi.Strip(sc.View(200, 60)))
		}
	}
	run(t, sc, sc.toResponse(tabNotes))
	if frame := ansi.Strip(sc.View(200, 60)); !strings.Contains(frame, `as expected: body.secret == "«redacted»"`) || strings.Contains(frame, "s3cr3t") {
		t.Error(frame)
	}
	step(1)
	if d := sc.draft(); d.method.Name != "GET /orders/{id}" || d.params[0].field.Value() != "A-790" {
		t.Errorf("%+v", d.method)
	}
}
