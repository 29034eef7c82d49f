package inspectors

import (
	"bytes"
	"strconv"

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
