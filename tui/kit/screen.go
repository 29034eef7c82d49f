package kit

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/theme"
)

// Screen is one of the numbered screens.
type Screen interface {
	// Name is one word, as in the hint row: "Tail".
	Name() string
	// Crumb is what is open in it, for the first row.
	Crumb() safe.Text
	// Update takes every message that is not the router's own, and keys while
	// Typing. It is called from one goroutine and must not block.
	Update(msg tea.Msg) tea.Cmd
	View(w, h int) string
	// Bindings are the keys of what has the focus, the most useful first.
	Bindings() []Binding
	// Typing reports that a text field has the focus: printable keys are text.
	Typing() bool
	// Shown tells the screen that it comes up (true) or goes away.
	Shown(bool) tea.Cmd
	// Close ends what the screen started.
	Close()
}

// Sometimes is a screen that does not always have something to filter.
type Sometimes interface{ Filters() bool }

// Binding is one action: what it is called, which keys run it, why it may not
// run now, and what it does. Dispatch, the hint row, help, the palette and the
// key reference all come from it.
type Binding struct {
	ID   string // "tail.pause": stable, for key maps
	Keys []string
	Name string // in the hint row: "pause"
	Doc  string // one sentence, in help
	Hint bool   // shown in the hint row
	// Refused says why it cannot run now; "" if it can. nil: always.
	Refused func() string
	Run     func() tea.Cmd
}

// Why returns the reason a binding cannot run now, "" if it can.
func (b *Binding) Why() string {
	if b.Refused == nil {
		return ""
	}
	return b.Refused()
}

// Options are what every screen is given beside the session.
type Options struct {
	Theme theme.Theme
	Now   func() time.Time
	// Filters and Listings are what was typed into prompts for records and for
	// rows of lists; nil: a screen keeps its own.
	Filters, Listings *History
	// Secrets are kept by the router as well; nil: a screen has its own.
	Secrets *Secrets
}

// Screens by number, as the keys 1 to 8 open them.
const (
	Topology = iota + 1
	Endpoints
	Tail
	Invoke
	Captures
	Replay
	Diagnostics
	DeadLetters

	LastScreen = DeadLetters
)

// Go asks the router to open a screen, with something in it. Fields that a
// screen does not understand are ignored.
type Go struct {
	Screen int
	Ref    probes.Ref     // target and subject or method
	Record *probes.Record // to start from
	Path   string         // a capture file
	Filter string         // of its records
	// Peek has Tail look into the queue instead of reading it as a stream. The
	// question whether to has been answered: see kit.Peek.
	Peek *probes.PeekQuery
}

// Toast asks the router to say something in passing.
type Toast struct {
	Text string // from our own literals and safe text
	Bad  bool
}

// Fail asks the router to show an error and its hint.
type Fail struct{ Err error }

// Say is a command that sends a Toast.
func Say(text string) tea.Cmd { return Send(Toast{Text: text}) }

// Send is a command that sends a message.
func Send(m tea.Msg) tea.Cmd { return func() tea.Msg { return m } }

// Nav is a movement key, translated by the router for whatever has the focus.
type Nav uint8

const (
	Up Nav = iota + 1
	Down
	Left
	Right
	Top
	Bottom
	HalfUp
	HalfDown
	PageUp
	PageDown
	Enter
	Back // esc: close what is open; the router is told by NotMine if nothing was
	NextPane
	PrevPane
	NextTab
	PrevTab
	Find
	Filter
	NextHit
	PrevHit
	Refresh
	CopyValue
	ShowDetail
)

// NotMine is what a screen sends when it has no use for Back, so that the
// router goes to the previous screen.
type NotMine struct{}

// Delta is how far a movement goes in a list of h rows; ok is false for those
// that are no vertical movement.
func (n Nav) Delta(h int) (rows int, ok bool) {
	const far = 1 << 30
	switch n {
	case Up:
		return -1, true
	case Down:
		return 1, true
	case Top:
		return -far, true
	case Bottom:
		return far, true
	case HalfUp:
		return -max(1, h/2), true
	case HalfDown:
		return max(1, h/2), true
	case PageUp:
		return -max(1, h-1), true
	case PageDown:
		return max(1, h-1), true
	}
	return 0, false
}

// Frame is how long a screen waits after a change before it draws: what comes
// meanwhile is drawn with it.
const Frame = 33 * time.Millisecond

// Changed tells the current screen that the session knows something new.
type Changed struct{}

// Cancel asks a screen to stop what it is doing (ctrl+c).
type Cancel struct{}
