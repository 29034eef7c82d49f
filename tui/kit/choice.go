package kit

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/theme"
)

// Choice is a filter and the prompt in which it is typed. F is *filter.Filter or
// *filter.RowFilter, the zero value letting everything pass. What is typed is in
// force at once, as far as it compiles; esc takes it back.
type Choice[F any] struct {
	Prompt
	In   F      // in force
	Text string // of In; "": everything passes

	compile func(string) (F, error)
	live    bool
	was     F
	wasText string
}

// Filtering chooses records, Listing rows of lists.
type (
	Filtering = Choice[*filter.Filter]
	Listing   = Choice[*filter.RowFilter]
)

// NewFilter makes a choice of the records of a stream.
func NewFilter(o Options) Filtering {
	return newChoice(o.Filters, "FILTER", filter.Complete, filter.Compile)
}

// NewFind makes a choice that is not in force before it is taken, for going from
// hit to hit.
func NewFind(o Options) Filtering {
	c := newChoice(o.Filters, "FIND", filter.Complete, filter.Compile)
	c.live = false
	return c
}

// NewListing makes a choice of the rows of a list.
func NewListing(o Options) Listing {
	return newChoice(o.Listings, "FILTER", filter.CompleteRows, filter.CompileRows)
}

func newChoice[F any](h *History, label string, complete func(string) []filter.Candidate, compile func(string) (F, error)) Choice[F] {
	if h == nil {
		h = &History{}
	}
	return Choice[F]{Prompt: Prompt{label: label, complete: complete, history: h}, compile: compile, live: true}
}

// Twin names what tab switches to where it has nothing to complete.
func (c *Choice[F]) Twin(name string) { c.twin = name }

// Lazily makes the choice come into force only when it is taken.
func (c *Choice[F]) Lazily() { c.live = false }

// Ask opens the prompt on what is in force, or on a text that is not.
func (c *Choice[F]) Ask(text string) {
	c.was, c.wasText = c.In, c.Text
	c.begin(text)
	if text != c.Text {
		c.try()
	}
}

// Typed is what one key has done.
type Typed struct {
	Changed bool // another filter is in force
	Closed  bool // the prompt is
	Taken   bool // by enter
	Switch  bool // to the twin; the prompt is open
}

// Update takes a key or a paste while the prompt is open.
func (c *Choice[F]) Update(msg tea.Msg) Typed {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			changed := c.Text != c.wasText
			c.In, c.Text, c.open = c.was, c.wasText, false
			return Typed{Changed: changed, Closed: true}
		case "enter":
			return c.take()
		}
	}
	changed, leave := c.key(msg)
	if !changed {
		return Typed{Switch: leave}
	}
	return Typed{Changed: c.try()}
}

// take closes the prompt, unless what is typed does not compile.
func (c *Choice[F]) take() Typed {
	live := c.live
	c.live = true
	changed := c.try()
	c.live = live
	if c.wrong != nil {
		return Typed{Changed: changed}
	}
	c.history.Add(c.Text)
	c.open = false
	return Typed{Changed: changed, Closed: true, Taken: true}
}

// try puts what is typed in force, or keeps what is and the reason.
func (c *Choice[F]) try() (changed bool) {
	f, text, err := c.make(c.Prompt.Typed())
	c.fault(err)
	if err != nil || !c.live || text == c.Text {
		return false
	}
	c.In, c.Text = f, text
	return true
}

func (c *Choice[F]) make(text string) (f F, _ string, err error) {
	if text == "" {
		return f, "", nil
	}
	f, err = c.compile(text)
	return f, text, err
}

// Set puts a text in force without typing.
func (c *Choice[F]) Set(text string) error {
	f, text, err := c.make(text)
	if err != nil {
		return err
	}
	c.In, c.Text, c.open = f, text, false
	c.history.Add(text)
	return nil
}

// Lift lets everything pass again.
func (c *Choice[F]) Lift() {
	var all F
	c.In, c.Text, c.open = all, "", false
}

// Head is the prompt while it is open, and else the filter in force: no row where
// there is neither.
func (c *Choice[F]) Head(t theme.Theme, right string, w int) []string {
	switch {
	case c.open:
		return c.Rows(t, right, w)
	case c.Text == "":
		return nil
	}
	right = safe.Line(right, min(maxRight, w/2)).String()
	l := NewLine(t, w).Say(theme.Accent, " "+c.label+" ")
	l.Put(theme.Plain, safe.Line(c.Text, max(8, l.Left()-safe.Width(right)-2)))
	return []string{l.Gap(safe.Width(right)+1).Say(theme.Dim, right).String()}
}

// Sifted counts what a filter does to a list.
type Sifted struct {
	Shown, All int
	Unjudged   int
	Why        string // the first could not be judged; from outside
}

// Row reports whether a row is shown, and counts it. A nil filter shows all.
func (s *Sifted) Row(f *filter.RowFilter, row func() *filter.Row) bool {
	s.All++
	if f == nil {
		s.Shown++
		return true
	}
	ok, err := f.Match(row())
	return s.judged(ok, err)
}

// Record reports whether a record is shown, and counts it. What is said about a
// stream is always shown.
func (s *Sifted) Record(judge Judge, r *probes.Record) bool {
	s.All++
	ok, err := true, error(nil)
	if judge != nil {
		ok, err = judge(r)
	}
	return s.judged(ok, err)
}

func (s *Sifted) judged(ok bool, err error) bool {
	if err != nil {
		if s.Unjudged++; s.Unjudged == 1 {
			s.Why = err.Error()
		}
	}
	if ok {
		s.Shown++
	}
	return ok
}

// String is the count for the right of a prompt.
func (s *Sifted) String() string {
	text := fmt.Sprintf("%d of %d", s.Shown, s.All)
	if s.Unjudged > 0 {
		text += fmt.Sprintf(", %d unjudged", s.Unjudged)
	}
	return text
}

// Unjudged is a row that says how many could not be judged and why; none where
// all could. noun is what they are, in the plural.
func Unjudged(t theme.Theme, n int, why, noun string, w int) []string {
	if n == 0 {
		return nil
	}
	text := fmt.Sprintf("%d %s could not be judged, first: %s", n, noun, why)
	return []string{NewLine(t, w).Say(theme.Warn, " "+t.Glyph(theme.Warning)+" ").Put(theme.Warn, safe.Line(text, max(0, w-4))).String()}
}

// NoMatch says why a filter leaves nothing of so many records, as far as that is
// known.
func (p *Page) NoMatch(f *filter.Filter, typing bool, of, unjudged int) {
	if typing {
		p.Add(theme.Plain, "Nothing matches the filter.")
	} else {
		p.Add(theme.Plain, "Nothing matches the filter. esc lifts it.")
	}
	warn := p.Theme.Glyph(theme.Warning) + " "
	if absent := f.Stats().Absent; len(absent) > 0 && of > unjudged {
		p.Wrap(theme.Warn, warn, "Of the records looked into, none has "+strings.Join(absent, ", "))
	}
	if unjudged > 0 {
		p.Wrap(theme.Warn, warn, fmt.Sprintf("%d of %d could not be judged.", unjudged, of))
	}
}
