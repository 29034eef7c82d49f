package jsonschema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

// Mode says who has to understand whom.
type Mode string

const (
	Backward Mode = "backward" // the new schema reads what was written with the old one
	Forward  Mode = "forward"  // the old schema reads what is written with the new one
	Full     Mode = "full"     // both
)

// Compare compares an old schema with a new one. What another mode would forbid
// is dangerous. Notes tell what could not be read.
func Compare(a, b *tree.Node, mode Mode) (changes []change.Change, notes []string) {
	budget := maxWork
	d := &differ{a: newDocument(a), b: newDocument(b), mode: mode, seen: map[[2]*tree.Node]bool{}, budget: &budget}
	d.compare(a, b, "#")
	for _, m := range d.a.missing {
		notes = append(notes, "old schema: "+m)
	}
	for _, m := range d.b.missing {
		notes = append(notes, "new schema: "+m)
	}
	if budget <= 0 {
		notes = append(notes, "the schemas combine so many alternatives that not all were compared")
	}
	return change.Sort(d.changes), notes
}

// maxWork bounds the number of pairs of schemas that are compared: alternatives
// within alternatives multiply.
const maxWork = 400_000

// differ compares pairs of schemas.
type differ struct {
	a, b    *document
	mode    Mode
	seen    map[[2]*tree.Node]bool
	changes []change.Change
	budget  *int
	depth   int
}

// sub is a differ that tries whether two schemas fit.
func (d *differ) sub() *differ {
	seen := make(map[[2]*tree.Node]bool, len(d.seen))
	for k := range d.seen {
		seen[k] = true
	}
	return &differ{a: d.a, b: d.b, mode: d.mode, seen: seen, budget: d.budget, depth: d.depth}
}

func (d *differ) fits() bool {
	return !slices.ContainsFunc(d.changes, func(c change.Change) bool { return c.Severity == change.Breaking })
}

// place is where a difference is.
type place struct {
	path string
	a, b *tree.Node
}

// emit adds a difference that keeps old data valid or not (backward), and new
// data valid for the old schema or not (forward).
func (d *differ) emit(rule string, backward, forward bool, at place, format string, args ...any) {
	s := change.Compatible
	if !backward || !forward {
		s = change.Dangerous
	}
	if !backward && d.mode != Forward || !forward && d.mode != Backward {
		s = change.Breaking
	}
	d.changes = append(d.changes, change.Change{Rule: rule, Severity: s, Path: at.path, From: short(at.a), To: short(at.b),
		Text: fmt.Sprintf(format, args...), OldLine: at.a.At(), Line: at.b.At()})
}

// short is a value within a sentence or a column; schemas are only named.
func short(n *tree.Node) string {
	if n.IsMap() {
		if t := n.Get("type"); t != nil {
			return strings.Join(t.Strings(), " or ")
		}
		return ""
	}
	return n.JSON(80)
}

func (d *differ) compare(a, b *tree.Node, path string) {
	a, b = d.a.deref(a), d.b.deref(b)
	if a == b && d.a == d.b {
		return
	}
	pair := [2]*tree.Node{a, b}
	if *d.budget--; *d.budget <= 0 || d.depth > maxDepth || a != nil && b != nil && d.seen[pair] {
		return
	}
	d.seen[pair] = true
	d.depth++
	defer func() { d.depth-- }()
	at := place{path, a, b}
	switch {
	case nothing(b) && !nothing(a):
		d.emit("TYPE_CHANGED", false, true, at, "nothing is valid here any more")
		return
	case nothing(a):
		if !nothing(b) {
			d.emit("TYPE_CHANGED", true, false, at, "nothing was valid here, now something is")
		}
		return
	}
	d.annotations(at)
	switch {
	case anything(a) && anything(b):
		return
	case anything(b):
		d.emit("TYPE_EXTENDED", true, false, at, "now anything is valid here")
		return
	case anything(a):
		d.emit("TYPE_CHANGED", false, true, at, "anything was valid here, now it is not")
		return
	}
	if d.combined(at) {
		return
	}
	if d.typeOf(at) {
		d.facets(at)
	}
}

func (d *differ) annotations(at place) {
	for _, k := range [][2]string{{"$id", "ID_CHANGED"}, {"id", "ID_CHANGED"}, {"title", "TITLE_CHANGED"}, {"description", "DESCRIPTION_CHANGED"}, {"default", "DEFAULT_CHANGED"}} {
		a, b := at.a.Get(k[0]), at.b.Get(k[0])
		if k[0] == "id" && (a != nil && a.Kind != tree.String || b != nil && b.Kind != tree.String) {
			continue
		}
		if !tree.Equal(a, b) {
			d.emit(k[1], true, true, place{at.path + "/" + k[0], a, b}, "%s is another", strings.TrimPrefix(k[0], "$"))
		}
	}
}

