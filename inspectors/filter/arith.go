package filter

import (
	"math"
	"strconv"
	"time"
)

// arith is a calculation: + - * / % with numbers, and + - with times and
// durations. With nil it is nil.
type arith struct {
	op    byte
	a, b  term
	where string
}

func (t *arith) eval(st *state) value {
	a, b := t.a.eval(st), t.b.eval(st)
	switch {
	case a.kind == faultK || b.kind == faultK:
		return value{kind: faultK}
	case a.kind == nilK || b.kind == nilK:
		return value{}
	}
	if v, ok := calcTime(t.op, &a, &b); ok {
		return v
	}
	x, okA := asNumber(&a)
	y, okB := asNumber(&b)
	if okA && okB {
		if v, ok := calc(t.op, &x, &y); ok {
			return v
		}
	}
	return st.fail(Fault{where: t.where, code: notNumber, a: a.kind, b: b.kind})
}

// calcTime calculates with times and durations.
func calcTime(op byte, a, b *value) (value, bool) {
	sign := int64(1)
	if op == '-' {
		sign = -1
	} else if op != '+' {
		return value{}, false
	}
	switch {
	case a.kind == timeK && b.kind == timeK && sign < 0:
		return durValue(a.time().Sub(b.time())), true // saturates
	case a.kind == timeK && b.kind == durK:
		return timeValue(a.time().Add(time.Duration(sign * b.n))), true
	case a.kind == durK && b.kind == timeK && sign > 0:
		return timeValue(b.time().Add(time.Duration(a.n))), true
	case a.kind == durK && b.kind == durK:
		return durValue(time.Duration(a.n + sign*b.n)), true
	}
	return value{}, false
}

func (v *value) time() time.Time { return time.Unix(v.n, int64(v.nsec)) }

// calc calculates with numbers: exactly as long as the result is an int64. ok
// is false for a division by zero, as for everything that has no result.
func calc(op byte, a, b *value) (v value, ok bool) {
	if a.kind == intK && b.kind == intK {
		if v, ok = calcInt(op, a.n, b.n); ok || b.n == 0 && (op == '/' || op == '%') {
			return v, ok
		}
	}
	x, y := approx(a), approx(b)
	f := math.NaN()
	switch op {
	case '+':
		f = x + y
	case '-':
		f = x - y
	case '*':
		f = x * y
	case '/':
		f = x / y
	case '%':
		f = math.Mod(x, y)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return value{}, false
	}
	return floatValue(f), true
}

// calcInt calculates with integers; ok is false where the result is none or
// does not fit.
func calcInt(op byte, a, b int64) (value, bool) {
	switch op {
	case '+':
		c := a + b
		return intValue(c), (c > a) == (b > 0)
	case '-':
		c := a - b
		return intValue(c), (c < a) == (b > 0)
	case '*':
		if a == 0 || b == 0 {
			return intValue(0), true
		}
		c := a * b
		return intValue(c), c/b == a && (a != -1 || b != math.MinInt64) && (b != -1 || a != math.MinInt64)
	case '/':
		if b == 0 || b == -1 && a == math.MinInt64 || a%b != 0 {
			return value{}, false
		}
		return intValue(a / b), true
	}
	if b == 0 {
		return value{}, false
	}
	return intValue(a % b), true
}

// approx is a number as a float64.
func approx(v *value) float64 {
	switch v.kind {
	case intK:
		return float64(v.n)
	case floatK:
		return v.float()
	}
	f, _ := strconv.ParseFloat(v.s, 64) // ±Inf beyond its range
	return f
}
