package filter

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// parseNumber reads a decimal number and keeps its digits. What overflows int64
// stays exact as digits; fractions and exponents become a float64.
func parseNumber(s string) (value, bool) {
	if !numeric(s) {
		return value{}, false
	}
	if strings.ContainsAny(s, ".eE") {
		f, _ := strconv.ParseFloat(s, 64) // beyond the range: ±Inf, which compares as it should
		v := floatValue(f)
		v.s = s
		return v, true
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return value{kind: intK, n: n, s: s}, true
	}
	return value{kind: bigK, s: s}, true
}

// numeric reports whether s is a decimal number, as in JSON but for leading
// zeros and a plus.
func numeric(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	whole := digits(s)
	if whole == 0 {
		return false
	}
	s = s[whole:]
	if len(s) > 1 && s[0] == '.' {
		n := digits(s[1:])
		if n == 0 {
			return false
		}
		s = s[1+n:]
	}
	if len(s) > 1 && (s[0] == 'e' || s[0] == 'E') {
		s = s[1:]
		if s[0] == '-' || s[0] == '+' {
			s = s[1:]
		}
		n := digits(s)
		return n > 0 && n == len(s)
	}
	return s == ""
}

// digits counts the digits at the beginning of s.
func digits(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

// compareNumbers orders two numbers exactly.
func compareNumbers(a, b *value) int {
	switch {
	case a.kind == intK && b.kind == intK:
		return cmp.Compare(a.n, b.n)
	case a.kind == floatK && b.kind == floatK:
		return cmp.Compare(a.float(), b.float())
	case a.kind == intK && b.kind == floatK:
		return compareIntFloat(a.n, b.float())
	case a.kind == floatK && b.kind == intK:
		return -compareIntFloat(b.n, a.float())
	case a.kind == bigK && b.kind == bigK:
		return compareDigits(a.s, b.s)
	case a.kind == bigK:
		return -compareBig(b, a.s)
	}
	return compareBig(a, b.s)
}

// compareIntFloat orders an integer and a float without rounding either.
func compareIntFloat(n int64, f float64) int {
	const limit = 1 << 63 // as a float64 exactly
	switch {
	case f >= limit:
		return -1
	case f < -limit:
		return 1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(n, int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(0, f-whole)
}

// compareBig orders a number and an integer beyond int64.
func compareBig(a *value, big string) int {
	sign := -1
	if big[0] == '-' {
		sign = 1
	}
	if a.kind == intK {
		return sign
	}
	f, _ := strconv.ParseFloat(big, 64)
	return cmp.Compare(a.float(), f)
}

// compareDigits orders two integers by their digits.
func compareDigits(a, b string) int {
	minus := strings.HasPrefix(a, "-")
	if minus != strings.HasPrefix(b, "-") {
		if minus {
			return -1
		}
		return 1
	}
	a, b = strings.TrimLeft(a, "+-0"), strings.TrimLeft(b, "+-0")
	c := cmp.Compare(len(a), len(b))
	if c == 0 {
		c = strings.Compare(a, b)
	}
	if minus {
		return -c
	}
	return c
}
