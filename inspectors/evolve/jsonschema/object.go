package jsonschema

import (
	"regexp"
	"slices"

	"iscope/inspectors/evolve/tree"
)

// content says what an object allows beside its properties.
type content struct {
	open     bool // anything
	patterns *tree.Node
	schema   *tree.Node // of additional properties, nil if closed or open
}

func contentOf(n *tree.Node) content {
	c := content{patterns: n.Get("patternProperties"), open: true}
	extra := n.Get("additionalProperties")
	if extra == nil {
		extra = n.Get("unevaluatedProperties")
	}
	switch {
	case nothing(extra):
		c.open = false
	case extra.IsMap():
		c.open, c.schema = false, extra
	}
	if c.patterns != nil && len(c.patterns.Keys) > 0 {
		c.open = false
		if c.schema == nil && !nothing(extra) {
			c.schema = extra
		}
	}
	return c
}

// partial is what a partly open object wants of a property it does not list, nil
// if it allows none.
func (c *content) partial(name string) *tree.Node {
	if c.patterns != nil {
		for i, p := range c.patterns.Keys {
			if re, err := regexp.Compile(p); err == nil && re.MatchString(name) {
				return c.patterns.Items[i]
			}
		}
	}
	return c.schema
}

func (d *differ) object(at place) {
	a, b := at.a.Get("properties"), at.b.Get("properties")
	needA, needB := set(at.a.Get("required").Strings()), set(at.b.Get("required").Strings())
	was, is := contentOf(at.a), contentOf(at.b)
	for i, name := range keys(a) {
		p := place{at.path + "/properties/" + name, a.Items[i], b.Get(name)}
		if p.b == nil {
			if !b.IsCut() && !at.b.IsCut() {
				d.removed(p, &was, &is, name, needA[name])
			}
			continue
		}
		d.required(place{at.path + "/required/" + name, p.a, p.b}, name, needA[name], needB[name])
		d.compare(p.a, p.b, p.path)
	}
	for i, name := range keys(b) {
		if a.Get(name) == nil && !a.IsCut() && !at.a.IsCut() {
			d.added(place{at.path + "/properties/" + name, nil, b.Items[i]}, &was, &is, name, needB[name])
		}
	}
	d.patternProperties(at)
	d.additional(at, "additionalProperties", "ADDITIONAL_PROPERTIES")
	d.additional(at, "unevaluatedProperties", "UNEVALUATED_PROPERTIES")
	d.dependencies(at)
}

