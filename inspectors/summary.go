package inspectors

import (
	"bytes"
	"context"
	"strconv"

	"iscope/inspectors/emit"
	"iscope/probes"
)

// Summary is one line for a list, of at most about limit bytes: the beginning of a
// text body without the blanks that only lay it out, the first bytes of a
// binary one, or why there is no body. It looks at no more than that beginning.
// The line comes from outside: not safe to print as it is.
func (c Chain) Summary(r *probes.Record, limit int) string {
	if len(r.Body) == 0 {
		return noBody(r)
	}
	limit = max(limit, 0)
	// Indented text may be half blanks, so more than limit is looked at.
	head := r.Body[:min(len(r.Body), 2*limit)]
	if id, ok := schemaID(r); ok && len(head) > frameHead {
		if b := head[frameHead]; b == '{' || b == '[' {
			return oneLine(head[frameHead:], limit)
		}
		return "schema " + strconv.FormatUint(uint64(id), 10) + ": " + hexSummary(r.Body, limit)
	}
	if notText(head, true) >= 0 {
		return hexSummary(r.Body, limit)
	}
	return oneLine(head, limit)
}

// maxRecognised is the size up to which binary bodies are looked through for a
// line in a list.
const maxRecognised = 1 << 20

// Brief is Summary with bodies unpacked and decoded: their JSON, or "? " and why
// there is none. It blocks for as long as env.Schemas does.
func (c Chain) Brief(ctx context.Context, r *probes.Record, env Env, limit int) string {
	if len(r.Body) == 0 {
		return noBody(r)
	}
	limit = max(limit, 0)
	if name := packing(r); name != "" {
		inner, err := unpack(r, name, 2*limit)
		if inner == nil {
			return "? " + err.Error()
		}
		r = inner
	}
	a := attempt{env: env, writer: func() *emit.Writer { return emit.New(limit, false) }}
	if d, err := a.bySchema(ctx, r); err == nil {
		return d.brief(r, limit)
	}
	e := said(r)
	if head := r.Body[:min(len(r.Body), 2*limit)]; e == nil && notText(head, true) < 0 {
		return oneLine(head, limit)
	}
	if e == nil && len(r.Body) <= maxRecognised {
		e = recognised(r.Body)
	}
	if e != nil {
		w := a.writer()
		if err := e.decode(w, r.Body); err == nil || partial(r, w, err) {
			return cutText(w.Text(), limit)
		}
	}
	return hexSummary(r.Body, limit)
}

func (d *decoded) brief(r *probes.Record, limit int) string {
	switch {
	case d.w != nil:
		return cutText(d.w.Text(), limit)
	case d.kind == "json" || startsJSON(d.payload):
		return oneLine(d.payload[:min(len(d.payload), 2*limit)], limit)
	case d.at == 0 && notText(r.Body[:min(len(r.Body), 2*limit)], true) < 0:
		return oneLine(r.Body[:min(len(r.Body), 2*limit)], limit)
	}
	return "? " + d.why[0].Error()
}

func cutText(b []byte, limit int) string { return string(b[:min(len(b), limit)]) }

// oneLine is the beginning of a text with every run of blanks around a line end
// made one blank, or none where JSON needs none.
func oneLine(b []byte, max int) string {
	b = bytes.TrimLeft(b, " \t\r\n")
	if i := bytes.IndexByte(b[:min(len(b), max)], '\n'); i < 0 {
		return string(b[:min(len(b), max)])
	}
	json := len(b) > 0 && (b[0] == '{' || b[0] == '[')
	out := make([]byte, 0, min(len(b), max))
	inString := false
	for i := 0; i < len(b) && len(out) < max; i++ {
		c := b[i]
		switch {
		case json && inString && c == '\\' && i+1 < len(b):
			out = append(out, c, b[i+1])
			i++
		case c == '"':
			inString = !inString
			out = append(out, c)
		case c == '\n' || c == '\r' || c == '\t':
			i = skipBlanks(b, i)
			if !(json && !inString) {
				out = append(out, ' ')
			}
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// skipBlanks returns the index of the last of a run of blanks.
func skipBlanks(b []byte, i int) int {
	for i+1 < len(b) && (b[i+1] == ' ' || b[i+1] == '\n' || b[i+1] == '\r' || b[i+1] == '\t') {
		i++
	}
	return i
}
