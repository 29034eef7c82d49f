package imports

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// word is one word of a shell command.
type word struct {
	text  string
	op    bool // an operator that ends the command: ; | & && || newline, or a redirection
	vars  bool // holds {{env.NAME}} for what was a variable
	ran   bool // holds the text of a command substitution, which was not run
	plain bool // nothing of it was quoted
}

// splitWords splits a script into words as a POSIX shell does, with $'…'.
// Variables become {{env.NAME}}, command substitutions stay as text.
func splitWords(s string) ([]word, error) {
	w := &words{in: s}
	for w.at < len(w.in) {
		if err := w.next(); err != nil {
			return nil, err
		}
	}
	w.end()
	return w.out, nil
}

type words struct {
	in    string
	at    int
	out   []word
	b     strings.Builder
	cur   word
	begun bool
}

func (w *words) end() {
	if w.begun {
		w.cur.text = w.b.String()
		w.out = append(w.out, w.cur)
	}
	w.b.Reset()
	w.cur, w.begun = word{}, false
}

func (w *words) operator(n int) {
	w.end()
	w.out = append(w.out, word{text: w.in[w.at : w.at+n], op: true})
	w.at += n
}

func (w *words) next() error {
	c := w.in[w.at]
	if !w.begun {
		w.cur.plain = true
	}
	switch c {
	case ' ', '\t', '\r':
		w.end()
		w.at++
	case '\n', ';':
		w.operator(1)
	case '|', '&', '<', '>':
		n := 1
		if w.at+1 < len(w.in) && w.in[w.at+1] == c {
			n = 2
		}
		w.operator(n)
	case '#':
		if w.begun {
			w.literal(1)
			return nil
		}
		for w.at < len(w.in) && w.in[w.at] != '\n' {
			w.at++
		}
	case '\\':
		w.escape()
	case '\'':
		return w.single()
	case '"':
		return w.double()
	case '$', '`':
		return w.dollar(false)
	default:
		_, n := utf8.DecodeRuneInString(w.in[w.at:])
		w.literal(n)
	}
	return nil
}

func (w *words) literal(n int) {
	w.begun = true
	w.b.WriteString(w.in[w.at : w.at+n])
	w.at += n
}

// escape is a backslash outside of quotes. Before a line end it joins lines.
func (w *words) escape() {
	rest := w.in[w.at+1:]
	switch {
	case strings.HasPrefix(rest, "\r\n"):
		w.at += 3
	case strings.HasPrefix(rest, "\n"):
		w.at += 2
	case rest == "":
		w.literal(1)
	default:
		_, n := utf8.DecodeRuneInString(rest)
		w.at++
		w.cur.plain = false
		w.literal(n)
	}
}

func (w *words) single() error {
	w.begun, w.cur.plain = true, false
	text, _, ok := strings.Cut(w.in[w.at+1:], "'")
	if !ok {
		return errors.New("a single quote is not closed")
	}
	w.b.WriteString(text)
	w.at += len(text) + 2
	return nil
}

func (w *words) double() error {
	w.begun, w.cur.plain = true, false
	w.at++
	for w.at < len(w.in) {
		switch c := w.in[w.at]; c {
		case '"':
			w.at++
			return nil
		case '\\':
			if w.at+1 < len(w.in) && strings.IndexByte("\\\"$`\n", w.in[w.at+1]) >= 0 {
				w.at++
				if w.in[w.at] == '\n' {
					w.at++
					continue
				}
			}
			w.literal(1)
		case '$', '`':
			if err := w.dollar(true); err != nil {
				return err
			}
		default:
			w.literal(1)
		}
	}
	return errors.New("a double quote is not closed")
}

// dollar reads $NAME, ${NAME}, $(…), `…` and, outside of double quotes, $'…'.
func (w *words) dollar(inDouble bool) error {
	rest := w.in[w.at:]
	switch {
	case rest[0] == '`':
		return w.command(rest, 1, "`")
	case strings.HasPrefix(rest, "$'") && !inDouble:
		return w.ansi()
	case strings.HasPrefix(rest, "$("):
		return w.command(rest, 2, ")")
	case strings.HasPrefix(rest, "${"):
		name, _, ok := strings.Cut(rest[2:], "}")
		if !ok {
			return errors.New("${ is not closed")
		}
		if envName(name) == len(name) && name != "" {
			w.variable(name, len(name)+3)
			return nil
		}
		w.cur.ran = true
		w.literal(len(name) + 3)
		return nil
	}
	if n := envName(rest[1:]); n > 0 {
		w.variable(rest[1:n+1], n+1)
		return nil
	}
	w.literal(1)
	return nil
}

func (w *words) variable(name string, n int) {
	w.begun, w.cur.vars, w.cur.plain = true, true, false
	w.b.WriteString("{{env." + name + "}}")
	w.at += n
}

func (w *words) command(rest string, from int, closing string) error {
	end := strings.Index(rest[from:], closing)
	if end < 0 {
		return errors.New("a command substitution is not closed")
	}
	w.cur.ran = true
	w.literal(from + end + 1)
	return nil
}

func envName(s string) int {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

// ansi reads $'…' with the escapes of C, as POSIX has it since 2024.
func (w *words) ansi() error {
	w.begun, w.cur.plain = true, false
	w.at += 2
	for w.at < len(w.in) {
		c := w.in[w.at]
		switch {
		case c == '\'':
			w.at++
			return nil
		case c != '\\' || w.at+1 == len(w.in):
			w.literal(1)
		default:
			w.at++
			w.ansiEscape()
		}
	}
	return errors.New("a quote $' is not closed")
}

func (w *words) ansiEscape() {
	c := w.in[w.at]
	if i := strings.IndexByte(`abfnrtvEe\'"?`, c); i >= 0 {
		w.b.WriteByte("\a\b\f\n\r\t\v\x1b\x1b\\'\"?"[i])
		w.at++
		return
	}
	base, most, digits := 16, 0, w.in[w.at+1:]
	switch c {
	case 'x':
		most = 2
	case 'u':
		most = 4
	case 'U':
		most = 8
	default: // octal, without a letter before it
		base, most, digits = 8, 3, w.in[w.at:]
	}
	n := 0
	for n < min(most, len(digits)) && isDigit(digits[n], base) {
		n++
	}
	if n == 0 {
		w.b.WriteByte('\\')
		w.literal(1)
		return
	}
	v, _ := strconv.ParseUint(digits[:n], base, 32) // digits only
	if c == 'u' || c == 'U' {
		w.b.WriteRune(rune(v))
	} else {
		w.b.WriteByte(byte(v))
	}
	if base == 16 {
		w.at++
	}
	w.at += n
}

func isDigit(c byte, base int) bool {
	hex := c|0x20 >= 'a' && c|0x20 <= 'f'
	return c >= '0' && c <= '7' || base == 16 && (c == '8' || c == '9' || hex)
}
