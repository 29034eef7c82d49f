package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"iscope/config/yamltree"
	"iscope/probes"
)

// checker finds what the decoder cannot see in one value alone.
type checker struct {
	*report
	drivers []probes.Driver
	trusted bool
}

func (c checker) document(doc *document) {
	names := make([]string, len(doc.Environments))
	for i, e := range doc.Environments {
		names[i] = e.Name.Raw
		c.name("environment", e.Name)
		c.environment(&e.Value)
	}
	if d := doc.Default; d.Set && d.Raw != "" && !slices.Contains(names, d.Raw) {
		c.add(d.At, nearestKey(d.Raw, names), "default: there is no environment %q", d.Raw)
	}
	walk(reflect.ValueOf(doc).Elem(), field{}, c.references)
}

// name refuses what could not be typed as part of target/subject.
func (c checker) name(what string, n text) {
	switch {
	case n.Raw == "":
		c.add(n.At, "", "%s without a name", what)
	case strings.Contains(n.Raw, "/"):
		c.add(n.At, "a slash separates target and subject", "%s name %q holds a slash", what, n.Raw)
	case strings.ContainsFunc(n.Raw, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }):
		c.add(n.At, "", "%s name %q holds blanks or control characters", what, n.Raw)
	case n.Raw[0] == '-':
		c.add(n.At, "", "%s name %q would be taken for a flag", what, n.Raw)
	}
}

func (c checker) environment(e *environment) {
	taken := map[string]string{} // name or alias to what has it
	for _, t := range e.Targets {
		taken[t.Name.Raw] = fmt.Sprintf("the target on line %d", t.Name.At.Line)
	}
	for _, t := range e.Targets {
		c.name("target", t.Name)
		for _, a := range t.Value.Aliases {
			if a.Raw == "" {
				continue // reported by the decoder
			}
			c.name("alias", a)
			if owner, dup := taken[a.Raw]; dup {
				c.add(a.At, "", "alias %q is already the name of %s", a.Raw, owner)
				continue
			}
			taken[a.Raw] = fmt.Sprintf("an alias on line %d", a.At.Line)
		}
		c.target(&t.Value)
	}
}

func (c checker) target(t *target) {
	if t.URL.Raw == "" {
		return // reported by the decoder
	}
	d, secure, known, err := schemeOf(c.drivers, t.URL.Raw)
	if err != nil {
		c.add(t.URL.At, "", "url: %s", err)
		return
	}
	if !known {
		return // the scheme is in a reference; Target checks
	}
	if bare, err := withoutReferences(t.URL.Raw); err != nil {
		return // references reports it
	} else if e, err := parseEndpoint(c.drivers, bare); err != nil {
		c.add(t.URL.At, "", "url: %s", err)
	} else if e.username != "" && t.Auth.Username.Set {
		c.add(t.Auth.Username.At, "", "the user name is given twice: here and in the url")
	}
	c.tls(t.TLS, secure)
	c.schemas(t.Schemas)
	for _, o := range t.Options {
		if _, err := optionError(d, o.Name.Raw, o.Value); err != nil {
			at := o.Value.At
			if at.Line == 0 || isUnknown(d, o.Name.Raw) {
				at = o.Name.At
			}
			c.add(at, "", "%s", err)
		}
	}
}

func (c checker) schemas(s *schemasShape) {
	if s == nil {
		return
	}
	c.tls(s.TLS, strings.HasPrefix(s.Registry.Raw, "https://"))
	if !s.Registry.Set || hasReference(s.Registry.Raw) {
		return
	}
	u, err := url.Parse(s.Registry.Raw)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.add(s.Registry.At, "write it as http://host:8081", "registry: no http or https URL")
	case u.User != nil:
		c.add(s.Registry.At, "put them below schemas.auth, the password as a reference", "registry: credentials in a URL would be shown")
	}
}

