package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a part of a filter between blanks, for telling words from
// expressions.
type token struct {
	text   string // without the quotes
	quoted bool
	minus  bool // -text
	column int  // in characters, from 1
}

// tokens splits a source at blanks. A quote at the beginning of a token opens a
// phrase, if the closing one ends it; anywhere else, quotes are text. open is
// the column of a quote that is not closed, 0 if all are.
func tokens(source string) (out []token, open int) {
	column := 1
	for source != "" {
		r, n := utf8.DecodeRuneInString(source)
		if unicode.IsSpace(r) {
			source = source[n:]
			column++
			continue
		}
		t := token{column: column}
		rest := source
		if rest[0] == '-' && len(rest) > 1 && !blank(rest[1:]) {
			t.minus = true
			rest = rest[1:]
		}
		if phrase, after, ok := quoted(rest); ok {
			t.text, t.quoted, rest = phrase, true, after
		} else {
			if rest[0] == '"' && strings.IndexByte(rest[1:], '"') < 0 {
				open = column
			}
			end := strings.IndexFunc(rest, unicode.IsSpace)
			if end < 0 {
				end = len(rest)
			}
			t.text, rest = rest[:end], rest[end:]
		}
		column += utf8.RuneCountInString(source[:len(source)-len(rest)])
		source = rest
		out = append(out, t)
	}
	return out, open
}

// blank reports whether s begins with a blank.
func blank(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsSpace(r)
}

// quoted takes a phrase in quotes from the beginning of s.
func quoted(s string) (phrase, after string, ok bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", "", false
	}
	end := strings.IndexByte(s[1:], s[0])
	if end < 0 {
		return "", "", false
	}
	phrase, after = s[1:1+end], s[end+2:]
	return phrase, after, after == "" || blank(after)
}

// isExpression decides whether a source is an expression: by its looks alone,
// so that a mistake in an expression is reported. It is one if, outside quotes,
//
//   - one of == != <= >= < > && || occurs,
//   - = follows a field: status=500 is refused then, and not searched for,
//   - contains, startsWith, endsWith or matches follows a field, or in stands
//     between what looks like a literal or field on both sides,
//   - a token begins as only expressions do: body. body[ attrs[ header( any( and
//     so on.
//
// Everything else is words.
func isExpression(source string, v *vocabulary) bool {
	list, _ := tokens(bare(source))
	for i, t := range list {
		if hasOperator(t.text) || v.begins(t.text) {
			return true
		}
		left, _, assigns := strings.Cut(t.text, "=")
		if assigns && (v.isField(left) || left == "" && i > 0 && v.isField(list[i-1].text)) {
			return true
		}
		before := i - 1
		if before > 0 && list[before].text == "not" {
			before--
		}
		if before < 0 {
			continue
		}
		switch t.text {
		case "contains", "startsWith", "endsWith", "matches":
			if v.isField(list[before].text) {
				return true
			}
		case "in":
			what, of := list[before].text, list[i+1:]
			if len(of) > 0 && v.operand(what) && (v.operand(of[0].text) || strings.HasPrefix(of[0].text, "(") && v.isField(what)) {
				return true
			}
		}
	}
	return false
}

// mark replaces a text in quotes: it looks like a literal and holds nothing.
const mark = "\x01"

// bare replaces everything in quotes, so that what it holds does not count. A
// quote within a word (don't) is none.
func bare(source string) string {
	var b strings.Builder
	before := byte(' ')
	for i := 0; i < len(source); i++ {
		c := source[i]
		if (c == '"' || c == '\'' || c == '`') && strings.IndexByte(" \t\n([{,=<>!&|-", before) >= 0 {
			if end := closing(source[i:]); end > 0 {
				b.WriteString(mark)
				i += end
				before = '"'
				continue
			}
		}
		b.WriteByte(c)
		before = c
	}
	return b.String()
}

// closing is where the quote ends that s begins with, 0 if it does not.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i
		}
	}
	return 0
}

func hasOperator(s string) bool {
	return strings.ContainsAny(s, "<>") || strings.Contains(s, "==") || strings.Contains(s, "!=") ||
		strings.Contains(s, "&&") || strings.Contains(s, "||")
}
