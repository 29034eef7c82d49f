package tui

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"iscope/config"
	"iscope/probes"
	"iscope/probes/probetest"
	"iscope/tui/session"
)

// stage runs the real program on a fake system, without a terminal, and looks at
// every frame.
type stage struct {
	t   testing.TB
	p   *tea.Program
	r   *router
	out *output

	mu     sync.Mutex
	frame  string
	drawn  chan struct{} // 1-slot: a frame was drawn
	broken []string      // frames of the wrong size, or with more than text and SGR
	err    error
	done   chan struct{}

	staying atomic.Bool // it does not quit
}

// output collects what would reach the terminal.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// watched is the router, its frames checked.
type watched struct {
	*router
	s *stage
}

func (w watched) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := w.router.Update(msg)
	return w, cmd
}

func (w watched) View() tea.View {
	v := w.router.View()
	w.s.look(v.Content, w.router.w, w.router.h)
	return v
}

var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func (s *stage) look(frame string, w, h int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.frame = ansi.Strip(frame)
	if rows := strings.Split(frame, "\n"); h > 0 && w > 0 {
		if len(rows) != h {
			s.broken = append(s.broken, fmt.Sprintf("%d rows at %dx%d", len(rows), w, h))
		}
		for _, row := range rows {
			if n := ansi.StringWidth(row); n > w {
				s.broken = append(s.broken, fmt.Sprintf("a row of %d cells at %dx%d: %q", n, w, h, row))
			}
			if strings.ContainsFunc(sgr.ReplaceAllString(row, ""), unicode.IsControl) {
				s.broken = append(s.broken, fmt.Sprintf("control characters at %dx%d: %q", w, h, row))
			}
		}
	}
	select {
	case s.drawn <- struct{}{}:
	default:
	}
}

func start(t testing.TB, o Options) *stage {
	t.Helper()
	o.Session.Config = o.Config
	sess, err := session.New(o.Session, o.Environment)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, out: &output{}, drawn: make(chan struct{}, 1), done: make(chan struct{})}
	s.r = newRouter(o, sess, func() bool { return true })
	s.p = tea.NewProgram(watched{s.r, s}, tea.WithInput(nil), tea.WithOutput(s.out), tea.WithWindowSize(120, 40),
		tea.WithEnvironment([]string{"TERM=xterm-256color", "COLORTERM=truecolor"}), tea.WithoutSignalHandler(), tea.WithFPS(120), tea.WithFilter(s.stay))
	go func() {
		_, s.err = s.p.Run()
		close(s.done)
	}()
	t.Cleanup(func() {
		s.p.Kill()
		<-s.done
		s.r.close()
		sess.Close()
	})
	return s
}

// stay keeps random keys from ending the program, and from suspending it, which
// would stop the test and whoever runs it.
func (s *stage) stay(_ tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.SuspendMsg:
		return nil
	case tea.QuitMsg:
		if s.staying.Load() {
			return nil
		}
	}
	return msg
}

// until waits for a frame that shows a text.
func (s *stage) until(text string) {
	s.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	for {
		s.mu.Lock()
		frame := s.frame
		s.mu.Unlock()
		if strings.Contains(frame, text) {
			return
		}
		select {
		case <-s.drawn:
		case <-s.done:
			s.t.Fatalf("the program ended (%v) before it showed %q", s.err, text)
		case <-ctx.Done():
			s.t.Fatalf("%q never appeared in\n%s", text, frame)
		}
	}
}

// press sends keys by their names; single letters are typed.
func (s *stage) press(names ...string) {
	for _, n := range names {
		s.p.Send(key(n))
	}
}

var named = map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown,
	"left": tea.KeyLeft, "right": tea.KeyRight, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	"backspace": tea.KeyBackspace, "delete": tea.KeyDelete, "f1": tea.KeyF1}

func key(name string) tea.KeyPressMsg {
	if c, ok := named[name]; ok {
		return tea.KeyPressMsg{Code: c}
	}
	if name == "space" {
		return tea.KeyPressMsg{Code: ' ', Text: " "}
	}
	if c, ok := strings.CutPrefix(name, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(c[0]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

func (s *stage) types(text string) {
	for _, c := range text {
		s.press(string(c))
	}
}

// configured writes a configuration with one fake target in a local and a
// production environment.
func configured(t testing.TB, drivers []probes.Driver) *config.Config {
	t.Helper()
	const text = "default: here\nenvironments:\n  here: {class: local, targets: {shop: {url: \"fake://shop:1\"}}}\n" +
		"  live: {class: prod, targets: {shop: {url: \"fake://shop:1\"}}}\n"
	return loaded(t, text, drivers)
}

func loaded(t testing.TB, text string, drivers []probes.Driver) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "iscope.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	at, err := config.Find(path, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(at, drivers)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// shop is a fake with topics, one finding and whatever else screens show.
func shop(names ...string) *probetest.Fake {
	f := probetest.NewFake("shop")
	snap := probes.Snapshot{Complete: true}
	for _, n := range names {
		f.Seed(n, 50)
		snap.Claims = append(snap.Claims, probes.Claim{By: "shop", Call: "test", Class: probes.Declared, Seen: f.Clock,
			Node: &probes.Node{ID: probes.NodeID(probes.NodeTopic, "shop", n), Kind: probes.NodeTopic, Name: n, Health: probes.HealthOK}})
	}
	f.Snapshots = []probes.Snapshot{snap}
	return f
}

func options(t testing.TB, f *probetest.Fake) Options {
	drivers := []probes.Driver{f.Driver()}
	return Options{Config: configured(t, drivers), Session: session.Options{Drivers: drivers, CaptureDir: t.TempDir()}}
}
