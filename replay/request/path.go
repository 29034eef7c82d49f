package request

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// path leads to a value of an answer: body.items[0].id, header("location"),
// status. It is written as in filters.
type path struct {
	root  string
	steps []step
	text  string
}

type step struct {
	name    string
	index   int
	isIndex bool
}

// roots are the words a path may begin with.
func roots() []string {
	return []string{"body", "bodies", "header", "headers", "status", "err", "trace_id", "took", "timing", "attrs", "raw"}
}

var errPath = errors.New("it is no path into an answer")

func parsePath(s string) (path, error) {
	p, rest, err := scanPath(s)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("%w: %q is too much", errPath, rest)
	}
	if err == nil && !known(p.root) {
		err = fmt.Errorf("%w: it begins with one of %s", errPath, strings.Join(roots(), ", "))
	}
	return p, err
}

func known(root string) bool {
	for _, r := range roots() {
		if r == root {
			return true
		}
	}
	return false
}

// scanPath reads the path that a text begins with.
func scanPath(s string) (p path, rest string, err error) {
	all := s
	s = strings.TrimLeft(s, " ")
	n := wordLen(s)
	if n == 0 {
		return p, s, fmt.Errorf("%w: a name is expected", errPath)
	}
	p.root, s = s[:n], s[n:]
	for err == nil && s != "" {
		var next step
		switch {
		case s[0] == '.' && wordLen(s[1:]) > 0:
			n := wordLen(s[1:])
			next, s = step{name: s[1 : n+1]}, s[n+1:]
		case s[0] == '(' && p.root == "header" && len(p.steps) == 0:
			next, s, err = bracket(s, ')')
		case s[0] == '[':
			next, s, err = bracket(s, ']')
		default:
			p.text = strings.TrimSpace(strings.TrimSuffix(all, s))
			return p, s, nil
		}
		p.steps = append(p.steps, next)
	}
	p.text = strings.TrimSpace(strings.TrimSuffix(all, s))
	return p, s, err
}

// bracket reads ["name"], [3] or ("name").
func bracket(s string, closing byte) (st step, rest string, err error) {
	if len(s) > 1 && (s[1] == '"' || s[1] == '\'') {
		end := 2
		for end < len(s) && s[end] != s[1] {
			if s[end] == '\\' {
				end++
			}
			end++
		}
		if end+1 >= len(s) || s[end+1] != closing {
			return st, s, fmt.Errorf("%w: %q is not closed", errPath, s)
		}
		name := s[1 : end+1]
		if name[0] == '\'' {
			name = `"` + strings.ReplaceAll(name[1:len(name)-1], `"`, `\"`) + `"`
		}
		st.name, err = strconv.Unquote(name)
		if err != nil {
			return st, s, fmt.Errorf("%w: %s is no text", errPath, name)
		}
		return st, s[end+2:], nil
	}
	inner, rest, ok := strings.Cut(s[1:], string(closing))
	n, err := strconv.Atoi(strings.TrimSpace(inner))
	if !ok || err != nil || closing == ')' {
		return st, s, fmt.Errorf("%w: %q is neither an index nor a name in quotes", errPath, inner)
	}
	return step{index: n, isIndex: true}, rest, nil
}

// wordLen is the length of the name that a text begins with.
func wordLen(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

// Mentioned returns the paths that a condition looks at, each once, in order.
func Mentioned(condition string) (out []string) {
	seen := map[string]bool{}
	for s, before := condition, byte(' '); s != ""; {
		switch c := s[0]; {
		case c == '"' || c == '\'' || c == '`':
			end := 1
			for end < len(s) && s[end] != c {
				if s[end] == '\\' && c != '`' {
					end++
				}
				end++
			}
			before, s = c, s[min(end+1, len(s)):]
		case wordLen(s) > 0 && before != '.' && before != '#':
			p, rest, err := scanPath(s)
			if err == nil && known(p.root) && !seen[p.text] {
				seen[p.text] = true
				out = append(out, p.text)
			}
			if err != nil {
				rest = s[wordLen(s):]
			}
			before, s = 'a', rest
		case wordLen(s) > 0:
			before, s = 'a', s[wordLen(s):]
		default:
			before, s = c, s[1:]
		}
	}
	return out
}
