package invoke

import (
	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/screens/invoke/outline"
)

// response is what of a call is looked at.
type response struct {
	pinned *call // an earlier call, taken up from the history
	tab    int
	moved  bool   // the cursor stays where it was put
	cursor uint64 // sequence in the call's ring
	inBody bool   // the movement keys scroll the text
	held   bool   // nothing newer than until is shown
	until  uint64
	scroll kit.Scroll

	page    *page // what the tab shows, made when something of key changed
	key     pageKey
	limit   int // bytes of the body that are laid out as text; 0 for the first ones
	working bool
	tree    *outline.Tree
	treeOf  pageKey
	list    kit.List // cursor in the tree
	diff    *comparison
	height  int // of the text in the last View
}

// page is what a tab shows: so many rows, each drawn when it is visible.
type page struct {
	n   int
	row func(i, w int) string
	// more says that only the beginning of the body is in it.
	more bool
}

type pageKey struct {
	c    *call
	at   uint64
	tab  int
	w    int
	over bool
}

const (
	tabText = iota
	tabTree
	tabRaw
	tabHex
	tabHeaders
	tabTrailers
	tabNotes
	tabFacts
	tabDiff
	tabLoad
)

var tabs = [...]string{"Text", "Tree", "Raw", "Hex", "Headers", "Trailers", "Notes", "Facts", "Diff", "Load"}

// ofBody reports whether a tab shows the body of the record under the cursor.
func ofBody(tab int) bool { return tab <= tabHex }

func (r *response) reset() { *r = response{tab: r.tab} }

func (r *response) turn(v *screen, by int) tea.Cmd {
	r.tab = (r.tab + by + len(tabs)) % len(tabs)
	r.scroll, r.page = kit.Scroll{}, nil
	return v.opened()
}

// opened begins the work that the tab just opened needs.
func (v *screen) opened() tea.Cmd {
	if v.resp.tab == tabDiff && v.resp.diff == nil && v.refuseDiff() == "" {
		return v.compare()
	}
	if v.resp.tab == tabTree {
		return v.grow()
	}
	return nil
}

func (v *screen) navResponse(n kit.Nav) tea.Cmd {
	r := &v.resp
	c := v.call()
	if r.tab == tabLoad && r.page != nil {
		r.scroll.Nav(n, r.page.n, max(1, r.height))
		return nil
	}
	if c == nil {
		return nil
	}
	inside := r.inBody || !ofBody(r.tab)
	switch {
	case inside && r.tab == tabTree && r.tree != nil:
		return v.navTree(n)
	case n == kit.Enter:
		r.inBody = !r.inBody
		return v.opened()
	case inside && r.key.w > 0: // keys may come faster than pages are drawn
		p := c.progress()
		page := v.laid(c, &p, r.key.w)
		r.scroll.Nav(n, page.n, max(1, r.height))
		if page.more && r.scroll.Top+2*r.height >= page.n {
			return v.renderMore()
		}
		return nil
	case inside:
		return nil
	}
	ring := c.progress().ring
	delta, ok := n.Delta(max(1, v.height[onResponse]))
	if !ok || ring == nil {
		return nil
	}
	s := ring.Stats()
	at := int(r.at(c)) + delta
	r.cursor = uint64(max(int(s.First), min(at, int(r.newest(s.Next))-1)))
	r.moved, r.scroll, r.limit, r.list = true, kit.Scroll{}, 0, kit.List{}
	return v.opened()
}

// newest is the sequence after the last one that is shown.
func (r *response) newest(next uint64) uint64 {
	if r.held {
		return min(next, r.until)
	}
	return next
}

// at is the sequence that is looked at: the newest answer unless another one was
// chosen, or the end of a call that was answered with an error.
func (r *response) at(c *call) uint64 {
	p := c.progress()
	if p.ring == nil {
		return 0
	}
	s := p.ring.Stats()
	next := r.newest(s.Next)
	if r.moved || next <= s.First {
		return max(r.cursor, s.First)
	}
	if p.end != nil && p.end.Err != "" && len(p.end.Body) > 0 {
		return next - 1
	}
	for seq := next; seq > s.First && seq+4 > next; seq-- {
		if rec, ok := p.ring.At(seq - 1); ok && rec.Kind == probes.Response {
			return seq - 1
		}
	}
	return next - 1
}

func (r *response) record(c *call) (probes.Record, bool) {
	ring := c.progress().ring
	if ring == nil {
		return probes.Record{}, false
	}
	return ring.At(r.at(c))
}

// refuseHold says why there is nothing to hold.
func (v *screen) refuseHold() string {
	c := v.call()
	if c == nil || !c.method.ServerStream && !v.resp.held {
		return "only the messages of a stream can be held"
	}
	return ""
}

// hold stops the list of a stream from moving, or lets it go on. The messages are
// read all the same, and none is lost before the call's memory is full.
func (v *screen) hold() tea.Cmd {
	r, c := &v.resp, v.call()
	if r.held {
		r.held, r.moved = false, false
		return kit.Say("the newest message is shown again")
	}
	if ring := c.progress().ring; ring != nil {
		r.cursor, r.moved = r.at(c), true
		r.held, r.until = true, ring.Stats().Next
	}
	return kit.Say("held: messages are still read; space goes on")
}

// toResponse puts the focus on the answer.
func (v *screen) toResponse(tab int) tea.Cmd {
	v.pane, v.resp.tab, v.resp.page, v.resp.scroll = onResponse, tab, nil, kit.Scroll{}
	v.resp.inBody = true
	return v.opened()
}
