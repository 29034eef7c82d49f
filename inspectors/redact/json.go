package redact

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

const (
	maxPath   = 32 // nesting that paths in AttrRedacted can tell
	maxNested = 3  // documents inside strings of documents
)

// json masks values in a JSON text in one pass over its bytes, without building
// anything: the text need not be valid, whole, or one document. Valid JSON stays
// valid. Without a secret in it, the slice itself comes back.
func (p *Policy) json(in []byte, hits *[]string) []byte {
	s := scrubber{p: p, in: in}
	out := s.run()
	*hits = append(*hits, s.hits...)
	return out
}

type scrubber struct {
	p      *Policy
	in     []byte
	out    []byte // nil until something is masked
	copied int    // how much of in is in out
	hits   []string
	nested int // documents around this one

	depth int
	path  [maxPath]span // the key each open object is at; of arrays empty
}

// span is a range of bytes of the text.
type span struct{ from, to int }

func (s *scrubber) run() []byte {
	for i := 0; i < len(s.in); {
		switch s.in[i] {
		case '"':
			i = s.str(i)
		case '{', '[':
			s.depth++
			s.at(span{})
			i++
		case '}', ']':
			s.depth = max(s.depth-1, 0)
			i++
		default:
			i++
		}
	}
	if s.out == nil {
		return s.in
	}
	return append(s.out, s.in[s.copied:]...)
}

func (s *scrubber) at(key span) {
	if s.depth < maxPath {
		s.path[s.depth] = key
	}
}

// str handles the string that starts at i: a key with what follows, or a value.
func (s *scrubber) str(i int) int {
	end := stringEnd(s.in, i)
	inner := span{i + 1, max(end-1, i+1)}
	colon := skipSpace(s.in, end)
	if colon >= len(s.in) || s.in[colon] != ':' {
		s.value(inner)
		return end
	}
	s.at(inner)
	if !secretName(s.keyText(inner)) {
		return colon + 1
	}
	return s.mask(inner, skipSpace(s.in, colon+1))
}

// keyText is the key without its escapes.
func (s *scrubber) keyText(k span) []byte {
	raw := s.in[k.from:k.to]
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	return unquote(raw)
}

// mask replaces the value that starts at i. null, booleans and empty values stay:
// they are no secrets, and telling them apart matters.
func (s *scrubber) mask(key span, i int) int {
	if i >= len(s.in) {
		return i
	}
	end := i
	switch c := s.in[i]; {
	case c == '"':
		end = stringEnd(s.in, i)
		if end-i <= 2 || isWhole(bytes.Trim(s.in[i:end], `"`)) {
			return end
		}
	case c == '{' || c == '[':
		end = compositeEnd(s.in, i)
		if skipSpace(s.in, i+1) >= end-1 {
			return end
		}
	case c == '-' || c >= '0' && c <= '9':
		end = i + numberLen(s.in[i:])
	default:
		return i
	}
	s.replace(i, end, `"`+s.p.placeholder(string(s.keyText(key)), s.in[i:end])+`"`)
	s.hit()
	return end
}

// value looks at a string that is not under the name of a secret: it may be a
// credential by its form, a URL with one in it, or a document.
func (s *scrubber) value(v span) {
	if v.to-v.from < 6 {
		return
	}
	raw := s.in[v.from:v.to]
	switch {
	case isCredential(raw):
		s.replace(v.from, v.to, s.p.placeholder(s.name(), raw))
		s.hit()
	case raw[0] == '{' || raw[0] == '[':
		if s.nested < maxNested && bytes.IndexByte(raw, '\\') > 0 {
			inner := scrubber{p: s.p, in: unquote(raw), nested: s.nested + 1}
			clean := inner.run()
			s.rewrite(v, clean, inner.hits)
		}
	case bytes.IndexByte(raw, '?') >= 0, bytes.IndexByte(raw, '@') >= 0:
		var hits []string
		clean := s.p.urlBytes(unquote(raw), &hits)
		s.rewrite(v, clean, hits)
	}
}

// rewrite changes what a string says, if anything was masked in it.
func (s *scrubber) rewrite(v span, clean []byte, hits []string) {
	if len(hits) == 0 {
		return
	}
	quoted := quote(clean)
	s.replace(v.from, v.to, string(quoted[1:len(quoted)-1]))
	for _, h := range hits {
		s.hits = append(s.hits, strings.TrimPrefix(s.where()+"."+h, "."))
	}
}

func (s *scrubber) replace(from, to int, by string) {
	if s.out == nil {
		s.out = make([]byte, 0, len(s.in)+64)
	}
	s.out = append(append(s.out, s.in[s.copied:from]...), by...)
	s.copied = to
}

func (s *scrubber) hit() { s.hits = append(s.hits, s.where()) }

// where is the path to the value at hand: customer.cards.pan.
func (s *scrubber) where() string {
	var b []byte
	for _, k := range s.path[:min(s.depth+1, maxPath)] {
		if k.to > k.from {
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = append(b, cleanPath(s.keyText(k))...)
		}
	}
	return string(b)
}

// name is the nearest key, for a placeholder.
func (s *scrubber) name() string {
	for i := min(s.depth, maxPath-1); i >= 0; i-- {
		if k := s.path[i]; k.to > k.from {
			return string(s.keyText(k))
		}
	}
	return "value"
}

// cleanPath keeps a key from breaking the comma separated list it goes into.
func cleanPath(key []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == ',' || !strconv.IsGraphic(r) {
			return '_'
		}
		return r
	}, key)
}

// stringEnd returns the index after the string that starts at i. JSON strings
// hold no line end, so at one the string is given up: what follows a broken line
// is read right again.
func stringEnd(b []byte, i int) int {
	for j := i + 1; j < len(b); j++ {
		switch b[j] {
		case '"':
			return j + 1
		case '\\':
			j++
		case '\n':
			return j
		}
	}
	return len(b)
}

// compositeEnd returns the index after the object or array that starts at i.
func compositeEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			break
		}
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func numberLen(b []byte) int {
	n := 0
	for n < len(b) && (b[n] >= '0' && b[n] <= '9' || bytes.IndexByte([]byte("+-.eE"), b[n]) >= 0) {
		n++
	}
	return n
}

// unquote undoes the escapes of a JSON string; raw itself if it is broken.
func unquote(raw []byte) []byte {
	var s string
	if json.Unmarshal(append(append([]byte{'"'}, raw...), '"'), &s) != nil {
		return raw
	}
	return []byte(s)
}

func quote(text []byte) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(string(text)); err != nil {
		return []byte(`""`) // a string always encodes
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