// patternProperties compares patterns that both have.
func (d *differ) patternProperties(at place) {
	a, b := at.a.Get("patternProperties"), at.b.Get("patternProperties")
	for i, p := range keys(a) {
		if other := b.Get(p); other != nil {
			d.compare(a.Items[i], other, at.path+"/patternProperties/"+p)
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

func keys(n *tree.Node) []string {
	if !n.IsMap() {
		return nil
	}
	return n.Keys
}

func (d *differ) required(p place, name string, was, is bool) {
	switch {
	case was && !is:
		d.emit("REQUIRED_ATTRIBUTE_REMOVED", true, false, p, "%s is no longer required", name)
	case !was && is && p.b.Get("default") != nil:
		d.emit("REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED", true, true, p, "%s is required now, but has a default", name)
	case !was && is:
		d.emit("REQUIRED_ATTRIBUTE_ADDED", false, true, p, "%s is required now", name)
	}
}

// removed: what matters is what the new schema says of properties it does not
// list. In return, the old schema must allow what the new one leaves open.
func (d *differ) removed(p place, was, is *content, name string, needed bool) {
	forward := !needed
	if partial := is.partial(name); !is.open && partial != nil {
		fits := d.try(p.a, partial, p.path)
		if fits {
			d.emit("PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", true, forward, p, "%s is gone; what it was is allowed by a pattern or as an additional property", name)
			return
		}
		d.emit("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", false, forward, p, "%s is gone, and what it was is not allowed by a pattern or as an additional property", name)
		return
	}
	switch {
	case is.open:
		d.emit("PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL", true, forward && anything(d.a.deref(p.a)), p, "%s is gone; anything may stand under this name now", name)
	case nothing(p.a):
		d.emit("PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL", true, true, p, "%s, which nothing could be, is gone", name)
	default:
		d.emit("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", false, forward, p, "%s is gone and no longer allowed", name)
	}
}

func (d *differ) added(p place, was, is *content, name string, needed bool) {
	if was.open {
		if anything(d.b.deref(p.b)) && !needed {
			d.emit("PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL", true, true, p, "%s is listed now; it may be anything, as before", name)
			return
		}
		d.emit("PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", false, true, p, "%s is listed now: before, anything could stand under this name", name)
		return
	}
	forward := false // the old schema does not allow it
	if partial := was.partial(name); partial != nil {
		forward = true
		if d.try(partial, p.b, p.path) {
			d.emit("PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", true, true, p, "%s is listed now; what a pattern or additional properties allowed stays valid", name)
		} else {
			d.emit("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", false, true, p, "%s is listed now, with less than a pattern or additional properties allowed", name)
		}
	}
	switch {
	case needed && p.b.Get("default") != nil:
		d.emit("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL", true, forward, p, "%s is new and required, but has a default", name)
	case needed:
		d.emit("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", false, forward, p, "%s is new and required", name)
	default:
		d.emit("OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", true, forward, p, "%s is new and optional", name)
	}
}

// try compares and keeps the differences. It reports whether all that the old
// one allows stays valid, which is what "covered" means in any mode.
func (d *differ) try(a, b *tree.Node, path string) bool {
	s, back := d.sub(), d.sub()
	back.mode = Backward
	s.compare(a, b, path)
	back.compare(a, b, path)
	d.changes = append(d.changes, s.changes...)
	return back.fits()
}

// additional compares what is allowed beside what is listed.
func (d *differ) additional(at place, key, rule string) {
	a, b := at.a.Get(key), at.b.Get(key)
	p := place{at.path + "/" + key, a, b}
	switch {
	case nothing(a) && !nothing(b):
		d.emit(rule+"_ADDED", true, false, p, "more than what is listed is allowed now")
	case nothing(b) && !nothing(a):
		d.emit(rule+"_REMOVED", false, true, p, "only what is listed is allowed now")
	case nothing(a):
	case !a.IsMap() && b.IsMap():
		d.emit(rule+"_NARROWED", anything(b), true, p, "what is not listed has to fit a schema now")
	case a.IsMap() && !b.IsMap():
		d.emit(rule+"_EXTENDED", true, anything(a), p, "what is not listed may be anything now")
	case a.IsMap():
		d.compare(a, b, p.path)
	}
}

// dependencies compares properties that ask for others: dependencies up to draft
// 7, dependentRequired and dependentSchemas since.
func (d *differ) dependencies(at place) {
	for _, key := range []string{"dependencies", "dependentRequired", "dependentSchemas"} {
		a, b := at.a.Get(key), at.b.Get(key)
		names := slices.Clone(keys(a))
		for _, n := range keys(b) {
			if !slices.Contains(names, n) && len(names) < 1000 {
				names = append(names, n)
			}
		}
		for _, n := range names {
			d.dependency(place{at.path + "/" + key + "/" + n, a.Get(n), b.Get(n)}, n)
		}
	}
}

func (d *differ) dependency(p place, name string) {
	kind := "SCHEMA"
	if p.a != nil && p.a.Kind == tree.List || p.b != nil && p.b.Kind == tree.List {
		kind = "ARRAY"
	}
	switch {
	case p.a == nil:
		d.emit("DEPENDENCY_"+kind+"_ADDED", false, true, p, "%s asks for more now", name)
	case p.b == nil:
		d.emit("DEPENDENCY_"+kind+"_REMOVED", true, false, p, "%s asks for nothing any more", name)
	case kind == "SCHEMA":
		d.compare(p.a, p.b, p.path)
	default:
		gone, more := without(p.a.Strings(), p.b.Strings()), without(p.b.Strings(), p.a.Strings())
		switch {
		case len(gone) == 0 && len(more) == 0:
		case len(gone) == 0:
			d.emit("DEPENDENCY_ARRAY_EXTENDED", false, true, p, "%s also asks for %s now", name, some(more))
		case len(more) == 0:
			d.emit("DEPENDENCY_ARRAY_NARROWED", true, false, p, "%s no longer asks for %s", name, some(gone))
		default:
			d.emit("DEPENDENCY_ARRAY_CHANGED", false, false, p, "%s asks for %s instead of %s", name, some(more), some(gone))
		}
	}
}
