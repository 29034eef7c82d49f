package invoke

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/replay/request"
	"iscope/tui/kit"
	"iscope/tui/session"
)

// written is the request as it is kept and copied, with its secrets.
func (v *screen) written(d *draft, docs [][]byte) request.Request {
	header, _ := d.fields()
	return v.kept(d.ref, &probes.Invocation{Method: d.method.Name, Header: header, Params: d.values()}, docs)
}

func (v *screen) kept(ref probes.Ref, in *probes.Invocation, docs [][]byte) request.Request {
	env := ""
	if v.s.Config != nil && !probes.IsURL(ref.Target) {
		env = v.s.Env().Name
	}
	r := request.Of(ref.Target, env, in, docs)
	for i, doc := range r.Documents {
		r.Documents[i] = compact(doc)
	}
	return r
}

// command is the request as a command line that makes the same call. It is made
// anew when something of the request has changed.
func (v *screen) command(d *draft) string {
	r := v.written(d, v.toSend(d))
	key := strings.Join(append([]string{r.Environment, strings.Join(r.Documents, "\x00")}, pairs(r.Params, r.Header)...), "\x01")
	if d.line0 == "" || d.lineOf != key {
		r = v.s.Masked(r, d.method)
		line, err := request.Command(request.IScope, &r, d.method, nil)
		if err != nil {
			line.Text = err.Error()
		}
		d.line0, d.lineOf = line.Text, key
	}
	return d.line0
}

func pairs(lists ...[]probes.Attr) (out []string) {
	for _, l := range lists {
		for _, a := range l {
			out = append(out, a.Name, a.Value)
		}
		out = append(out, "")
	}
	return out
}

// toSend is the document, or all the messages of the open stream.
func (v *screen) toSend(d *draft) [][]byte {
	if c := v.call(); c != nil && c.method.ClientStream && c.inFlight() {
		return c.documents()
	}
	if doc := d.document(); doc != nil {
		return [][]byte{doc}
	}
	return nil
}

// written down as a command line of a tool, in the background: what is typed of
// times and files is made into what is sent, and the target may have to be opened.
type lined struct {
	by   *screen
	line request.Line
	tool request.Style
	err  error
}

func (v *screen) copyAs(tool request.Style) tea.Cmd {
	d := v.draft()
	docs, prepare, method := v.toSend(d), d.prepare(v.o.Now()), d.method
	whole := v.written(d, nil)
	return func() tea.Msg {
		ctx, stop := session.Bounded(v.s)
		defer stop()
		if len(docs) == 1 {
			doc, err := prepare()
			if err != nil {
				return lined{v, request.Line{}, tool, err}
			}
			docs = [][]byte{doc}
		}
		r := whole
		for _, doc := range docs {
			r.Documents = append(r.Documents, compact(string(doc)))
		}
		line, err := v.s.CommandLine(ctx, tool, r, method)
		return lined{v, line, tool, err}
	}
}

func (v *screen) copyLine(m lined) tea.Cmd {
	switch {
	case m.by != v:
		return nil
	case m.err != nil:
		return kit.Send(kit.Fail{Err: m.err})
	case len(m.line.Text) > maxCopied:
		return kit.Send(kit.Toast{Text: "the command line is " + sizeOf(int64(len(m.line.Text))) + ": too much for a clipboard", Bad: true})
	}
	what := "the " + string(m.tool) + " command line"
	if len(m.line.Notes) > 0 {
		what += " (" + safe.Line(strings.Join(m.line.Notes, "; "), 160).String() + ")"
	}
	return copyText(what, m.line.Text)
}
