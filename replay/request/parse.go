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

	"iscope/config/yamltree"
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
		r.add(Pos{Line: 1, Column: 1}, "", "the file is larger than 4 MiB")
		return nil, r.err()
	case !utf8.Valid(src):
		r.add(Pos{Line: 1, Column: 1}, "", "the file is no UTF-8 text")
		return nil, r.err()
	}
	root := parseYAML(src, r)
	if root == nil && len(r.found) == 0 {
		r.add(Pos{Line: 1, Column: 1}, "", "the file is empty")
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

func (d *decoder) file(n *yamltree.Node, f *File) {
	if n.Kind != yamltree.Map {
		d.add(place(n), "", "a saved request is a map with a method, found %s", word(n.Kind))
		return
	}
	single := Step{At: place(n)}
	several := false
	var first *yamltree.Entry // key of a single step
	for i := range n.Entries {
		p := &n.Entries[i]
		switch p.Key {
		case "name":
			f.Name = d.plain(p.Value)
		case "target":
			f.Target = d.text(p.Value)
		case "variables":
			f.Variables = d.variables(p.Value)
		case "environments":
			d.environments(p.Value, f)
		case "steps":
			several = true
			d.steps(p.Value, f)
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
		d.add(first.Pos, "put it into one of the steps", "%s is given beside steps", first.Key)
	case !several:
		single.Name = f.Name
		d.complete(&single, f)
		f.Steps = []Step{single}
	}
}

func (d *decoder) unknown(p *yamltree.Entry, known []string) {
	d.add(p.Pos, probes.NearestHint(p.Key, known), "unknown key %q", p.Key)
}

func (d *decoder) environments(n *yamltree.Node, f *File) {
	if !d.is(n, yamltree.Map) {
		return
	}
	for _, p := range n.Entries {
		f.Environments = append(f.Environments, Environment{Name: p.Key, At: p.Pos, Variables: d.variables(p.Value)})
	}
}

func (d *decoder) steps(n *yamltree.Node, f *File) {
	if !d.is(n, yamltree.List) {
		return
	}
	if len(n.Items) == 0 {
		d.add(place(n), "", "there are no steps")
	}
	for _, item := range n.Items {
		s := Step{At: place(item)}
		if !d.is(item, yamltree.Map) {
			continue
		}
		for i := range item.Entries {
			if p := &item.Entries[i]; !d.step(p, &s) {
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
func (d *decoder) step(p *yamltree.Entry, s *Step) bool {
	v := p.Value
	switch p.Key {
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
		if d.is(v, yamltree.List) {
			for _, item := range v.Items {
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

func (d *decoder) is(n *yamltree.Node, k yamltree.Kind) bool {
	if n.Kind != k {
		d.add(place(n), "", "expected %s, found %s", k, word(n.Kind))
	}
	return n.Kind == k
}

// text takes any scalar as it is written.
func (d *decoder) text(n *yamltree.Node) Text {
	if n.Kind == yamltree.List || n.Kind == yamltree.Map {
		d.add(place(n), `variables need quotes: "{{name}}"`, "expected text, found %s", word(n.Kind))
	}
	return Text{Raw: n.Raw, At: place(n)}
}

func (d *decoder) plain(n *yamltree.Node) string { return d.text(n).Raw }

// value is a variable's: of any type.
func (d *decoder) value(n *yamltree.Node) Text {
	if n.Kind == yamltree.Text {
		return Text{Raw: n.Raw, At: place(n)}
	}
	return d.structure(n)
}

func (d *decoder) list(n *yamltree.Node) (out []Text) {
	if n.Kind == yamltree.Text {
		return []Text{d.text(n)}
	}
	if d.is(n, yamltree.List) {
		for _, item := range n.Items {
			out = append(out, d.text(item))
		}
	}
	return out
}

// pairs reads a map of texts; a list as a value repeats the name.
func (d *decoder) pairs(n *yamltree.Node) (out []Pair) {
	if n.Kind == yamltree.Null || !d.is(n, yamltree.Map) {
		return nil
	}
	for _, p := range n.Entries {
		items := []*yamltree.Node{p.Value}
		if p.Value.Kind == yamltree.List {
			items = p.Value.Items
		}
		for _, item := range items {
			out = append(out, Pair{Name: p.Key, At: p.Pos, Value: d.text(item)})
		}
	}
	return out
}

// variables reads a map of values of any type.
func (d *decoder) variables(n *yamltree.Node) (out []Pair) {
	if n.Kind == yamltree.Null || !d.is(n, yamltree.Map) {
		return nil
	}
	for _, p := range n.Entries {
		if !isName(p.Key) {
			d.add(p.Pos, "a name has letters, digits, _ and -", "%q cannot be the name of a variable", p.Key)
		}
		out = append(out, Pair{Name: p.Key, At: p.Pos, Value: d.value(p.Value)})
	}
	return out
}

// document is a text as it is, or a structure as JSON.
func (d *decoder) document(n *yamltree.Node) Text {
	if n.Kind == yamltree.Text {
		return Text{Raw: n.Raw, At: place(n), JSON: looksLikeJSON(n.Raw)}
	}
	return d.structure(n)
}

func looksLikeJSON(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && strings.IndexByte(`{["`, s[0]) >= 0
}

func (d *decoder) structure(n *yamltree.Node) Text {
	return Text{Raw: string(d.appendJSON(nil, n)), At: place(n), JSON: true}
}

func (d *decoder) appendJSON(b []byte, n *yamltree.Node) []byte {
	switch n.Kind {
	case yamltree.Null:
		return append(b, "null"...)
	case yamltree.Bool:
		return append(b, strings.ToLower(n.Raw)...)
	case yamltree.Int, yamltree.Float:
		if !json.Valid([]byte(n.Raw)) {
			d.add(place(n), "write it in decimal, or in quotes as text", "%s is no number of JSON", n.Raw)
		}
		return append(b, n.Raw...)
	case yamltree.Text:
		return append(b, quoteJSON(n.Raw)...)
	case yamltree.List:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = d.appendJSON(b, item)
		}
		return append(b, ']')
	}
	b = append(b, '{')
	for i, p := range n.Entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.appendJSON(append(append(b, quoteJSON(p.Key)...), ':'), p.Value)
	}
	return append(b, '}')
}

func (d *decoder) duration(n *yamltree.Node) time.Duration {
	t, err := time.ParseDuration(d.plain(n))
	if err != nil || t <= 0 {
		d.add(place(n), "such as 500ms, 10s", "%q is no time", n.Raw)
	}
	return t
}

func (d *decoder) count(n *yamltree.Node) int {
	i, err := strconv.Atoi(d.plain(n))
	if err != nil || i < 0 {
		d.add(place(n), "", "%q is no number of times", n.Raw)
	}
	return i
}

func (d *decoder) boolean(n *yamltree.Node) bool {
	if !d.is(n, yamltree.Bool) {
		return false
	}
	return strings.EqualFold(n.Raw, "true")
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
