package inspectors

import (
	"bytes"
	"context"
	"strconv"
	"strings"

	"iscope/inspectors/emit"
	"iscope/inspectors/safe"
	"iscope/probes"
)

// document shows JSON, indented. Numbers, escapes, the order and duplicates of
// keys stay as on the wire: nothing is decoded and encoded again.
type document struct{}

func (document) Name() string { return "json" }

func (document) Inspect(_ context.Context, r *probes.Record, env Env) (View, error) {
	head, truncated := window(r.Body, env)
	said := strings.Contains(contentType(r), "json")
	first := bytes.TrimLeft(head, " \t\r\n")
	if len(first) == 0 || !said && bytes.IndexByte([]byte(`{["-0123456789tfn`), first[0]) < 0 {
		return View{}, ErrNotMine
	}
	p := printer{in: head}
	err := p.run()
	switch {
	case err == nil:
	case (truncated || r.Cut > 0) && len(p.lines) > 0 && endsInToken(head[err.offset:]):
		// What is there is right; the rest is missing for a known reason.
		if err.offset < len(head) {
			p.add(Plain, string(head[err.offset:]))
		}
		p.flush()
	case said || first[0] == '{' || first[0] == '[':
		return View{}, err
	default:
		return View{}, ErrNotMine
	}
	return View{Summary: oneLine(head, 4096), Lines: p.lines, Problems: p.problems, Truncated: truncated}, nil
}

// endsInToken reports whether b can be the beginning of one token: a string
// that does not end, or part of a number or word.
func endsInToken(b []byte) bool {
	return len(b) > 0 && b[0] == '"' || !bytes.ContainsAny(b, " \t\r\n,:{}[]")
}

// maxIndent bounds indentation, which deep nesting would turn into most of the
// view.
const maxIndent = 32

// printer lays JSON text out token by token.
type printer struct {
	in       []byte
	i        int
	stack    []level
	lines    []Line
	cur      Line
	problems []Problem
	notes    []emit.Note // about the text, ascending; shown at the ends of lines
	said     string      // notes for the line that is being made
}

// level is an open object or array.
type level struct {
	object bool
	n      int             // entries so far
	keys   map[string]bool // of an object, to notice duplicates
}

// run reads documents until the end; several in a row are JSON lines.
func (p *printer) run() *malformed {
	for {
		if err := p.document(); err != nil {
			return err
		}
		p.flush()
		p.space()
		if p.i == len(p.in) {
			return nil
		}
		if c := p.in[p.i]; c != '{' && c != '[' {
			return p.fail("something follows the document")
		}
	}
}

// document reads one value, without recursion: nesting is up to the sender.
func (p *printer) document() *malformed {
	base := len(p.stack)
	for {
		opened, err := p.value()
		if err != nil {
			return err
		}
		if opened && !p.closes() {
			p.newline()
			if err := p.key(); err != nil {
				return err
			}
			continue
		}
		done, err := p.after(base)
		if err != nil || done {
			return err
		}
	}
}

// after handles what follows a value: the ends of what it was in, then a comma
// and the next key. done says that the document is complete.
func (p *printer) after(base int) (done bool, err *malformed) {
	for {
		if len(p.stack) == base {
			return true, nil
		}
		top := &p.stack[len(p.stack)-1]
		p.space()
		switch {
		case p.peek() == ',':
			p.i++
			top.n++
			p.add(Punct, ",")
			p.newline()
			return false, p.key()
		case p.peek() == '}' && top.object, p.peek() == ']' && !top.object:
			c := string(p.in[p.i])
			p.i++
			p.stack = p.stack[:len(p.stack)-1]
			p.newline()
			p.add(Punct, c)
		case top.object:
			return false, p.fail(`expected "," or "}"`)
		default:
			return false, p.fail(`expected "," or "]"`)
		}
	}
}

