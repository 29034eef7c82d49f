package invoke

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"iscope/inspectors/safe"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

var update = flag.Bool("update", false, "write the golden frames")

func golden(t *testing.T, name string, sc *screen, w, h int) {
	t.Helper()
	frame := sc.View(w, h)
	checkSize(t, frame, w, h)
	got := ansi.Strip(frame) + "\n"
	path := filepath.Join("testdata", fmt.Sprintf("%s-%dx%d.txt", name, w, h))
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s:\n%s", path, d)
	}
}

func checkSize(t *testing.T, frame string, w, h int) {
	t.Helper()
	rows := strings.Split(frame, "\n")
	if h > 0 && len(rows) != h {
		t.Fatalf("%dx%d: %d rows", w, h, len(rows))
	}
	for i, r := range rows {
		if got := safe.Width(ansi.Strip(r)); got != w && h > 0 {
			t.Fatalf("%dx%d: row %d has %d cells: %q", w, h, i, got, ansi.Strip(r))
		}
	}
}

var sizes = [][2]int{{80, 24}, {120, 40}, {200, 60}}

func TestFrames(t *testing.T) {
	for _, size := range sizes {
		w, h := size[0], size[1]
		sc, _ := build(t, "staging", true)
		golden(t, "methods", sc, w, h)
		choose(t, sc, "GET /orders/{id}")
		golden(t, "request", sc, w, h)
		choose(t, sc, "fake.Svc/Fancy")
		press(t, sc, "s")
		golden(t, "response", sc, w, h)
		choose(t, sc, "fake.Svc/Broken")
		press(t, sc, "s")
		golden(t, "failed", sc, w, h)
		choose(t, sc, "fake.Svc/Store")
		press(t, sc, "s")
		golden(t, "confirm", sc, w, h)
		sc.Update(kit.Back)
		press(t, sc, "t")
		golden(t, "history", sc, w, h)
	}
}

func TestEverySize(t *testing.T) {
	for _, th := range []theme.Theme{{}, {ASCII: true, NoColor: true}} {
		sc, _ := build(t, "staging", true)
		sc.o.Theme = th
		for _, step := range []func(){func() {}, func() { choose(t, sc, "GET /orders/{id}") }, func() { sc.Update(kit.Enter) },
			func() {
				sc.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
				choose(t, sc, "fake.Svc/Fancy")
				press(t, sc, "s")
			},
			func() { sc.Update(kit.NextTab) }, func() { choose(t, sc, "fake.Svc/Store"); press(t, sc, "s") },
			func() { sc.Update(kit.Back); sc.Update(kit.Enter) }, func() { sc.Update(key("esc")); press(t, sc, "t") }} {
			step()
			for w := 0; w <= 210; w += 7 {
				for _, h := range []int{0, 1, 2, 3, 7, 8, 9, 15, 24, 40} {
					checkSize(t, sc.View(w, h), w, h)
				}
			}
		}
	}
}
