package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/probes"
)

// decoder fills the structs of shape.go from nodes and reports what does not
// fit. Values never appear in its reports: they may be secrets.
type decoder struct{ *report }

// decode fills a struct, a list or a leaf. key is the name it stands under.
func (d decoder) decode(n *node, v reflect.Value, f field) {
	switch v.Kind() {
	case reflect.Pointer:
		if n.kind == kindNull {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), f)
	case reflect.Slice:
		d.slice(n, v, f)
	default:
		if leaf, ok := v.Addr().Interface().(leaf); ok {
			leaf.take(d, n, f)
			return
		}
		d.structure(n, v, f)
	}
}

// leaf is a value without parts.
type leaf interface {
	take(d decoder, n *node, f field)
}

func (d decoder) structure(n *node, v reflect.Value, f field) {
	// Nothing is an empty map.
	if n.kind != kindNull && !d.expect(n, kindMap, f) {
		return
	}
	fields := fieldsOf(v.Type())
	for _, p := range n.pairs {
		i := indexOf(fields, p.key)
		if i < 0 {
			d.add(p.at, nearestKey(p.key, keysOf(fields)), "unknown key %q", p.key)
			continue
		}
		d.decode(p.value, v.Field(fields[i].index), fields[i])
	}
	for _, want := range fields {
		if want.required && n.child(want.name) == nil {
			d.add(n.at, "", "%s has no %s", f.name, want.name)
		}
	}
}

// slice fills a list of texts or a map with free keys.
func (d decoder) slice(n *node, v reflect.Value, f field) {
	if n.kind == kindNull {
		return
	}
	elem := v.Type().Elem()
	if elem == reflect.TypeFor[text]() {
		if !d.expect(n, kindList, f) {
			return
		}
		for _, item := range n.items {
			e := reflect.New(elem).Elem()
			d.decode(item, e, f)
			v.Set(reflect.Append(v, e))
		}
		return
	}
	if !d.expect(n, kindMap, f) {
		return
	}
	for _, p := range n.pairs {
		e := reflect.New(elem).Elem()
		e.FieldByName("Name").Set(reflect.ValueOf(text{Raw: p.key, At: p.at, Set: true}))
		inner := f
		inner.name = p.key
		if p.value.kind != kindMap && p.value.kind != kindNull {
			// Problems of the value are reported at it; those of a missing
			// value at its key.
			d.decode(p.value, e.FieldByName("Value"), inner)
		} else {
			at := *p.value
			at.at = p.at
			d.decode(&at, e.FieldByName("Value"), inner)
		}
		v.Set(reflect.Append(v, e))
	}
}

func (d decoder) expect(n *node, want kind, f field) bool {
	if n.kind == want {
		return true
	}
	hint := ""
	switch {
	case f.isDuration && n.kind == kindInt:
		hint = durationHint
	case n.kind == kindNull:
		hint = "remove the key or give it a value"
	case want == kindText && n.kind < kindText:
		hint = "write it in quotes"
	case want == kindBool && n.kind == kindText:
		hint = "write true or false, without quotes"
	case want == kindList && n.kind == kindText:
		hint = "write it in brackets: [name]"
	}
	d.add(n.at, hint, "%s: expected %s, found %s", orTop(f.name), want, n.kind)
	return false
}

const durationHint = "write it like 500ms, 10s or 1m30s"

func orTop(name string) string {
	if name == "" {
		return "the file"
	}
	return name
}

func (t *text) take(d decoder, n *node, f field) {
	if !d.expect(n, kindText, f) {
		return
	}
	*t = text{Raw: n.raw, At: n.at, Set: true}
	switch {
	case strings.TrimSpace(n.raw) == "":
		d.add(n.at, "remove the key or give it a value", "%s is empty", f.name)
	case hasReference(n.raw):
		if !f.ref {
			d.add(n.at, "", "%s takes no references", f.name)
		}
	case f.enum != nil && !slices.Contains(f.enum, n.raw):
		d.add(n.at, nearestKey(n.raw, f.enum), "%s: unknown value %q", f.name, n.raw)
	case f.isDuration:
		if v, err := time.ParseDuration(n.raw); err != nil || v <= 0 {
			d.add(n.at, durationHint, "%s: %q is no duration", f.name, n.raw)
		}
	}
}

func (b *toggle) take(d decoder, n *node, f field) {
	if d.expect(n, kindBool, f) {
		*b = toggle{Value: strings.EqualFold(n.raw, "true"), At: n.at, Set: true}
	}
}

func (i *number) take(d decoder, n *node, f field) {
	if !d.expect(n, kindInt, f) {
		return
	}
	v, err := strconv.ParseInt(strings.ReplaceAll(n.raw, "_", ""), 0, 64)
	if err != nil || v <= 0 {
		d.add(n.at, "", "%s: expected a number above 0", f.name)
		return
	}
	*i = number{Value: v, At: n.at, Set: true}
}

func (s *scalar) take(d decoder, n *node, f field) {
	if n.kind == kindList || n.kind == kindMap || n.kind == kindNull {
		d.add(n.at, "", "%s: expected a plain value, found %s", f.name, n.kind)
		return
	}
	*s = scalar{Raw: n.raw, Kind: n.kind, At: n.at}
}

// nearestKey words the closest valid words, or all of them.
func nearestKey(typed string, valid []string) string {
	if near := probes.Nearest(typed, valid, 1); len(near) == 1 {
		return "did you mean " + near[0] + "?"
	}
	return "valid here: " + strings.Join(valid, ", ")
}

func indexOf(fields []field, name string) int {
	for i, f := range fields {
		if f.name == name {
			return i
		}
	}
	return -1
}
