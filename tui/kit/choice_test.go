package kit

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/tui/theme"
)

func press(c *Filtering, keys ...string) (last Typed) {
	named := map[string]tea.KeyPressMsg{"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab}, "up": {Code: tea.KeyUp},
		"down": {Code: tea.KeyDown}, "ctrl+u": {Code: 'u', Mod: tea.ModCtrl}, "shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift}}
	for _, k := range keys {
		if msg, ok := named[k]; ok {
			last = c.Update(msg)
			continue
		}
		for _, r := range k {
			last = c.Update(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return last
}

func plainRows(c *Filtering, w int) []string {
	return strings.Split(ansi.Strip(strings.Join(c.Head(theme.Theme{}, "3 of 9", w), "\n")), "\n")
}

func TestWhatIsTypedIsInForceAsFarAsItCompiles(t *testing.T) {
	c := NewFilter(Options{})
	c.Ask("")
	if press(&c, "orders"); c.Text != "orders" {
		t.Errorf("in force is %q", c.Text)
	}
	press(&c, "ctrl+u", "size > 10")
	if c.Text != "size > 10" {
		t.Errorf("in force is %q", c.Text)
	}
	if done := press(&c, " && sise"); done.Changed || c.Text != "size > 10" {
		t.Errorf("%+v, in force is %q", done, c.Text)
	}
	if done := press(&c, "enter"); done.Closed || !c.Open() {
		t.Error("a mistake was taken")
	}
	if done := press(&c, "esc"); !done.Changed || !done.Closed || c.Text != "" || c.In != nil {
		t.Errorf("%+v, in force is %q", done, c.Text)
	}
	c.Ask("")
	if done := press(&c, "size > 10", "enter"); !done.Taken || c.Text != "size > 10" {
		t.Errorf("%+v, in force is %q", done, c.Text)
	}
	c.Ask(c.Text)
	if done := press(&c, "ctrl+u"); !done.Changed || c.In != nil {
		t.Error("ctrl+u leaves something in force")
	}
	press(&c, "esc")
	if c.Text != "size > 10" {
		t.Errorf("esc leaves %q in force", c.Text)
	}
}

func TestTheCaretIsBelowTheMistake(t *testing.T) {
	for _, w := range []int{44, 80, 120} {
		c := NewFilter(Options{})
		c.Ask("")
		press(&c, "size > 10 && sise")
		rows := plainRows(&c, w)
		if len(rows) < 2 {
			t.Fatalf("nothing is said at %d columns: %q", w, rows)
		}
		at := strings.Index(rows[1], "^")
		if at < 0 || !strings.HasPrefix(rows[0][at:], "sise") {
			t.Errorf("at %d columns the caret is at %d of\n%s", w, at, strings.Join(rows, "\n"))
		}
		said := strings.Join(strings.Fields(strings.Join(rows[1:], " ")), " ")
		if !strings.Contains(said, `column 14: no field is called "sise"`) || !strings.Contains(said, "did you mean size?") {
			t.Errorf("at %d columns it says %s", w, said)
		}
	}
	c := NewFilter(Options{})
	c.Ask("")
	press(&c, "sise > 10 && "+strings.Repeat("size > 1 && ", 20)+"true")
	if rows := plainRows(&c, 60); len(rows) < 2 || strings.Contains(rows[1], "^") || !strings.Contains(rows[1], "column 1:") {
		t.Errorf("a mistake out of sight:\n%s", strings.Join(rows, "\n"))
	}
}

func TestTabCompletesAndUpRecalls(t *testing.T) {
	h := &History{}
	c := NewFilter(Options{Filters: h})
	c.Twin("finds")
	c.Ask("")
	if done := press(&c, "tab"); !done.Switch {
		t.Error("there is nothing to complete, and nothing is switched to")
	}
	press(&c, "stat", "tab")
	if got := c.Prompt.Typed(); got != "status" {
		t.Errorf("completed to %q", got)
	}
	press(&c, "ctrl+u", "ki", "tab", "ctrl+u", "s", "tab")
	first := c.Prompt.Typed()
	if rows := plainRows(&c, 100); len(rows) != 2 || !strings.Contains(rows[1], "status") {
		t.Errorf("offered %q", rows)
	}
	press(&c, "tab")
	if second := c.Prompt.Typed(); second == first || !strings.HasPrefix(second, "s") {
		t.Errorf("first %q, then %q", first, second)
	}
	if press(&c, "shift+tab"); c.Prompt.Typed() != first {
		t.Errorf("back to %q, not %q", c.Prompt.Typed(), first)
	}
	press(&c, "ctrl+u", "one", "enter")
	c.Ask("")
	press(&c, "two", "enter")
	other := NewFilter(Options{Filters: h}) // of another screen
	other.Ask("")
	press(&other, "draft", "up", "up")
	if got := other.Prompt.Typed(); got != "one" {
		t.Errorf("recalled %q", got)
	}
	press(&other, "up", "down", "down")
	if got := other.Prompt.Typed(); got != "draft" {
		t.Errorf("back at %q", got)
	}
}

func TestWhatIsFoundIsNotInForceWhileItIsTyped(t *testing.T) {
	c := NewFind(Options{})
	c.Ask("")
	if done := press(&c, "size > "); done.Changed || c.In != nil || !strings.Contains(strings.Join(plainRows(&c, 100), "\n"), "column") {
		t.Error("a mistake is not said, or in force")
	}
	if done := press(&c, "3", "enter"); !done.Taken || c.In == nil {
		t.Errorf("%+v", done)
	}
}

func TestTooMuchIsRefusedAndSaid(t *testing.T) {
	c := NewFilter(Options{})
	c.Ask("before")
	c.Update(tea.PasteMsg{Content: strings.Repeat("x", 5000)})
	if rows := plainRows(&c, 100); c.Prompt.Typed() != "before" || !strings.Contains(strings.Join(rows, "\n"), "at most 4096") {
		t.Errorf("%q", rows)
	}
}

func TestWhatCannotBeJudgedIsCounted(t *testing.T) {
	f, err := filter.CompileRows(`attrs["n"] - 1 > 2`)
	if err != nil {
		t.Fatal(err)
	}
	var s Sifted
	for _, n := range []string{"1", "9", "many"} {
		s.Row(f, func() *filter.Row { return &filter.Row{Name: n, Attrs: []probes.Attr{{Name: "n", Value: n}}} })
	}
	if s.String() != "1 of 3, 1 unjudged" || s.Why == "" {
		t.Errorf("%s, because %s", s.String(), s.Why)
	}
}
