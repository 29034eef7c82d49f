package filter

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Entry is one name of the language, for help and completion.
type Entry struct {
	Group string // field, path, function, operator, row
	Name  string
	Use   string // how it is written
	Doc   string
}

// operators are what stands between terms, and rules what there is to know.
func operators() []Entry {
	return []Entry{
		{"operator", "==", `status == 500`, "equal; numbers exactly, text with regard to case"},
		{"operator", "!=", `body.currency != "EUR"`, "not equal; true where one of them is missing"},
		{"operator", "<", `body.total < 10`, "less, also <= > >=; false where one is missing"},
		{"operator", "contains", `raw contains "abc"`, "text in text, an element in a list, a key in an object"},
		{"operator", "startsWith", `key startsWith "eu-"`, "also endsWith"},
		{"operator", "matches", `raw matches "ord-[0-9]+"`, "a regular expression (RE2); in quotes, a backslash is written twice"},
		{"operator", "in", `status in [500, 502]`, `also "vip" in body.tags, "x-id" in headers, not in`},
		{"operator", "and", `a and (b or not c)`, "also && || !"},
		{"operator", "+", `body.net + body.tax > 100`, "also - * / %; seen - time is a duration"},
	}
}

// entries lists a vocabulary.
func (v *vocabulary) entries() (out []Entry) {
	for _, f := range v.fields {
		out = append(out, Entry{"field", f.name, f.name, f.doc})
	}
	for _, r := range v.roots {
		out = append(out, Entry{"path", r.name, r.name, r.doc})
	}
	for _, f := range v.funcs {
		out = append(out, Entry{"function", f.name, f.call, f.doc})
	}
	return out
}

// Reference is the whole language: of records, then the fields of rows.
func Reference() []Entry {
	out := append(recordVocabulary().entries(), operators()...)
	for _, f := range rowVocabulary().fields {
		out = append(out, Entry{"row", f.name, f.name, f.doc})
	}
	return out
}

// Markdown is the reference as tables, for README.md.
func Markdown() string {
	var b strings.Builder
	for _, t := range [...]struct{ group, title string }{
		{"field", "field of a record"}, {"path", "below it"}, {"operator", "operator"}, {"function", "function"}, {"row", "field of a row (`list`, `topology`)"},
	} {
		fmt.Fprintf(&b, "\n| %s | |\n|---|---|\n", t.title)
		for _, e := range Reference() {
			if e.Group == t.group {
				fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(e.Use, "|", `\|`), strings.ReplaceAll(e.Doc, "|", `\|`))
			}
		}
	}
	return b.String() + "\n"
}

// Intro says in a few lines what a filter is.
const Intro = `A filter is words or an expression.

Words have to occur, all of them, whatever their case, in the key, a header, the
body, the subject or the error (of a call also in its method, URL and status; of
a row in any column): order 42. "two words" is a phrase, -word excludes.

It is an expression if, outside quotes, it has one of == != < > && ||, or an
operator such as contains behind a field, or begins a part as only expressions
do (body.x, header("x"), any(…)). A = in front makes anything an expression.

What is missing is nil. A comparison with nil is false; != is the opposite of
==, so it is true then. Numbers compare exactly, whatever their size. Text of
headers, keys and attributes counts as a number where it is compared with one.
What cannot be judged (text > number, a body that cannot be decoded) does not
match, is counted, and is reported at the end.
`

// Help is the introduction and the reference as plain text.
func Help() string {
	var b strings.Builder
	b.WriteString(Intro)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	group := ""
	for _, e := range Reference() {
		if e.Group != group {
			group = e.Group
			w.Flush()
			fmt.Fprintf(&b, "\n%s:\n", map[string]string{"field": "Fields of a record", "path": "Below it", "operator": "Operators",
				"function": "Functions", "row": "Fields of a row (list, topology)"}[group])
		}
		fmt.Fprintf(w, "  %s\t%s\n", e.Use, e.Doc)
	}
	w.Flush()
	return b.String()
}

// Candidate is a way of going on with a filter that is being typed.
type Candidate struct {
	Text string // the whole filter with it
	Name string // what was completed
	Doc  string
}

// Complete offers what the last name of a filter of records may become.
func Complete(source string) []Candidate { return recordVocabulary().complete(source) }

// CompleteRows does the same for filters of rows.
func CompleteRows(source string) []Candidate { return rowVocabulary().complete(source) }

func (v *vocabulary) complete(source string) (out []Candidate) {
	add := func(done, begun, name, end, doc string) {
		if strings.HasPrefix(name, begun) {
			out = append(out, Candidate{done + name + end, name, doc})
		}
	}
	if i := strings.LastIndexByte(source, '"'); i >= 0 && strings.Count(source, `"`)%2 == 1 {
		done, begun := source[:i+1], source[i+1:]
		if strings.HasSuffix(done, `attrs["`) {
			for _, a := range v.attrs {
				add(done, begun, a, `"]`, "")
			}
		}
		for _, text := range v.valuesBefore(done) {
			add(done, begun, text, `"`, "")
		}
		return out
	}
	i := len(source)
	for i > 0 && (letter(source[i-1]) || source[i-1] == '.' || source[i-1] >= '0' && source[i-1] <= '9') {
		i--
	}
	done, begun := source[:i], source[i:]
	if before := strings.Fields(done); len(before) > 0 && strings.HasSuffix(done, " ") && v.isField(before[len(before)-1]) {
		for _, o := range operators() {
			add(done, begun, o.Name, " ", o.Doc)
		}
		return out
	}
	for _, e := range v.entries() {
		end := ""
		if e.Group == "function" {
			end = "("
		}
		add(done, begun, e.Name, end, e.Doc)
	}
	if strings.Contains(begun, ".") {
		for _, a := range v.attrs {
			add(done, begun, a, "", "")
		}
	}
	return out
}

// valuesBefore are the values of the field that is compared at the end of done,
// which ends with a quote.
func (v *vocabulary) valuesBefore(done string) []string {
	parts := strings.Fields(strings.TrimSuffix(done, `"`))
	if len(parts) < 2 || !slices.Contains([]string{"==", "!="}, parts[len(parts)-1]) {
		return nil
	}
	if f := v.field(strings.TrimLeft(parts[len(parts)-2], "!(")); f != nil {
		return f.values
	}
	return nil
}
