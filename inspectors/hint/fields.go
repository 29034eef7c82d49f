package hint

import "strings"

// item is one member of a list in a header: a value and parameters, as in
// `"default";q=100;w=60` or `db;dur=53.2;desc="read"`.
type item struct {
	value  string
	params [][2]string
}

func (i *item) param(name string) (string, bool) {
	for _, p := range i.params {
		if p[0] == name {
			return p[1], true
		}
	}
	return "", false
}

// maxItems bounds what is read of one header.
const maxItems = 32

// items reads a list of items with parameters. It is meant for what servers
// send, not for what RFC 9651 allows: quotes are optional, and what makes no
// sense is kept as it is.
func items(s string) (out []item) {
	for _, part := range cut(s, ',') {
		pieces := cut(part, ';')
		it := item{value: unquote(pieces[0])}
		for _, p := range pieces[1:] {
			name, value, _ := strings.Cut(p, "=")
			it.params = append(it.params, [2]string{strings.ToLower(strings.TrimSpace(name)), unquote(value)})
		}
		if it.value != "" || len(it.params) > 0 {
			out = append(out, it)
		}
	}
	return out
}

// cut splits at a byte outside quoted strings.
func cut(s string, at byte) (out []string) {
	from, quoted := 0, false
	for i := 0; i < len(s) && len(out) < maxItems; i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == at && !quoted:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s[1 : len(s)-1])
}
