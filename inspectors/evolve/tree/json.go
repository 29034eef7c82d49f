package tree

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits on documents.
const (
	maxDepth = 512
	maxNodes = 20 << 20
)

// Parse reads JSON, or YAML where the text does not begin like JSON. A document
// that is broken comes with a *Fault and what was read before it, nil if that is
// nothing.
func Parse(text []byte) (*Node, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if start := bytes.TrimLeft(text, " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[' || start[0] == '"') {
		n, err := parseJSON(text)
		if err == nil || n.IsMap() && len(n.Keys) > 0 {
			return n, err
		}
		if y, yamlErr := parseYAML(text); yamlErr == nil { // {a: 1} is YAML
			return y, nil
		}
		return n, err
	}
	return parseYAML(text)
}

type jsonParser struct {
	s         []byte
	at        int
	line      int32
	lineStart int
	nodes     int
	names     map[string]string // keys repeat a lot
}

func parseJSON(text []byte) (*Node, error) {
	p := jsonParser{s: text, line: 1, names: map[string]string{}}
	p.space()
	n, err := p.value(0)
	if err != nil {
		return n, err
	}
	if p.space(); p.at < len(p.s) {
		return n, p.fault("there is more after the document")
	}
	return n, nil
}

func (p *jsonParser) fault(format string, args ...any) error {
	return &Fault{Line: int(p.line), Col: p.at - p.lineStart + 1, Text: fmt.Sprintf(format, args...)}
}

func (p *jsonParser) space() {
	for p.at < len(p.s) {
		switch p.s[p.at] {
		case '\n':
			p.line++
			p.lineStart = p.at + 1
		case ' ', '\t', '\r':
		default:
			return
		}
		p.at++
	}
}

// value returns what it has read also beside an error.
func (p *jsonParser) value(depth int) (*Node, error) {
	if p.at >= len(p.s) {
		return nil, p.fault("the document ends where a value is expected")
	}
	if p.nodes++; depth > maxDepth || p.nodes > maxNodes {
		return nil, p.fault("the document is too deep or has too many values")
	}
	n := &Node{Line: p.line, Col: int32(p.at - p.lineStart + 1)}
	switch c := p.s[p.at]; {
	case c == '{':
		n.Kind = Map
		return n, p.object(n, depth)
	case c == '[':
		n.Kind = List
		return n, p.list(n, depth)
	case c == '"':
		n.Kind = String
		var err error
		n.Text, err = p.text()
		return n, err
	case c == '-' || c >= '0' && c <= '9':
		n.Kind = Number
		from := p.at
		for p.at < len(p.s) && strings.IndexByte("+-.eE0123456789", p.s[p.at]) >= 0 {
			p.at++
		}
		if n.Text = string(p.s[from:p.at]); !json.Valid(p.s[from:p.at]) {
			p.at = from
			return nil, p.fault("%.40q is no number", n.Text)
		}
		return n, nil
	}
	for word, kind := range map[string]Kind{"true": Bool, "false": Bool, "null": Null} {
		if bytes.HasPrefix(p.s[p.at:], []byte(word)) {
			p.at += len(word)
			n.Kind, n.Text = kind, word
			return n, nil
		}
	}
	r, _ := utf8.DecodeRune(p.s[p.at:])
	return nil, p.fault("%q where a value is expected", r)
}

func (p *jsonParser) object(n *Node, depth int) error {
	p.at++
	p.space()
	if p.at < len(p.s) && p.s[p.at] == '}' {
		p.at++
		return nil
	}
	for {
		if p.space(); p.at >= len(p.s) || p.s[p.at] != '"' {
			n.Cut = true
			return p.fault("a name in quotes is expected")
		}
		key, err := p.text()
		if err != nil {
			n.Cut = true
			return err
		}
		if p.space(); p.at >= len(p.s) || p.s[p.at] != ':' {
			n.Cut = true
			return p.fault("a colon is expected after the name %.40q", key)
		}
		p.at++
		p.space()
		v, err := p.value(depth + 1)
		if v != nil {
			n.add(p.name(key), v)
		}
		more, err := p.next('}', err)
		if !more {
			n.Cut = err != nil
			return err
		}
	}
}

func (p *jsonParser) list(n *Node, depth int) error {
	p.at++
	p.space()
	if p.at < len(p.s) && p.s[p.at] == ']' {
		p.at++
		return nil
	}
	for {
		p.space()
		v, err := p.value(depth + 1)
		if v != nil {
			n.Items = append(n.Items, v)
		}
		more, err := p.next(']', err)
		if !more {
			n.Cut = err != nil
			return err
		}
	}
}

// next reads the comma or the end of a list or object.
func (p *jsonParser) next(end byte, err error) (more bool, _ error) {
	if err != nil {
		return false, err
	}
	p.space()
	if p.at < len(p.s) && (p.s[p.at] == ',' || p.s[p.at] == end) {
		p.at++
		return p.s[p.at-1] == ',', nil
	}
	return false, p.fault("a comma or %q is expected", end)
}

func (p *jsonParser) name(s string) string {
	if known, ok := p.names[s]; ok {
		return known
	}
	p.names[s] = s
	return s
}

// text reads a string.
func (p *jsonParser) text() (string, error) {
	from := p.at
	plain := true
	for i := p.at + 1; i < len(p.s); i++ {
		switch c := p.s[i]; {
		case c == '"':
			p.at = i + 1
			if plain {
				return strings.ToValidUTF8(string(p.s[from+1:i]), "\ufffd"), nil
			}
			var s string
			if err := json.Unmarshal(p.s[from:p.at], &s); err != nil {
				p.at = from
				return "", p.fault("a string with an escape that JSON does not know")
			}
			return s, nil
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			p.at = i
			return "", p.fault("a string that is not closed in its line")
		}
	}
	return "", p.fault("a string that is not closed")
}
