package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"iscope/config/yamltree"
	"iscope/probes"
)

// decoder fills the structs of shape.go from nodes and reports what does not
// fit. Values never appear in its reports: they may be secrets.
type decoder struct{ *report }

// decode fills a struct, a list or a leaf. key is the name it stands under.
func (d decoder) decode(n *yamltree.Node, v reflect.Value, f field) {
	switch v.Kind() {
	case reflect.Pointer:
		if n.Kind == yamltree.Null {
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
	take(d decoder, n *yamltree.Node, f field)
}

func (d decoder) structure(n *yamltree.Node, v reflect.Value, f field) {
	// Nothing is an empty map.
	if n.Kind != yamltree.Null && !d.expect(n, yamltree.Map, f) {
		return
	}
	fields := fieldsOf(v.Type())
	for _, p := range n.Entries {
		i := indexOf(fields, p.Key)
		if i < 0 {
			d.add(p.Pos, nearestKey(p.Key, keysOf(fields)), "unknown key %q", p.Key)
			continue
		}
		d.decode(p.Value, v.Field(fields[i].index), fields[i])
	}
	for _, want := range fields {
		if want.required && n.Child(want.name) == nil {
			d.add(n.Pos, "", "%s has no %s", f.name, want.name)
		}
	}
}

// slice fills a list of texts or a map with free keys.
func (d decoder) slice(n *yamltree.Node, v reflect.Value, f field) {
	if n.Kind == yamltree.Null {
		return
	}
	elem := v.Type().Elem()
	if elem == reflect.TypeFor[text]() {
		if !d.expect(n, yamltree.List, f) {
			return
		}
		for _, item := range n.Items {
			e := reflect.New(elem).Elem()
			d.decode(item, e, f)
			v.Set(reflect.Append(v, e))
		}
		return
	}
	if !d.expect(n, yamltree.Map, f) {
		return
	}
	for _, p := range n.Entries {
		e := reflect.New(elem).Elem()
		e.FieldByName("Name").Set(reflect.ValueOf(text{Raw: p.Key, At: p.Pos, Set: true}))
		inner := f
		inner.name = p.Key
		if p.Value.Kind != yamltree.Map && p.Value.Kind != yamltree.Null {
			// Problems of the value are reported at it; those of a missing
			// value at its key.
			d.decode(p.Value, e.FieldByName("Value"), inner)
		} else {
			at := *p.Value
			at.Pos = p.Pos
			d.decode(&at, e.FieldByName("Value"), inner)
		}
		v.Set(reflect.Append(v, e))
	}
}

func (d decoder) expect(n *yamltree.Node, want yamltree.Kind, f field) bool {
	if n.Kind == want {
		return true
	}
	hint := ""
	switch {
	case f.isDuration && n.Kind == yamltree.Int:
		hint = durationHint
	case n.Kind == yamltree.Null:
		hint = "remove the key or give it a value"
	case want == yamltree.Text && n.Kind < yamltree.Text:
		hint = "write it in quotes"
	case want == yamltree.Bool && n.Kind == yamltree.Text:
		hint = "write true or false, without quotes"
	case want == yamltree.List && n.Kind == yamltree.Text:
		hint = "write it in brackets: [name]"
	}
	d.add(n.Pos, hint, "%s: expected %s, found %s", orTop(f.name), want, n.Kind)
	return false
}

const durationHint = "write it like 500ms, 10s or 1m30s"

func orTop(name string) string {
	if name == "" {
		return "the file"
	}
	return name
}

func (t *text) take(d decoder, n *yamltree.Node, f field) {
	if !d.expect(n, yamltree.Text, f) {
		return
	}
	*t = text{Raw: n.Raw, At: n.Pos, Set: true}
	switch {
	case strings.TrimSpace(n.Raw) == "":
		d.add(n.Pos, "remove the key or give it a value", "%s is empty", f.name)
	case hasReference(n.Raw):
		if !f.ref {
			d.add(n.Pos, "", "%s takes no references", f.name)
		}
	case f.enum != nil && !slices.Contains(f.enum, n.Raw):
		d.add(n.Pos, nearestKey(n.Raw, f.enum), "%s: unknown value %q", f.name, n.Raw)
	case f.isDuration:
		if v, err := time.ParseDuration(n.Raw); err != nil || v <= 0 {
			d.add(n.Pos, durationHint, "%s: %q is no duration", f.name, n.Raw)
		}
	}
}

func (b *toggle) take(d decoder, n *yamltree.Node, f field) {
	if d.expect(n, yamltree.Bool, f) {
		*b = toggle{Value: strings.EqualFold(n.Raw, "true"), At: n.Pos, Set: true}
	}
}

func (i *number) take(d decoder, n *yamltree.Node, f field) {
	if !d.expect(n, yamltree.Int, f) {
		return
	}
	v, err := strconv.ParseInt(strings.ReplaceAll(n.Raw, "_", ""), 0, 64)
	if err != nil || v <= 0 {
		d.add(n.Pos, "", "%s: expected a number above 0", f.name)
		return
	}
	*i = number{Value: v, At: n.Pos, Set: true}
}

func (s *scalar) take(d decoder, n *yamltree.Node, f field) {
	if n.Kind == yamltree.List || n.Kind == yamltree.Map || n.Kind == yamltree.Null {
		d.add(n.Pos, "", "%s: expected a plain value, found %s", f.name, n.Kind)
		return
	}
	*s = scalar{Raw: n.Raw, Kind: n.Kind, At: n.Pos}
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
