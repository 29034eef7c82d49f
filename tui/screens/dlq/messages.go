package dlq

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/probes/tap"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// Sizes of a look at dead letters. Where it is without effect, many are read.
const (
	few  = 20
	many = 200
)

// messages is what was read of one place.
type messages struct {
	place   place
	feed    *session.Feed // nil until the first
	forced  bool
	stale   bool // some of them have been sent since
	planned bool // a plan is to be made when all is read

	first  uint64 // sequence of recs[0] in the feed's ring
	recs   []probes.Record
	shown  []int           // indexes into recs that the filter leaves
	marked map[uint64]bool // by sequence
	list   kit.List
	filter kit.Filtering
	sifted kit.Sifted // what it does to recs
	judged *filter.Filter
	seen   uint64 // version of the schemas they were judged with

	detail bool
	pane   kit.RecordPane
	rows   kit.RecordRows
}

// show is the answer to whether to look: see open.
type show struct {
	by     *screen
	place  place
	limit  int
	forced bool
	plan   bool // go on to the plan
}

// open reads the messages of a place; where that is a look, it asks first.
func (d *screen) open(p place, plan bool) tea.Cmd {
	s := show{by: d, place: p, limit: many, plan: plan}
	if !d.s.Can(p.ref.Target, "peek") {
		return d.show(s)
	}
	if why := d.s.WriteRefusal(); why != "" {
		return kit.Send(kit.Toast{Text: "reading these dead letters is a look, which counts as a write: " + why, Bad: true})
	}
	ask := kit.Ask{Title: "LOOK at dead letters of " + p.ref.String(), Lines: []string{"In " + kit.Where(d.s.Env()) + "."}}
	verb := "look at"
	if refusal := d.messages.refusal(p.ref); refusal != "" {
		verb, s.forced = "force: look at", true
		ask.Lines = append(ask.Lines, refusal)
	}
	ask.Lines = append(ask.Lines, kit.LookEffects)
	for _, n := range []int{few, many} {
		s.limit = n
		one := s
		ask.Yes = append(ask.Yes, kit.Answer{Text: fmt.Sprintf("%s up to %d messages", verb, n), Run: func() tea.Cmd { return kit.Send(one) }})
	}
	return kit.Send(ask)
}

// refusal is why the last look at a place was refused, "" if it was not.
func (m *messages) refusal(ref probes.Ref) string {
	if m.feed == nil || m.feed.Ref != ref || !errors.Is(m.feed.State().Err, probes.ErrRefused) {
		return ""
	}
	text, _ := m.feed.Trouble()
	return text
}

func (d *screen) show(s show) tea.Cmd {
	m := &d.messages
	m.drop()
	*m = messages{place: d.places.known(s.place.ref), forced: s.forced, marked: map[uint64]bool{}, filter: m.filter, pane: m.pane, rows: m.rows}
	m.filter.Lift()
	m.pane.Reset()
	m.feed = d.s.ShowDead(s.place.ref, probes.PeekQuery{Limit: s.limit, Force: s.forced})
	d.level = onMessages
	if !d.running() {
		d.plan = nil
	}
	m.planned = s.plan
	return d.beat()
}

// drop ends the reading, if it has not ended by itself.
func (m *messages) drop() {
	if m.feed != nil {
		m.feed.Stop()
	}
}

func (m *messages) reading() bool { return m.feed != nil && m.feed.State().Phase != tap.Ended }

// refresh takes in what has come, and judges anew where schemas have.
func (m *messages) refresh(by *session.Session) {
	if m.feed == nil {
		return
	}
	s := m.feed.Ring.Stats()
	if s.First == m.first && int(s.Next-s.First) == len(m.recs) {
		if m.sifted.Unjudged > 0 && m.reads(by).Version() != m.seen {
			m.lay(by)
		}
		return
	}
	m.recs = make([]probes.Record, s.Next-s.First)
	first, n := m.feed.Ring.Window(s.First, m.recs)
	m.first, m.recs = first, m.recs[:n]
	m.lay(by)
}

// reads is how they are decoded.
func (m *messages) reads(s *session.Session) *session.Reading { return s.Reading(m.place.ref.Target) }

// lay finds what the filter leaves, and keeps the cursor on its own.
func (m *messages) lay(s *session.Session) {
	was := -1
	if m.list.Cursor < len(m.shown) {
		was = m.shown[m.list.Cursor]
	}
	reading := m.reads(s)
	m.seen, m.sifted = reading.Version(), kit.Sifted{}
	m.judged = kit.Decoding(m.filter.In, s.EnvOf)
	judge := kit.Judging(s.Context(), m.judged)
	m.shown = m.shown[:0]
	for i := range m.recs {
		if m.sifted.Record(judge, &m.recs[i]) {
			if i <= was {
				m.list.Cursor = len(m.shown)
			}
			m.shown = append(m.shown, i)
		}
	}
	m.list.Move(0, len(m.shown))
}

func (m *messages) current() (probes.Record, bool) {
	if m.list.Cursor < 0 || m.list.Cursor >= len(m.shown) {
		return probes.Record{}, false
	}
	return m.recs[m.shown[m.list.Cursor]], true
}

// seq names a record as long as it is kept.
func (m *messages) seq(i int) uint64 { return m.first + uint64(i) }

// isDead reports whether a record is a dead letter, and not something said about
// them.
func isDead(r *probes.Record) bool { return r.Kind != probes.Notice && r.Kind != probes.Gap }

func (d *screen) mark() tea.Cmd {
	m := &d.messages
	if r, ok := m.current(); ok && isDead(&r) {
		seq := m.seq(m.shown[m.list.Cursor])
		if m.marked[seq] {
			delete(m.marked, seq)
		} else {
			m.marked[seq] = true
		}
	}
	m.list.Move(1, len(m.shown))
	return nil
}

// markAll marks what the filter leaves, or nothing if all of that is marked.
func (d *screen) markAll() tea.Cmd {
	m := &d.messages
	fresh := false
	for _, i := range m.shown {
		if seq := m.seq(i); isDead(&m.recs[i]) && !m.marked[seq] {
			m.marked[seq], fresh = true, true
		}
	}
	if !fresh {
		clear(m.marked)
	}
	return nil
}

// count is how many dead letters were read.
func (m *messages) count() (n int) {
	for i := range m.recs {
		if isDead(&m.recs[i]) {
			n++
		}
	}
	return n
}

// again asks anew for what is on screen.
func (d *screen) again() tea.Cmd {
	if d.level == onMessages {
		return d.open(d.places.known(d.messages.place.ref), false)
	}
	return d.reload()
}
