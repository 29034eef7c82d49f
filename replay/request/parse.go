package request

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"iscope/probes"
)

// maxFile bounds a file of saved requests.
const maxFile = 4 << 20

// Load reads a file of saved requests. What is wrong with it comes back as
// Problems, all at once.
func Load(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return Parse(path, src)
}

func unreadable(path string, err error) error {
	e := &probes.Error{Target: path, Op: "reading the saved request", Kind: probes.ErrUsage, Err: err}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		e.Err = pe.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		e.Hint = "write one with: iscope invoke TARGET METHOD --save " + path
	}
	return e
}

// Parse reads the text of a file; path is for messages.
func Parse(path string, src []byte) (*File, error) {
	r := &report{path: path}
	switch {
	case len(src) > maxFile:
		r.add(Pos{1, 1}, "", "the file is larger than 4 MiB")
		return nil, r.err()
	case !utf8.Valid(src):
		r.add(Pos{1, 1}, "", "the file is no UTF-8 text")
		return nil, r.err()
	}
	root := parseYAML(src, r)
	if root == nil && len(r.found) == 0 {
		r.add(Pos{1, 1}, "", "the file is empty")
	}
	f := &File{Path: path}
	if root != nil {
		d := decoder{report: r}
		d.file(root, f)
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return f, nil
}

// decoder turns nodes into a File and reports what does not fit.
type decoder struct{ *report }

func fileKeys() []string { return []string{"name", "target", "variables", "environments", "steps"} }

func stepKeys() []string {
	return []string{"name", "target", "method", "params", "header", "options", "document", "documents", "capture", "expect",
		"deadline", "compress", "redirects", "force", "trace"}
}

func (d *decoder) file(n *node, f *File) {
	if n.kind != aMap {
		d.add(n.at, "", "a saved request is a map with a method, found %s", n.kind)
		return
	}
	single := Step{At: n.at}
	several := false
	var first *pair // key of a single step
	for i := range n.pairs {
		p := &n.pairs[i]
		switch p.key {
		case "name":
			f.Name = d.plain(p.value)
		case "target":
			f.Target = d.text(p.value)
		case "variables":
			f.Variables = d.variables(p.value)
		case "environments":
			d.environments(p.value, f)
		case "steps":
			several = true
			d.steps(p.value, f)
		default:
			if first == nil {
				first = p
			}
			if !d.step(p, &single) {
				d.unknown(p, slices.Concat(fileKeys(), stepKeys()))
			}
		}
	}
	switch {
	case several && first != nil:
		d.add(first.at, "put it into one of the steps", "%s is given beside steps", first.key)
	case !several:
		single.Name = f.Name
		d.complete(&single, f)
		f.Steps = []Step{single}
	}
}

func (d *decoder) unknown(p *pair, known []string) {
	d.add(p.at, probes.NearestHint(p.key, known), "unknown key %q", p.key)
}

func (d *decoder) environments(n *node, f *File) {
	if !d.is(n, aMap) {
		return
	}
	for _, p := range n.pairs {
		f.Environments = append(f.Environments, Environment{Name: p.key, At: p.at, Variables: d.variables(p.value)})
	}
}

func (d *decoder) steps(n *node, f *File) {
	if !d.is(n, aList) {
		return
	}
	if len(n.items) == 0 {
		d.add(n.at, "", "there are no steps")
	}
	for _, item := range n.items {
		s := Step{At: item.at}
		if !d.is(item, aMap) {
			continue
		}
		for i := range item.pairs {
			if p := &item.pairs[i]; !d.step(p, &s) {
				d.unknown(p, stepKeys())
			}
		}
		d.complete(&s, f)
		f.Steps = append(f.Steps, s)
	}
}

// complete checks what a step needs.
func (d *decoder) complete(s *Step, f *File) {
	if s.Method.Raw == "" {
		d.add(s.At, `method: "GET /orders/{id}", method: shop.orders.v1.Orders/GetOrder`, "the step names no method")
	}
	if s.Target.Raw == "" {
		s.Target = f.Target
	}
	if s.Target.Raw == "" {
		d.add(s.At, "target: a name of the configuration, or a URL", "neither the step nor the file names a target")
	}
}

// step reads one key of a step; false if a step has none of that name.
func (d *decoder) step(p *pair, s *Step) bool {
	v := p.value
	switch p.key {
	case "name":
		s.Name = d.plain(v)
	case "target":
		s.Target = d.text(v)
	case "method":
		s.Method = d.text(v)
	case "params":
		s.Params = d.pairs(v)
	case "header":
		s.Header = d.pairs(v)
	case "options":
		s.Options = d.pairs(v)
	case "document":
		s.Documents = append(s.Documents, d.document(v))
	case "documents":
		if d.is(v, aList) {
			for _, item := range v.items {
				s.Documents = append(s.Documents, d.document(item))
			}
		}
	case "capture":
		s.Capture = d.pairs(v)
		d.captures(s.Capture)
	case "expect":
		s.Expect = d.list(v)
	case "deadline":
		s.Deadline = d.duration(v)
	case "compress":
		s.Compression = d.plain(v)
	case "redirects":
		s.Redirects = d.count(v)
	case "force":
		s.Force = d.boolean(v)
	case "trace":
		s.NoTrace = !d.boolean(v)
	default:
		return false
	}
	return true
}

func (d *decoder) captures(all []Pair) {
	for _, c := range all {
		if !isName(c.Name) {
			d.add(c.At, "a name has letters, digits, _ and -", "%q cannot be the name of a variable", c.Name)
		}
		if _, err := parsePath(c.Value.Raw); err != nil {
			d.add(c.Value.At, "such as body.items[0].id, header(\"location\"), status", "capture %s: %v", c.Name, err)
		}
	}
}

func (d *decoder) is(n *node, k kind) bool {
	if n.kind != k {
		d.add(n.at, "", "expected %s, found %s", k, n.kind)
	}
	return n.kind == k
}

// text takes any scalar as it is written.
func (d *decoder) text(n *node) Text {
	if n.kind == aList || n.kind == aMap {
		d.add(n.at, `variables need quotes: "{{name}}"`, "expected text, found %s", n.kind)
	}
	return Text{Raw: n.raw, At: n.at}
}

func (d *decoder) plain(n *node) string { return d.text(n).Raw }

// value is a variable's: of any type.
func (d *decoder) value(n *node) Text {
	if n.kind == aText {
		return Text{Raw: n.raw, At: n.at}
	}
	return d.structure(n)
}

func (d *decoder) list(n *node) (out []Text) {
	if n.kind == aText {
		return []Text{d.text(n)}
	}
	if d.is(n, aList) {
		for _, item := range n.items {
			out = append(out, d.text(item))
		}
	}
	return out
}

// pairs reads a map of texts; a list as a value repeats the name.
func (d *decoder) pairs(n *node) (out []Pair) {
	if n.kind == aNull || !d.is(n, aMap) {
		return nil
	}
	for _, p := range n.pairs {
		items := []*node{p.value}
		if p.value.kind == aList {
			items = p.value.items
		}
		for _, item := range items {
			out = append(out, Pair{Name: p.key, At: p.at, Value: d.text(item)})
		}
	}
	return out
}

// variables reads a map of values of any type.
func (d *decoder) variables(n *node) (out []Pair) {
	if n.kind == aNull || !d.is(n, aMap) {
		return nil
	}
	for _, p := range n.pairs {
		if !isName(p.key) {
			d.add(p.at, "a name has letters, digits, _ and -", "%q cannot be the name of a variable", p.key)
		}
		out = append(out, Pair{Name: p.key, At: p.at, Value: d.value(p.value)})
	}
	return out
}

// document is a text as it is, or a structure as JSON.
func (d *decoder) document(n *node) Text {
	if n.kind == aText {
		return Text{Raw: n.raw, At: n.at, JSON: looksLikeJSON(n.raw)}
	}
	return d.structure(n)
}

func looksLikeJSON(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && strings.IndexByte(`{["`, s[0]) >= 0
}

func (d *decoder) structure(n *node) Text {
	return Text{Raw: string(d.appendJSON(nil, n)), At: n.at, JSON: true}
}

func (d *decoder) appendJSON(b []byte, n *node) []byte {
	switch n.kind {
	case aNull:
		return append(b, "null"...)
	case aBool:
		return append(b, strings.ToLower(n.raw)...)
	case aNumber:
		if !json.Valid([]byte(n.raw)) {
			d.add(n.at, "write it in decimal, or in quotes as text", "%s is no number of JSON", n.raw)
		}
		return append(b, n.raw...)
	case aText:
		return append(b, quoteJSON(n.raw)...)
	case aList:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = d.appendJSON(b, item)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i, p := range n.pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.appendJSON(append(append(b, quoteJSON(p.key)...), ':'), p.value)
	}
	return append(b, '}')
}

func (d *decoder) duration(n *node) time.Duration {
	t, err := time.ParseDuration(d.plain(n))
	if err != nil || t <= 0 {
		d.add(n.at, "such as 500ms, 10s", "%q is no time", n.raw)
	}
	return t
}

func (d *decoder) count(n *node) int {
	i, err := strconv.Atoi(d.plain(n))
	if err != nil || i < 0 {
		d.add(n.at, "", "%q is no number of times", n.raw)
	}
	return i
}

func (d *decoder) boolean(n *node) bool {
	if !d.is(n, aBool) {
		return false
	}
	return strings.EqualFold(n.raw, "true")
}

// isName reports whether a text can be the name of a variable.
func isName(s string) bool {
	for i, c := range s {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}
