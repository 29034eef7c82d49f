package invoke

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/filter"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// offer is what one target can be asked to do.
type offer struct {
	methods []probes.Method
	added   []probes.Method // named by hand
	shown   int             // of both, that the filter chooses
	since   time.Time       // state of the target for which it was asked
	asking  bool
	asked   bool
	err     string // without secrets
	hint    string
}

// row is one line of the method list: a target, a group or a method.
type row struct {
	target string
	group  string
	method *probes.Method
}

func (r *row) ref() probes.Ref {
	if r.method == nil {
		return probes.Ref{Target: r.target, Subject: r.group}
	}
	return probes.Ref{Target: r.target, Subject: r.method.Name}
}

// listed is a target's answer, for the screen that asked.
type listed struct {
	by      *screen
	target  string
	methods []probes.Method
	err     error
}

// load asks every target that can be called for its methods, once, and again
// after a failure when the target's state has changed.
func (v *screen) load() tea.Cmd {
	var cmds []tea.Cmd
	for _, st := range v.s.States() {
		callable := slices.Contains(st.Can, "invoke")
		if !callable && (len(st.Can) > 0 || st.Phase != session.Failed) {
			continue
		}
		o := v.targets[st.Name]
		if o == nil {
			o = &offer{}
			v.targets[st.Name] = o
		}
		if !callable {
			o.err, o.hint = st.Error, st.Hint
			continue
		}
		settled := st.Phase == session.Well || st.Phase == session.Partly || st.Phase == session.Failed
		again := settled && o.err != "" && !st.Since.Equal(o.since)
		if o.asking || o.asked && !again {
			continue
		}
		o.asking, o.asked, o.since = true, true, st.Since
		cmds = append(cmds, v.ask(st.Name))
	}
	v.lay()
	return tea.Batch(cmds...)
}

func (v *screen) ask(target string) tea.Cmd {
	return func() tea.Msg {
		ctx, stop := session.Bounded(v.s)
		defer stop()
		conn, err := v.s.Conn(ctx, target)
		if err != nil {
			return listed{by: v, target: target, err: err}
		}
		methods, err := conn.Methods(ctx)
		return listed{v, target, methods, err}
	}
}

func (v *screen) take(l listed) {
	o := v.targets[l.target]
	if l.by != v || o == nil {
		return
	}
	o.asking, o.err, o.hint = false, "", ""
	if l.err != nil {
		o.err, o.hint = v.clean(l.err.Error()), v.clean(probes.HintOf(l.err))
	}
	// An old list is better than none.
	if l.err == nil || o.methods == nil {
		o.methods = l.methods
	}
	v.lay()
}

// clean takes secrets out of an error's text.
func (v *screen) clean(text string) string {
	if v.s.RedactText != nil {
		text = v.s.RedactText(text)
	}
	return text
}

// lay makes the visible rows and keeps the cursor on its own.
func (v *screen) lay() {
	was, had := v.current()
	v.rows, v.sifted = v.rows[:0], kit.Sifted{}
	for _, target := range v.s.Targets() {
		o := v.targets[target]
		if o == nil {
			continue
		}
		at := len(v.rows)
		v.rows = append(v.rows, row{target: target})
		v.layGroups(target, o)
		if len(v.rows) == at+1 && !v.keeps(target, o) {
			v.rows = v.rows[:at]
		}
	}
	v.place(was, had)
}

// keeps reports whether a target without methods to show is in the list: because
// the filter chooses the target itself, or because there is none.
func (v *screen) keeps(target string, o *offer) bool {
	if v.filter.In == nil {
		return true
	}
	ok, _ := v.filter.In.Match(&filter.Row{Kind: "target", Name: target, Target: target, Reason: o.err})
	return ok
}

// at is one of the methods, those named by hand at the end.
func (o *offer) at(i int) *probes.Method {
	if i < len(o.methods) {
		return &o.methods[i]
	}
	return &o.added[i-len(o.methods)]
}

