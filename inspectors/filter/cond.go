package filter

import (
	"regexp"
	"slices"
	"strings"
)

// cond is a condition. Its verdict depends on the record alone, never on what
// was evaluated before.
type cond interface {
	judge(st *state) verdict
}

// fixed is a condition that is known.
type fixed bool

func (c fixed) judge(*state) verdict { return truth(bool(c)) }

// all holds when every condition does.
type all []cond

func (c all) judge(st *state) verdict {
	sum := yes
	for _, x := range c {
		switch x.judge(st) {
		case no:
			return no
		case unsure:
			sum = unsure
		}
	}
	return sum
}

// some holds when one of the conditions does.
type some []cond

func (c some) judge(st *state) verdict {
	sum := no
	for _, x := range c {
		switch x.judge(st) {
		case yes:
			return yes
		case unsure:
			sum = unsure
		}
	}
	return sum
}

// not turns a condition around.
type not struct{ cond }

func (c not) judge(st *state) verdict { return c.cond.judge(st).negate() }

// op is a comparison.
type op uint8

const (
	opEqual op = iota
	opDiffer
	opLess
	opLessEqual
	opMore
	opMoreEqual
)

// comparison returns the comparison that is written so.
func comparison(s string) (op, bool) {
	i := slices.Index([]string{"==", "!=", "<", "<=", ">", ">="}, s)
	return op(max(i, 0)), i >= 0
}

// compare compares two terms.
type compare struct {
	op    op
	a, b  term
	where string
}

func (c *compare) judge(st *state) verdict {
	a, b := c.a.eval(st), c.b.eval(st)
	if c.op > opDiffer && (a.kind == nilK || b.kind == nilK) {
		return no
	}
	if a.kind == faultK || b.kind == faultK {
		return unsure
	}
	if c.op == opEqual || c.op == opDiffer {
		v, code := equal(&a, &b)
		if v == unsure {
			return st.unsure(Fault{where: c.where, code: code, a: a.kind, b: b.kind})
		}
		if c.op == opDiffer {
			return v.negate()
		}
		return v
	}
	n, code := order(&a, &b)
	if code != noFault {
		return st.unsure(Fault{where: c.where, code: code, a: a.kind, b: b.kind})
	}
	switch c.op {
	case opLess:
		return truth(n < 0)
	case opLessEqual:
		return truth(n <= 0)
	case opMore:
		return truth(n > 0)
	}
	return truth(n >= 0)
}

// isTrue is a term used as a condition.
type isTrue struct {
	t     term
	where string
}

func (c *isTrue) judge(st *state) verdict {
	v := c.t.eval(st)
	switch {
	case v.kind == boolK:
		return truth(v.n == 1)
	case v.kind == nilK:
		return no
	case v.kind == faultK:
		return unsure
	case v.kind == looseK && (v.s == "true" || v.s == "false"):
		return truth(v.s == "true")
	}
	return st.unsure(Fault{where: c.where, code: notBool, a: v.kind})
}

// textOp is a search in text.
type textOp uint8

const (
	opContains textOp = iota
	opStarts
	opEnds
)

// textOperator returns the search that is written so.
func textOperator(s string) (textOp, bool) {
	i := slices.Index([]string{"contains", "startsWith", "endsWith"}, s)
	return textOp(max(i, 0)), i >= 0
}

// search looks for text in text. A list contains its elements, an object its
// keys.
type search struct {
	op    textOp
	a, b  term
	where string
}

func (c *search) judge(st *state) verdict {
	a, b := c.a.eval(st), c.b.eval(st)
	if a.kind == nilK || b.kind == nilK {
		return no
	}
	if a.kind == faultK || b.kind == faultK {
		return unsure
	}
	part, ok := b.text()
	if !ok || b.part {
		return st.unsure(Fault{where: c.where, code: notText, a: b.kind})
	}
	whole, ok := a.text()
	if !ok {
		if c.op == opContains {
			return member(st, &b, &a, c.where)
		}
		return st.unsure(Fault{where: c.where, code: notText, a: a.kind})
	}
	found := false
	switch c.op {
	case opContains:
		found = strings.Contains(whole, part)
	case opStarts:
		found = strings.HasPrefix(whole, part)
	case opEnds:
		found = strings.HasSuffix(whole, part) && !a.part
	}
	if !found && a.part {
		return st.unsure(Fault{where: c.where, code: cutShort})
	}
	return truth(found)
}

// matches searches for a regular expression.
type matches struct {
	a     term
	re    *regexp.Regexp
	atEnd bool // the expression looks at what follows a match
	where string
}

func (c *matches) judge(st *state) verdict {
	a := c.a.eval(st)
	switch a.kind {
	case faultK:
		return unsure
	case nilK:
		return no
	}
	s, ok := a.text()
	if !ok {
		return st.unsure(Fault{where: c.where, code: notText, a: a.kind})
	}
	st.charge(len(s) * matching)
	found := c.re.MatchString(s)
	if a.part && (!found || c.atEnd) {
		return st.unsure(Fault{where: c.where, code: cutShort})
	}
	return truth(found)
}
