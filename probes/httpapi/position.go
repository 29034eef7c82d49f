package httpapi

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// warning is something wrong with a document that did not make it unusable.
type warning struct {
	text      string
	pointer   string // what it is about, "" for the text as a whole
	line, col int    // from 1; 0 unknown
}

func (w warning) String() string {
	at := ""
	if w.line > 0 {
		at = fmt.Sprintf("line %d:%d: ", w.line, w.col)
	}
	if w.pointer != "" {
		at += "#" + w.pointer + ": "
	}
	return at + w.text
}

// maxWarnings is how many warnings of one document are kept; the rest is
// counted.
const maxWarnings = 20

// worded gives warnings their positions and writes them out.
func worded(all []warning, beyond int, src source) []string {
	kept := all[:min(len(all), maxWarnings)]
	src.locate(kept)
	out := make([]string, 0, len(kept)+1)
	for _, w := range kept {
		out = append(out, w.String())
	}
	if n := len(all) - len(kept) + beyond; n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return out
}

// locate fills in lines and columns.
func (s source) locate(ws []warning) {
	if s.yaml != nil {
		for i := range ws {
			if ws[i].line == 0 {
				ws[i].line, ws[i].col = s.yaml.position(ws[i].pointer)
			}
		}
		return
	}
	l := jsonLocator{text: s.text, found: map[string]int{}}
	for i := range ws {
		for p := ws[i].pointer; p != "" && ws[i].line == 0; p = p[:strings.LastIndexByte(p, '/')] {
			l.found[p] = -1
		}
	}
	if len(l.found) == 0 {
		return
	}
	l.value("")
	for i := range ws {
		if at, ok := l.nearest(ws[i].pointer); ok && ws[i].line == 0 {
			ws[i].line, ws[i].col = lineCol(s.text, int64(at))
		}
	}
}

// jsonLocator walks a text once and notes the offsets of the pointers that
// found has as -1. It goes into what leads to one of them and skips the rest
// byte by byte, and stops where the text is broken.
type jsonLocator struct {
	text  []byte
	at    int
	found map[string]int
	ended bool
}

// peek is the next byte that is no space, 0 at the end.
func (l *jsonLocator) peek() byte {
	for ; l.at < len(l.text); l.at++ {
		switch l.text[l.at] {
		case ' ', '\t', '\r', '\n', ',', ':':
			continue
		}
		return l.text[l.at]
	}
	l.ended = true
	return 0
}

func (l *jsonLocator) value(pointer string) {
	open := l.peek()
	if open != '{' && open != '[' {
		l.skip()
		return
	}
	l.at++
	for i := 0; !l.ended; i++ {
		c := l.peek()
		if c == '}' || c == ']' {
			l.at++
			return
		}
		at, name := l.at, strconv.Itoa(i)
		if open == '{' {
			l.skip()
			var key string
			if json.Unmarshal(l.text[at:l.at], &key) != nil {
				l.ended = true
				return
			}
			name = escapePointer(key)
		}
		child := pointer + "/" + name
		if have, wanted := l.found[child]; wanted {
			if have < 0 {
				l.found[child] = at
			}
			l.value(child)
			continue
		}
		l.peek()
		l.skip()
	}
}

// skip goes over one value.
func (l *jsonLocator) skip() {
	depth := 0
	for l.at < len(l.text) {
		c := l.text[l.at]
		l.at++
		switch c {
		case '"':
			for l.at < len(l.text) && l.text[l.at] != '"' {
				if l.text[l.at] == '\\' {
					l.at++
				}
				l.at++
			}
			l.at++
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\t', '\r', '\n', ',', ':':
			if depth > 0 {
				continue
			}
		default:
			if depth > 0 || l.at < len(l.text) && !strings.ContainsRune(" \t\r\n,:}]", rune(l.text[l.at])) {
				continue // within a number or a word
			}
		}
		if depth <= 0 {
			l.at = min(l.at, len(l.text))
			return
		}
	}
	l.at, l.ended = len(l.text), true
}

// nearest is the offset of a pointer or of the closest thing above it.
func (l *jsonLocator) nearest(pointer string) (int, bool) {
	for pointer != "" {
		if at, ok := l.found[pointer]; ok && at >= 0 {
			return at, true
		}
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
	return 0, false
}
