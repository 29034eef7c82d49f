package filter

import (
	"cmp"
	"strconv"
	"strings"
	"time"
)

// verdict is a truth value of Kleene's logic.
type verdict uint8

const (
	no verdict = iota
	yes
	unsure
)

func truth(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// negate turns no and yes around.
func (v verdict) negate() verdict {
	switch v {
	case no:
		return yes
	case yes:
		return no
	}
	return unsure
}

// equal compares two values of any kind. Values of different types are
// different; only where they would look the same is the verdict left open,
// because then somebody has mistaken the type.
func equal(a, b *value) (verdict, faultCode) {
	switch {
	case a.kind == nilK || b.kind == nilK:
		return truth(a.kind == b.kind), noFault
	case a.number() && b.number():
		return truth(compareNumbers(a, b) == 0), noFault
	case a.kind == looseK && b.kind != looseK:
		return equalLoose(a, b)
	case b.kind == looseK && a.kind != looseK:
		return equalLoose(b, a)
	case a.kind == timeK || a.kind == durK || b.kind == timeK || b.kind == durK:
		c, code := order(a, b)
		return asEqual(c, code)
	case a.kind == boolK && b.kind == boolK:
		return truth(a.n == b.n), noFault
	}
	s, okA := a.text()
	t, okB := b.text()
	switch {
	case !okA || !okB:
		return equalLists(a, b)
	case a.part || b.part:
		return unsure, cutShort
	case a.kind == b.kind || a.kind == looseK:
		return truth(s == t), noFault
	case s == t:
		return unsure, alike
	}
	return no, noFault
}

func asEqual(c int, code faultCode) (verdict, faultCode) {
	if code != noFault {
		return unsure, code
	}
	return truth(c == 0), noFault
}

// equalLoose compares text that has no type of its own with a typed value.
func equalLoose(loose, b *value) (verdict, faultCode) {
	switch b.kind {
	case intK, floatK, bigK:
		n, ok := parseNumber(loose.s)
		return truth(ok && compareNumbers(&n, b) == 0), noFault
	case boolK:
		return truth(loose.s == strconv.FormatBool(b.n == 1)), noFault
	case textK:
		if b.part {
			return unsure, cutShort
		}
		return truth(loose.s == b.s), noFault
	case timeK, durK:
		c, code := order(loose, b)
		return asEqual(c, code)
	}
	return no, noFault
}

// equalLists compares a list with a literal one, element by element. Two values
// of a document that are no scalars have too many ways of being equal.
func equalLists(a, b *value) (verdict, faultCode) {
	if a.kind != listK && b.kind != listK && a.kind >= arrayK && b.kind >= arrayK {
		return unsure, badOrder
	}
	x, okA := elements(*a)
	y, okB := elements(*b)
	if !okA || !okB || len(x) != len(y) {
		return no, noFault
	}
	all, why := yes, noFault
	for i := range x {
		switch v, code := equal(&x[i], &y[i]); v {
		case no:
			return no, noFault
		case unsure:
			all, why = unsure, code
		}
	}
	return all, why
}

// order compares two values that have an order. The caller has dealt with nil.
func order(a, b *value) (int, faultCode) {
	switch {
	case a.number() && b.number():
		return compareNumbers(a, b), noFault
	case a.kind == timeK || b.kind == timeK:
		x, code := asTime(a)
		if code != noFault {
			return 0, code
		}
		y, code := asTime(b)
		return orderByNumber(&x, &y), code
	case a.kind == durK || b.kind == durK:
		x, code := asDuration(a)
		if code != noFault {
			return 0, code
		}
		y, code := asDuration(b)
		return orderByNumber(&x, &y), code
	case a.part || b.part:
		return 0, cutShort
	case a.kind == textK && (b.kind == textK || b.kind == looseK), a.kind == looseK && b.kind == textK:
		return strings.Compare(a.s, b.s), noFault
	case a.kind == looseK || b.kind == looseK:
		return orderLoose(a, b)
	}
	return 0, badOrder
}

// orderLoose compares where at least one side is text that may be a number and
// neither is plain text.
func orderLoose(a, b *value) (int, faultCode) {
	x, okA := asNumber(a)
	y, okB := asNumber(b)
	switch {
	case okA && okB:
		return compareNumbers(&x, &y), noFault
	case a.kind == looseK && b.kind == looseK:
		return strings.Compare(a.s, b.s), noFault
	}
	return 0, badOrder
}

// asNumber reads a number, from loose text too.
func asNumber(v *value) (value, bool) {
	if v.kind == looseK {
		return parseNumber(v.s)
	}
	return *v, v.number()
}

// orderByNumber orders two times or two durations.
func orderByNumber(a, b *value) int {
	if c := cmp.Compare(a.n, b.n); c != 0 {
		return c
	}
	return cmp.Compare(a.nsec, b.nsec)
}

func asTime(v *value) (value, faultCode) {
	switch v.kind {
	case timeK:
		return *v, noFault
	case textK, looseK:
		if t, err := time.Parse(time.RFC3339Nano, v.s); err == nil {
			return value{kind: timeK, n: t.Unix(), nsec: int32(t.Nanosecond())}, noFault
		}
		return value{}, notTime
	}
	return value{}, badOrder
}

func asDuration(v *value) (value, faultCode) {
	switch v.kind {
	case durK:
		return *v, noFault
	case textK, looseK:
		if d, err := time.ParseDuration(v.s); err == nil {
			return durValue(d), noFault
		}
		return value{}, notTime
	}
	return value{}, badOrder
}
