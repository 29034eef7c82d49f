package filter

import (
	"strings"
	"unicode/utf8"

	"iscope/probes"
)

// term is something that has a value.
type term interface {
	eval(st *state) value
}

// constant is a literal.
type constant struct{ v value }

func (t *constant) eval(*state) value { return t.v }

// known is a field of records or rows.
type known struct{ f *field }

func (t *known) eval(st *state) value { return t.f.get(st) }

// attr is an attribute by its name, or the first present of several.
type attr struct {
	names []string
	name  int // in state.names
	as    func(string) value
}

func (t *attr) eval(st *state) value {
	attrs := st.attrs()
	for _, n := range t.names {
		if v, ok := probes.FindAttr(attrs, n); ok {
			st.note(t.name, true)
			return t.as(v)
		}
	}
	st.note(t.name, false)
	return value{}
}

func (st *state) attrs() []probes.Attr {
	if st.row != nil {
		return st.row.Attrs
	}
	return st.rec.Attrs
}

// header is the first header of a name.
type header struct {
	header string
	name   int
}

func (t *header) eval(st *state) value {
	v, ok := st.rec.HeaderValue(t.header)
	st.note(t.name, ok)
	if !ok {
		return value{}
	}
	return looseValue(view(v))
}

// inBody is a path into the decoded body.
type inBody struct {
	slot  int
	name  int
	path  []step
	where string
}

func (t *inBody) eval(st *state) value {
	v := st.body(t)
	st.charge(len(v.s) / searching)
	if st.opened == docOpen {
		st.note(t.name, v.kind != nilK)
	}
	return v
}

// inElement is a path into the element that any, all, none or count look at.
type inElement struct {
	slot int
	name int
	path []step
}

func (t *inElement) eval(st *state) value {
	v := st.slots[t.slot]
	st.note(t.name, v.kind != nilK)
	return v
}

// length counts characters, elements or members.
type length struct {
	t     term
	where string
}

func (t *length) eval(st *state) value {
	v := t.t.eval(st)
	switch v.kind {
	case nilK, faultK:
		return v
	case textK, looseK:
		if v.part {
			return st.fail(Fault{where: t.where, code: cutShort})
		}
		return intValue(int64(utf8.RuneCountInString(v.s)))
	case headerK:
		return intValue(int64(len(st.rec.Header)))
	case attrK:
		return intValue(int64(len(st.attrs())))
	case arrayK, objectK, listK:
		n := int64(0)
		each(st, &v, nil, func(*value) bool { n++; return true })
		return intValue(n)
	}
	return st.fail(Fault{where: t.where, code: notList, a: v.kind})
}

// cased is text in lower or upper case.
type cased struct {
	t     term
	upper bool
	where string
}

func (t *cased) eval(st *state) value {
	v := t.t.eval(st)
	s, ok := v.text()
	switch {
	case v.kind == nilK || v.kind == faultK:
		return v
	case !ok:
		return st.fail(Fault{where: t.where, code: notText, a: v.kind})
	}
	to := strings.ToLower
	if t.upper {
		to = strings.ToUpper
	}
	return value{kind: textK, s: to(s), part: v.part}
}

// asText is a scalar as the text that was sent.
type asText struct {
	t     term
	where string
}

func (t *asText) eval(st *state) value {
	v := t.t.eval(st)
	s, ok := v.text()
	switch {
	case v.kind == nilK || v.kind == faultK:
		return v
	case !ok:
		return st.fail(Fault{where: t.where, code: notText, a: v.kind})
	}
	return value{kind: textK, s: s, part: v.part}
}

// toNumber reads text as a number.
type toNumber struct {
	t     term
	where string
}

func (t *toNumber) eval(st *state) value {
	v := t.t.eval(st)
	switch {
	case v.kind == nilK || v.kind == faultK || v.number():
		return v
	case v.kind == textK || v.kind == looseK:
		if v.part {
			return st.fail(Fault{where: t.where, code: cutShort})
		}
		if n, ok := parseNumber(strings.TrimSpace(v.s)); ok {
			return n
		}
	}
	return st.fail(Fault{where: t.where, code: notNumber, a: v.kind, b: v.kind})
}

// judged is a condition used as a value.
type judged struct{ c cond }

func (t *judged) eval(st *state) value {
	switch t.c.judge(st) {
	case yes:
		return boolValue(true)
	case no:
		return boolValue(false)
	}
	return value{kind: faultK}
}
