package dlq

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// place is a queue or topic of dead letters.
type place struct {
	ref probes.Ref
	probes.DeadLetter
}

// places is the list of all that the targets know.
type places struct {
	by     map[string]*answer // by target
	order  []string           // targets that were asked
	shown  []place            // those that the filter leaves
	list   kit.List
	filter kit.Listing
	sifted kit.Sifted
	want   probes.Ref // to put the cursor on when it appears
}

// answer is what a target said.
type answer struct {
	asking bool
	found  []probes.DeadLetter
	err    string
	hint   string
}

// listed is the answer of a target, for the screen that asked.
type listed struct {
	by     *screen
	target string
	found  []probes.DeadLetter
	err    error
}

// load asks the targets that can tell and were not asked yet.
func (d *screen) load() tea.Cmd {
	var cmds []tea.Cmd
	for _, st := range d.s.States() {
		if d.places.by[st.Name] != nil || !slices.Contains(st.Can, "deadletter") {
			continue
		}
		d.places.by[st.Name] = &answer{}
		d.places.order = append(d.places.order, st.Name)
		cmds = append(cmds, d.request(st.Name))
	}
	return tea.Batch(cmds...)
}

// reload asks all of them again; what they said before stays until they answer.
func (d *screen) reload() tea.Cmd {
	cmds := []tea.Cmd{d.load()}
	for _, name := range d.places.order {
		if !d.places.by[name].asking {
			cmds = append(cmds, d.request(name))
		}
	}
	return tea.Batch(cmds...)
}

func (d *screen) request(target string) tea.Cmd {
	d.places.by[target].asking = true
	s := d.s
	return func() tea.Msg {
		ctx, stop := session.Bounded(s)
		defer stop()
		out := listed{by: d, target: target}
		conn, err := s.Conn(ctx, target)
		var dl probes.DeadLetterer
		if err == nil {
			dl, err = conn.DeadLetterer()
		}
		if err == nil {
			out.found, err = dl.DeadLetters(ctx)
		}
		out.err = err
		return out
	}
}

func (d *screen) take(l listed) {
	if l.by != d {
		return
	}
	a := &answer{found: l.found}
	if l.err != nil {
		a.err, a.hint = d.clean(l.err.Error()), d.clean(probes.HintOf(l.err))
		if len(l.found) == 0 { // what it said before is worth more than nothing
			a.found = d.places.by[l.target].found
		}
	}
	d.places.by[l.target] = a
	d.places.lay()
	if m := &d.messages; m.place.ref.Target == l.target {
		m.place = d.places.known(m.place.ref)
	}
}

func (d *screen) clean(text string) string {
	if d.s.RedactText != nil {
		return d.s.RedactText(text)
	}
	return text
}

// lay makes the rows that the filter leaves, and keeps the cursor on its own.
func (p *places) lay() {
	was, had := p.current()
	if p.want.Target != "" {
		was, had = place{ref: p.want}, true
	}
	p.shown, p.sifted = p.shown[:0], kit.Sifted{}
	for _, target := range p.order {
		for _, dl := range p.by[target].found {
			if one := (place{probes.Ref{Target: target, Subject: dl.Subject}, dl}); p.sifted.Row(p.filter.In, one.filterRow) {
				p.shown = append(p.shown, one)
			}
		}
	}
	// Those that hold something come first.
	slices.SortStableFunc(p.shown, func(a, b place) int { return cmp.Compare(emptiness(a.Count), emptiness(b.Count)) })
	p.list.Move(0, len(p.shown))
	same := func(x place) bool { return x.ref == was.ref || was.ref.Subject == "" && x.ref.Target == was.ref.Target }
	if i := slices.IndexFunc(p.shown, same); had && i >= 0 {
		p.list.Cursor = i
	}
}

func emptiness(count int64) int {
	if count == 0 {
		return 1
	}
	return 0
}

// filterRow is a place as filters see it.
func (p *place) filterRow() *filter.Row {
	r := &filter.Row{Kind: "dead letters", Name: p.Subject, Target: p.ref.Target, Group: strings.Join(p.Origins, " "), Reason: p.Because}
	if p.Count >= 0 {
		r.Attrs = []probes.Attr{{Name: "count", Value: strconv.FormatInt(p.Count, 10)}}
	}
	return r
}

func (p *places) current() (place, bool) {
	if p.list.Cursor < 0 || p.list.Cursor >= len(p.shown) {
		return place{}, false
	}
	return p.shown[p.list.Cursor], true
}

// known is what the targets said of a place, which need not be listed.
func (p *places) known(ref probes.Ref) place {
	if a := p.by[ref.Target]; a != nil {
		if i := slices.IndexFunc(a.found, func(x probes.DeadLetter) bool { return x.Subject == ref.Subject }); i >= 0 {
			return place{ref, a.found[i]}
		}
	}
	return place{ref, probes.DeadLetter{Subject: ref.Subject, Count: -1}}
}
