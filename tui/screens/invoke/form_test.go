package invoke

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"iscope/probes"
	"iscope/tui/kit"
)

// Form describes what Store takes: a field of most kinds.
func (p *peer) Form(_ context.Context, method string) (probes.Form, error) {
	if method != "fake.Svc/Store" && method != "fake.Svc/Echo" {
		return probes.Form{}, errors.New("no form")
	}
	views := []probes.Choice{{Value: `"BASIC"`}, {Value: `"FULL"`, Doc: "everything"}, {Value: `"RAW"`}}
	return probes.Form{Root: probes.Shape{Kind: probes.ShapeObject, Of: "Order"}, Types: map[string][]probes.Shape{
		"Order": {
			{Name: "text", Kind: probes.ShapeString, Type: "string", Required: true, Doc: "Order key, A-<n>", Rule: "1 to 64 characters"},
			{Name: "qty", Kind: probes.ShapeInteger, Type: "int32"},
			{Name: "rush", Kind: probes.ShapeBool, Type: "bool", Doc: "whether it is \x1b[2J in a hurry"},
			{Name: "view", Kind: probes.ShapeEnum, Type: "shop.View", Choices: views},
			{Name: "card", Kind: probes.ShapeString, Type: "string", Group: "payment"},
			{Name: "cash", Kind: probes.ShapeBool, Type: "bool", Group: "payment"},
			{Name: "tags", Kind: probes.ShapeList, Elem: &probes.Shape{Kind: probes.ShapeString, Type: "string"}},
			{Name: "labels", Kind: probes.ShapeMap, Elem: &probes.Shape{Kind: probes.ShapeString, Type: "string"}},
			{Name: "parent", Kind: probes.ShapeObject, Type: "shop.Order", Of: "Order"},
			{Name: "as_of", Kind: probes.ShapeTime, Type: "google.protobuf.Timestamp"},
			{Name: "payload", Kind: probes.ShapeBytes, Type: "bytes"}}}}, nil
}

// formOf chooses a method and waits for its form.
func formOf(t *testing.T, sc *screen, method string) *draft {
	t.Helper()
	choose(t, sc, method)
	run(t, sc, sc.shapes())
	d := sc.draft()
	if !d.showsForm() {
		t.Fatal("no form is shown")
	}
	return d
}

// on puts the cursor on the form's row of that name.
func on(t *testing.T, sc *screen, label string) {
	t.Helper()
	d := sc.draft()
	for i := range d.form.Rows {
		if d.form.Rows[i].Label == label {
			sc.pane, d.cursor = onRequest, d.above()+i
			return
		}
	}
	t.Fatal("no row " + label)
}

func TestTheFormFillsTheDocument(t *testing.T) {
	sc, p := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	enter := func(label, text string) {
		t.Helper()
		on(t, sc, label)
		run(t, sc, sc.Update(kit.Enter))
		typing(sc, text)
		sc.Update(key("enter"))
	}
	enter("text", "A-7")
	enter("qty", "3")
	on(t, sc, "rush")
	sc.Update(kit.Enter)
	on(t, sc, "view")
	sc.Update(kit.Right)
	sc.Update(kit.Right)
	on(t, sc, "payment")
	sc.Update(kit.Enter)
	typing(sc, "car")
	sc.Update(key("enter"))
	enter("card", "4111")
	on(t, sc, "tags")
	sc.Update(kit.Right)
	enter("+ add", "a")
	enter("as_of", "now-1h")
	enter("payload", "hi")
	want := `{"text":"A-7","qty":3,"rush":true,"view":"FULL","card":"4111","tags":["a"],"as_of":"now-1h","payload":"aGk="}`
	if got := compact(d.doc.Value()); got != want {
		t.Errorf("%s", got)
	}
	press(t, sc, "s")
	body := sc.call().documents()[0]
	if got := compact(string(body)); !strings.Contains(got, `"as_of":"2026-11-22T13:05:10Z"`) || len(p.Calls()) != 1 {
		t.Errorf("sent %s", got)
	}
}

