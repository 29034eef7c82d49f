// Package tail is the screen of live streams: one feed at a time on screen, any
// number of them reading.
package tail

import (
	"context"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// history is how many records of the past a tail begins with, so that the screen
// is not empty on a quiet topic.
const history = 200

type screen struct {
	s *session.Session
	o kit.Options

	feed   *session.Feed
	views  map[*session.Feed]*view
	tops   map[*session.Feed]*uint64
	shown  bool
	waits  *session.Feed // the feed a wake is awaited from
	paused time.Time

	filter  kit.Filtering
	find    kit.Filtering
	judging *filter.Filter // that of the filter in force, with its account
	decoded uint64         // version of the schemas it was judged with
	goesOn  bool           // a message to go on scanning is under way
	search  *search        // what is under way
	detail  bool           // the detail pane is open
	pane    kit.RecordPane
	list    kit.RecordRows
	height  int // of the list, for page keys
}

// New makes the screen.
func New(s *session.Session, o kit.Options) kit.Screen {
	chain := inspectors.Default()
	t := &screen{s: s, o: o, views: map[*session.Feed]*view{}, tops: map[*session.Feed]*uint64{}, filter: kit.NewFilter(o), find: kit.NewFind(o),
		pane: kit.NewRecordPane(o.Theme, chain), list: kit.NewRecordRows(o.Theme, chain)}
	t.filter.Twin("finds")
	t.find.Twin("filters")
	return t
}

func (t *screen) Name() string { return "Tail" }

func (t *screen) Crumb() safe.Text {
	if t.feed == nil {
		return safe.Text{}
	}
	return safe.Line(t.feed.Ref.String(), 60)
}

func (t *screen) Typing() bool { return t.filter.Open() || t.find.Open() }

func (t *screen) Close() {}

// Filters reports whether there is a stream to filter.
func (t *screen) Filters() bool { return t.feed != nil }

func (t *screen) Shown(up bool) tea.Cmd {
	t.shown = up
	return t.await()
}

// wake says that a feed's ring has changed.
type wake struct{ feed *session.Feed }

// await waits for the shown feed, then for the rest of the frame. Only one is
// awaited at a time, and nothing while the screen is away.
func (t *screen) await() tea.Cmd {
	if !t.shown || t.feed == nil || t.waits == t.feed {
		return nil
	}
	feed := t.feed
	t.waits = feed
	ctx := t.s.Context()
	return func() tea.Msg {
		select {
		case <-feed.Ring.Changed():
		case <-ctx.Done():
			return nil
		}
		time.Sleep(kit.Frame)
		return wake{feed}
	}
}

func (t *screen) view() *view {
	if t.feed == nil {
		return nil
	}
	v := t.views[t.feed]
	if v == nil {
		v = newView(t.feed.Ring)
		t.views[t.feed], t.tops[t.feed] = v, new(uint64)
	}
	return v
}

func (t *screen) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case kit.Go:
		return t.open(msg)
	case wake:
		return t.woken(msg)
	case kit.Changed:
		return t.update() // an end that is shown comes with its records
	case scanOn:
		if msg.by == t {
			t.goesOn = false
			return t.update()
		}
	case searchOn:
		return t.searchOn(msg)
	case captured:
		return t.captured(msg)
	case tea.KeyPressMsg, tea.PasteMsg:
		return t.typed(msg)
	case kit.Nav:
		return t.nav(msg)
	}
	return nil
}

func (t *screen) woken(w wake) tea.Cmd {
	if t.waits == w.feed {
		t.waits = nil
	}
	if w.feed != t.feed {
		return t.await()
	}
	return tea.Batch(t.await(), t.update())
}

// scanOn goes on with what the budget of one update did not suffice for. Keys come
// between.
type scanOn struct{ by *screen }

// update takes in what came, and asks to go on where there is more.
func (t *screen) update() tea.Cmd {
	v := t.view()
	if v == nil {
		return nil
	}
	if version := t.s.Reading(t.feed.Ref.Target).Version(); version != t.decoded {
		t.decoded = version
		v.reconsider()
	}
	return t.goOn(v.update())
}

