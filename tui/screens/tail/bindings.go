package tail

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
)

func (t *screen) Bindings() []kit.Binding {
	switch {
	case t.filter.Open():
		return t.filter.Bindings("tail.filter")
	case t.find.Open():
		return t.find.Bindings("tail.find")
	}
	return []kit.Binding{
		{ID: "tail.pause", Keys: []string{"space"}, Name: "pause", Hint: true, Refused: t.stopped,
			Doc: "freeze the view; reading goes on, and space resumes", Run: t.do(t.togglePause)},
		{ID: "tail.follow", Keys: []string{"F"}, Name: "follow", Hint: true, Refused: t.stopped,
			Doc: "to the newest record and stay there", Run: t.do(func() { t.view().resume(); t.view().latest() })},
		{ID: "tail.peek", Keys: []string{"p"}, Name: "peek", Hint: t.offersPeek(), Refused: t.refusePeek,
			Doc: "look into this queue by receiving and returning messages; asks first", Run: t.peek},
		{ID: "tail.record", Keys: []string{"b"}, Name: "record", Hint: true, Refused: t.stopped,
			Doc: "record this stream to a file, or finish the recording", Run: t.record},
		{ID: "tail.hold", Keys: []string{"="}, Name: "hold the source", Refused: t.stopped,
			Doc: "stop reading from the source (back-pressure), and go on", Run: t.do(func() { t.feed.Hold(!t.feed.Held()) })},
		{ID: "tail.exclude", Keys: []string{"X"}, Name: "exclude", Hint: true, Refused: t.refuseExclude,
			Doc: "leave out rows like this one: adds to the filter", Run: t.exclude},
		{ID: "tail.source", Keys: []string{"a"}, Name: "next stream", Hint: true, Refused: t.single,
			Doc: "show the next of the running streams", Run: t.next},
		{ID: "tail.end", Keys: []string{"A"}, Name: "end this stream", Refused: t.idle,
			Doc: "stop reading this stream; once more forgets it", Run: t.end},
		{ID: "tail.clear", Keys: []string{"K"}, Name: "clear", Refused: t.idle,
			Doc: "forget what is on screen (the source keeps it)", Run: t.do(func() { t.feed.Ring.Clear() })},
		{ID: "tail.invoke", Keys: []string{"i"}, Name: "invoke", Refused: t.idle,
			Doc: "call something of the same target", Run: func() tea.Cmd {
				return kit.Send(kit.Go{Screen: kit.Invoke, Ref: probes.Ref{Target: t.feed.Ref.Target}})
			}},
	}
}

func (t *screen) idle() string {
	if t.feed == nil {
		return "no stream is open; 2 lists what can be tailed"
	}
	return ""
}

// stopped says why nothing more comes.
func (t *screen) stopped() string {
	if t.feed != nil && t.feed.Looked != nil {
		return "a look into a queue is over when it is shown"
	}
	return t.idle()
}

func (t *screen) single() string {
	if len(t.s.Feeds()) < 2 {
		return "only one stream is open"
	}
	return ""
}

// do makes an action of something that changes the view at once.
func (t *screen) do(f func()) func() tea.Cmd {
	return func() tea.Cmd {
		f()
		return t.update()
	}
}

func (t *screen) togglePause() {
	if v := t.view(); v.paused() {
		v.resume()
	} else {
		v.pause()
		t.paused = t.o.Now()
	}
}

func (t *screen) next() tea.Cmd {
	feeds := t.s.Feeds()
	t.feed = feeds[(slices.Index(feeds, t.feed)+1)%len(feeds)]
	t.search = nil
	return tea.Batch(t.await(), t.refilter())
}

func (t *screen) end() tea.Cmd {
	feed := t.feed
	if feed.State().Phase == tap.Ended {
		t.s.Drop(feed)
		t.feed = nil
		t.forget()
		if feeds := t.s.Feeds(); len(feeds) > 0 {
			t.feed = feeds[0]
		}
		return tea.Batch(t.await(), t.refilter())
	}
	return func() tea.Msg {
		feed.End()
		return kit.Toast{Text: "the stream has ended; what was read stays"}
	}
}
