package graphql

import (
	"bytes"
	"fmt"

	"iscope/inspectors/evolve/change"
)

// Text is a schema: SDL or the result of an introspection.
type Text struct {
	Data    []byte
	Partial bool // more of it exists than is in it
}

// Compare compares an old schema with a new one. Notes tell what could not be
// read.
func Compare(a, b Text) (changes []change.Change, notes []string, err error) {
	old, err := read(a)
	if err != nil {
		return nil, nil, fmt.Errorf("the old schema: %w", err)
	}
	now, err := read(b)
	if err != nil {
		return nil, nil, fmt.Errorf("the new schema: %w", err)
	}
	for _, n := range old.notes {
		notes = append(notes, "old schema: "+n)
	}
	for _, n := range now.notes {
		notes = append(notes, "new schema: "+n)
	}
	d := &differ{a: old, b: now}
	d.roots()
	d.types()
	d.directives()
	return change.Sort(d.changes), notes, nil
}

func read(from Text) (s *schema, err error) {
	text := bytes.TrimSpace(bytes.TrimPrefix(from.Data, []byte("\xef\xbb\xbf")))
	if len(text) > 0 && text[0] == '{' && bytes.Contains(text[:min(len(text), 4096)], []byte(`"`)) {
		s, err = parseIntrospection(text)
	} else {
		s, err = parseSDL(string(text))
	}
	if err == nil && from.Partial {
		s.cut = true
	}
	return s, err
}

// differ compares two schemas.
type differ struct {
	a, b    *schema
	changes []change.Change
}

// at is where a change is: lines in both schemas, 0 where it does not exist.
type at struct {
	path     string
	old, now int
}

func (d *differ) add(rule string, s change.Severity, p at, from, to, format string, args ...any) {
	d.changes = append(d.changes, change.Change{Rule: rule, Severity: s, Path: p.path, From: from, To: to, Text: fmt.Sprintf(format, args...), OldLine: p.old, Line: p.now})
}

func (d *differ) roots() {
	for _, op := range []string{"query", "mutation", "subscription"} {
		a, b := d.a.roots[op], d.b.roots[op]
		// A removed root is told as the removal of its type.
		if a != b && a != "" && b != "" && !d.a.cut && !d.b.cut {
			d.add("SCHEMA_"+map[string]string{"query": "QUERY", "mutation": "MUTATION", "subscription": "SUBSCRIPTION"}[op]+"_TYPE_CHANGED", change.Breaking,
				at{path: "schema." + op}, a, b, "the type of %s was %s and is %s", op, a, b)
		}
	}
}

func (d *differ) types() {
	for _, name := range sortedNames(d.a.types) {
		a, b := d.a.types[name], d.b.types[name]
		switch {
		case builtin(name):
		case b == nil:
			if !d.b.cut {
				d.add("TYPE_REMOVED", change.Breaking, at{name, a.line, 0}, a.kind, "", "%s is gone", name)
			}
		case a.kind != b.kind:
			d.add("TYPE_CHANGED_KIND", change.Breaking, at{name, a.line, b.line}, a.kind, b.kind, "%s was %s and is %s", name, kindName(a.kind), kindName(b.kind))
		default:
			d.typ(a, b)
		}
	}
	for _, name := range sortedNames(d.b.types) {
		if b := d.b.types[name]; d.a.types[name] == nil && !builtin(name) && !d.a.cut {
			d.add("TYPE_ADDED", change.Compatible, at{name, 0, b.line}, "", b.kind, "%s is new", name)
		}
	}
}

func (d *differ) typ(a, b *typ) {
	p := at{a.name, a.line, b.line}
	switch a.kind {
	case "enum":
		d.enum(a, b)
	case "union":
		for _, m := range without(a.members, b.members) {
			d.add("TYPE_REMOVED_FROM_UNION", change.Breaking, p, m, "", "%s is no longer one of %s", m, a.name)
		}
		for _, m := range without(b.members, a.members) {
			d.add("TYPE_ADDED_TO_UNION", change.Dangerous, p, "", m, "%s is one of %s now; queries that do not expect it get nothing of it", m, a.name)
		}
	case "input":
		d.inputFields(a, b)
	case "object", "interface":
		for _, i := range without(a.interfaces, b.interfaces) {
			d.add("IMPLEMENTED_INTERFACE_REMOVED", change.Breaking, p, i, "", "%s no longer implements %s", a.name, i)
		}
		for _, i := range without(b.interfaces, a.interfaces) {
			d.add("IMPLEMENTED_INTERFACE_ADDED", change.Dangerous, p, "", i, "%s implements %s now; queries on the interface may get it", a.name, i)
		}
		d.fields(a, b)
	}
}