func (t *screen) goOn(more bool) tea.Cmd {
	if !more || t.goesOn {
		return nil
	}
	t.goesOn = true
	return kit.Send(scanOn{t})
}

func (t *screen) open(g kit.Go) tea.Cmd {
	if g.Ref.Target == "" {
		return t.await()
	}
	t.leaveRefused(g.Ref)
	if g.Peek != nil {
		t.feed = t.s.Peek(g.Ref, *g.Peek)
	} else {
		t.feed = t.s.Tail(g.Ref, t.query(g.Ref))
	}
	t.forget()
	t.detail, t.search = false, nil
	t.filter.Lift()
	t.find.Lift()
	if err := t.filter.Set(g.Filter); err != nil {
		return tea.Batch(t.await(), t.refilter(), kit.Send(kit.Fail{Err: err}))
	}
	t.pane.Reset()
	return tea.Batch(t.await(), t.refilter())
}

// forget lets go of views of feeds that the session has dropped: they hold rings.
func (t *screen) forget() {
	kept := t.s.Feeds()
	for feed := range t.views {
		if !slices.Contains(kept, feed) {
			delete(t.views, feed)
			delete(t.tops, feed)
		}
	}
}

// query begins with some of the past where the target has one. Registries'
// events have none.
func (t *screen) query(ref probes.Ref) probes.TailQuery {
	for _, st := range t.s.States() {
		if st.Name == ref.Target && st.Driver == "consul" {
			return probes.TailQuery{Follow: true}
		}
	}
	return probes.TailQuery{Last: history, Follow: true}
}

func (t *screen) nav(n kit.Nav) tea.Cmd {
	v := t.view()
	if v == nil {
		if n == kit.Back {
			return kit.Send(kit.NotMine{})
		}
		return nil
	}
	if t.detail && t.pane.Nav(n) {
		return nil
	}
	switch n {
	case kit.Enter:
		// What is being read stays in place; F follows again.
		t.detail, v.follow = true, false
		t.pane.Reset()
	case kit.ShowDetail:
		t.detail = !t.detail
	case kit.Back:
		return t.back()
	case kit.Find:
		t.find.Ask(t.find.Text)
	case kit.Filter:
		t.filter.Ask(t.filter.Text)
	case kit.NextHit, kit.PrevHit:
		return t.hit(n == kit.NextHit)
	case kit.CopyValue:
		return t.copy()
	case kit.Bottom:
		v.latest()
	default:
		if delta, ok := n.Delta(max(1, t.height)); ok {
			v.move(delta)
			t.pane.Rewind()
		}
	}
	return t.update()
}

// back closes what is open, innermost first.
func (t *screen) back() tea.Cmd {
	switch {
	case t.detail:
		t.detail = false
	case t.filter.Text != "":
		t.filter.Lift()
		return t.refilter()
	default:
		return kit.Send(kit.NotMine{})
	}
	return nil
}

func (t *screen) copy() tea.Cmd {
	r, ok := t.view().current()
	if !ok {
		return nil
	}
	return kit.CopyBody(&r.rec, t.reading().Env())
}

// captured is the answer to starting or ending a recording.
type captured struct {
	feed  *session.Feed
	path  string
	count uint64
	ended bool
	err   error
}

func (t *screen) captured(c captured) tea.Cmd {
	switch {
	case c.err != nil:
		return kit.Send(kit.Fail{Err: c.err})
	case c.ended:
		return kit.Say(fmt.Sprintf("recorded %d records: 5 shows the captures", c.count))
	}
	return kit.Say("recording to " + safe.Line(c.path, 200).String())
}

// record starts or ends a recording of the shown feed, in the background: the
// target is asked who it is.
func (t *screen) record() tea.Cmd {
	feed, ctx := t.feed, t.s.Context()
	return func() tea.Msg {
		if path, _ := feed.Capturing(); path != "" {
			sum, err := feed.EndCapture()
			return captured{feed: feed, path: path, count: sum.Records, ended: true, err: err}
		}
		ctx, stop := context.WithTimeout(ctx, session.Patience)
		defer stop()
		path, err := feed.Capture(ctx)
		return captured{feed: feed, path: path, err: err}
	}
}
