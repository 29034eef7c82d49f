package filter

import (
	"slices"
	"strings"
)

// need is what the bytes of a JSON body have to contain for a condition to
// hold: a text, all of several needs, or one of several. It speaks about bodies
// without escape sequences only (state.searchable), where every string and key
// of the document occurs as it is.
type need struct {
	text string
	key  bool // text is a key: less telling than a value
	all  []need
	any  []need
}

func (n *need) met(body string) bool {
	switch {
	case n.all != nil:
		for i := range n.all {
			if !n.all[i].met(body) {
				return false
			}
		}
		return true
	case n.any != nil:
		return slices.ContainsFunc(n.any, func(x need) bool { return x.met(body) })
	}
	return strings.Contains(body, n.text)
}

// guard is a condition that is false where the conditions after it cannot hold.
// It is put before conditions that take the body apart.
type guard struct{ need need }

func (c *guard) judge(st *state) verdict {
	if st.sample || !st.searchable() || c.need.met(view(st.rec.Body)) {
		return yes
	}
	return no
}

// maxNeeds bounds what is searched for before a body is taken apart: each costs
// a pass over it.
const maxNeeds = 4

// needOf derives what must be in the body for c to hold; nil if nothing must.
// It is exact in one direction only: where the need is not met, c is false, and
// never unknown.
func needOf(c cond) *need {
	switch c := c.(type) {
	case all:
		var parts []need
		for _, x := range c {
			if n := needOf(x); n != nil {
				parts = append(parts, *n)
			}
		}
		return allOf(parts)
	case some:
		parts := make([]need, 0, len(c))
		for _, x := range c {
			n := needOf(x)
			if n == nil {
				return nil
			}
			parts = append(parts, *n)
		}
		return &need{any: parts}
	case *compare:
		return needCompare(c)
	case *search:
		if c.op == opContains {
			return needText(c.a, c.b, false)
		}
		return needKey(c.a)
	case *matches:
		return needKey(c.a)
	case *isTrue:
		return needKey(c.t)
	case *isIn:
		return needIn(c)
	case *quant:
		return needQuant(c)
	}
	return nil
}

// allOf keeps the needs that are likely to be missing: texts before keys, long
// ones before short ones.
func allOf(parts []need) *need {
	if len(parts) == 0 {
		return nil
	}
	slices.SortStableFunc(parts, func(a, b need) int { return b.rarity() - a.rarity() })
	return &need{all: parts[:min(len(parts), maxNeeds)]}
}

// rarity orders needs.
func (n *need) rarity() int {
	const key = 1000
	switch {
	case n.all != nil:
		return n.all[0].rarity()
	case len(n.any) > 0:
		return n.any[0].rarity()
	case n.key:
		return len(n.text) - key
	}
	return len(n.text)
}

func needCompare(c *compare) *need {
	switch c.op {
	case opDiffer:
		return nil
	case opEqual:
		if isNil(c.a) || isNil(c.b) {
			return nil
		}
		if n := needText(c.a, c.b, true); n != nil {
			return n
		}
		if n := needText(c.b, c.a, true); n != nil {
			return n
		}
		if n := needKey(c.a); n != nil && neverNil(c.b) {
			return n
		}
		if n := needKey(c.b); n != nil && neverNil(c.a) {
			return n
		}
		return nil
	}
	if n := needKey(c.a); n != nil {
		return n
	}
	return needKey(c.b)
}

func isNil(t term) bool {
	c, ok := t.(*constant)
	return ok && c.v.kind == nilK
}

// neverNil: of two things that are both missing, one equals the other.
func neverNil(t term) bool {
	c, ok := t.(*constant)
	return ok && c.v.kind != nilK
}

// needText is the need of a path that is compared with text.
func needText(path, text term, whole bool) *need {
	lit, ok := text.(*constant)
	if !ok || lit.v.kind != textK || !isPath(path) {
		return nil
	}
	return literal(lit.v.s, whole)
}

// literal is the need of a text in the document; whole: of a string that is
// just this.
func literal(s string, whole bool) *need {
	if s == "" || !writtenAsIs(s) {
		return nil
	}
	// 42 and true would be mistaken for text that looks the same, which has to
	// be reported: without quotes, the need is met by both.
	if whole && !numeric(s) && s != "true" && s != "false" {
		s = `"` + s + `"`
	}
	return &need{text: s}
}

// writtenAsIs reports whether a JSON string of s needs no escape sequence.
func writtenAsIs(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' {
			return false
		}
	}
	return true
}

func isPath(t term) bool {
	_, ok := pathOf(t)
	return ok
}

func pathOf(t term) ([]step, bool) {
	switch t := t.(type) {
	case *inBody:
		return t.path, true
	case *inElement:
		return t.path, t.slot >= 0
	}
	return nil, false
}

// needKey is the need of a value that must not be missing: its key. Functions
// of nothing are nothing.
func needKey(t term) *need {
	switch f := t.(type) {
	case *length:
		return needKey(f.t)
	case *cased:
		return needKey(f.t)
	case *asText:
		return needKey(f.t)
	case *toNumber:
		return needKey(f.t)
	}
	path, ok := pathOf(t)
	if !ok {
		return nil
	}
	long := ""
	for _, s := range path {
		if !s.item && len(s.key) > len(long) && writtenAsIs(s.key) {
			long = s.key
		}
	}
	if long == "" {
		return nil
	}
	return &need{text: `"` + long + `"`, key: true}
}

func needIn(c *isIn) *need {
	if n := needText(c.b, c.a, false); n != nil { // "x" in body.tags
		return n
	}
	lit, ok := c.b.(*constant)
	if !ok || !isPath(c.a) || lit.v.kind != listK {
		return needKey(c.b)
	}
	parts := []need{}
	for i := range *lit.v.list {
		e := &(*lit.v.list)[i]
		n := literal(e.s, true)
		if e.kind != textK || n == nil {
			n = needKey(c.a)
		}
		if n == nil || e.kind == nilK {
			return nil
		}
		parts = append(parts, *n)
	}
	return &need{any: parts}
}

// needQuant: what must be in an element must be in the body, if the list is in
// it.
func needQuant(c *quant) *need {
	if c.of != quantAny || !isPath(c.list) {
		return nil
	}
	list, inner := needKey(c.list), needOf(c.c)
	var parts []need
	for _, n := range []*need{inner, list} {
		if n != nil {
			parts = append(parts, *n)
		}
	}
	return allOf(parts)
}
