package session

import (
	"fmt"
	"strings"

	"iscope/probes"
	"iscope/probes/tap"
)

// newLedger makes an account whose entries screens hear of. What could not be
// removed is a warning, and is said again when the session has ended.
func (s *Session) newLedger() *probes.Ledger {
	return &probes.Ledger{OnDeed: func(d probes.Deed) {
		if d.Kind == probes.DeedLeft {
			s.log.Add("warn", "left "+DeedText(d))
			s.mu.Lock()
			s.left = append(s.left, d)
			s.mu.Unlock()
		}
		s.touch()
	}}
}

// DeedText is a deed without its kind, as the command line says it. It comes
// from outside.
func DeedText(d probes.Deed) string {
	if d.Until == "" {
		return d.What
	}
	return d.What + " (" + d.Until + ")"
}

// Left is what could not be removed or put back so far; complete after Close.
func (s *Session) Left() []probes.Deed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]probes.Deed(nil), s.left...)
}

// Deeds is what reading this feed has done to the system so far.
func (f *Feed) Deeds() []probes.Deed { return f.ledger.Deeds() }

// Account is Deeds in a few words. bad reports that something was left behind.
// The words come from outside.
func (f *Feed) Account() (text string, bad bool) {
	st, deeds := f.State(), f.Deeds()
	if len(deeds) == 0 && (st.Phase == tap.Connecting || st.Err != nil) {
		return "", false // nothing was read either
	}
	return account(deeds, st.Phase == tap.Ended)
}

func account(deeds []probes.Deed, over bool) (text string, bad bool) {
	var t tally
	for _, d := range deeds {
		t.add(d)
	}
	return t.words(over), t.left > 0
}

// tally goes through deeds in order: what is removed or put back is no more, and
// a tail that was interrupted makes its things anew.
type tally struct {
	made                 nouns
	changes, left, swept int
	removed, restored    bool // what this very reading had made and changed
}

func (t *tally) add(d probes.Deed) {
	ours := len(t.made) > 0 || t.changes > 0
	switch d.Kind {
	case probes.DeedCreated:
		t.made.add(d.What)
		t.removed = false
	case probes.DeedChanged:
		t.changes++
		t.restored = false
	case probes.DeedRemoved:
		t.removed = t.removed || len(t.made) > 0
		t.made = nil
	case probes.DeedUndone:
		t.restored = t.restored || t.changes > 0
		t.changes = 0
	case probes.DeedLeft:
		t.left++
	}
	if !ours && (d.Kind == probes.DeedRemoved || d.Kind == probes.DeedUndone) {
		t.swept++ // of an earlier run
	}
}

func (t *tally) words(over bool) string {
	var parts []string
	say := func(on bool, text string) {
		if on {
			parts = append(parts, text)
		}
	}
	say(t.left > 0, fmt.Sprintf("%d left behind", t.left))
	say(len(t.made) > 0 && !(over && t.left > 0), t.made.String()+" of ours")
	say(t.removed && over, "what was ours is removed")
	say(t.changes > 0, plural(t.changes, "change"))
	say(t.restored && over, "changed back")
	say(len(parts) == 0, "reads only")
	say(t.swept > 0, fmt.Sprintf("%d leftover removed", t.swept))
	return strings.Join(parts, ", ")
}

// nouns counts things by the first word of their names, in order. A deed that
// names several says so: "queues a and b on …".
type nouns []noun

type noun struct {
	word string
	n    int
}

func (ns *nouns) add(what string) {
	word, names, _ := strings.Cut(what, " ")
	n := 1
	if strings.HasSuffix(word, "ies") { // copies, of which nobody knows how many
		n = 0
	} else if one, ok := strings.CutSuffix(word, "s"); ok {
		names, _, _ = strings.Cut(names, " on ")
		word, n = one, 1+strings.Count(names, " and ")
	}
	for i := range *ns {
		if (*ns)[i].word == word {
			(*ns)[i].n += n
			return
		}
	}
	*ns = append(*ns, noun{word, n})
}

func (ns nouns) String() string {
	var parts []string
	for _, x := range ns {
		if x.n == 0 {
			parts = append(parts, x.word)
			continue
		}
		parts = append(parts, plural(x.n, x.word))
	}
	return strings.Join(parts, ", ")
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}
