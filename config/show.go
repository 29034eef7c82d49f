package config

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"iscope/config/yamltree"
	"iscope/probes"
)

const redacted = "«redacted»"

// Show writes the effective configuration as "yaml" or "json": defaults filled
// in, files by their absolute path, secrets as the references they are, or
// «redacted» where they stand in the file.
func (c *Config) Show(w io.Writer, format string) error {
	doc := c.effective()
	root := c.s.shown(reflect.ValueOf(&doc).Elem(), field{})
	var b strings.Builder
	switch format {
	case "yaml":
		writeYAML(&b, root, "")
	case "json":
		writeJSON(&b, root, "")
		b.WriteString("\n")
	default:
		return &probes.Error{Op: "showing the configuration", Kind: probes.ErrUsage,
			Err: fmt.Errorf("unknown format %q", format), Hint: "use yaml or json"}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// effective returns a copy of the document with the defaults filled in.
func (c *Config) effective() document {
	doc := c.s.doc
	if name := c.DefaultEnvironment(); name != "" {
		doc.Default = text{Raw: name, Set: true}
	}
	doc.Environments = nil
	for _, e := range c.s.doc.Environments {
		rules := envEntry(e).rules()
		v := &e.Value
		v.Class = text{Raw: string(rules.Class), Set: true}
		v.Write, v.Dial = toggle{Value: rules.Write, Set: true}, toggle{Value: rules.Dial, Set: true}
		targets := v.Targets
		v.Targets = nil
		for _, t := range targets {
			t.Value = c.s.effectiveTarget(t.Value)
			v.Targets = append(v.Targets, t)
		}
		doc.Environments = append(doc.Environments, e)
	}
	return doc
}

func (s *state) effectiveTarget(t target) target {
	if !t.Timeout.Set {
		t.Timeout = text{Raw: probes.DefaultTimeout.String(), Set: true}
	}
	d, secure, known, err := schemeOf(s.drivers, t.URL.Raw)
	if err != nil || !known {
		return t
	}
	var tls tlsShape
	if t.TLS != nil {
		tls = *t.TLS
	}
	tls.Enabled = toggle{Value: tls.Enabled.or(secure || t.TLS != nil), Set: true}
	t.TLS = &tls
	given := t.Options
	t.Options = append(entries[scalar](nil), given...)
	for _, o := range d.Options {
		if o.Default != "" && !hasEntry(given, o.Name) {
			t.Options = append(t.Options, entry[scalar]{Name: text{Raw: o.Name}, Value: scalar{Raw: o.Default, Kind: optionKind(o)}})
		}
	}
	return t
}

func hasEntry[T any](es entries[T], name string) bool {
	for _, e := range es {
		if e.Name.Raw == name {
			return true
		}
	}
	return false
}

func optionKind(o probes.Option) yamltree.Kind {
	switch o.Type {
	case "bool":
		return yamltree.Bool
	case "int":
		return yamltree.Int
	}
	return yamltree.Text
}

// shown turns a value into what may be shown of it; nil for what is not given.
func (s *state) shown(v reflect.Value, f field) *yamltree.Node {
	switch leaf := v.Interface().(type) {
	case text:
		return s.shownText(leaf, f)
	case toggle:
		if leaf.Set {
			return rawNode(yamltree.Bool, strconv.FormatBool(leaf.Value))
		}
		return nil
	case number:
		if leaf.Set {
			return rawNode(yamltree.Int, strconv.FormatInt(leaf.Value, 10))
		}
		return nil
	case scalar:
		return shownScalar(leaf, f)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return s.shown(v.Elem(), f)
	case reflect.Slice:
		return s.shownSlice(v, f)
	}
	m := &yamltree.Node{Kind: yamltree.Map}
	for _, inner := range fieldsOf(v.Type()) {
		if n := s.shown(v.Field(inner.index), inner); n != nil {
			m.Set(inner.name, n)
		}
	}
	if len(m.Entries) == 0 && f.name != "" {
		return nil
	}
	return m
}

func (s *state) shownSlice(v reflect.Value, f field) *yamltree.Node {
	if v.Len() == 0 {
		return nil
	}
	if v.Type() == reflect.TypeFor[[]text]() {
		list := &yamltree.Node{Kind: yamltree.List}
		for i := range v.Len() {
			list.Items = append(list.Items, textNode(v.Index(i).Interface().(text).Raw))
		}
		return list
	}
	m := &yamltree.Node{Kind: yamltree.Map}
	for i := range v.Len() {
		inner := f
		inner.name = v.Index(i).FieldByName("Name").Interface().(text).Raw
		if n := s.shown(v.Index(i).FieldByName("Value"), inner); n != nil {
			m.Set(inner.name, n)
		}
	}
	return m
}

func (s *state) shownText(t text, f field) *yamltree.Node {
	switch {
	case !t.Set:
		return nil
	case f.secret && !allReferences(t.Raw):
		return textNode(redacted)
	case f.path && !hasReference(t.Raw):
		return textNode(s.file(t.Raw))
	}
	return textNode(t.Raw)
}

func shownScalar(v scalar, f field) *yamltree.Node {
	if looksSecret(f.name) && v.Raw != "" && !allReferences(v.Raw) {
		return textNode(redacted)
	}
	switch v.Kind {
	case yamltree.Bool:
		return rawNode(yamltree.Bool, strings.ToLower(v.Raw))
	case yamltree.Int:
		if n, err := strconv.ParseInt(v.Raw, 10, 64); err == nil {
			return rawNode(yamltree.Int, strconv.FormatInt(n, 10))
		}
	}
	return textNode(v.Raw)
}
