package avro

import (
	"fmt"

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
	old, notesA := parse(a, "old schema: ")
	now, notesB := parse(b, "new schema: ")
	v := newResolver()
	v.resolve(now, old, root(now))
	for _, c := range v.clashes {
		changes = append(changes, change.Change{Rule: c.rule, Severity: severity(mode, Backward), Path: c.path, From: c.from, To: c.to,
			Text: "reading old data: " + c.text, Line: c.reader, OldLine: c.writer})
	}
	v = newResolver()
	v.resolve(old, now, root(old))
	for _, c := range v.clashes {
		changes = append(changes, change.Change{Rule: c.rule, Severity: severity(mode, Forward), Path: c.path, From: c.to, To: c.from,
			Text: "old readers of new data: " + c.text, Line: c.writer, OldLine: c.reader})
	}
	d := differ{seen: map[[2]*schema]bool{}}
	d.compare(old, now, root(now))
	return change.Sort(append(changes, d.changes...)), append(notesA, notesB...)
}

func parse(n *tree.Node, prefix string) (*schema, []string) {
	r := reader{named: map[string]*schema{}}
	var s *schema
	if n != nil && n.Kind == tree.List { // several schemas in a file: the last uses the others
		for _, one := range n.Items {
			s = r.read(one, "")
		}
	}
	if s == nil || !s.named() {
		r = reader{named: map[string]*schema{}}
		s = r.read(n, "")
	}
	for i := range r.notes {
		r.notes[i] = prefix + r.notes[i]
	}
	return s, r.notes
}

func severity(mode, direction Mode) change.Severity {
	if mode == direction || mode == Full {
		return change.Breaking
	}
	return change.Dangerous
}

func root(s *schema) string {
	if s.name != "" {
		return s.name
	}
	return s.kind
}

// differ lists what changed without a clash.
type differ struct {
	seen    map[[2]*schema]bool
	changes []change.Change
}

func (d *differ) add(rule string, s change.Severity, path, from, to, text string, a, b *tree.Node) {
	d.changes = append(d.changes, change.Change{Rule: rule, Severity: s, Path: path, From: from, To: to, Text: text, OldLine: a.At(), Line: b.At()})
}

func (d *differ) compare(a, b *schema, path string) {
	pair := [2]*schema{a, b}
	if d.seen[pair] || a.kind == "unknown" || b.kind == "unknown" {
		return
	}
	d.seen[pair] = true
	switch {
	case a.kind != b.kind:
		d.promoted(a, b, path)
	case a.kind == "record":
		d.renamed(a, b, path)
		d.record(a, b, path)
	case a.kind == "enum":
		d.renamed(a, b, path)
		d.enum(a, b, path)
	case a.kind == "array":
		d.compare(a.items, b.items, path+"[]")
	case a.kind == "map":
		d.compare(a.items, b.items, path+"{}")
	case a.kind == "union":
		d.union(a, b, path)
	}
	if a.kind == b.kind && a.logical != b.logical {
		d.add("LOGICAL_TYPE_CHANGED", change.Dangerous, path, a.logical, b.logical, "the bytes stay the same, their meaning does not: "+orNone(a.logical)+" became "+orNone(b.logical), a.at, b.at)
	}
}

func orNone(s string) string {
	if s == "" {
		return "no logical type"
	}
	return s
}

func (d *differ) promoted(a, b *schema, path string) {
	switch {
	case promotes(a.kind, b.kind):
		d.add("TYPE_PROMOTED", change.Compatible, path, a.String(), b.String(), a.String()+" became "+b.String()+", which also reads it", a.at, b.at)
	case b.kind == "union":
		d.add("TYPE_BECAME_UNION", change.Compatible, path, a.String(), b.String(), a.String()+" became one branch of a union", a.at, b.at)
		for _, branch := range b.of {
			if branch.kind == a.kind && branch.name == a.name {
				d.compare(a, branch, path)
			}
		}
	}
}

func (d *differ) renamed(a, b *schema, path string) {
	if a.name != b.name && nameFits(b, a) {
		d.add("NAME_CHANGED", change.Compatible, path, a.name, b.name, "renamed; an alias or the same short name keeps it readable", a.at, b.at)
	}
}

func (d *differ) record(a, b *schema, path string) {
	kept := map[*field]bool{}
	for _, f := range b.fields {
		at := path + "." + f.name
		old := counterpart(f, a)
		if old == nil {
			if f.dflt != nil {
				d.add("FIELD_WITH_DEFAULT_ADDED", change.Compatible, at, "", f.typ.String(), "a new field; old data gets its default", nil, f.at)
			}
			continue
		}
		kept[old] = true
		if old.name != f.name {
			d.add("FIELD_RENAMED_WITH_ALIAS", change.Compatible, at, old.name, f.name, "renamed; an alias keeps the old name readable", old.at, f.at)
		}
		if old.dflt != nil && f.dflt != nil && !tree.Equal(old.dflt, f.dflt) {
			d.add("FIELD_DEFAULT_CHANGED", change.Dangerous, at, old.dflt.JSON(60), f.dflt.JSON(60), "data without this field now reads differently", old.dflt, f.dflt)
		}
		d.compare(old.typ, f.typ, at)
	}
	for _, f := range a.fields {
		if !kept[f] && f.dflt != nil {
			d.add("FIELD_WITH_DEFAULT_REMOVED", change.Compatible, path+"."+f.name, f.typ.String(), "", "removed; old readers use its default", f.at, nil)
		}
	}
}

func (d *differ) enum(a, b *schema, path string) {
	had, has := set(a.symbols), set(b.symbols)
	var added, gone []string
	for _, s := range b.symbols {
		if !had[s] {
			added = append(added, s)
		}
	}
	for _, s := range a.symbols {
		if !has[s] {
			gone = append(gone, s)
		}
	}
	if len(added) > 0 {
		d.add("ENUM_SYMBOLS_ADDED", change.Compatible, path, "", list(added), fmt.Sprintf("%d new symbols: %s", len(added), list(added)), a.at, b.at)
	}
	if len(gone) > 0 && b.dflt != "" {
		d.add("ENUM_SYMBOLS_REMOVED_WITH_DEFAULT", change.Dangerous, path, list(gone), b.dflt, "old data with "+list(gone)+" now reads as "+b.dflt, a.at, b.at)
	}
}

func (d *differ) union(a, b *schema, path string) {
	match := func(in []*schema, s *schema) *schema {
		for _, o := range in {
			if o.kind == s.kind && o.name == s.name {
				return o
			}
		}
		return nil
	}
	for _, branch := range b.of {
		if old := match(a.of, branch); old != nil {
			d.compare(old, branch, path)
		} else {
			d.add("UNION_BRANCH_ADDED", change.Compatible, path, "", branch.String(), "a new branch: "+branch.String(), a.at, branch.at)
		}
	}
}
