package filter

import (
	"errors"
	"fmt"
	"strings"
)

// maxDepth is how deep a document may nest: deeper ones are attacks on the
// stack, and no decoder here writes them.
const maxDepth = 1000

// scanner walks over one JSON text (RFC 8259), checks it, and puts the values
// that are asked for into slots, all in one pass.
//
// It is not gjson, which would go through the text once for every path, takes
// "0" for a key and an index alike, and whose Valid goes as deep as the text.
type scanner struct {
	in    string
	i     int
	depth int
	slots []value
}

// syntaxError is the place of what is no JSON.
type syntaxError struct{ at int }

func (e syntaxError) Error() string { return fmt.Sprintf("malformed JSON at byte %d", e.at) }

var errDeep = errors.New("nested too deep")

// document reads a whole text.
func (s *scanner) document(want *wanted) error {
	s.space()
	if err := s.value(want); err != nil {
		return err
	}
	s.space()
	if s.i < len(s.in) {
		return syntaxError{s.i}
	}
	return nil
}

// value reads the value at the current place, and fills the slots of want and
// of all below it.
func (s *scanner) value(want *wanted) (err error) {
	start := s.i
	if start >= len(s.in) {
		return syntaxError{start}
	}
	var v value
	switch c := s.in[start]; {
	case c == '"':
		escaped, err := s.str()
		if err != nil {
			return err
		}
		if want == nil {
			return nil
		}
		v = value{kind: textK, s: s.in[start+1 : s.i-1]}
		if escaped && want.slot >= 0 {
			v.s = string(unescape(nil, v.s))
		}
	case c == '{':
		v.kind = objectK
		err = s.object(want)
	case c == '[':
		v.kind = arrayK
		err = s.array(want)
	case c == '-' || c >= '0' && c <= '9':
		if err := s.num(); err != nil {
			return err
		}
		if want != nil && want.slot >= 0 {
			v, _ = parseNumber(s.in[start:s.i])
		}
	default:
		v, err = s.word()
	}
	if err != nil || want == nil || want.slot < 0 {
		return err
	}
	if v.kind == objectK || v.kind == arrayK {
		v.s = s.in[start:s.i]
	}
	s.slots[want.slot] = v
	return nil
}

func (s *scanner) enter() error {
	s.i++
	if s.depth++; s.depth > maxDepth {
		return errDeep
	}
	s.space()
	return nil
}

// closes steps over an end that follows directly.
func (s *scanner) closes(end byte) bool {
	if s.i < len(s.in) && s.in[s.i] == end {
		s.i++
		s.depth--
		return true
	}
	return false
}

// more steps over a comma or the end.
func (s *scanner) more(end byte) (bool, error) {
	s.space()
	switch {
	case s.closes(end):
		return false, nil
	case s.i < len(s.in) && s.in[s.i] == ',':
		s.i++
		s.space()
		return true, nil
	}
	return false, syntaxError{s.i}
}

// object reads members. Of a key that occurs twice, the first counts.
func (s *scanner) object(want *wanted) error {
	if err := s.enter(); err != nil || s.closes('}') {
		return err
	}
	var done seen
	for more := true; more; {
		key, err := s.key()
		if err != nil {
			return err
		}
		if err := s.value(want.member(key, &done)); err != nil {
			return err
		}
		if more, err = s.more('}'); err != nil {
			return err
		}
	}
	return nil
}

// key reads a key with its colon.
func (s *scanner) key() (string, error) {
	start := s.i
	if start >= len(s.in) || s.in[start] != '"' {
		return "", syntaxError{start}
	}
	escaped, err := s.str()
	if err != nil {
		return "", err
	}
	key := s.in[start+1 : s.i-1]
	if escaped {
		key = string(unescape(nil, key))
	}
	s.space()
	if s.i >= len(s.in) || s.in[s.i] != ':' {
		return "", syntaxError{s.i}
	}
	s.i++
	s.space()
	return key, nil
}

func (s *scanner) array(want *wanted) error {
	start, depth := s.i, s.depth
	if err := s.enter(); err != nil || s.closes(']') {
		return err
	}
	n := 0
	for more := true; more; n++ {
		err := s.value(want.element(n))
		if err != nil {
			return err
		}
		if more, err = s.more(']'); err != nil {
			return err
		}
	}
	if !want.fromEnd() {
		return nil
	}
	// Counted from the end: known only now, so the array is read once more.
	end := s.i
	s.i, s.depth = start, depth
	if err := s.enter(); err != nil {
		return err
	}
	for i, more := 0, true; more; i++ {
		err := s.value(want.element(i - n))
		if err != nil {
			return err
		}
		if more, err = s.more(']'); err != nil {
			return err
		}
	}
	s.i = end
	return nil
}

// str steps over a string.
func (s *scanner) str() (escaped bool, err error) {
	for i := s.i + 1; i < len(s.in); i++ {
		switch c := s.in[i]; {
		case c == '"':
			s.i = i + 1
			return escaped, nil
		case c == '\\':
			n := escapeLen(s.in[i:])
			if n == 0 {
				return false, syntaxError{i}
			}
			escaped = true
			i += n - 1
		case c < ' ':
			return false, syntaxError{i}
		}
	}
	return false, syntaxError{len(s.in)}
}

// num steps over a number.
func (s *scanner) num() error {
	start := s.i
	if s.in[s.i] == '-' {
		s.i++
	}
	n := digits(s.in[s.i:])
	if n == 0 || n > 1 && s.in[s.i] == '0' {
		return syntaxError{start}
	}
	s.i += n
	if s.i < len(s.in) && s.in[s.i] == '.' {
		if n = digits(s.in[s.i+1:]); n == 0 {
			return syntaxError{start}
		}
		s.i += 1 + n
	}
	if s.i < len(s.in) && (s.in[s.i] == 'e' || s.in[s.i] == 'E') {
		s.i++
		if s.i < len(s.in) && (s.in[s.i] == '+' || s.in[s.i] == '-') {
			s.i++
		}
		if n = digits(s.in[s.i:]); n == 0 {
			return syntaxError{start}
		}
		s.i += n
	}
	return nil
}

// word reads true, false or null.
func (s *scanner) word() (value, error) {
	rest := s.in[s.i:]
	switch {
	case strings.HasPrefix(rest, "true"):
		s.i += 4
		return boolValue(true), nil
	case strings.HasPrefix(rest, "false"):
		s.i += 5
		return boolValue(false), nil
	case strings.HasPrefix(rest, "null"):
		s.i += 4
		return value{}, nil
	}
	return value{}, syntaxError{s.i}
}

func (s *scanner) space() {
	for s.i < len(s.in) && (s.in[s.i] == ' ' || s.in[s.i] == '\n' || s.in[s.i] == '\t' || s.in[s.i] == '\r') {
		s.i++
	}
}
