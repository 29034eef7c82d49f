package kit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"iscope/inspectors"
	"iscope/inspectors/emit"
	"iscope/inspectors/schema"
	"iscope/probes"
	"iscope/tui/session"
	"iscope/tui/theme"
)

// heard passes questions for schemas on and remembers the answers.
type heard struct {
	schema.Finder
	answers []heardAnswer
}

type heardAnswer struct {
	query schema.Query
	found schema.Found
	err   error
}

// Find implements schema.Finder.
func (h *heard) Find(ctx context.Context, q schema.Query) (schema.Found, error) {
	found, err := h.Finder.Find(ctx, q)
	if !errors.Is(err, schema.ErrNone) {
		h.answers = append(h.answers, heardAnswer{q, found, err})
	}
	return found, err
}

// contract is the tab of the schemas of a record: which they are, from where, and
// their text; or why there is none.
func (p *RecordPane) contract(r *probes.Record, reading *session.Reading, w int) []paneRow {
	page := &Page{Theme: p.theme, W: w}
	st := reading.State()
	if st.Where != "" {
		page.Wrap(theme.Dim, "from    ", st.Where)
	}
	if st.Error != "" {
		page.Failure(st.Error, st.Hint)
	}
	if r.Schema != "" {
		page.Wrap(theme.Dim, "type    ", r.Schema)
	}
	env := reading.Env()
	h := &heard{Finder: env.Schemas}
	if h.Finder == nil {
		page.Wrap(theme.Plain, "", "No schemas are configured for this target: it has no key schemas: in iscope.yaml.")
		return p.fixed(page)
	}
	env.Schemas = h
	v := p.chain.Inspect(context.Background(), r, env)
	p.schema = v.Schema
	rows := p.fixed(page)
	rows = append(rows, p.answers("value", h.answers, w)...)
	h.answers = nil
	if len(r.Key) > 0 {
		p.chain.InspectKey(context.Background(), r, env)
		rows = append(rows, p.answers("key", h.answers, w)...)
	}
	if len(rows) == len(page.Rows) {
		rows = append(rows, p.say(theme.Plain, "No schema is named by this record or assigned to its subject."))
	}
	return rows
}

func (p *RecordPane) answers(of string, all []heardAnswer, w int) (rows []paneRow) {
	for _, a := range all {
		page := &Page{Theme: p.theme, W: w}
		page.Add(theme.Plain, "")
		if a.err != nil {
			text := a.err.Error()
			if what := asked(a.query); !strings.Contains(text, what) {
				text = what + ": " + text
			}
			page.Wrap(theme.Warn, fmt.Sprintf("%-7s ", of), text)
			rows = append(rows, p.fixed(page)...)
			continue
		}
		name := a.found.Type.String()
		if a.found.Name != "" {
			name += " " + a.found.Name
		}
		page.Wrap(theme.Bold, fmt.Sprintf("%-7s ", of), name+", "+a.found.From)
		rows = append(append(rows, p.fixed(page)...), p.schemaText(a.found)...)
	}
	return rows
}

// asked is a question for a schema in words.
func asked(q schema.Query) string {
	switch {
	case q.ID != 0:
		return fmt.Sprintf("schema id %d", q.ID)
	case q.Framed():
		return "schema " + emit.UUID(q.GUID[:])
	case q.Ref != "":
		return q.Ref
	}
	return "subject of " + q.Subject
}

// schemaText lays a schema's text out: that of Avro and JSON Schema is JSON.
func (p *RecordPane) schemaText(found schema.Found) (rows []paneRow) {
	if found.Text == "" {
		return []paneRow{p.say(theme.Dim, "its text is not known, only what it describes")}
	}
	v := p.chain.Inspect(context.Background(), &probes.Record{Kind: probes.Message, Body: []byte(found.Text)}, inspectors.Env{})
	for _, line := range v.Lines {
		rows = append(rows, func(w int) string { return Spans(p.theme, line, w) })
	}
	if v.Truncated {
		rows = append(rows, p.say(theme.Dim, fmt.Sprintf("%s the beginning of %d bytes", p.theme.Glyph(theme.Ellipsis), len(found.Text))))
	}
	return rows
}
