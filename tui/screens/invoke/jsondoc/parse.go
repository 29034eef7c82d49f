package jsondoc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Fault is where a text stops being a document.
type Fault struct {
	Offset       int
	Line, Column int // from 1; columns are characters
	Reason       string
}

func (f *Fault) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Reason)
}

// maxDepth bounds nesting; no contract gets near it.
const maxDepth = 500

// Parse reads one document. Comments (// and /* */) and commas before a closing
// brace are taken for blanks, as editors write them; strict reports that there
// were none, so that the text can be sent as it is.
func Parse(text string) (v *Value, strict bool, err *Fault) {
	p := parser{in: text, strict: true}
	p.blank()
	if p.fault == nil {
		v = p.value(0)
	}
	p.blank()
	if p.fault == nil && p.i < len(p.in) {
		p.fail("something follows the document")
	}
	if p.fault != nil {
		return nil, false, p.fault
	}
	return v, p.strict, nil
}

type parser struct {
	in     string
	i      int
	strict bool
	fault  *Fault
}

func (p *parser) fail(reason string) {
	if p.fault != nil {
		return
	}
	if p.i >= len(p.in) {
		reason = "it ends too early: " + reason
	}
	before := p.in[:min(p.i, len(p.in))]
	p.fault = &Fault{Offset: len(before), Line: strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1, Reason: reason}
}

func (p *parser) peek() byte {
	if p.i < len(p.in) {
		return p.in[p.i]
	}
	return 0
}

// blank skips white space and comments.
func (p *parser) blank() {
	for p.i < len(p.in) && p.fault == nil {
		rest := p.in[p.i:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			p.i++
		case strings.HasPrefix(rest, "//"):
			p.strict = false
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			p.i += n
		case strings.HasPrefix(rest, "/*"):
			p.strict = false
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				p.fail("a comment has no end")
				return
			}
			p.i += n + 4
		default:
			return
		}
	}
}

func (p *parser) value(depth int) *Value {
	v := &Value{From: p.i}
	switch c := p.peek(); {
	case depth > maxDepth:
		p.fail("it is nested too deeply")
	case c == '{' || c == '[':
		p.container(v, depth)
	case c == '"':
		v.Kind, v.Text = String, p.text()
	case c == '-' || c >= '0' && c <= '9':
		v.Kind, v.Text = Number, p.number()
	default:
		v.Kind, v.Text = p.word()
	}
	v.To = p.i
	return v
}

func (p *parser) word() (Kind, string) {
	for word, kind := range map[string]Kind{"null": Null, "true": Bool, "false": Bool} {
		if strings.HasPrefix(p.in[p.i:], word) {
			p.i += len(word)
			return kind, word
		}
	}
	p.fail("expected a value")
	return Null, ""
}

func (p *parser) number() string {
	from := p.i
	for p.i < len(p.in) && strings.IndexByte("+-.eE0123456789", p.in[p.i]) >= 0 {
		p.i++
	}
	text := p.in[from:p.i]
	if !IsNumber(text) {
		p.i = from
		p.fail("malformed number")
	}
	return text
}

// IsNumber reports whether a text is a JSON number.
func IsNumber(s string) bool {
	return s != "" && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && json.Valid([]byte(s))
}

func (p *parser) text() string {
	from := p.i
	for p.i++; p.i < len(p.in); p.i++ {
		switch c := p.in[p.i]; {
		case c == '\\':
			p.i++
		case c == '\n':
			p.fail("a text has no end on its line")
			return ""
		case c < ' ':
			p.fail(fmt.Sprintf("control character %q in a text; write it as an escape", c))
			return ""
		case c == '"':
			p.i++
			var s string
			if json.Unmarshal([]byte(p.in[from:p.i]), &s) != nil {
				p.i = from
				p.fail("a text with a malformed escape")
			}
			return s
		}
	}
	p.fail("a text has no end")
	return ""
}

// container reads an object or a list.
func (p *parser) container(v *Value, depth int) {
	closing := byte(']')
	v.Kind = List
	if p.peek() == '{' {
		v.Kind, closing = Object, '}'
	}
	p.i++
	for p.blank(); p.fault == nil && p.peek() != closing; p.blank() {
		if v.Kind == Object {
			if !p.key(v) {
				return
			}
		}
		v.Kids = append(v.Kids, p.value(depth+1))
		p.blank()
		switch {
		case p.fault != nil:
			return
		case p.peek() == ',':
			p.i++
			if p.blank(); p.peek() == closing {
				p.strict = false
			}
		case p.peek() != closing:
			p.fail(fmt.Sprintf(`expected "," or "%c"`, closing))
			return
		}
	}
	p.i++
}

func (p *parser) key(v *Value) bool {
	if p.peek() != '"' {
		p.fail("expected a name in quotes")
		return false
	}
	v.Keys = append(v.Keys, p.text())
	p.blank()
	if p.fault == nil && p.peek() != ':' {
		p.fail(`expected ":"`)
	}
	p.i++
	p.blank()
	return p.fault == nil
}

// Of parses bytes that are known to be a document; nil if they are none.
func Of(doc []byte) *Value {
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil
	}
	v, _, err := Parse(string(doc))
	if err != nil {
		return nil
	}
	return v
}