// typeOf compares the types and reports whether there is a common one whose
// keywords can be compared.
func (d *differ) typeOf(at place) bool {
	a, b := types(at.a), types(at.b)
	if slices.Equal(a, b) {
		return true
	}
	said := strings.Join(a, " or ") + " became " + strings.Join(b, " or ")
	at.path += "/type"
	p := place{at.path, at.a.Get("type"), at.b.Get("type")}
	within, around := covers(b, a), covers(a, b)
	switch {
	case len(a) == 0:
		d.emit("TYPE_CHANGED", false, true, p, "any type became %s", strings.Join(b, " or "))
		return false
	case len(b) == 0:
		d.emit("TYPE_EXTENDED", true, false, p, "%s became any type", strings.Join(a, " or "))
		return false
	case len(a) == 1 && len(b) == 1 && within:
		d.emit("TYPE_EXTENDED", true, false, p, "%s", said)
	case len(a) == 1 && len(b) == 1 && around:
		d.emit("TYPE_NARROWED", false, true, p, "%s", said)
	case within:
		d.emit("SUM_TYPE_EXTENDED", true, false, p, "%s", said)
	case around && len(b) > 1:
		d.emit("SUM_TYPE_NARROWED", false, true, p, "%s", said)
	case around:
		d.emit("TYPE_CHANGED", false, true, p, "%s", said)
	default:
		d.emit("TYPE_CHANGED", false, false, p, "%s", said)
		return false
	}
	return true
}

// covers reports whether every type of b is one of a. A number is also an
// integer.
func covers(a, b []string) bool {
	for _, t := range b {
		if !slices.Contains(a, t) && (t != "integer" || !slices.Contains(a, "number")) {
			return false
		}
	}
	return true
}

func (d *differ) facets(at place) {
	d.values(at)
	d.bounds(at)
	d.pattern(at)
	d.multiple(at)
	d.unique(at)
	d.format(at)
	both := func(t string) bool {
		a, b := types(at.a), types(at.b)
		return (len(a) == 0 || slices.Contains(a, t)) && (len(b) == 0 || slices.Contains(b, t))
	}
	if both("object") {
		d.object(at)
	}
	if both("array") {
		d.array(at)
	}
	d.not(at)
}

// values compares enum and const. Confluent's registry sees a schema with an
// enum as the product of a type and an enum.
func (d *differ) values(at place) {
	a, b := allowed(at.a), allowed(at.b)
	p := place{at.path + "/enum", at.a.Get("enum"), at.b.Get("enum")}
	if p.a == nil {
		p.a = at.a.Get("const")
	}
	if p.b == nil {
		p.b = at.b.Get("const")
	}
	switch {
	case a == nil && b == nil:
		return
	case b == nil:
		d.emit("PRODUCT_TYPE_NARROWED", true, false, p, "the list of allowed values is gone")
		return
	case a == nil:
		d.emit("PRODUCT_TYPE_EXTENDED", false, true, p, "only listed values are allowed now: %s", some(b))
		return
	}
	gone, added := without(a, b), without(b, a)
	switch {
	case len(gone) == 0 && len(added) == 0:
	case len(gone) == 0:
		d.emit("ENUM_ARRAY_EXTENDED", true, false, p, "also allowed: %s", some(added))
	case len(added) == 0:
		d.emit("ENUM_ARRAY_NARROWED", false, true, p, "no longer allowed: %s", some(gone))
	default:
		d.emit("ENUM_ARRAY_CHANGED", false, false, p, "no longer allowed: %s; allowed instead: %s", some(gone), some(added))
	}
}

// allowed are the values of enum or const in one spelling each, nil for any.
func allowed(n *tree.Node) []string {
	if c := n.Get("const"); c != nil {
		return []string{c.JSON(1 << 12)}
	}
	e := n.Get("enum")
	if e == nil {
		return nil
	}
	out := []string{}
	for _, v := range e.List() {
		out = append(out, v.JSON(1<<12))
	}
	return out
}

// without returns what is in a and not in b.
func without(a, b []string) (out []string) {
	in := make(map[string]bool, len(b))
	for _, v := range b {
		in[v] = true
	}
	for _, v := range a {
		if !in[v] {
			out = append(out, v)
		}
	}
	return out
}

// some names a few of many.
func some(values []string) string {
	const most = 6
	if n := len(values) - most; n > 0 {
		return strings.Join(values[:most], ", ") + " and " + strconv.Itoa(n) + " more"
	}
	return strings.Join(values, ", ")
}