func TestViewsAreOfOneDocument(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	press(t, sc, "v")
	d.doc.Set("{\n  \"text\": \"x\",\n  \"parent\": {\"qty\": 1},\n  \"later\": {\"z\": 1}\n}")
	d.doc.PlaceAt(strings.Index(d.doc.Value(), "1}"))
	sc.pane, d.cursor = onRequest, d.above()
	press(t, sc, "v")
	if r := d.row(); r == nil || r.Path.String() != "parent.qty" {
		t.Fatalf("%+v", r)
	}
	sc.Update(kit.Enter)
	typing(sc, "2")
	sc.Update(key("esc"))
	if got := compact(d.doc.Value()); got != `{"text":"x","parent":{"qty":12},"later":{"z":1}}` {
		t.Error(got)
	}
	press(t, sc, "v")
	if row, _ := d.doc.Cursor(); !strings.Contains(strings.Split(d.doc.Value(), "\n")[row], `"qty"`) {
		t.Error(d.doc.Cursor())
	}
	d.doc.Set("{\"text\": ")
	d.check()
	if got := press(t, sc, "v"); !strings.HasPrefix(got[0].(string), "the document is no JSON: line 1, column 10") {
		t.Error(got)
	}
}

func TestUnsetEmptyAndUndo(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	doc := func() string { return compact(d.doc.Value()) }
	if doc() != `{"text":""}` {
		t.Error(doc())
	}
	on(t, sc, "qty")
	press(t, sc, "space")
	if doc() != `{"text":"","qty":0}` {
		t.Error(doc())
	}
	on(t, sc, "text")
	press(t, sc, "x")
	if doc() != `{"qty":0}` {
		t.Error(doc())
	}
	press(t, sc, "u")
	press(t, sc, "u")
	if doc() != `{"text":""}` {
		t.Error(doc())
	}
	if got := press(t, sc, "u"); got[0] != "the document has not been changed" {
		t.Error(got)
	}
}

func TestProblemsAreAllMarked(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	d.doc.Set(`{"qty":"many","view":"HALF","parent":{"text":1}}`)
	d.check()
	sc.pane = onRequest
	frame := ansi.Strip(sc.View(200, 60))
	for _, part := range []string{"4 values not as the contract has it", "expected a whole number", "none of the choices: BASIC, FULL", "▲ required", "expected a text in quotes"} {
		if !strings.Contains(frame, part) {
			t.Errorf("no %q in\n%s", part, frame)
		}
	}
	sc.Update(key("esc"))
	press(t, sc, "v")
	if frame := ansi.Strip(sc.View(200, 60)); !strings.Contains(frame, "as the contract has it: ") {
		t.Errorf("the text does not say which\n%s", frame)
	}
	press(t, sc, "v")
	on(t, sc, "qty")
	sc.Update(kit.Enter)
	for range 4 {
		sc.Update(key("backspace"))
	}
	typing(sc, "7")
	sc.Update(key("esc"))
	if got := compact(d.doc.Value()); !strings.HasPrefix(got, `{"qty":7,`) {
		t.Error(got)
	}
}

func TestFilesGoIntoTheDocumentWhenItIsSent(t *testing.T) {
	sc, p := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	path := filepath.Join(t.TempDir(), "a.bin")
	if err := os.WriteFile(path, []byte{0, 255}, 0o600); err != nil {
		t.Fatal(err)
	}
	d.doc.Set(`{"text":"x","payload":"@` + path + `"}`)
	press(t, sc, "s")
	if got := compact(string(sc.call().documents()[0])); got != `{"text":"x","payload":"AP8="}` {
		t.Error(got)
	}
	d.doc.Set(`{"text":"x","payload":"@` + path + `.none"}`)
	out := press(t, sc, "s")
	if f, ok := out[0].(kit.Fail); !ok || !strings.Contains(f.Err.Error(), "reading the file for payload") || len(p.Calls()) != 1 {
		t.Errorf("%v", out)
	}
}