// layGroups lists the methods by group; methods come sorted by name, which keeps
// the groups of most systems together, but not of all.
func (v *screen) layGroups(target string, o *offer) {
	var groups []string
	members := map[string][]*probes.Method{}
	o.shown = 0
	for i := range len(o.methods) + len(o.added) {
		m := o.at(i)
		if !v.sifted.Row(v.filter.In, func() *filter.Row { return kit.MethodRow(target, m) }) {
			continue
		}
		o.shown++
		if members[m.Group] == nil {
			groups = append(groups, m.Group)
		}
		members[m.Group] = append(members[m.Group], m)
	}
	for _, g := range groups {
		if g != "" {
			v.rows = append(v.rows, row{target: target, group: g})
		}
		for _, m := range members[g] {
			v.rows = append(v.rows, row{target: target, group: g, method: m})
		}
	}
}

func (v *screen) current() (row, bool) {
	if v.list.Cursor < 0 || v.list.Cursor >= len(v.rows) {
		return row{}, false
	}
	return v.rows[v.list.Cursor], true
}

func (v *screen) place(was row, had bool) {
	if v.want.Target != "" && v.find(v.want) {
		v.want = probes.Ref{}
		return
	}
	for i := range v.rows {
		if had && v.moved && v.rows[i].ref() == was.ref() && (v.rows[i].method == nil) == (was.method == nil) {
			v.list.Cursor = i
			return
		}
	}
	v.list.Move(0, len(v.rows))
	if !v.moved {
		v.list.Cursor = max(0, slices.IndexFunc(v.rows, func(r row) bool { return r.method != nil }))
	}
}

// toHit puts the cursor on the first method that the filter chooses, unless it
// chooses the one the cursor was on when the filter was opened.
func (v *screen) toHit() {
	at := slices.IndexFunc(v.rows, func(r row) bool { return r.method != nil && r.ref() == v.origin })
	if at < 0 {
		at = slices.IndexFunc(v.rows, func(r row) bool { return r.method != nil })
	}
	if at >= 0 {
		v.list.Cursor, v.moved = at, true // and it stays there when the filter is lifted
	}
}

// find puts the cursor on the method that is meant: by its name, as the command
// line writes it, by its group, or the first of the target. It reports false
// while the target has not answered.
func (v *screen) find(ref probes.Ref) bool {
	best, rank := -1, 5
	for i := range v.rows {
		r := &v.rows[i]
		if r.target != ref.Target || r.method == nil {
			continue
		}
		how := 3
		switch {
		case r.method.Name == ref.Subject:
			how = 0
		case strings.ReplaceAll(r.method.Name, "/", ".") == strings.ReplaceAll(ref.Subject, "/", "."):
			how = 1
		case r.group == ref.Subject:
			how = 2
		}
		if how < rank {
			best, rank = i, how
		}
	}
	if best < 0 {
		return false
	}
	v.list.Cursor, v.moved = best, true
	v.resp.reset()
	if rank == 0 || rank == 1 {
		v.pane = onRequest
	}
	return true
}

// draft is the request of the method under the cursor; nil where there is none.
func (v *screen) draft() *draft {
	r, ok := v.current()
	if !ok || r.method == nil {
		return nil
	}
	d := v.drafts[r.ref()]
	if d == nil {
		d = newDraft(r.ref(), r.method)
		v.drafts[r.ref()] = d
	}
	d.method = r.method
	return d
}

// call is the newest call of the method under the cursor.
func (v *screen) call() *call {
	d := v.draft()
	if d == nil {
		return nil
	}
	if v.resp.pinned != nil && v.resp.pinned.ref == d.ref {
		return v.resp.pinned
	}
	for _, c := range slices.Backward(v.calls) {
		if c.ref == d.ref {
			return c
		}
	}
	return nil
}

// shape says how messages go, as a word and a sign.
func shape(m *probes.Method, ascii bool) string {
	sign := func(pretty, plain string) string {
		if ascii {
			return plain
		}
		return pretty
	}
	switch {
	case m.ClientStream && m.ServerStream:
		return "bidi " + sign("⇄", "<>")
	case m.ClientStream:
		return "client " + sign("⇇", "<<")
	case m.ServerStream:
		return "server " + sign("⇉", ">>")
	}
	return ""
}

// short is a method's name without the group it stands under.
func short(m *probes.Method) safe.Text {
	if rest, ok := strings.CutPrefix(m.Name, m.Group+"/"); ok && m.Group != "" {
		return safe.Line(rest, safe.Wide)
	}
	return safe.Line(m.Name, safe.Wide)
}
