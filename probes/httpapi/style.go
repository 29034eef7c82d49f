package httpapi

import (
	"fmt"
	"net/url"
	"strings"
)

// pair is one name and value as they go into a query, cookie or form, escaped.
type pair struct{ name, value string }

// escaper makes a text fit where a parameter goes.
type escaper func(string) string

// pathEscaper leaves nothing that could end the segment or start another.
func (p *parameter) pathEscaper() escaper { return p.unlessReserved(url.PathEscape) }

func (p *parameter) queryEscaper() escaper { return p.unlessReserved(url.QueryEscape) }

// unlessReserved leaves reserved characters (RFC 3986 §2.2) as they are where
// the document says allowReserved, except those that would end the value.
func (p *parameter) unlessReserved(escape escaper) escaper {
	if !p.reserved {
		return escape
	}
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			if strings.IndexByte(":/?[]@!$'()*,;=", s[i]) >= 0 {
				b.WriteByte(s[i])
				continue
			}
			b.WriteString(escape(s[i : i+1]))
		}
		return b.String()
	}
}

func asIs(s string) string { return s }

// members lists the elements of a list, or the members of an object in order of
// their names; ok is false for what is neither.
func members(v any) (elems []string, object []pair, ok bool) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			elems = append(elems, plain(e))
		}
		return elems, nil, true
	case part:
		for _, k := range sortedKeys(v) {
			object = append(object, pair{k, plain(v[k])})
		}
		return nil, object, true
	}
	return nil, nil, false
}

// pairs serializes a value for a query, a cookie or a form: the styles form,
// spaceDelimited, pipeDelimited and deepObject (OpenAPI 3.1 §4.8.12.5, RFC 6570
// §3.2.8).
func (p *parameter) pairs(v any, escape escaper) []pair {
	name := escape(p.name)
	if p.mediaType != "" {
		return []pair{{name, escape(plain(v))}}
	}
	elems, object, ok := members(v)
	switch {
	case !ok:
		return []pair{{name, escape(plain(v))}}
	case p.style == "deepObject":
		return deep(p.name, v, escape, 0)
	case p.explode:
		var out []pair
		for _, e := range elems {
			out = append(out, pair{name, escape(e)})
		}
		for _, m := range object {
			out = append(out, pair{escape(m.name), escape(m.value)})
		}
		return out
	}
	separator := ","
	switch p.style {
	case "spaceDelimited":
		separator = "%20"
	case "pipeDelimited":
		separator = "%7C"
	}
	return []pair{{name, joined(elems, object, separator, separator, escape)}}
}

// deep writes an object as name[key]=value. What is in its objects is not
// defined by OpenAPI and follows the same rule, as most servers read it.
func deep(name string, v any, escape escaper, depth int) []pair {
	var out []pair
	switch v := v.(type) {
	case part:
		for _, k := range sortedKeys(v) {
			out = append(out, deep(name+"["+k+"]", v[k], escape, depth+1)...)
		}
	case []any:
		for i, e := range v {
			inner := name
			if kindOf(e)&(anObject|aList) != 0 {
				inner = fmt.Sprintf("%s[%d]", name, i)
			}
			out = append(out, deep(inner, e, escape, depth+1)...)
		}
	default:
		out = append(out, pair{escape(name), escape(plain(v))})
	}
	return out
}

// joined writes a list, or an object's names and values.
func joined(elems []string, object []pair, between, within string, escape escaper) string {
	var out []string
	for _, e := range elems {
		out = append(out, escape(e))
	}
	for _, m := range object {
		out = append(out, escape(m.name)+within+escape(m.value))
	}
	return strings.Join(out, between)
}

// segment serializes a value for a path or a header: the styles simple, label
// and matrix (RFC 6570 §3.2.2, §3.2.5, §3.2.7).
func (p *parameter) segment(v any, escape escaper) string {
	if p.mediaType != "" {
		return escape(plain(v))
	}
	elems, object, ok := members(v)
	if !ok {
		elems = []string{plain(v)}
	}
	within := ","
	if p.explode {
		within = "="
	}
	switch p.style {
	case "label":
		between := ","
		if p.explode {
			between = "."
		}
		return "." + joined(elems, object, between, within, escape)
	case "matrix":
		name := ";" + escape(p.name)
		switch {
		case p.explode && object != nil:
			return ";" + joined(nil, object, ";", "=", escape)
		case p.explode:
			return name + "=" + joined(elems, nil, name+"=", "", escape)
		}
		return name + "=" + joined(elems, object, ",", ",", escape)
	}
	return joined(elems, object, ",", within, escape)
}