func TestTheEditorGetsTheSchemaAndNothingIsLost(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	written := sc.edit()().(toEdit)
	text, err := os.ReadFile(written.path)
	if err != nil || !strings.Contains(string(text), "// text string, required, 1 to 64 characters") || !strings.HasSuffix(written.path, ".jsonc") {
		t.Fatal(err, string(text))
	}
	bad := strings.Replace(string(text), `"text": ""`, `"text": oops`, 1)
	if err := os.WriteFile(written.path, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, sc, sc.Update(left{errand: written.errand}))
	if toast, ok := out[0].(kit.Toast); !ok || !strings.Contains(toast.Text, "expected a value") || !strings.Contains(d.doc.Value(), "oops") || d.showsForm() {
		t.Errorf("%v %s", out, d.doc.Value())
	}
	written = sc.edit()().(toEdit)
	if err := os.WriteFile(written.path, []byte(strings.Replace(bad, "oops", `"A-1"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, sc, sc.Update(left{errand: written.errand}))
	if got := compact(d.doc.Value()); got != `{"text":"A-1"}` || strings.Contains(d.doc.Value(), "//") || !d.showsForm() {
		t.Error(d.doc.Value())
	}
}

func TestATextOfSeveralLinesIsEditedAsThat(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	d.doc.Set(`{"text":"query {\n  one\n}","qty":3}`)
	d.check()
	on(t, sc, "text")
	cmd := sc.Update(kit.Enter)
	if sc.typing || cmd == nil {
		t.Fatal("several lines are typed in one")
	}
	written := sc.edit()().(toEdit)
	text, err := os.ReadFile(written.path)
	if err != nil || string(text) != "query {\n  one\n}" || !strings.HasSuffix(written.path, ".txt") {
		t.Fatal(err, written.path, string(text))
	}
	if err := os.WriteFile(written.path, []byte("query {\n  two \"x\"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, sc, sc.Update(left{errand: written.errand}))
	if got := compact(d.doc.Value()); got != `{"text":"query {\n  two \"x\"\n}","qty":3}` {
		t.Error(got)
	}
	press(t, sc, "u")
	if got := compact(d.doc.Value()); !strings.Contains(got, "one") {
		t.Error(got)
	}
}

func TestLargeDocumentsStayText(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	d.doc.Set(`{"text":"` + strings.Repeat("x", maxFormed) + `"}`)
	d.check()
	if d.showsForm() || !strings.Contains(sc.refuseView(), "too many rows") || !d.valid {
		t.Error(sc.refuseView())
	}
	if d.doc.Set(`{"text":"x"}`); d.slots() == 0 {
		t.Error(d.slots())
	}
	if d.check(); !d.showsForm() {
		t.Error("it is small again")
	}
}

func TestFormFrames(t *testing.T) {
	for _, size := range sizes {
		sc, _ := build(t, "staging", true)
		d := formOf(t, sc, "fake.Svc/Store")
		d.doc.Set(`{"text":"A-790","qty":"x","view":"FULL","card":"4111","tags":["a",""],"labels":{"k":"v"},"parent":{"text":"B"},"later":[1]}`)
		d.check()
		on(t, sc, "view")
		golden(t, "form", sc, size[0], size[1])
		sc.Update(kit.Enter)
		golden(t, "picker", sc, size[0], size[1])
	}
}

func TestEverySizeOfTheForm(t *testing.T) {
	sc, _ := build(t, "staging", true)
	d := formOf(t, sc, "fake.Svc/Store")
	d.doc.Set(`{"text":"日本\u001b[2J","parent":{"parent":{"parent":{"text":"x"}}},"tags":["a"]}`)
	d.check()
	sc.pane = onRequest
	for i := range d.form.Rows {
		d.cursor = d.above() + i
		for w := 0; w <= 210; w += 13 {
			for _, h := range []int{0, 1, 2, 3, 8, 9, 24, 40} {
				checkSize(t, sc.View(w, h), w, h)
			}
		}
	}
}

// Whatever keys are pressed on the form, the document stays JSON and the screen
// keeps its shape.
func TestKeysOnTheForm(t *testing.T) {
	sc, _ := build(t, "local", true)
	d := formOf(t, sc, "fake.Svc/Store")
	sc.pane = onRequest
	keys := []func(){
		func() { sc.Update(kit.Down) }, func() { sc.Update(kit.Right) }, func() { sc.Update(kit.Left) },
		func() { sc.Update(kit.Enter); typing(sc, "ab1"); sc.Update(key("enter")); sc.Update(key("esc")) },
		func() { press(t, sc, "x") }, func() { press(t, sc, "space") }, func() { press(t, sc, "u") }, func() { press(t, sc, "F") },
		func() { sc.Update(kit.Enter); sc.Update(tea.PasteMsg{Content: "x\ny"}); sc.Update(key("esc")) },
		func() { press(t, sc, "v"); press(t, sc, "v") },
	}
	n := uint32(1)
	for range 3000 {
		n = n*1664525 + 1013904223
		keys[int(n>>16)%len(keys)]()
		if sc.pane = onRequest; sc.Typing() {
			sc.Update(key("esc"))
		}
		if d.check(); !d.valid {
			t.Fatal(d.verdict, d.doc.Value())
		}
		if d.cursor < 0 || d.cursor >= max(1, d.slots()) {
			t.Fatal(d.cursor, d.slots())
		}
		if len(d.doc.Value()) > 4000 {
			d.doc.Set("{}")
			d.check()
			d.cursor = 0
		}
	}
	checkSize(t, sc.View(120, 40), 120, 40)
}
