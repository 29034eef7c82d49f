package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A document is read into a plain tree of map[string]any, []any, string, bool,
// json.Number and nil, and stays one: a typed model of a large document costs
// seconds, and refuses all of it for one broken part.

// maxDepth and maxNodes bound what a document may expand to: a YAML file of a
// kilobyte can hold aliases for a billion nodes.
const (
	maxDepth = 200
	maxNodes = 8 << 20
)

var errTooDeep = fmt.Errorf("nested more than %d levels deep", maxDepth)

// source is a document's text with what is needed to say where things are.
type source struct {
	text []byte
	yaml *yamlText // nil for JSON
}

// parseTree reads JSON or YAML. A text that is broken at some point gives what
// stood before it and a warning; an error means that nothing was usable.
func parseTree(text []byte) (tree map[string]any, src source, broken *warning, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimLeft(text, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return nil, source{}, nil, errors.New("it is empty")
	case trimmed[0] == '<':
		return nil, source{}, nil, errors.New("it is HTML or XML")
	case trimmed[0] == '{':
		src = source{text: text}
		tree, broken, err = parseJSON(text)
	default:
		tree, src, broken, err = parseYAML(text)
	}
	return tree, src, broken, err
}

// parseJSON reads a sound text in one go. A broken one is read again token by
// token, which is slow, but knows what stands before the break.
func parseJSON(text []byte) (map[string]any, *warning, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var whole map[string]any
	if dec.Decode(&whole) == nil {
		return whole, nil, nil
	}
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(text))}
	r.dec.UseNumber()
	v, err := r.value(0)
	tree, _ := v.(map[string]any)
	if err == nil {
		return tree, nil, nil
	}
	at := r.dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends in the middle")
	}
	line, col := lineCol(text, at)
	if len(tree) == 0 {
		return nil, nil, fmt.Errorf("line %d:%d: %w", line, col, err)
	}
	return tree, &warning{text: err.Error() + "; what follows is left out", line: line, col: col}, nil
}

// jsonReader builds a tree token by token, so that a broken text still gives
// the part before the break.
type jsonReader struct {
	dec   *json.Decoder
	nodes int
}

// keptDepth is the depth down to which a container cut short is kept. Below
// it, half an operation or half a schema would be taken for a whole one:
// document (0) / paths (1) / one path (2), or components / schemas.
const keptDepth = 2

func (r *jsonReader) value(depth int) (any, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	if r.nodes++; depth > maxDepth || r.nodes > maxNodes {
		return nil, errTooDeep
	}
	switch tok {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		return r.array(depth)
	}
	return tok, nil
}

func (r *jsonReader) object(depth int) (any, error) {
	m := map[string]any{}
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return m, err
		}
		key, _ := tok.(string)
		v, err := r.value(depth + 1)
		if err != nil {
			if depth+1 <= keptDepth && v != nil {
				m[key] = v
			}
			return m, err
		}
		m[key] = v
	}
	_, err := r.dec.Token()
	return m, err
}

func (r *jsonReader) array(depth int) (any, error) {
	out := []any{}
	for r.dec.More() {
		v, err := r.value(depth + 1)
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	_, err := r.dec.Token()
	return out, err
}

// lineCol turns a byte offset into a line and a column, both from 1.
func lineCol(text []byte, at int64) (line, col int) {
	at = min(max(at, 0), int64(len(text)))
	before := text[:at]
	line = 1 + bytes.Count(before, []byte("\n"))
	return line, int(at) - bytes.LastIndexByte(before, '\n')
}

// lookup follows a JSON pointer (RFC 6901) without its leading "#".
func lookup(tree any, pointer string) (any, bool) {
	if pointer == "" {
		return tree, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	at := tree
	for part := range strings.SplitSeq(pointer[1:], "/") {
		switch c := at.(type) {
		case map[string]any:
			v, ok := c[unescapePointer(part)]
			if !ok {
				return nil, false
			}
			at = v
		case []any:
			i, ok := arrayIndex(part, len(c))
			if !ok {
				return nil, false
			}
			at = c[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// follow is lookup that goes through references on the way, as the parts of an
// operation's pointer may be.
func follow(root any, pointer string) (any, bool) {
	at := root
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		for range 64 {
			m, _ := at.(map[string]any)
			ref, ok := m["$ref"].(string)
			if _, direct := m[unescapePointer(part)]; !ok || direct {
				break
			}
			if at, ok = lookup(root, unescapeFragment(strings.TrimPrefix(ref, "#"))); !ok {
				return nil, false
			}
		}
		next, ok := lookup(at, "/"+part)
		if !ok {
			return nil, false
		}
		at = next
	}
	return at, true
}

func arrayIndex(s string, n int) (int, bool) {
	i := 0
	for _, r := range s {
		if r < '0' || r > '9' || i > n {
			return 0, false
		}
		i = i*10 + int(r-'0')
	}
	return i, s != "" && i < n
}

// escapePointer writes a key as a part of a JSON pointer.
func escapePointer(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescapePointer(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}