func (c checker) tls(t *tlsShape, secure bool) {
	switch {
	case t == nil:
	case t.Enabled.Set && !t.Enabled.Value && secure:
		c.add(t.Enabled.At, "", "tls is switched off, but the scheme of the url asks for it")
	case t.Cert.Set && !t.Key.Set:
		c.add(t.Cert.At, "", "a client certificate needs its key")
	case t.Key.Set && !t.Cert.Set:
		c.add(t.Key.At, "", "a key needs its client certificate: cert")
	}
}

// references checks the syntax of what a value refers to.
func (c checker) references(f field, raw string, at yamltree.Pos) {
	if !f.ref || !hasReference(raw) {
		return
	}
	parts, err := parseParts(raw)
	if err != nil {
		c.add(at, "", "%s: %s", f.name, err)
		return
	}
	for _, p := range parts {
		if p.ref != nil && p.ref.scheme == refCmd && !c.trusted {
			c.add(at, "name the file with --config, or move it to your own configuration folder",
				"%s: commands are not run for a configuration found in the working directory", f.name)
		}
	}
}

func isUnknown(d probes.Driver, name string) bool {
	return !slices.ContainsFunc(d.Options, func(o probes.Option) bool { return o.Name == name })
}

// optionError checks one option against what the driver declares. Values that
// hold references are checked once they are known.
func optionError(d probes.Driver, name string, v scalar) (probes.Option, error) {
	i := slices.IndexFunc(d.Options, func(o probes.Option) bool { return o.Name == name })
	if i < 0 {
		names := make([]string, len(d.Options))
		for i, o := range d.Options {
			names[i] = o.Name
		}
		if len(names) == 0 {
			return probes.Option{}, fmt.Errorf("unknown option %q; driver %s has none", name, d.Name)
		}
		return probes.Option{}, fmt.Errorf("unknown option %q of driver %s; %s", name, d.Name, nearestKey(name, names))
	}
	o := d.Options[i]
	if v.Raw == "" || v.Kind == yamltree.Text && hasReference(v.Raw) {
		return o, nil
	}
	return o, optionType(o, v)
}

func optionType(o probes.Option, v scalar) error {
	ok, want := false, ""
	switch o.Type {
	case "bool":
		want, ok = "true or false", v.Kind == yamltree.Bool
	case "int":
		_, err := strconv.ParseInt(v.Raw, 10, 64)
		want, ok = "a whole number", v.Kind == yamltree.Int && err == nil
	case "duration":
		_, err := time.ParseDuration(v.Raw)
		want, ok = "a duration such as 10s", v.Kind == yamltree.Text && err == nil
	default:
		if v.Kind != yamltree.Text {
			return fmt.Errorf("option %s: expected text, found %s; write it in quotes", o.Name, v.Kind)
		}
		return nil
	}
	if !ok {
		return fmt.Errorf("option %s: expected %s", o.Name, want)
	}
	return nil
}

// withoutReferences puts something in the place of every reference that is
// valid anywhere in a URL, even as a port.
func withoutReferences(raw string) (string, error) {
	parts, err := parseParts(raw)
	var b strings.Builder
	for _, p := range parts {
		if p.ref != nil {
			b.WriteString("1")
		}
		b.WriteString(p.literal)
	}
	return b.String(), err
}

// walk visits every text and option of the document with the field it fills.
func walk(v reflect.Value, f field, visit func(f field, raw string, at yamltree.Pos)) {
	switch leaf := v.Interface().(type) {
	case text:
		visit(f, leaf.Raw, leaf.At)
		return
	case scalar:
		f.secret = f.secret || looksSecret(f.name)
		visit(f, leaf.Raw, leaf.At)
		return
	case toggle, number:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), f, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			e := v.Index(i)
			if value := e.FieldByName("Value"); value.IsValid() {
				inner := f
				inner.name = e.FieldByName("Name").Interface().(text).Raw
				walk(value, inner, visit)
				continue
			}
			walk(e, f, visit)
		}
	case reflect.Struct:
		for _, inner := range fieldsOf(v.Type()) {
			walk(v.Field(inner.index), inner, visit)
		}
	}
}

// looksSecret guesses from an option's name, which is all a driver declares.
func looksSecret(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"password", "passwd", "secret", "token", "credential", "private_key", "api_key", "apikey"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}
