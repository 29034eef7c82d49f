package httpapi

import (
	"bytes"
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
func worded(all []warning, src source) []string {
	kept := all[:min(len(all), maxWarnings)]
	src.locate(kept)
	out := make([]string, 0, len(kept)+1)
	for _, w := range kept {
		out = append(out, w.String())
	}
	if n := len(all) - len(kept); n > 0 {
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
	l := jsonLocator{text: s.text, dec: json.NewDecoder(bytes.NewReader(s.text)), found: map[string]int64{}}
	for i := range ws {
		for p := ws[i].pointer; p != "" && ws[i].line == 0; p = p[:strings.LastIndexByte(p, '/')] {
			l.found[p] = -1
		}
	}
	if len(l.found) == 0 {
		return
	}
	_ = l.value("") // a text broken further on still has positions before that
	for i := range ws {
		if at, ok := l.nearest(ws[i].pointer); ok && ws[i].line == 0 {
			ws[i].line, ws[i].col = lineCol(s.text, at)
		}
	}
}

// jsonLocator walks a text once and notes the offsets of the pointers that
// found has as -1.
type jsonLocator struct {
	text  []byte
	dec   *json.Decoder
	found map[string]int64
	depth int
}

func (l *jsonLocator) value(pointer string) error {
	tok, err := l.dec.Token()
	if err != nil {
		return err
	}
	d, ok := tok.(json.Delim)
	if !ok {
		return nil
	}
	l.depth++
	defer func() { l.depth-- }()
	for i := 0; l.dec.More(); i++ {
		part := strconv.Itoa(i)
		if d == '{' {
			key, err := l.dec.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			part = escapePointer(name)
		}
		child := pointer + "/" + part
		if at, wanted := l.found[child]; wanted && at < 0 {
			l.found[child] = l.keyStart(d)
		}
		if l.depth > maxDepth {
			return errTooDeep
		}
		if err := l.value(child); err != nil {
			return err
		}
	}
	_, err = l.dec.Token()
	return err
}

// keyStart is the offset of the key just read, or of the item about to be.
func (l *jsonLocator) keyStart(container json.Delim) int64 {
	at := l.dec.InputOffset()
	if container == '{' {
		for at--; at > 0 && (l.text[at-1] != '"' || at > 1 && l.text[at-2] == '\\'); at-- {
		}
		return at - 1
	}
	for at < int64(len(l.text)) && strings.IndexByte(" \t\r\n,", l.text[at]) >= 0 {
		at++
	}
	return at
}

// nearest is the offset of a pointer or of the closest thing above it.
func (l *jsonLocator) nearest(pointer string) (int64, bool) {
	for pointer != "" {
		if at, ok := l.found[pointer]; ok && at >= 0 {
			return at, true
		}
		pointer = pointer[:strings.LastIndexByte(pointer, '/')]
	}
	return 0, false
}
