package inspectors

import (
	"bytes"
	"context"
	"strings"

	"iscope/inspectors/safe"
	"iscope/probes"
)

// markup shows XML and HTML with its tags told apart. Text without line ends is
// broken at the tags; other text keeps the lines it has. It is not parsed: what
// is malformed can be seen to be.
type markup struct{}

func (markup) Name() string { return "xml" }

func (markup) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	head, truncated := window(r.Body, env)
	ct := contentType(r)
	said := strings.HasSuffix(ct, "/xml") || strings.HasSuffix(ct, "+xml") || ct == "text/html"
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	if !looksLikeMarkup(trimmed, said) {
		return View{}, ErrNotMine
	}
	if at := notText(head, truncated || r.Cut > 0); at >= 0 {
		return View{}, &malformed{kind: "XML in UTF-8", offset: at, reason: "byte " + hexByte(head[at])}
	}
	w := markupWriter{indent: bytes.IndexByte(bytes.TrimRight(trimmed, " \r\n"), '\n') < 0}
	for rest := string(head); rest != ""; {
		rest = rest[w.token(rest):]
	}
	w.flush()
	return View{Summary: oneLine(head, 4096), Lines: w.lines, Truncated: truncated}, nil
}

func looksLikeMarkup(b []byte, said bool) bool {
	if len(b) < 3 || b[0] != '<' {
		return false
	}
	c := b[1] | 0x20
	return said || bytes.HasPrefix(b, []byte("<?xml")) || bytes.HasPrefix(b, []byte("<!")) ||
		c >= 'a' && c <= 'z' && bytes.IndexByte(b, '>') > 0 && bytes.Contains(b, []byte("</"))
}

type markupWriter struct {
	indent bool
	depth  int
	lines  []Line
	cur    Line
	opened bool // the last token was an opening tag
}

// token writes the tag or text that s starts with and returns its length.
func (w *markupWriter) token(s string) int {
	if s[0] != '<' {
		n := strings.IndexByte(s, '<')
		if n < 0 {
			n = len(s)
		}
		w.text(Plain, s[:n])
		return n
	}
	n := tagLen(s)
	tag := s[:n]
	closing := strings.HasPrefix(tag, "</")
	if closing {
		w.depth = max(w.depth-1, 0)
	}
	if w.indent && (!closing || !w.opened) {
		w.newline()
	}
	w.text(Punct, tag)
	w.opened = !closing && tag[len(tag)-1] == '>' && !strings.HasSuffix(tag, "/>") && tag[1] != '?' && tag[1] != '!'
	if w.opened {
		w.depth++
	}
	return n
}

// tagLen is the length of the tag, comment or CDATA section s starts with.
func tagLen(s string) int {
	for _, section := range [...]struct{ start, end string }{{"<!--", "-->"}, {"<![CDATA[", "]]>"}} {
		if strings.HasPrefix(s, section.start) {
			if i := strings.Index(s, section.end); i >= 0 {
				return i + len(section.end)
			}
			return len(s)
		}
	}
	if i := strings.IndexByte(s, '>'); i >= 0 {
		return i + 1
	}
	return len(s)
}

// text writes a piece, which may have line ends.
func (w *markupWriter) text(k Kind, s string) {
	for {
		part, rest, more := strings.Cut(s, "\n")
		rows, _ := safe.Block(part, safe.Wide, 1)
		for _, row := range rows {
			w.cur = append(w.cur, Span{k, row})
		}
		if !more {
			return
		}
		w.lines = append(w.lines, w.cur) // an empty line is a line
		w.cur = nil
		s = rest
	}
}

func (w *markupWriter) newline() {
	w.flush()
	if n := 2 * min(w.depth, maxIndent); n > 0 {
		w.cur = append(w.cur, Span{Plain, safe.Text{}.Fit(n)})
	}
}

func (w *markupWriter) flush() {
	if len(w.cur) > 0 {
		w.lines = append(w.lines, w.cur)
		w.cur = nil
	}
}
