package invoke

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/redact"
	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay/request"
	"iscope/tui/kit"
)

// remembered is the history of calls, those of earlier sessions too.
type remembered struct {
	by      *screen
	entries []request.Entry
	err     error
}

// openHistory reads the history in the background, and shows it as a list that is
// searched by typing.
func (v *screen) openHistory() tea.Cmd {
	return func() tea.Msg {
		entries, err := v.s.Past()
		return remembered{v, entries, err}
	}
}

// remember adds a call that has ended to the history. It writes a file.
func (c *call) remember() {
	p := c.progress()
	if p.kind == probes.ErrUsage || p.kind == probes.ErrRefused {
		return // nothing was sent
	}
	e := request.Entry{Time: c.stamp(), Request: c.by.kept(c.ref, &c.in, c.documents()), Err: safe.Line(p.err, maxSaid).String(),
		Took: p.finished.Sub(p.began).Microseconds(), Trace: p.trace, Answers: p.received}
	e.Deadline = max(0, e.Deadline) // a stream's is ours
	if p.end != nil {
		e.Status, _ = p.end.Attr(probes.AttrStatus)
		if p.end.Err != "" {
			e.Err = safe.Line(p.end.Err, maxSaid).String()
		}
	}
	c.by.s.Remember(e, &c.method)
}

// maxSaid bounds what of an error is kept.
const maxSaid = 500

// stamp is the time under which a call is in the history.
func (c *call) stamp() time.Time { return c.began.UTC().Truncate(time.Millisecond) }

// occasion is one call of the history: of this session, or from the file.
type occasion struct {
	at     time.Time
	word   string
	ref    probes.Ref
	call   *call
	entry  *request.Entry
	from   origin // the saved request that it is
	params []probes.Attr
	docs   string
}

// maxSearched is what of a document is searched and shown in the list.
const maxSearched = 2 << 10

func (v *screen) occasions(entries []request.Entry) (out []occasion) {
	own := map[string]bool{}
	mark := func(at time.Time, method string) string { return at.Format(time.RFC3339Nano) + method }
	for _, c := range slices.Backward(v.calls) {
		p := c.progress()
		word, _ := outcome(v.o.Theme, &p)
		o := occasion{at: p.began, word: word.String(), ref: c.ref, call: c, params: c.in.Params}
		if docs := c.documents(); len(docs) > 0 {
			o.docs = compact(string(docs[len(docs)-1]))
		}
		own[mark(c.stamp(), c.method.Name)] = true
		out = append(out, o)
	}
	env, targets := v.s.Env().Name, v.s.Targets()
	for i := range entries {
		e := &entries[i]
		elsewhere := e.Environment != "" && e.Environment != env
		if own[mark(e.Time, e.Method)] || elsewhere && !slices.Contains(targets, e.Target) {
			continue
		}
		o := occasion{at: e.Time, word: grpcStatus(e.Status), ref: probes.Ref{Target: e.Target, Subject: e.Method}, entry: e, params: e.Params}
		if e.Status == "" {
			o.word = "failed"
		}
		if elsewhere {
			o.word += " in " + e.Environment
		}
		if len(e.Documents) > 0 {
			o.docs = e.Documents[len(e.Documents)-1]
		}
		out = append(out, o)
	}
	return out
}

func (v *screen) showPast(m remembered) tea.Cmd {
	if m.by != v {
		return nil
	}
	all := v.occasions(m.entries)
	if len(all) == 0 && m.err == nil {
		return kit.Say("nothing has been called yet in this environment")
	}
	p := &picker{title: "HISTORY: enter takes a call up again", now: -1, pick: func(i int) tea.Cmd { return v.takeUp(all[i]) }}
	today := v.o.Now().UTC().Format(time.DateOnly)
	for _, o := range all {
		at := o.at.UTC().Format("15:04:05")
		if o.at.UTC().Format(time.DateOnly) != today {
			at = o.at.UTC().Format("01-02 15:04")
		}
		p.words = append(p.words, at+"  "+o.word)
		parts := []string{o.ref.String()}
		for _, a := range o.params {
			parts = append(parts, a.Name+"="+a.Value)
		}
		p.docs = append(p.docs, strings.Join(append(parts, o.docs[:min(len(o.docs), maxSearched)]), " "))
	}
	cmd := v.choose(p)
	if m.err != nil {
		return tea.Batch(cmd, kit.Send(kit.Fail{Err: m.err}))
	}
	return cmd
}

// takeUp puts an earlier call's request on screen again, and its answers where
// they are still there.
func (v *screen) takeUp(o occasion) tea.Cmd {
	v.filter.Lift()
	v.lay()
	switch later, err := v.arrive(&o); {
	case err != nil:
		return kit.Send(kit.Fail{Err: err})
	case later:
		v.later = &o
		return tea.Batch(v.load(), kit.Say("opening "+safe.Line(o.ref.Target, 60).String()))
	}
	v.described(&o)
	if !v.offers(o.ref) {
		return kit.Send(kit.Toast{Text: "the target does not offer this method any more", Bad: true})
	}
	v.pane = onRequest
	v.resp.reset()
	d := v.draft()
	if o.call != nil {
		d.restore(o.call)
		d.from = o.call.from
		v.resp.pinned = o.call
		return v.await()
	}
	var header []probes.Field
	for _, h := range o.entry.Header {
		header = append(header, probes.Field{Name: h.Name, Value: []byte(h.Value)})
	}
	var doc []byte
	if n := len(o.entry.Documents); n > 0 {
		doc = []byte(o.entry.Documents[n-1])
	}
	d.take(o.entry.Params, header, doc)
	d.from = o.from
	switch missing := o.entry.Missing(); {
	case o.entry.Cut:
		return kit.Send(kit.Toast{Text: "the documents of this call were too large to keep", Bad: true})
	case len(missing) > 0:
		return kit.Say("secrets are not kept; fill in again: " + safe.Line(strings.Join(missing, ", "), 120).String())
	}
	return v.await()
}

// offers puts the cursor on a method, which is added where a person had named it.
func (v *screen) offers(ref probes.Ref) bool {
	at := func() bool { return v.find(ref) && v.draft() != nil && v.draft().ref == ref }
	if at() {
		return true
	}
	o := v.targets[ref.Target]
	verb, path, _ := strings.Cut(ref.Subject, " ")
	if o == nil || !strings.HasPrefix(path, "/") {
		return false
	}
	o.added = append(o.added, methodOf(verb, ref.Subject))
	v.lay()
	return at()
}

// masked is the first place of the request where a secret was not kept.
func (d *draft) masked() string {
	if unkept(d.method.Name) {
		return "the path"
	}
	for i := range d.params {
		if unkept(d.params[i].field.Value()) {
			return "the parameter " + d.params[i].Name
		}
	}
	for _, h := range d.headers {
		if unkept(h.Value()) {
			return "a header"
		}
	}
	if d.body && unkept(d.doc.Value()) {
		return "the document"
	}
	return ""
}

// unkept reports whether a text holds what masking left in place of a secret.
func unkept(s string) bool { return redact.IsPlaceholder([]byte(s)) }