func (d *differ) enum(a, b *typ) {
	had, has := indexed(a.values), indexed(b.values)
	for _, v := range a.values {
		now := has.get(v.name)
		if now == nil {
			d.add("VALUE_REMOVED_FROM_ENUM", change.Breaking, at{a.name + "." + v.name, v.line, 0}, v.name, "", "the value %s is gone", v.name)
			continue
		}
		d.deprecation("ENUM_VALUE", at{a.name + "." + v.name, v.line, now.line}, v, now)
	}
	for _, v := range b.values {
		if had.get(v.name) == nil {
			d.add("VALUE_ADDED_TO_ENUM", change.Dangerous, at{a.name + "." + v.name, 0, v.line}, "", v.name, "the value %s is new; clients that list all values do not know it", v.name)
		}
	}
}

func (d *differ) deprecation(what string, p at, a, b *field) {
	switch {
	case !a.deprecated && b.deprecated:
		d.add(what+"_DEPRECATION_ADDED", change.Compatible, p, "", "", "deprecated")
	case a.deprecated && !b.deprecated:
		d.add(what+"_DEPRECATION_REMOVED", change.Compatible, p, "", "", "no longer deprecated")
	}
}

func (d *differ) inputFields(a, b *typ) {
	had, has := indexed(a.fields), indexed(b.fields)
	for _, f := range a.fields {
		now := has.get(f.name)
		p := at{a.name + "." + f.name, f.line, 0}
		if now == nil {
			d.add("FIELD_REMOVED", change.Breaking, p, f.of.String(), "", "the input field is gone")
			continue
		}
		p.now = now.line
		d.changedInput("FIELD_CHANGED_KIND", p, f.of, now.of)
		if f.dflt != now.dflt || f.hasDefault != now.hasDefault {
			d.add("INPUT_FIELD_DEFAULT_VALUE_CHANGED", change.Dangerous, p, f.dflt, now.dflt, "left out, it was %s and is %s", orNothing(f), orNothing(now))
		}
		d.deprecation("INPUT_FIELD", p, f, now)
	}
	for _, f := range b.fields {
		if had.get(f.name) != nil {
			continue
		}
		p := at{a.name + "." + f.name, 0, f.line}
		if f.required() {
			d.add("REQUIRED_INPUT_FIELD_ADDED", change.Breaking, p, "", f.of.String(), "a new input field, and it is required")
		} else {
			d.add("OPTIONAL_INPUT_FIELD_ADDED", change.Dangerous, p, "", f.of.String(), "a new input field, not required")
		}
	}
}

func orNothing(f *field) string {
	if !f.hasDefault {
		return "nothing"
	}
	return f.dflt
}

func (d *differ) fields(a, b *typ) {
	had, has := indexed(a.fields), indexed(b.fields)
	for _, f := range a.fields {
		now := has.get(f.name)
		p := at{a.name + "." + f.name, f.line, 0}
		if now == nil {
			text := "the field is gone"
			if f.deprecated {
				text = "the field, which was deprecated, is gone"
			}
			d.add("FIELD_REMOVED", change.Breaking, p, f.of.String(), "", "%s", text)
			continue
		}
		p.now = now.line
		switch from, to := f.of.String(), now.of.String(); {
		case from == to:
		case d.safeOutput(f.of, now.of):
			d.add("FIELD_CHANGED_KIND_SAFE", change.Compatible, p, from, to, "it was %s and is %s, which still fits", from, to)
		default:
			d.add("FIELD_CHANGED_KIND", change.Breaking, p, from, to, "it was %s and is %s", from, to)
		}
		d.args(p, f.args, now.args)
		d.deprecation("FIELD", p, f, now)
	}
	for _, f := range b.fields {
		if had.get(f.name) == nil {
			d.add("FIELD_ADDED", change.Compatible, at{a.name + "." + f.name, 0, f.line}, "", f.of.String(), "a new field")
		}
	}
}

