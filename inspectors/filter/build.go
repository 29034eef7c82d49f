package filter

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

// builder makes conditions of a syntax tree.
type builder struct {
	source     string
	offset     int // characters before the expression
	now        time.Time
	vocabulary *vocabulary
	code       *code
	scopes     []scope
}

// scope is the element that a predicate is about.
type scope struct {
	want *wanted
	name string
}

// wrong is an error at a node.
func (b *builder) wrong(n ast.Node, hint, format string, args ...any) error {
	return b.wrongAt(start(n).Location().From, hint, format, args...)
}

// start is the node at which people see a part begin. The parser says where the
// last member of a path is.
func start(n ast.Node) ast.Node {
	for {
		switch m := n.(type) {
		case *ast.MemberNode:
			n = m.Node
		case *ast.ChainNode:
			n = m.Node
		case *ast.CallNode:
			n = m.Callee
		case *ast.ConditionalNode:
			n = m.Cond
		default:
			return n
		}
	}
}

func (b *builder) wrongAt(at int, hint, format string, args ...any) error {
	return &Error{Source: b.source, Column: b.offset + at + 1, Message: fmt.Sprintf(format, args...), Hint: hint}
}

// words makes a condition of bare words.
func (b *builder) words(source string) (cond, error) {
	list, open := tokens(source)
	if open > 0 {
		return nil, b.wrongAt(open-1, "", "the quote is not closed")
	}
	var out all
	for _, t := range list {
		if low := strings.ToLower(t.text); !t.quoted && !t.minus && (low == "or" || low == "and" || low == "not") {
			return nil, b.wrongAt(t.column-1, `all words have to occur and -word excludes one; to search for the word, quote it: "`+t.text+
				`"; in expressions: raw contains "a" or raw contains "b"`, "%q joins conditions, not words", t.text)
		}
		if t.text == "" {
			continue
		}
		c := cond(&word{fold(t.text)})
		if t.minus {
			c = not{c}
		}
		out = append(out, c)
	}
	return out, nil
}

// expression parses and checks an expression that begins after offset
// characters of the source.
func (b *builder) expression(text string, offset int) (c cond, err error) {
	b.offset, b.now = offset, time.Now()
	defer func() {
		if p := recover(); p != nil { // in the parser: it is a stranger's
			c, err = nil, b.wrongAt(0, "", "the expression cannot be read: %v", p)
		}
	}()
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, b.syntax(text, err)
	}
	if tree == nil || tree.Node == nil {
		return nil, b.wrongAt(0, "", "the expression is empty")
	}
	return b.cond(tree.Node, false)
}

// syntax rewords an error of the parser, for people who do not know its tokens.
func (b *builder) syntax(text string, err error) error {
	var e *file.Error
	if !errors.As(err, &e) {
		return b.wrongAt(0, "", "%v", err)
	}
	message, hint := e.Message, ""
	at := min(e.From, utf8.RuneCountInString(text))
	rest := string([]rune(text)[at:])
	word := rest
	if i := strings.IndexFunc(rest, func(r rune) bool { return r == ' ' || r == '(' || r == ')' }); i > 0 {
		word = rest[:i]
	}
	switch {
	case strings.Contains(message, "token EOF"):
		message = "the expression ends too early"
		at = utf8.RuneCountInString(strings.TrimRight(text, " "))
	case strings.Contains(message, "not terminated"):
		message = "the quote is not closed"
	case strings.Contains(message, "maximum allowed nodes"):
		message = fmt.Sprintf("the expression has more than %d parts", maxNodes)
	case strings.Contains(message, "char escape"):
		hint = "a backslash within quotes is written twice"
	case strings.Contains(message, "number syntax"):
		message, hint = "this is no number", `a duration or time is written in quotes: took > "5s"`
	case strings.HasPrefix(message, "unexpected token"):
		message, hint = "did not expect "+quoteShort(word), misused(string([]rune(text)[:at]), rest, word)
	}
	return b.wrongAt(at, hint, "%s", message)
}

// misused says what to write instead of a token that does not belong here.
func misused(before, rest, word string) string {
	switch {
	case strings.HasPrefix(rest, ">") && strings.HasSuffix(before, "<"):
		return "not equal is !="
	case strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "=="), strings.HasPrefix(rest, "~"):
		return `to compare, write ==; for a regular expression: raw matches "…"`
	case strings.EqualFold(word, "and"), strings.EqualFold(word, "or"), strings.EqualFold(word, "not"):
		return "write it in lower case: " + strings.ToLower(word)
	case strings.HasPrefix(rest, ",") && strings.Contains(before, " in ("):
		return "a list is written in brackets: in [1, 2]"
	}
	return `to search for the text as it is, put it in quotes and nothing else: "…"`
}

// quoteShort is the beginning of a word from the source.
func quoteShort(s string) string {
	r := []rune(s)
	if len(r) > 20 {
		s = string(r[:20]) + "…"
	}
	return `"` + s + `"`
}

// label names a part in faults.
func label(n ast.Node) string {
	const most = 60
	r := []rune(n.String())
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

// slot reserves a place for a value.
func (b *builder) slot(want *wanted) int {
	if want.slot < 0 {
		want.slot = b.code.slots
		b.code.slots++
	}
	return want.slot
}

// name reserves a place among the names that are watched.
func (b *builder) name(name string) int {
	for i, n := range b.code.names {
		if n == name {
			return i
		}
	}
	b.code.names = append(b.code.names, name)
	return len(b.code.names) - 1
}
