package endpoints

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"iscope/inspectors/safe"
	"iscope/probes"
	"iscope/tui/session"
)

// contract is the text of one schema, as far as it has come.
type contract struct {
	rows    []string // from outside
	trouble string
}

// schemaRef names a schema of a target.
type schemaRef struct{ target, ref string }

// described is a schema's text, for the screen that asked.
type described struct {
	by  *screen
	ref schemaRef
	contract
}

// Bounds of a contract's text.
const (
	mostRows  = 4000
	keptTexts = 200
)

// describe asks for the contract of the method under the cursor, one schema at a
// time: whoever runs through the list asks for none of those passed on the way.
func (e *screen) describe() tea.Cmd {
	r, ok := e.current()
	if !ok || r.node == nil || r.node.method == nil || e.describing || !e.s.Can(r.target, "schema") {
		return nil
	}
	for _, ref := range schemasOf(r.node.method) {
		key := schemaRef{r.target, ref}
		if _, has := e.contracts[key]; has {
			continue
		}
		e.describing = true
		return e.ask(key)
	}
	return nil
}

// schemasOf are what a method takes and gives, each once.
func schemasOf(m *probes.Method) (refs []string) {
	for _, ref := range []string{m.Input, m.Output} {
		if ref != "" && (len(refs) == 0 || refs[0] != ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

func (e *screen) ask(key schemaRef) tea.Cmd {
	s := e.s
	return func() tea.Msg {
		ctx, stop := session.Bounded(s)
		defer stop()
		out := described{by: e, ref: key}
		conn, err := s.Conn(ctx, key.target)
		if err != nil {
			out.trouble = err.Error()
			return out
		}
		schemer, err := conn.Schemer()
		if err != nil {
			out.trouble = err.Error()
			return out
		}
		schema, err := schemer.Schema(ctx, key.ref)
		if err != nil {
			out.trouble = err.Error()
			return out
		}
		out.rows = strings.Split(strings.TrimRight(schema.Text, "\n"), "\n")
		out.rows = out.rows[:min(len(out.rows), mostRows)]
		return out
	}
}

func (e *screen) takeContract(d described) tea.Cmd {
	if d.by != e {
		return nil
	}
	e.describing = false
	if len(e.contracts) >= keptTexts {
		clear(e.contracts)
	}
	if e.s.RedactText != nil {
		d.trouble = e.s.RedactText(d.trouble)
	}
	e.contracts[d.ref] = d.contract
	return e.describe()
}

// crumb is the line that is shown for a name from outside.
func crumb(s string) safe.Text { return safe.Line(s, 60) }
