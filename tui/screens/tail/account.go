package tail

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
	"iscope/tui/theme"
)

// looked is the row of a look into a queue.
func (t *screen) looked(l *kit.Line, st tap.State) {
	switch {
	case st.Phase == tap.Ended && st.Err != nil:
		l.Say(theme.Bad, " "+t.o.Theme.Glyph(theme.Failed)+" failed")
	case st.Phase == tap.Ended:
		c := t.view().count()
		l.Say(theme.Plain, fmt.Sprintf("  %d of at most %d messages", c.shown+c.hidden+c.unscanned, t.feed.Looked.Limit))
	default:
		l.Say(theme.Dim, " looking "+t.o.Theme.Glyph(theme.Ellipsis))
	}
	kit.Account(l, t.o.Theme, t.feed)
}

// refused reports that the feed ended because reading it would not be without
// effect, or cannot be.
func (t *screen) refused() bool {
	st := t.feed.State()
	return st.Phase == tap.Ended && (errors.Is(st.Err, probes.ErrRefused) || errors.Is(st.Err, probes.ErrUnsupported))
}

// leaveRefused drops the shown feed if it was refused and the same is asked for
// again in another way.
func (t *screen) leaveRefused(ref probes.Ref) {
	if t.feed != nil && t.feed.Ref == ref && t.refused() {
		t.s.Drop(t.feed)
	}
}

// nothing stands in the list's place while it is empty.
func (t *screen) nothing(w int) []string {
	p := &kit.Page{Theme: t.o.Theme, W: w}
	_, impact := t.feed.Look()
	st := t.feed.State()
	p.Add(theme.Plain, "")
	switch {
	case t.filter.Text != "" && t.feed.Ring.Stats().Next > 0:
		t.noMatch(p)
		return p.Rows
	case t.refused():
		t.explain(p)
	case st.Phase == tap.Ended && st.Err != nil:
		p.Failure(t.feed.Trouble())
	case t.feed.Looked != nil && (st.Phase != tap.Ended || t.feed.Ring.Stats().Next > 0): // the view follows
		p.Add(theme.Dim, "Looking %s", t.o.Theme.Glyph(theme.Ellipsis))
	case t.feed.Looked != nil:
		p.Add(theme.Plain, "No message is there to be received. p looks again.")
	default:
		p.Add(theme.Plain, "No record yet.")
	}
	if impact != "" {
		p.Add(theme.Plain, "")
		p.Wrap(theme.Dim, "", impact)
	}
	p.Ledger(t.feed.Deeds())
	return p.Rows
}

// noMatch says why a filter leaves nothing, as far as that is known.
func (t *screen) noMatch(p *kit.Page) {
	c := t.view().count()
	if c.unscanned > 0 {
		p.Add(theme.Dim, "Nothing matches so far; %d records are not yet scanned.", c.unscanned)
		return
	}
	p.NoMatch(t.judging, t.filter.Open(), int(c.hidden), int(c.unjudged))
}

// explain says why reading was refused and what can be done instead.
func (t *screen) explain(p *kit.Page) {
	if t.feed.Looked != nil {
		p.Add(theme.Bold, "Not looked into: that was refused.")
	} else {
		p.Add(theme.Bold, "Not tailed: reading this has effects, or cannot be done without.")
	}
	p.Add(theme.Plain, "")
	p.Failure(t.feed.Trouble())
	p.Add(theme.Plain, "")
	switch why := t.refusePeek(); {
	case why == "" && t.feed.Looked != nil:
		p.Wrap(theme.Plain, "p  ", "asks whether to look all the same")
	case why == "":
		p.Wrap(theme.Plain, "p  ", "peeks: receives some messages and gives them back, after a question")
	default:
		p.Wrap(theme.Dim, "p  ", "peek: "+why)
	}
	if why := t.s.WriteRefusal(); why != "" && t.refusePeek() != why {
		p.Wrap(theme.Dim, "", why)
	}
}

func (t *screen) refusePeek() string {
	if t.feed == nil {
		return t.idle()
	}
	return kit.PeekRefused(t.s, t.feed.Ref)
}

// offersPeek reports whether a look is what one would do next.
func (t *screen) offersPeek() bool { return t.feed != nil && (t.feed.Looked != nil || t.refused()) }

// peek asks whether to look into the queue, again if that was done before.
func (t *screen) peek() tea.Cmd {
	refusal := ""
	if t.feed.Looked != nil && errors.Is(t.feed.State().Err, probes.ErrRefused) {
		refusal, _ = t.feed.Trouble()
	}
	return kit.Peek(t.s, t.feed.Ref, refusal)
}
