package filter

import (
	"strings"

	"iscope/probes"
)

// each calls f with every element of a list or value of an object, after the
// slots of want are filled from it. It ends early when f returns false.
// Anything else is a list of one: some writers leave the brackets out then.
func each(st *state, v *value, want *wanted, f func(*value) bool) {
	switch v.kind {
	case listK:
		for i := range *v.list {
			e := &(*v.list)[i]
			st.budget -= perElement
			st.fill(want, e)
			if !f(e) {
				break
			}
		}
	case headerK:
		for i := range st.rec.Header {
			st.budget -= perElement
			st.fillField(want, st.rec.Header[i].Name, view(st.rec.Header[i].Value))
			if !f(&value{}) {
				break
			}
		}
	case attrK:
		attrs := st.attrs()
		for i := range attrs {
			st.budget -= perElement
			st.fillField(want, attrs[i].Name, attrs[i].Value)
			if !f(&value{}) {
				break
			}
		}
	case arrayK, objectK:
		st.walk(v, want, f)
	default:
		one := *v
		st.fill(want, v)
		f(&one)
	}
}

// fill puts an element that is no JSON into its slot.
func (st *state) fill(want *wanted, e *value) {
	if want == nil {
		return
	}
	want.clear(st.slots)
	if want.slot >= 0 {
		st.slots[want.slot] = *e
	}
}

// fillField puts the name and value of a header or attribute into the slots.
func (st *state) fillField(want *wanted, name, text string) {
	if want == nil {
		return
	}
	want.clear(st.slots)
	for i := range want.members {
		m := &want.members[i]
		switch {
		case m.want.slot < 0:
		case m.key == "name":
			st.slots[m.want.slot] = textValue(name)
		case m.key == "value":
			st.slots[m.want.slot] = looseValue(text)
		}
	}
}

// clear empties the slots of a tree.
func (w *wanted) clear(slots []value) {
	if w.slot >= 0 {
		slots[w.slot] = value{}
	}
	for i := range w.members {
		w.members[i].want.clear(slots)
	}
	for i := range w.items {
		w.items[i].want.clear(slots)
	}
}

// walk goes through a JSON array or object, whose text is known to be well
// formed.
func (st *state) walk(v *value, want *wanted, f func(*value) bool) {
	s := scanner{in: v.s, slots: st.slots}
	end := byte(']')
	if v.kind == objectK {
		end = '}'
	}
	if s.enter() != nil || s.closes(end) {
		return
	}
	var e value
	for more := true; more; more, _ = s.more(end) {
		if v.kind == objectK {
			if _, err := s.key(); err != nil {
				return
			}
		}
		if want != nil {
			want.clear(st.slots)
		}
		start := s.i
		if s.value(want) != nil {
			return
		}
		st.budget -= s.i - start + perElement
		if want == nil {
			e = st.scalar(v.s[start:s.i])
		}
		if !f(&e) {
			return
		}
	}
}

// scalar is the value of a JSON text that is known to be well formed.
func (st *state) scalar(text string) value {
	s := scanner{in: text, slots: st.cell[:]}
	if s.value(&wanted{}) != nil {
		return value{}
	}
	return st.cell[0]
}

// elements lists a list.
func elements(v value) (out []value, ok bool) {
	switch v.kind {
	case listK:
		return *v.list, true
	case arrayK:
		st := state{budget: spend}
		st.walk(&v, nil, func(e *value) bool {
			out = append(out, *e)
			return true
		})
		return out, true
	}
	return nil, false
}

// member reports whether a list has an element, or an object, the headers or
// the attributes a key.
func member(st *state, e, list *value, where string) verdict {
	switch list.kind {
	case nilK:
		return no
	case headerK, attrK, objectK:
		key, ok := e.text()
		if e.kind == nilK {
			return no
		}
		if !ok {
			return st.unsure(Fault{where: where, code: notText, a: e.kind})
		}
		return truth(st.hasKey(list, key))
	}
	sum, code, other := no, noFault, e.kind
	each(st, list, nil, func(x *value) bool {
		v, c := equal(x, e)
		if v == unsure && sum == no {
			sum, code, other = unsure, c, x.kind
		} else if v == yes {
			sum = yes
		}
		return sum != yes
	})
	switch {
	case sum == no && list.kind == textK && e.kind == textK && strings.Contains(list.s, e.s):
		return st.unsure(Fault{where: where, code: notList, a: list.kind})
	case sum == unsure:
		return st.unsure(Fault{where: where, code: code, a: e.kind, b: other})
	}
	return sum
}

func (st *state) hasKey(v *value, key string) bool {
	switch v.kind {
	case headerK:
		_, ok := st.rec.HeaderValue(key)
		return ok
	case attrK:
		_, ok := probes.FindAttr(st.attrs(), key)
		return ok
	}
	st.charge(len(v.s))
	s := scanner{in: v.s}
	if s.enter() != nil || s.closes('}') {
		return false
	}
	for more := true; more; more, _ = s.more('}') {
		k, err := s.key()
		if err != nil || s.value(nil) != nil {
			return false
		}
		if k == key {
			return true
		}
	}
	return false
}

// isIn is the operator in.
type isIn struct {
	a, b  term
	where string
}

func (c *isIn) judge(st *state) verdict {
	a, b := c.a.eval(st), c.b.eval(st)
	if b.kind == nilK {
		return no
	}
	if a.kind == faultK || b.kind == faultK {
		return unsure
	}
	return member(st, &a, &b, c.where)
}

// quantifier says how many elements have to fulfil a condition.
type quantifier uint8

const (
	quantAny quantifier = iota
	quantAll
	quantNone
)

// quant asks the elements of a list. Of a list that is missing, nothing is
// true of any or of all elements.
type quant struct {
	of    quantifier
	list  term
	want  *wanted
	c     cond
	where string
}

func (c *quant) judge(st *state) verdict {
	list := c.list.eval(st)
	switch list.kind {
	case faultK:
		return unsure
	case nilK:
		return truth(c.of == quantNone)
	}
	// any ends with the first yes, all with the first no, none with the first
	// yes.
	end, sum, dear := yes, no, false
	if c.of == quantAll {
		end, sum = no, yes
	}
	st.lists++
	defer func() { st.lists-- }()
	each(st, &list, c.want, func(*value) bool {
		if st.budget < 0 {
			dear = true
			return false
		}
		switch v := c.c.judge(st); v {
		case end:
			sum = end
			return false
		case unsure:
			sum = unsure
		}
		return true
	})
	switch {
	case dear:
		return st.unsure(Fault{where: c.where, code: tooDear})
	case c.of == quantNone:
		return sum.negate()
	}
	return sum
}

// counted is how many elements fulfil a condition.
type counted struct {
	list  term
	want  *wanted
	c     cond
	where string
}

func (t *counted) eval(st *state) value {
	list := t.list.eval(st)
	if list.kind == nilK || list.kind == faultK {
		return list
	}
	n, code := int64(0), noFault
	st.lists++
	defer func() { st.lists-- }()
	each(st, &list, t.want, func(*value) bool {
		if st.budget < 0 {
			code = tooDear
			st.fail(Fault{where: t.where, code: code})
			return false
		}
		switch t.c.judge(st) {
		case yes:
			n++
		case unsure:
			code = notBool
		}
		return true
	})
	if code != noFault {
		return value{kind: faultK}
	}
	return intValue(n)
}
