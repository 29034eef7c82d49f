// Package captures is the screen of recorded files: what is in them, and the way
// to replay them.
package captures

import (
	"context"
	"os"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

type screen struct {
	s     *session.Session
	o     kit.Options
	chain inspectors.Chain

	files  []session.CaptureFile
	err    string
	asked  bool
	choose kit.Listing // files
	sifted kit.Sifted
	shown  []int // indexes into files
	list   kit.List

	inside bool // the cursor is in the records of the open file
	file   opened
	filter kit.Filtering // records
	record kit.List
	pane   kit.RecordPane
	height int
	deadly string // path whose deletion has been asked for once
}

// opened is the file whose records are shown.
type opened struct {
	path    string
	asked   int // counts what was asked for: only the last answer is of use
	stop    context.CancelFunc
	reading bool
	session.Preview
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	chain := inspectors.Default()
	return &screen{s: s, o: o, chain: chain, choose: kit.NewListing(o), filter: kit.NewFilter(o), pane: kit.NewRecordPane(o.Theme, chain)}
}

func (c *screen) Name() string { return "Captures" }

func (c *screen) Crumb() safe.Text {
	if f, ok := c.current(); ok {
		return safe.Line(f.Name, 60)
	}
	return safe.Text{}
}

func (c *screen) Typing() bool { return c.choose.Open() || c.filter.Open() }

// Close ends what is being read.
func (c *screen) Close() {
	if c.file.stop != nil {
		c.file.stop()
	}
}

func (c *screen) Shown(up bool) tea.Cmd {
	if !up {
		return nil
	}
	return c.load()
}

func (c *screen) current() (session.CaptureFile, bool) {
	if c.list.Cursor < 0 || c.list.Cursor >= len(c.shown) {
		return session.CaptureFile{}, false
	}
	return c.files[c.shown[c.list.Cursor]], true
}

type (
	listed struct {
		files []session.CaptureFile
		err   error
	}
	previewed struct {
		by    *screen
		asked int
		session.Preview
	}
)

func (c *screen) load() tea.Cmd {
	return func() tea.Msg {
		files, err := c.s.Captures()
		return listed{files, err}
	}
}

func (c *screen) Bindings() []kit.Binding {
	switch {
	case c.choose.Open():
		return c.choose.Bindings("captures.choose")
	case c.filter.Open():
		return c.filter.Bindings("captures.filter")
	}
	return []kit.Binding{
		{ID: "captures.replay", Keys: []string{"r"}, Name: "replay", Hint: true, Doc: "plan a replay of this file, or of what the filter leaves of it", Refused: c.none,
			Run: func() tea.Cmd {
				f, _ := c.current()
				g := kit.Go{Screen: kit.Replay, Path: f.Path}
				if c.file.path == f.Path {
					g.Filter = c.filter.Text
				}
				return kit.Send(g)
			}},
		{ID: "captures.copy", Keys: []string{"y"}, Name: "copy path", Hint: true, Doc: "copy the file's path", Refused: c.none,
			Run: func() tea.Cmd {
				f, _ := c.current()
				return tea.Batch(tea.SetClipboard(f.Path), kit.Say("copied the path"))
			}},
		{ID: "captures.delete", Keys: []string{"D"}, Name: "delete", Doc: "delete this file; asks once more", Refused: c.none, Run: c.remove},
	}
}

func (c *screen) none() string {
	if _, ok := c.current(); !ok {
		return "there is no capture"
	}
	return ""
}

// remove deletes at the second press on the same file.
func (c *screen) remove() tea.Cmd {
	f, _ := c.current()
	if c.deadly != f.Path {
		c.deadly = f.Path
		return kit.Send(kit.Toast{Text: "D once more deletes " + safe.Line(f.Name, 80).String() + " for good", Bad: true})
	}
	c.deadly = ""
	return func() tea.Msg {
		if err := os.Remove(f.Path); err != nil {
			return kit.Fail{Err: err}
		}
		return c.load()()
	}
}

func (c *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case listed:
		c.asked, c.files, c.err = true, msg.files, ""
		if msg.err != nil {
			c.err = msg.err.Error()
		}
		c.lay()
	case previewed:
		if msg.by == c && msg.asked == c.file.asked {
			c.file.reading, c.file.Preview = false, msg.Preview
			c.record.Move(0, len(c.file.Records))
		}
	case kit.Nav:
		return c.nav(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		return c.typed(msg)
	}
	return nil
}

// lay finds the files that the filter leaves, and keeps the cursor on its own.
func (c *screen) lay() {
	was, had := c.current()
	c.sifted, c.shown = kit.Sifted{}, c.shown[:0]
	for i := range c.files {
		f := &c.files[i]
		if !c.sifted.Row(c.choose.In, func() *filter.Row { return rowOf(f) }) {
			continue
		}
		if had && f.Path == was.Path {
			c.list.Cursor = len(c.shown)
		}
		c.shown = append(c.shown, i)
	}
	c.list.Move(0, len(c.shown))
}

// rowOf is a file as filters see it.
func rowOf(f *session.CaptureFile) *filter.Row {
	r := &filter.Row{Kind: "capture", Name: f.Name, Group: f.Info.Environment, Reason: f.Error}
	for _, t := range f.Info.Targets {
		r.Target += " " + t.Name
	}
	for _, ch := range f.Info.Channels {
		r.Doc += " " + ch.Target + "/" + ch.Subject
	}
	r.Attrs = []probes.Attr{{Name: "records", Value: strconv.FormatUint(f.Info.Records, 10)}}
	return r
}

func (c *screen) typed(msg tea.Msg) tea.Cmd {
	if c.choose.Open() {
		if c.choose.Update(msg).Changed {
			c.lay()
		}
		return nil
	}
	if c.filter.Update(msg).Changed {
		return c.read()
	}
	return nil
}

func (c *screen) nav(n kit.Nav) tea.Cmd {
	if _, vertical := n.Delta(1); vertical {
		c.deadly = ""
	}
	if c.inside && c.pane.Nav(n) {
		return nil
	}
	switch n {
	case kit.Back:
		return c.back()
	case kit.Refresh:
		return c.load()
	case kit.Enter, kit.NextPane:
		return c.open()
	case kit.Find, kit.Filter:
		if c.inside {
			c.filter.Ask(c.filter.Text)
		} else {
			c.choose.Ask(c.choose.Text)
		}
	case kit.CopyValue:
		if c.inside && c.record.Cursor < len(c.file.Records) {
			r := &c.file.Records[c.record.Cursor]
			return kit.CopyBody(r, c.s.EnvOf(r))
		}
	}
	if c.inside {
		if c.record.Nav(n, len(c.file.Records), max(1, c.height)) {
			c.pane.Rewind()
		}
	} else {
		c.list.Nav(n, len(c.shown), max(1, c.height))
	}
	return nil
}

// back closes what is open, innermost first.
func (c *screen) back() tea.Cmd {
	switch {
	case c.inside && c.filter.Text != "":
		c.filter.Lift()
		return c.read()
	case c.inside:
		c.inside = false
	case c.choose.Text != "":
		c.choose.Lift()
		c.lay()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

// open shows the records of the file under the cursor.
func (c *screen) open() tea.Cmd {
	f, ok := c.current()
	if !ok || f.Error != "" {
		return nil
	}
	c.inside = true
	if c.file.path == f.Path && !f.Open {
		return nil // as it was left
	}
	c.filter.Lift()
	c.pane.Reset()
	c.record = kit.List{}
	c.file.path, c.file.Preview = f.Path, session.Preview{}
	return c.read()
}

// read looks through the open file in the background, instead of whatever it was
// looked through for before.
func (c *screen) read() tea.Cmd {
	if c.file.stop != nil {
		c.file.stop()
	}
	ctx, stop := session.Bounded(c.s)
	c.file.asked++
	c.file.stop, c.file.reading = stop, true
	path, asked, s := c.file.path, c.file.asked, c.s
	judge := kit.Judging(ctx, kit.Decoding(c.filter.In, s.WaitingEnvOf))
	return func() tea.Msg {
		defer stop()
		return previewed{c, asked, s.Preview(ctx, path, judge)}
	}
}
