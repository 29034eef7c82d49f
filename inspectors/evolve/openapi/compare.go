package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"iscope/inspectors/evolve/change"
	"iscope/inspectors/evolve/tree"
)

// Compare compares an old document with a new one. Notes tell what could not be
// read.
func Compare(a, b *tree.Node) (changes []change.Change, notes []string) {
	d := &differ{a: newDocument(a), b: newDocument(b), jobs: map[jobKey]*job{}}
	d.paths()
	d.webhooks()
	d.components()
	d.securitySchemes()
	d.globalSecurity()
	d.work()
	for _, n := range d.a.notes {
		notes = append(notes, "old document: "+n)
	}
	for _, n := range d.b.notes {
		notes = append(notes, "new document: "+n)
	}
	return change.Sort(d.changes), notes
}

// differ compares two documents.
type differ struct {
	a, b    *document
	changes []change.Change
	jobs    map[jobKey]*job // shared schemas
	queue   []*job
	now     *job   // the one being worked on, nil within operations
	op      string // the operation being compared
	// doubtful says that what would break may not: see side.part.
	doubtful bool
}

func (d *differ) add(rule string, s change.Severity, path string, a, b *tree.Node, format string, args ...any) {
	if d.doubtful && s == change.Breaking {
		s, format = change.Dangerous, format+", unless another part of the same allOf says the same"
	}
	c := change.Change{Rule: rule, Severity: s, Path: path, From: value(a), To: value(b), Text: fmt.Sprintf(format, args...), OldLine: a.At(), Line: b.At()}
	if d.now != nil {
		d.now.changes = append(d.now.changes, c)
		return
	}
	d.changes = append(d.changes, c)
}

// value is what a change was from or to, where it is short.
func value(n *tree.Node) string {
	if n == nil || n.Kind == tree.Map || n.Kind == tree.List && len(n.Items) > 8 {
		return ""
	}
	return n.JSON(120)
}

func (d *differ) paths() {
	a, orderA := d.a.operations()
	b, orderB := d.b.operations()
	cut := d.b.root.Get("paths").IsCut() || d.b.root.IsCut()
	for _, key := range orderA {
		if b[key] == nil && cut {
			continue
		}
		for _, m := range methods() {
			old, now := a[key][m], b[key][m]
			switch {
			case old == nil, now == nil && d.b.mayHave(key, m):
			case now == nil:
				d.gone(old, b[key] == nil)
			default:
				d.operation(old, now)
			}
		}
	}
	cut = d.a.root.Get("paths").IsCut() || d.a.root.IsCut()
	for _, key := range orderB {
		if a[key] == nil && cut {
			continue
		}
		for _, m := range methods() {
			if now := b[key][m]; now != nil && a[key][m] == nil && !d.a.mayHave(key, m) {
				d.add("endpoint-added", change.Compatible, now.String(), nil, now.node, "a new operation")
			}
		}
	}
}

// gone judges the removal of an operation: announced or not.
func (d *differ) gone(o *operation, whole bool) {
	prefix := "api-"
	if whole {
		prefix = "api-path-"
	}
	if !o.node.True("deprecated") {
		d.add(prefix+"removed-without-deprecation", change.Breaking, o.String(), o.node, nil, "removed, and it had not been deprecated")
		return
	}
	sunset := o.node.Str("x-sunset")
	if sunset == "" || sunset[:min(len(sunset), 10)] <= today() {
		d.add(prefix+"removed-with-deprecation", change.Compatible, o.String(), o.node, nil, "removed after it had been deprecated")
		return
	}
	d.add(prefix+"removed-before-sunset", change.Breaking, o.String(), o.node, nil, "removed before its sunset date %s", sunset)
}

func (d *differ) operation(a, b *operation) {
	d.op = b.String()
	d.lifecycle(a, b)
	d.tags(a, b)
	d.security(b.String(), a.security, b.security, a.node.Get("security") != nil || b.node.Get("security") != nil)
	d.params(a, b)
	d.bodies(a, b)
	d.replies(a, b)
	d.op = ""
}

func (d *differ) lifecycle(a, b *operation) {
	was, is := a.node.True("deprecated"), b.node.True("deprecated")
	switch {
	case !was && is:
		d.add("endpoint-deprecated", change.Compatible, b.String(), nil, b.node.Get("deprecated"), "deprecated")
	case was && !is:
		d.add("endpoint-reactivated", change.Compatible, b.String(), a.node.Get("deprecated"), nil, "no longer deprecated")
	}
	if a.node.Get("x-sunset") != nil && b.node.Get("x-sunset") == nil && is {
		d.add("sunset-deleted", change.Breaking, b.String(), a.node.Get("x-sunset"), nil, "the date of its sunset is gone")
	}
}

func (d *differ) tags(a, b *operation) {
	was, is := a.node.Get("tags").Strings(), b.node.Get("tags").Strings()
	for _, t := range without(was, is) {
		d.add("api-tag-removed", change.Compatible, b.String(), a.node.Get("tags"), b.node.Get("tags"), "the tag %s is gone", t)
	}
	for _, t := range without(is, was) {
		d.add("api-tag-added", change.Compatible, b.String(), a.node.Get("tags"), b.node.Get("tags"), "the tag %s is new", t)
	}
	x, y := a.node.Get("operationId"), b.node.Get("operationId")
	if x != nil && !tree.Equal(x, y) {
		d.add("api-operation-id-removed", change.Compatible, b.String(), x, y, "the operation was called %s; generated clients call it by that name", x.Text)
	}
	if y != nil && x == nil {
		d.add("api-operation-id-added", change.Compatible, b.String(), x, y, "the operation is called %s now", y.Text)
	}
}

// webhooks are what the server calls: their removal is told, their bodies are
// not compared.
func (d *differ) webhooks() {
	a, b := d.a.root.Get("webhooks"), d.b.root.Get("webhooks")
	if a == nil && b == nil {
		return
	}
	for _, name := range keys(a) {
		if b.Get(name) == nil && !d.b.root.IsCut() && !b.IsCut() {
			d.add("webhook-removed", change.Breaking, "webhook "+name, a.Get(name), nil, "removed")
		}
	}
	for _, name := range keys(b) {
		if a.Get(name) == nil && !d.a.root.IsCut() && !a.IsCut() {
			d.add("webhook-added", change.Compatible, "webhook "+name, nil, b.Get(name), "added")
		}
	}
}

// components tells of named schemas that are gone. What used them is told where
// it is used.
func (d *differ) components() {
	a, b := d.a.root.Get("components").Get("schemas"), d.b.root.Get("components").Get("schemas")
	if d.b.root.IsCut() || b.IsCut() {
		return
	}
	for _, name := range keys(a) {
		if b.Get(name) == nil {
			d.add("api-schema-removed", change.Compatible, "#/components/schemas/"+name, a.Get(name), nil, "the named schema is gone; what used it is judged where it was used")
		}
	}
}

func keys(n *tree.Node) []string {
	if !n.IsMap() {
		return nil
	}
	return n.Keys
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
		return fmt.Sprintf("%s and %d more", strings.Join(values[:most], ", "), n)
	}
	return strings.Join(values, ", ")
}

func sorted(m map[string]*tree.Node) []string { return slices.Sorted(maps.Keys(m)) }
