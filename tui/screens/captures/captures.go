// Package captures is the screen of recorded files: what is in them, and the way
// to replay them.
package captures

import (
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
	"iscope/tui/theme"
)

type screen struct {
	s     *session.Session
	o     kit.Options
	chain inspectors.Chain

	files   []session.CaptureFile
	err     string
	asked   bool
	list    kit.List
	inside  bool // the cursor is in the records of the open file
	opened  string
	records []probes.Record
	more    bool
	damage  string
	record  kit.List
	height  int
	deadly  string // path whose deletion has been asked for once
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	return &screen{s: s, o: o, chain: inspectors.Default()}
}

func (c *screen) Name() string { return "Captures" }

func (c *screen) Crumb() safe.Text {
	if f, ok := c.current(); ok {
		return safe.Line(f.Name, 60)
	}
	return safe.Text{}
}

func (c *screen) Typing() bool { return false }
func (c *screen) Close()       {}

func (c *screen) Shown(up bool) tea.Cmd {
	if !up {
		return nil
	}
	return c.load()
}

func (c *screen) current() (session.CaptureFile, bool) {
	if c.list.Cursor < 0 || c.list.Cursor >= len(c.files) {
		return session.CaptureFile{}, false
	}
	return c.files[c.list.Cursor], true
}

type (
	listed struct {
		files []session.CaptureFile
		err   error
	}
	previewed struct {
		path    string
		records []probes.Record
		more    bool
		err     error
	}
)

func (c *screen) load() tea.Cmd {
	return func() tea.Msg {
		files, err := c.s.Captures()
		return listed{files, err}
	}
}

