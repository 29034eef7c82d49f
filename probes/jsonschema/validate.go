package jsonschema

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Bounds of one validation: a schema may ask for more than anyone waits for.
const (
	maxSteps = 5_000_000
	maxDepth = 50_000
)

var errTooMuch = errors.New("checking it takes too many steps; the schema may refer to itself without an end")

// node is a compiled schema, or a part of one.
type node struct {
	res   *resource
	rules []rule
	// never is set for the schema false.
	never bool
}

// rule holds a value against one keyword, or several that belong together.
type rule func(r *run, v any, at *path, s *seen)

// Validate returns what is wrong with a value, sorted by path; nothing if it fits.
// The value is made of map[string]any, []any, string, bool, nil and numbers
// (json.Number, float64, int, int64). An error means that it could not be told.
func (s *Schema) Validate(v any) ([]Violation, error) {
	r := &run{steps: new(int)}
	r.check(s.root, v, nil, s.seen())
	if *r.steps >= maxSteps {
		return nil, errTooMuch
	}
	slices.SortFunc(r.found, compareViolations)
	return slices.CompactFunc(r.found, func(a, b Violation) bool { return a.At == b.At && a.Text == b.Text }), nil
}

func (s *Schema) seen() *seen {
	if s.tracks {
		return &seen{}
	}
	return nil
}

// run is the state of a validation.
type run struct {
	found []Violation
	scope *scope
	steps *int
	depth int
}

// scope is the chain of resources that were gone through by references.
type scope struct {
	res    *resource
	parent *scope
}

func (r *run) check(n *node, v any, at *path, s *seen) {
	if *r.steps++; *r.steps >= maxSteps {
		return
	}
	if n.never {
		r.fail(at, kindOther, "nothing is allowed here")
		return
	}
	if r.depth > maxDepth {
		*r.steps = maxSteps // ends everything
		return
	}
	r.depth++
	outer := r.scope
	if outer == nil || outer.res != n.res {
		r.scope = &scope{n.res, outer}
	}
	for _, rule := range n.rules {
		rule(r, v, at, s)
	}
	r.scope = outer
	r.depth--
}

// attempt checks apart: what is wrong is returned, and what was looked at counts
// only if nothing is.
func (r *run) attempt(n *node, v any, at *path, s *seen) []Violation {
	apart := &run{scope: r.scope, steps: r.steps, depth: r.depth}
	own := s.fresh()
	apart.check(n, v, at, own)
	if len(apart.found) == 0 {
		s.merge(own)
	}
	return apart.found
}

func (r *run) fail(at *path, kind violationKind, text string) {
	r.found = append(r.found, Violation{At: at.pointer(), Text: text, kind: kind, depth: at.depth()})
}

// path is a place in the document, nil for all of it.
type path struct {
	parent *path
	name   string
}

func (p *path) to(name string) *path { return &path{p, name} }

func (p *path) item(i int) *path { return &path{p, strconv.Itoa(i)} }

func (p *path) depth() (n int) {
	for ; p != nil; p = p.parent {
		n++
	}
	return n
}

func (p *path) pointer() string {
	var names []string
	for ; p != nil; p = p.parent {
		names = append(names, p.name)
	}
	var b strings.Builder
	for _, name := range slices.Backward(names) {
		b.WriteString("/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1"))
	}
	return b.String()
}

// seen is what "unevaluatedProperties" and "unevaluatedItems" need to know: which
// parts of a value a schema has looked at. It is nil where nobody asks.
type seen struct {
	names map[string]bool
	all   bool // all names
	items map[int]bool
	until int // all items before
}

func (s *seen) name(name string) {
	if s == nil {
		return
	}
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
}

func (s *seen) item(i int) {
	if s == nil {
		return
	}
	if s.items == nil {
		s.items = map[int]bool{}
	}
	s.items[i] = true
}

func (s *seen) first(n int) {
	if s != nil {
		s.until = max(s.until, n)
	}
}

func (s *seen) everyName() {
	if s != nil {
		s.all = true
	}
}

// fresh is an empty one for a branch, or for a part of the value.
func (s *seen) fresh() *seen {
	if s == nil {
		return nil
	}
	return &seen{}
}

func (s *seen) merge(o *seen) {
	if s == nil || o == nil {
		return
	}
	s.all = s.all || o.all
	s.first(o.until)
	for name := range o.names {
		s.name(name)
	}
	for i := range o.items {
		s.item(i)
	}
}
