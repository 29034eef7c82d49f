package tail

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// env decodes without blocking what the shown feed reads.
func (t *screen) env() func(*probes.Record) inspectors.Env {
	reading := t.reading()
	return func(*probes.Record) inspectors.Env { return reading.Env() }
}

func (t *screen) reading() *session.Reading {
	if t.feed == nil {
		return nil
	}
	return t.s.Reading(t.feed.Ref.Target)
}

// refilter judges everything anew by the filter in force.
func (t *screen) refilter() tea.Cmd {
	v := t.view()
	if v == nil {
		return nil
	}
	t.decoded = t.reading().Version()
	t.judging = kit.Decoding(t.filter.In, t.env())
	return t.goOn(v.setFilter(kit.Judging(t.s.Context(), t.judging)))
}

// typed takes one key or paste while a prompt is open. A filter is in force as it
// grows; what is to be found is looked for when it is taken.
func (t *screen) typed(msg tea.Msg) tea.Cmd {
	if t.find.Open() {
		switch done := t.find.Update(msg); {
		case done.Switch:
			text := t.find.Prompt.Typed()
			t.find.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
			t.filter.Ask(text)
			return t.refilter()
		case done.Taken:
			return t.hit(false)
		}
		return nil
	}
	done := t.filter.Update(msg)
	if done.Switch {
		text := t.filter.Prompt.Typed()
		t.filter.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
		t.find.Ask(text)
		return t.refilter()
	}
	if done.Changed {
		return t.refilter()
	}
	return nil
}

// search is going from hit to hit. It goes on a while at a time.
type search struct {
	feed    *session.Feed
	judge   kit.Judge
	forward bool
	at      uint64
}

type searchOn struct{ what *search }

func (t *screen) hit(forward bool) tea.Cmd {
	f := kit.Decoding(t.find.In, t.env())
	if f == nil {
		return kit.Say("nothing to find: / asks")
	}
	t.search = &search{t.feed, kit.Judging(t.s.Context(), f), forward, t.view().cursor}
	return t.searchOn(searchOn{t.search})
}

// searchOn goes on with a search, unless another has begun since.
func (t *screen) searchOn(msg searchOn) tea.Cmd {
	s := t.search
	if s == nil || s != msg.what || s.feed != t.feed {
		return nil
	}
	switch f := t.view().find(s.judge, s.at, s.forward); {
	case f.hit:
		t.search = nil
		t.pane.Rewind()
		return t.update()
	case f.more:
		s.at = f.at
		return tea.Batch(kit.Say(fmt.Sprintf("looking, %d records to go", f.left)), kit.Send(searchOn{s}))
	}
	t.search = nil
	where := "before"
	if s.forward {
		where = "behind"
	}
	return kit.Say("no further hit " + where + " this record")
}

// sums is what the filter does, in words.
func (c sums) String() string {
	parts := []string{fmt.Sprintf("%d of %d match", c.shown, c.shown+c.hidden)}
	if c.unjudged > 0 {
		parts = append(parts, fmt.Sprintf("%d unjudged", c.unjudged))
	}
	if c.unscanned > 0 {
		parts = append(parts, fmt.Sprintf("%d not yet scanned", c.unscanned))
	}
	return strings.Join(parts, ", ")
}