func (d *differ) args(p at, a, b []*field) {
	for _, f := range a {
		now := find(b, f.name)
		q := at{p.path + "(" + f.name + ":)", f.line, 0}
		if now == nil {
			d.add("ARG_REMOVED", change.Breaking, q, f.of.String(), "", "the argument is gone")
			continue
		}
		q.now = now.line
		if d.changedInput("ARG_CHANGED_KIND", q, f.of, now.of) {
			continue
		}
		switch {
		case !f.hasDefault && now.hasDefault:
			d.add("ARG_DEFAULT_VALUE_ADDED", change.Compatible, q, "", now.dflt, "left out, it is %s now", now.dflt)
		case f.dflt != now.dflt || f.hasDefault != now.hasDefault:
			d.add("ARG_DEFAULT_VALUE_CHANGE", change.Dangerous, q, f.dflt, now.dflt, "left out, it was %s and is %s", orNothing(f), orNothing(now))
		}
	}
	for _, f := range b {
		if find(a, f.name) != nil {
			continue
		}
		q := at{p.path + "(" + f.name + ":)", 0, f.line}
		if f.required() {
			d.add("REQUIRED_ARG_ADDED", change.Breaking, q, "", f.of.String(), "a new argument, and it is required")
		} else {
			d.add("OPTIONAL_ARG_ADDED", change.Dangerous, q, "", f.of.String(), "a new argument, not required")
		}
	}
}

// changedInput reports whether the type of an input changed so that it breaks.
func (d *differ) changedInput(rule string, p at, a, b *ref) bool {
	from, to := a.String(), b.String()
	switch {
	case from == to:
		return false
	case safeInput(a, b):
		d.add(rule+"_SAFE", change.Compatible, p, from, to, "it was %s and is %s, which takes what it took", from, to)
		return false
	}
	d.add(rule, change.Breaking, p, from, to, "it was %s and is %s", from, to)
	return true
}

// safeOutput reports whether who expects a can live with b: b may promise more.
func (d *differ) safeOutput(a, b *ref) bool {
	switch {
	case a.nonNull:
		return b.nonNull && d.safeOutput(bare(a), bare(b))
	case b.nonNull:
		return d.safeOutput(a, bare(b))
	case a.elem != nil:
		return b.elem != nil && d.safeOutput(a.elem, b.elem)
	}
	return b.elem == nil && a.name == b.name
}

// safeInput reports whether what fits a fits b: b may ask for less.
func safeInput(a, b *ref) bool {
	switch {
	case a.nonNull && b.nonNull:
		return safeInput(bare(a), bare(b))
	case a.nonNull:
		return safeInput(bare(a), b)
	case b.nonNull:
		return false
	case a.elem != nil:
		return b.elem != nil && safeInput(a.elem, b.elem)
	}
	return b.elem == nil && a.name == b.name
}

func bare(r *ref) *ref { return &ref{name: r.name, elem: r.elem} }

func (d *differ) directives() {
	for _, name := range sortedNames(d.a.directives) {
		a, b := d.a.directives[name], d.b.directives[name]
		if builtinDirective(name) {
			continue
		}
		if b == nil {
			if !d.b.cut {
				d.add("DIRECTIVE_REMOVED", change.Breaking, at{"@" + name, a.line, 0}, "", "", "the directive is gone")
			}
			continue
		}
		d.directive(a, b)
	}
	for _, name := range sortedNames(d.b.directives) {
		if b := d.b.directives[name]; d.a.directives[name] == nil && !builtinDirective(name) && !d.a.cut {
			d.add("DIRECTIVE_ADDED", change.Compatible, at{"@" + name, 0, b.line}, "", "", "a new directive")
		}
	}
}

func (d *differ) directive(a, b *directive) {
	p := at{"@" + a.name, a.line, b.line}
	for _, f := range a.args {
		now := find(b.args, f.name)
		if now == nil {
			d.add("DIRECTIVE_ARG_REMOVED", change.Breaking, at{p.path + "(" + f.name + ":)", f.line, 0}, f.of.String(), "", "the argument is gone")
		}
	}
	for _, f := range b.args {
		if find(a.args, f.name) != nil {
			continue
		}
		q := at{p.path + "(" + f.name + ":)", 0, f.line}
		if f.required() {
			d.add("REQUIRED_DIRECTIVE_ARG_ADDED", change.Breaking, q, "", f.of.String(), "a new argument, and it is required")
		} else {
			d.add("OPTIONAL_DIRECTIVE_ARG_ADDED", change.Compatible, q, "", f.of.String(), "a new argument, not required")
		}
	}
	if a.repeatable && !b.repeatable {
		d.add("DIRECTIVE_REPEATABLE_REMOVED", change.Breaking, p, "", "", "it may no longer be repeated")
	}
	for _, l := range without(a.locations, b.locations) {
		d.add("DIRECTIVE_LOCATION_REMOVED", change.Breaking, p, l, "", "it may no longer stand on %s", l)
	}
	for _, l := range without(b.locations, a.locations) {
		d.add("DIRECTIVE_LOCATION_ADDED", change.Compatible, p, "", l, "it may stand on %s now", l)
	}
}

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
