package tui

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/config"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// firstRun is what is shown while there is no configuration: what listens on
// this machine, and the ways to begin. Nothing is contacted before the user says
// so.
type firstRun struct {
	r       *router
	looked  bool
	ignored bool // the user does not want to know
	found   []session.Listener
	err     error
	checked map[string]bool
	list    kit.List
	height  int
	typing  bool
	field   kit.Field
}

func newFirstRun(r *router) *firstRun { return &firstRun{r: r, checked: map[string]bool{}} }

// listeners is the answer of looking at the machine's own table of sockets.
type listeners struct {
	found []session.Listener
	err   error
}

func look() tea.Msg {
	found, err := session.Listeners()
	return listeners{found, err}
}

func (f *firstRun) take(l listeners) {
	if f.ignored {
		return
	}
	f.looked, f.found, f.err = true, l.found, l.err
	for _, x := range l.found {
		f.checked[x.Addr] = x.Scheme != "" && x.Scheme != "http"
	}
}

func (f *firstRun) bindings() []kit.Binding {
	if f.typing { // keys are text: these are for the hint row
		return []kit.Binding{
			{ID: "first.open", Keys: []string{"enter"}, Name: "open", Hint: true, Doc: "open the URL", Run: f.open},
			{ID: "first.close", Keys: []string{"esc"}, Name: "close", Hint: true, Doc: "back to the list", Run: f.close},
		}
	}
	return []kit.Binding{
		{ID: "first.start", Keys: []string{"enter"}, Name: "start", Hint: true, Doc: "begin with the checked ones; nothing is written", Run: f.start},
		{ID: "first.check", Keys: []string{"space"}, Name: "check", Hint: true, Doc: "check or uncheck", Run: f.check},
		{ID: "first.demo", Keys: []string{"d"}, Name: "demo", Hint: true, Doc: "a small shop with traffic, on this machine", Run: f.demo},
		{ID: "first.connect", Keys: []string{"c"}, Name: "connect", Hint: true, Doc: "type the URL of a system", Run: f.connect},
		{ID: "first.write", Keys: []string{"w"}, Name: "write", Hint: true, Doc: "write the checked ones to ./iscope.yaml and begin", Run: f.write},
		{ID: "first.ignore", Keys: []string{"n"}, Name: "do not look", Doc: "forget what was found", Run: f.ignore},
		{ID: "first.quit", Keys: []string{"q"}, Name: "quit", Hint: true, Doc: "quit", Run: func() tea.Cmd { return tea.Quit }},
		{ID: "first.up", Keys: []string{"k", "up"}, Name: "up", Run: func() tea.Cmd { f.list.Move(-1, len(f.found)); return nil }},
		{ID: "first.down", Keys: []string{"j", "down"}, Name: "down", Run: func() tea.Cmd { f.list.Move(1, len(f.found)); return nil }},
	}
}

func (f *firstRun) update(msg tea.Msg) tea.Cmd {
	if f.typing {
		return f.typed(msg)
	}
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil
	}
	if b := find(f.bindings(), k.String()); b != nil {
		return b.Run()
	}
	if b := find(f.r.globals, k.String()); b != nil && slices.Contains(everywhere, b.ID) {
		return f.r.run(b)
	}
	return nil
}

// everywhere are the global actions that need no screen.
var everywhere = []string{"help", "palette", "suspend", "redraw"}

func (f *firstRun) typed(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			return f.close()
		case "enter":
			return f.open()
		}
	}
	f.field.Update(msg)
	return nil
}

func (f *firstRun) close() tea.Cmd {
	f.typing = false
	return nil
}

func (f *firstRun) open() tea.Cmd {
	ref, err := f.r.s.AddURL(strings.TrimSpace(f.field.Value()))
	if err != nil {
		f.r.fail(err)
		return nil
	}
	f.typing = false
	if ref.Subject != "" {
		return kit.Send(kit.Go{Screen: kit.Endpoints, Ref: ref})
	}
	return f.leave()
}

func (f *firstRun) connect() tea.Cmd {
	f.typing = true
	return nil
}

func (f *firstRun) demo() tea.Cmd {
	f.r.outcome.Demo = true
	return tea.Quit
}

