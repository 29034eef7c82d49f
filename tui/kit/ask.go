package kit

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"iscope/probes"
	"iscope/tui/session"
)

// Ask asks the router to put a question before something is done. "no" is always
// among the answers, and what enter takes if nothing else is chosen.
type Ask struct {
	Title string
	Lines []string // what it would do; may come from outside
	// Typed, unless empty, has to be typed to get the one answer there is.
	Typed string
	Yes   []Answer
}

// Answer is one that is not "no".
type Answer struct {
	Text string
	Run  func() tea.Cmd
}

// Where names an environment, as questions do.
func Where(e probes.Environment) string {
	return fmt.Sprintf("environment %s (class %s)", e.Name, e.Class)
}

// Sizes of a look: a few messages, and many.
const (
	fewPeeked  = 10
	manyPeeked = 100
)

// Peek asks whether to look into a queue, and has Tail show what is there. refusal
// is why the look before was refused, which the answers then override.
func Peek(s *session.Session, ref probes.Ref, refusal string) tea.Cmd {
	ask := Ask{Title: "PEEK at " + ref.String(), Lines: []string{"In " + Where(s.Env()) + "."}}
	look := func(n int, force bool) func() tea.Cmd {
		return func() tea.Cmd {
			return Send(Go{Screen: Tail, Ref: ref, Peek: &probes.PeekQuery{Limit: n, Force: force}})
		}
	}
	verb := "look at"
	if refusal != "" {
		verb = "force: look at"
		ask.Lines = append(ask.Lines, refusal)
	}
	ask.Lines = append(ask.Lines, LookEffects)
	for _, n := range []int{fewPeeked, manyPeeked} {
		ask.Yes = append(ask.Yes, Answer{fmt.Sprintf("%s up to %d messages", verb, n), look(n, refusal != "")})
	}
	return Send(ask)
}

// LookEffects says what looking by receiving does.
const LookEffects = "Messages are received and given back. That is not without effect: delivery counts rise, messages are away for a moment, " +
	"their order may change. It is refused where a look could dead-letter a message; the ledger then says what was done."

// PeekRefused says why a queue cannot be looked into; "" if it can.
func PeekRefused(s *session.Session, ref probes.Ref) string {
	for _, st := range s.States() {
		switch {
		case st.Name != ref.Target || slices.Contains(st.Can, "peek"):
		case len(st.Can) == 0:
			return "the target has not answered yet"
		default:
			return "this target has nothing to look into"
		}
	}
	return s.WriteRefusal()
}
