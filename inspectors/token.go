package inspectors

import (
	"bytes"
	"strconv"
)

// str reads a string with its quotes and checks it (RFC 8259 §7).
func (p *printer) str() (string, *malformed) {
	start := p.i
	for p.i++; p.i < len(p.in); p.i++ {
		switch c := p.in[p.i]; {
		case c == '"':
			p.i++
			return string(p.in[start:p.i]), nil
		case c < 0x20:
			return "", p.fail("a control character in a string")
		case c == '\\':
			n := escapeLen(p.in[p.i:])
			if n == 0 && len(p.in)-p.i >= 6 {
				return "", p.fail("malformed escape")
			}
			p.i += max(n-1, 0)
		}
	}
	p.i = start // where people look, and where a body that was cut goes on
	return "", p.fail("a string does not end")
}

// escapeLen is the length of the escape b starts with; 0 if it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	if b[1] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), b[1]) >= 0 {
			return 2
		}
		return 0
	}
	if len(b) < 6 {
		return 0
	}
	if _, err := strconv.ParseUint(string(b[2:6]), 16, 16); err != nil {
		return 0
	}
	return 6
}

// numberLen is the length of the number b starts with (RFC 8259 §6); 0 if it is
// malformed.
func numberLen(b []byte) int {
	digits := func(i int) int {
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i
	}
	i := 0
	if b[0] == '-' {
		i = 1
	}
	whole := digits(i)
	if whole == i || b[i] == '0' && whole > i+1 {
		return 0
	}
	i = whole
	if i < len(b) && b[i] == '.' {
		if whole = digits(i + 1); whole == i+1 {
			return 0
		}
		i = whole
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		j := i + 1
		if j < len(b) && (b[j] == '+' || b[j] == '-') {
			j++
		}
		if whole = digits(j); whole == j {
			return 0
		}
		i = whole
	}
	return i
}