// closes ends an object or array that was just opened, if it is empty.
func (p *printer) closes() bool {
	p.space()
	top := p.stack[len(p.stack)-1]
	if c := p.peek(); c == '}' && top.object || c == ']' && !top.object {
		p.i++
		p.stack = p.stack[:len(p.stack)-1]
		p.add(Punct, string(c))
		return true
	}
	return false
}

// key reads a key and its colon, where the innermost level is an object.
func (p *printer) key() *malformed {
	top := &p.stack[len(p.stack)-1]
	if !top.object {
		return nil
	}
	p.space()
	if p.peek() != '"' {
		return p.fail("expected a key in quotes")
	}
	at := p.i
	raw, err := p.str()
	if err != nil {
		return err
	}
	if top.keys == nil {
		top.keys = map[string]bool{}
	}
	if top.keys[raw] {
		p.problems = append(p.problems, Problem{Message: "key " + raw + " occurs more than once", Offset: at})
	}
	top.keys[raw] = true
	p.add(Key, raw)
	p.space()
	if p.peek() != ':' {
		return p.fail(`expected ":"`)
	}
	p.i++
	p.add(Punct, ": ")
	return nil
}

// value reads a scalar or the opening of an object or array, and the notes
// about it.
func (p *printer) value() (opened bool, err *malformed) {
	opened, err = p.token()
	for len(p.notes) > 0 && p.notes[0].At <= p.i {
		if p.said != "" {
			p.said += "; "
		}
		p.said += p.notes[0].Text
		p.notes = p.notes[1:]
	}
	return opened, err
}

func (p *printer) token() (opened bool, err *malformed) {
	p.space()
	switch c := p.peek(); {
	case c == '{' || c == '[':
		p.i++
		p.add(Punct, string(c))
		p.stack = append(p.stack, level{object: c == '{'})
		return true, nil
	case c == '"':
		raw, err := p.str()
		if err == nil {
			p.add(String, raw)
		}
		return false, err
	case c == '-' || c >= '0' && c <= '9':
		n := numberLen(p.in[p.i:])
		if n == 0 {
			return false, p.fail("malformed number")
		}
		p.add(Number, string(p.in[p.i:p.i+n]))
		p.i += n
		return false, nil
	}
	for _, w := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(p.in[p.i:], []byte(w)) {
			p.i += len(w)
			p.add(Word, w)
			return false, nil
		}
	}
	return false, p.fail("expected a value")
}

// peek returns the next byte, 0 at the end: no token starts with it.
func (p *printer) peek() byte {
	if p.i < len(p.in) {
		return p.in[p.i]
	}
	return 0
}

func (p *printer) space() {
	for p.i < len(p.in) && (p.in[p.i] == ' ' || p.in[p.i] == '\n' || p.in[p.i] == '\t' || p.in[p.i] == '\r') {
		p.i++
	}
}

func (p *printer) add(k Kind, s string) { p.cur = append(p.cur, Span{k, safe.Line(s, safe.Wide)}) }

func (p *printer) newline() {
	p.flush()
	if n := 2 * min(len(p.stack), maxIndent); n > 0 {
		p.cur = append(p.cur, Span{Plain, safe.Text{}.Fit(n)})
	}
}

func (p *printer) flush() {
	if len(p.cur) > 0 {
		if p.said != "" {
			p.cur = append(p.cur, Span{Comment, safe.Concat(safe.Const("  // "), safe.Line(p.said, safe.Wide))})
			p.said = ""
		}
		p.lines = append(p.lines, p.cur)
		p.cur = nil
	}
}

// fail words a fault with its place: people look it up by line and column.
func (p *printer) fail(reason string) *malformed {
	if p.i >= len(p.in) {
		reason = "it ends too early: " + reason
	}
	before := p.in[:min(p.i, len(p.in))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return &malformed{kind: "JSON", offset: min(p.i, len(p.in)),
		reason: reason + ", line " + strconv.Itoa(line) + ", column " + strconv.Itoa(column)}
}
