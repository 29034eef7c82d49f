package openapi

import (
	"slices"
	"strings"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

// side says on which way a schema lies, and what it is there.
type side struct {
	request bool
	kind    kind
	// part says that it lies within allOf: what one part no longer says, another
	// may, so that nothing there breaks for certain.
	part bool
}

type kind uint8

const (
	whole     kind = iota // a body
	property              // something within one
	parameter             //
	inParam               // something within a parameter
	header                //
)

// inner is the side of what lies within.
func (s side) inner() side {
	if s.kind == parameter || s.kind == inParam {
		return side{s.request, inParam, s.part}
	}
	return side{s.request, property, s.part}
}

// rule is oasdiff's id of a change here. It has no ids for some changes of whole
// bodies, headers and parameters' insides; those get the one of a property.
func (s side) rule(what string) string {
	way := "response-"
	if s.request {
		way = "request-"
	}
	switch s.kind {
	case whole:
		if strings.Contains(what, "enum") && !s.request {
			return "response-mediatype-" + what
		}
		if !onlyProperty(what) {
			return way + "body-" + what
		}
	case parameter:
		if !combination(what) {
			return way + "parameter-" + what
		}
	case inParam:
		switch what {
		case "became-not-enum", "became-nullable", "became-not-nullable", "enum-value-added", "enum-value-removed", "type-changed", "type-generalized", "type-specialized":
			return way + "parameter-property-" + what
		}
	case header:
		if strings.HasPrefix(what, "max") || strings.HasPrefix(what, "min") || strings.HasPrefix(what, "exclusive") || strings.HasPrefix(what, "type") || strings.HasSuffix(what, "nullable") {
			return way + "header-" + what
		}
	}
	return way + "property-" + what
}

// combination reports whether oasdiff has no id for a change of a parameter.
func combination(what string) bool {
	for _, p := range []string{"all-of-", "any-of-", "one-of-", "const-", "multiple-of-changed", "multiple-of-generalized", "unique-", "discriminator-", "prefix-"} {
		if strings.HasPrefix(what, p) {
			return true
		}
	}
	return false
}

// onlyProperty are the changes without an id for whole bodies.
func onlyProperty(what string) bool { return strings.HasPrefix(what, "pattern-") }

// half is what of a pair of schemas is compared: what they are themselves, whose
// rules depend on where they are used, or what lies within, whose rules do not.
type half uint8

const (
	both half = iota
	outer
	inner
)

// jobKey is half of a pair of shared schemas on one way.
type jobKey struct {
	a, b *tree.Node
	at   side
	half half
}

// job compares a pair of shared schemas once.
type job struct {
	jobKey
	name    string
	changes []change.Change
	usedBy  map[*job]bool
	usedIn  map[string]bool // operations
}

// maxDepth bounds how deep schemas nest that are not shared.
const maxDepth = 128

// schema compares two schemas, at once or, where both are shared, later and
// once.
func (d *differ) schema(s side, a, b *tree.Node, path string) {
	x, refA := d.a.deref(a)
	y, refB := d.b.deref(b)
	if x == nil || y == nil {
		return
	}
	if refA == "" || refB == "" {
		d.compare(s, x, y, path, 0, both)
		return
	}
	d.later(s, x, y, refB)
}

// later enters a pair of shared schemas into the queue, each half once.
func (d *differ) later(s side, x, y *tree.Node, ref string) {
	d.enqueue(jobKey{x, y, s, outer}, ref)
	d.enqueue(jobKey{x, y, s.inner(), inner}, ref)
}

func (d *differ) enqueue(key jobKey, ref string) {
	j := d.jobs[key]
	if j == nil {
		j = &job{jobKey: key, name: ref, usedBy: map[*job]bool{}, usedIn: map[string]bool{}}
		d.jobs[key] = j
		d.queue = append(d.queue, j)
	}
	if d.now != nil {
		j.usedBy[d.now] = d.now != j
	} else if d.op != "" {
		j.usedIn[d.op] = true
	}
}

// work compares all shared schemas, and tells their changes with the operations
// they reach.
func (d *differ) work() {
	for i := 0; i < len(d.queue); i++ {
		d.now = d.queue[i]
		d.compare(d.now.at, d.now.a, d.now.b, d.now.name, 0, d.now.half)
	}
	d.now = nil
	for _, j := range d.queue {
		if len(j.changes) == 0 {
			continue
		}
		used := reach(j)
		for _, c := range j.changes {
			c.Text += " (" + used + ")"
			d.changes = append(d.changes, c)
		}
	}
}

// reach names the operations that a shared schema is a part of.
func reach(j *job) string {
	seen := map[*job]bool{j: true}
	ops := map[string]bool{}
	var names []string
	for queue := []*job{j}; len(queue) > 0; queue = queue[1:] {
		for o := range queue[0].usedIn {
			if !ops[o] {
				ops[o] = true
				names = append(names, o)
			}
		}
		for u := range queue[0].usedBy {
			if !seen[u] {
				seen[u] = true
				queue = append(queue, u)
			}
		}
	}
	slices.Sort(names)
	way := "in answers of "
	if j.at.request {
		way = "in requests of "
	}
	return way + few(names)
}

func few(names []string) string {
	const most = 3
	if n := len(names) - most; n > 0 {
		return strings.Join(names[:most], ", ") + " and " + plural(n, "other operation")
	}
	return strings.Join(names, ", ")
}

// at is a pair of schemas being compared.
type at struct {
	side
	a, b *tree.Node
	path string
}

// tell adds a change that lets less or more pass than before. Less breaks
// requests, more breaks answers.
func (d *differ) tell(p at, what string, narrower, wider bool, key string, format string, args ...any) {
	s := severity(p.request && narrower || !p.request && wider)
	d.add(p.rule(what), s, p.path, p.a.Get(key), p.b.Get(key), format, args...)
}

func (d *differ) compare(s side, a, b *tree.Node, path string, depth int, which half) {
	if depth > maxDepth {
		return
	}
	p := at{s, a, b, path}
	defer func(before bool) { d.doubtful = before }(d.doubtful)
	d.doubtful = s.part
	if no, yes := falsity(a), falsity(b); no || yes || !a.IsMap() || !b.IsMap() {
		d.boolean(p, no, yes, which)
		return
	}
	if which != inner {
		d.types(p)
		d.nullable(p)
		d.enums(p)
		d.bounds(p)
		d.texts(p)
	}
	d.combinations(p, depth, which)
	if which != outer {
		d.properties(p, depth)
		d.items(p, depth)
	}
}

// boolean compares schemas of which one allows nothing.
func (d *differ) boolean(p at, no, yes bool, which half) {
	switch {
	case which == inner || no == yes:
	case yes:
		d.tell(p, "schema-became-false", true, false, "", "nothing is valid here any more")
	case no:
		d.tell(p, "schema-became-not-false", false, true, "", "nothing was valid here, now something is")
	}
}

func falsity(n *tree.Node) bool { return n != nil && n.Kind == tree.Bool && n.Text == "false" }

// child compares what lies within.
func (d *differ) child(p at, a, b *tree.Node, path string, depth int) {
	x, refA := d.a.deref(a)
	y, refB := d.b.deref(b)
	switch {
	case x == nil || y == nil:
	case refA != "" && refB != "":
		d.later(p.inner(), x, y, refB)
	default:
		d.compare(p.inner(), x, y, path, depth+1, both)
	}
}

func (d *differ) items(p at, depth int) {
	if a, b := p.a.Get("items"), p.b.Get("items"); a.IsMap() && b.IsMap() {
		d.child(p, a, b, p.path+"/*", depth)
	}
	if a, b := p.a.Get("additionalProperties"), p.b.Get("additionalProperties"); a.IsMap() && b.IsMap() {
		d.child(p, a, b, p.path+"/{}", depth)
	}
	for _, k := range [][2]string{{"prefixItems", "prefix-items"}} {
		if a, b := p.a.Get(k[0]), p.b.Get(k[0]); a == nil && b != nil {
			d.add(p.rule(k[1]+"-added"), change.Dangerous, p.path, a, b, "the first items have schemas of their own now")
		} else if a != nil && b == nil {
			d.add(p.rule(k[1]+"-removed"), change.Dangerous, p.path, a, b, "the first items have no schemas of their own any more")
		}
	}
}

func (d *differ) properties(p at, depth int) {
	a, b := p.a.Get("properties"), p.b.Get("properties")
	needA, needB := set(p.a.Get("required").Strings()), set(p.b.Get("required").Strings())
	for i, name := range keys(a) {
		old, now := a.Items[i], b.Get(name)
		path := p.path + "/" + name
		x, _ := d.a.deref(old)
		if now == nil {
			if !b.IsCut() && !p.b.IsCut() {
				d.propertyGone(p, path, name, x, old, needA[name])
			}
			continue
		}
		y, _ := d.b.deref(now)
		d.need(p, path, name, x, y, needA[name], needB[name])
		d.access(p, path, x, y, needB[name])
		d.child(p, old, now, path, depth)
	}
	for i, name := range keys(b) {
		if a.Get(name) == nil && !a.IsCut() && !p.a.IsCut() {
			y, _ := d.b.deref(b.Items[i])
			d.propertyNew(p, p.path+"/"+name, name, y, b.Items[i], needB[name])
		}
	}
}

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

func (d *differ) propertyGone(p at, path, name string, x, old *tree.Node, required bool) {
	switch {
	case p.request && x.True("deprecated"):
		d.add("request-property-removed-with-deprecation", change.Compatible, path, old, nil, "%s, which was deprecated, is gone", name)
	case p.request:
		d.add("request-property-removed", change.Dangerous, path, old, nil, "%s is gone; what callers send with it is ignored or refused", name)
	case x.True("writeOnly") && required:
		d.add("response-required-write-only-property-removed", change.Compatible, path, old, nil, "%s, which was never in answers, is gone", name)
	case x.True("writeOnly"):
		d.add("response-optional-write-only-property-removed", change.Compatible, path, old, nil, "%s, which was never in answers, is gone", name)
	case required && x.True("deprecated"):
		d.add("response-required-property-removed-with-deprecation", change.Compatible, path, old, nil, "%s, which was deprecated, is gone", name)
	case required:
		d.add("response-required-property-removed", change.Breaking, path, old, nil, "%s, which was always there, is gone", name)
	default:
		d.add("response-optional-property-removed", change.Compatible, path, old, nil, "%s, which was not always there, is gone", name)
	}
}

func (d *differ) propertyNew(p at, path, name string, y, now *tree.Node, required bool) {
	switch {
	case p.request && required && y.True("readOnly"):
		d.add("new-optional-request-property", change.Compatible, path, nil, now, "%s is new; it is only in answers", name)
	case p.request && required && y.Get("default") != nil:
		d.add("new-required-request-property-with-default", change.Breaking, path, nil, now, "%s is new and required, though it has a default", name)
	case p.request && required:
		d.add("new-required-request-property", change.Breaking, path, nil, now, "%s is new and required", name)
	case p.request:
		d.add("new-optional-request-property", change.Compatible, path, nil, now, "%s is new and optional", name)
	case y.True("writeOnly") && required:
		d.add("response-required-write-only-property-added", change.Compatible, path, nil, now, "%s is new, and never in answers", name)
	case y.True("writeOnly"):
		d.add("response-optional-write-only-property-added", change.Compatible, path, nil, now, "%s is new, and never in answers", name)
	case required:
		d.add("response-required-property-added", change.Compatible, path, nil, now, "%s is new and always there", name)
	default:
		d.add("response-optional-property-added", change.Compatible, path, nil, now, "%s is new", name)
	}
}

// need compares what is required.
func (d *differ) need(p at, path, name string, x, y *tree.Node, was, is bool) {
	if was == is || p.request && y.True("readOnly") {
		return
	}
	rule, s := "", change.Compatible
	switch {
	case p.request && is && y.Get("default") != nil:
		rule, s = "request-property-became-required-with-default", change.Breaking
	case p.request && is:
		rule, s = "request-property-became-required", change.Breaking
	case p.request:
		rule = "request-property-became-optional"
	case y.True("writeOnly") && is:
		rule = "response-write-only-property-became-required"
	case y.True("writeOnly"):
		rule = "response-write-only-property-became-optional"
	case is:
		rule = "response-property-became-required"
	default:
		rule, s = "response-property-became-optional", change.Breaking
	}
	text := "is required now"
	if !is {
		text = "is no longer required"
	}
	d.add(rule, s, path, p.a.Get("required"), p.b.Get("required"), "%s %s", name, text)
	_ = x
}

// access compares readOnly and writeOnly.
func (d *differ) access(p at, path string, x, y *tree.Node, required bool) {
	way, need := "response-", "optional-"
	if p.request {
		way = "request-"
	}
	if required {
		need = "required-"
	}
	for _, k := range [][2]string{{"readOnly", "read-only"}, {"writeOnly", "write-only"}} {
		was, is := x.True(k[0]), y.True(k[0])
		if was == is {
			continue
		}
		s, not := change.Compatible, ""
		switch {
		case p.request && k[0] == "readOnly" && is:
			s = change.Dangerous
		case p.request && k[0] == "readOnly" && required, !p.request && k[0] == "writeOnly" && required && is:
			s = change.Breaking
		}
		if !is {
			not = "not-"
		}
		d.add(way+need+"property-became-"+not+k[1], s, path, x.Get(k[0]), y.Get(k[0]), "%s was %v and is %v", k[0], was, is)
	}
}