func (c *screen) Bindings() []kit.Binding {
	return []kit.Binding{
		{ID: "captures.replay", Keys: []string{"r"}, Name: "replay", Hint: true, Doc: "plan a replay of this file", Refused: c.none,
			Run: func() tea.Cmd {
				f, _ := c.current()
				return kit.Send(kit.Go{Screen: kit.Replay, Path: f.Path})
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
		c.list.Move(0, len(c.files))
	case previewed:
		if f, ok := c.current(); ok && f.Path == msg.path {
			c.records, c.more, c.damage, c.record = msg.records, msg.more, "", kit.List{}
			if msg.err != nil {
				c.damage = msg.err.Error()
			}
		}
	case kit.Nav:
		return c.nav(msg)
	}
	return nil
}

func (c *screen) nav(n kit.Nav) tea.Cmd {
	if _, vertical := n.Delta(1); vertical {
		c.deadly = ""
	}
	switch n {
	case kit.Back:
		if c.inside {
			c.inside = false
			return nil
		}
		return kit.Send(kit.NotMine{})
	case kit.Refresh:
		return c.load()
	case kit.Enter, kit.NextPane:
		return c.open()
	}
	if c.inside {
		c.record.Nav(n, len(c.records), max(1, c.height))
	} else {
		c.list.Nav(n, len(c.files), max(1, c.height))
	}
	return nil
}

func (c *screen) open() tea.Cmd {
	f, ok := c.current()
	if !ok {
		return nil
	}
	c.inside, c.opened, c.records, c.damage = true, f.Path, nil, ""
	return func() tea.Msg {
		ctx, stop := session.Bounded(c.s)
		defer stop()
		recs, more, err := c.s.Preview(ctx, f.Path)
		return previewed{f.Path, recs, more, err}
	}
}

func (c *screen) View(w, h int) string {
	c.height = h - 1
	switch {
	case w >= 100:
		left := min(60, w*2/5)
		return kit.Beside(c.o.Theme, c.left(left, h), c.right(w-left-1, h))
	case c.inside:
		return c.right(w, h)
	}
	return c.left(w, h)
}

func (c *screen) left(w, h int) string {
	say := func(s theme.Style, text string) string {
		return kit.NewLine(c.o.Theme, w).Say(theme.Plain, " ").Put(s, safe.Line(text, max(0, w-2))).String()
	}
	rows := []string{say(theme.Heading, fmt.Sprintf("CAPTURES %d", len(c.files)))}
	switch {
	case c.err != "":
		rows = append(rows, say(theme.Bad, c.err))
	case !c.asked:
		rows = append(rows, say(theme.Dim, "reading the folder …"))
	case len(c.files) == 0:
		rows = append(rows, say(theme.Plain, ""), say(theme.Plain, "No captures in "+c.s.CaptureDir), say(theme.Plain, "b in Tail records one;"),
			say(theme.Plain, "iscope capture writes one."))
	}
	from, to := c.list.Window(len(c.files), h-1)
	for i := from; i < to; i++ {
		f := &c.files[i]
		l := kit.NewLine(c.o.Theme, w).Say(theme.Plain, " ")
		mark, style := " ", theme.Plain
		if f.Error != "" {
			mark, style = c.o.Theme.Glyph(theme.Failed), theme.Bad
		} else if f.Open {
			mark, style = c.o.Theme.Glyph(theme.Rec), theme.Warn
		}
		l.Say(style, mark+" ").Put(theme.Plain, safe.Line(f.Name, max(8, w-14)))
		l.Gap(9).ColRight(theme.Dim, kit.Text(fmt.Sprint(f.Info.Records)), 8)
		rows = append(rows, pick(l, i == c.list.Cursor && !c.inside))
	}
	return kit.Lay(rows, w, h)
}

func pick(l *kit.Line, on bool) string {
	if on {
		return l.Selected()
	}
	return l.String()
}

func (c *screen) right(w, h int) string {
	f, ok := c.current()
	if !ok {
		return kit.Lay(nil, w, h)
	}
	var rows []string
	add := func(s theme.Style, text string) {
		rows = append(rows, kit.NewLine(c.o.Theme, w).Say(theme.Plain, " ").Put(s, safe.Line(text, max(0, w-2))).String())
	}
	add(theme.Heading, f.Name)
	if f.Error != "" {
		add(theme.Bad, f.Error)
		return kit.Lay(rows, w, h)
	}
	i := &f.Info
	add(theme.Plain, fmt.Sprintf("%d records, %d bytes, %s to %s", i.Records, f.Size, i.First.UTC().Format("2006-01-02 15:04:05"), i.Last.UTC().Format("15:04:05Z")))
	add(theme.Dim, fmt.Sprintf("recorded in %s (class %s) by iscope %s", i.Environment, i.Class, i.Version))
	add(theme.Dim, "redaction: "+i.Redaction)
	if !i.Complete {
		add(theme.Warn, "not finished: it is being written, or was cut off")
	}
	for _, ch := range i.Channels {
		add(theme.Plain, fmt.Sprintf("%8d  %s/%s", ch.Records, ch.Target, ch.Subject))
	}
	if c.opened == f.Path && c.inside {
		rows = append(rows, c.preview(w, h-len(rows))...)
	} else {
		add(theme.Dim, "enter shows the records, r plans a replay")
	}
	return kit.Lay(rows, w, h)
}

// preview lists the first records; the one under the cursor is laid out below.
func (c *screen) preview(w, h int) []string {
	rows := []string{kit.NewLine(c.o.Theme, w).String()}
	if c.damage != "" {
		rows = append(rows, kit.NewLine(c.o.Theme, w).Say(theme.Plain, " ").Put(theme.Bad, safe.Line(c.damage, max(0, w-2))).String())
	}
	c.height = max(1, h/2)
	from, to := c.record.Window(len(c.records), c.height)
	for i := from; i < to; i++ {
		r := &c.records[i]
		at := r.Time
		if at.IsZero() {
			at = r.Seen
		}
		l := kit.NewLine(c.o.Theme, w).Say(theme.Dim, fmt.Sprintf(" %5d ", i+1)).Col(theme.Dim, kit.Text(at.UTC().Format("15:04:05.000")), 12)
		l.Col(theme.Plain, kit.Text(r.Kind.String()), 8).Col(theme.Plain, safe.Line(r.Source.Subject, 24), 24)
		l.Put(theme.Plain, safe.Line(c.chain.Summary(r, 4*l.Left()+64), l.Left()))
		rows = append(rows, pick(l, i == c.record.Cursor))
	}
	if c.more && to == len(c.records) {
		rows = append(rows, kit.NewLine(c.o.Theme, w).Say(theme.Dim, fmt.Sprintf(" the first %d are shown", session.PreviewRecords)).String())
	}
	if c.record.Cursor < len(c.records) {
		rows = append(rows, kit.NewLine(c.o.Theme, w).String())
		rows = append(rows, kit.Body(c.o.Theme, c.chain, &c.records[c.record.Cursor], w, max(0, h-len(rows)))...)
	}
	return rows
}