func (f *firstRun) ignore() tea.Cmd {
	f.found, f.list, f.looked, f.ignored = nil, kit.List{}, true, true
	return nil
}

func (f *firstRun) check() tea.Cmd {
	if f.list.Cursor < len(f.found) {
		addr := f.found[f.list.Cursor].Addr
		f.checked[addr] = !f.checked[addr]
	}
	return nil
}

// urls are the checked ones; what no driver is known for is taken for HTTP.
func (f *firstRun) urls() (urls []string) {
	for _, l := range f.found {
		if !f.checked[l.Addr] {
			continue
		}
		scheme := l.Scheme
		if scheme == "" {
			scheme = "http"
		}
		urls = append(urls, scheme+"://"+l.Addr)
	}
	return urls
}

func (f *firstRun) start() tea.Cmd {
	urls := f.urls()
	if len(urls) == 0 {
		f.r.toast = toast{"nothing is checked: space checks, c takes a URL, d starts the demo", true}
		return nil
	}
	for _, u := range urls {
		if _, err := f.r.s.AddURL(u); err != nil {
			f.r.fail(err)
			return nil
		}
	}
	return f.leave()
}

func (f *firstRun) leave() tea.Cmd {
	f.r.first = nil
	return f.r.open(kit.Go{Screen: kit.Endpoints})
}

// write keeps the checked ones for the next time. It never overwrites.
func (f *firstRun) write() tea.Cmd {
	var targets []probes.Target
	for _, u := range f.urls() {
		t, _, err := probes.ParseURL(f.r.opt.Session.Drivers, u)
		if err != nil {
			f.r.fail(err)
			return nil
		}
		t.Name = t.Driver + "-" + t.Address[strings.LastIndexByte(t.Address, ':')+1:]
		targets = append(targets, t)
	}
	if len(targets) == 0 {
		return f.start() // says what to do
	}
	const path = "iscope.yaml"
	if err := config.Write(path, f.r.opt.Session.Drivers, targets); err != nil {
		f.r.fail(err)
		return nil
	}
	return tea.Batch(f.start(), kit.Say("written to ./"+path))
}

func (f *firstRun) view(w, h int) string {
	th := f.r.k.Theme
	var rows []string
	say := func(s theme.Style, text string) { rows = append(rows, kit.NewLine(th, w).Say(s, "  "+text).String()) }
	say(theme.Plain, "")
	say(theme.Heading, "iscope has no configuration yet.")
	say(theme.Plain, "")
	switch {
	case !f.looked:
		say(theme.Dim, "looking at this machine's listening sockets …")
	case f.ignored:
		say(theme.Plain, "What listens on this machine is not looked at. c takes a URL, d starts the demo.")
	case f.err != nil:
		say(theme.Dim, "Listening sockets could not be read: "+safe.Line(f.err.Error(), 100).String())
	case len(f.found) == 0:
		say(theme.Plain, "Nothing listens on this machine.")
	default:
		say(theme.Plain, "These listen on this machine (its own table was read, nothing was contacted):")
	}
	say(theme.Plain, "")
	f.height = max(1, h-len(rows)-8)
	from, to := f.list.Window(len(f.found), f.height)
	for i := from; i < to; i++ {
		rows = append(rows, f.row(i, w))
	}
	say(theme.Plain, "")
	if f.typing {
		l := kit.NewLine(th, w).Say(theme.Accent, "  URL: ")
		rows = append(rows, f.field.Draw(l, max(8, w-10), true).String())
		say(theme.Dim, "kafka://host:9092  grpc://host:50051  http://host:8080  consul://host:8500")
	}
	say(theme.Plain, "")
	say(theme.Dim, "Read-only until you allow more. Nothing outside this machine was contacted.")
	return kit.Lay(rows, w, h)
}

func (f *firstRun) row(i, w int) string {
	x := f.found[i]
	mark := "[ ]"
	if f.checked[x.Addr] {
		mark = "[x]"
	}
	kind := x.Scheme
	if kind == "" {
		kind = "?"
	}
	l := kit.NewLine(f.r.k.Theme, w).Say(theme.Plain, fmt.Sprintf("   %s %-8s %s", mark, kind, x.Addr))
	if i == f.list.Cursor {
		return l.Selected()
	}
	return l.String()
}
