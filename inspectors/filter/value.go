package filter

import (
	"math"
	"strconv"
	"time"
	"unsafe"
)

// kind is what a value is at run time.
type kind uint8

const (
	nilK    kind = iota // missing, or JSON's null
	faultK              // could not be had; the state knows why
	boolK               // n is 0 or 1
	intK                // n
	floatK              // n holds the bits
	bigK                // an integer beyond int64: s holds its digits
	textK               // s
	looseK              // s: text that stands for a number where it reads as one
	timeK               // n seconds since 1970, and nsec
	durK                // n nanoseconds
	arrayK              // s is a JSON array
	objectK             // s is a JSON object
	listK               // list
	headerK             // the headers of the record
	attrK               // its attributes
)

var kindNames = [...]string{"nothing", "unknown", "true or false", "a number", "a number", "a number", "text", "text", "a time", "a duration",
	"a list", "an object", "a list", "the headers", "the attributes"}

func (k kind) String() string { return kindNames[k] }

// value is what a term evaluates to. Its text may alias the record and is not
// kept beyond one evaluation.
type value struct {
	kind kind
	part bool // s is the beginning of a text that was cut
	nsec int32
	n    int64
	s    string // of JSON numbers too: the digits as they were sent
	list *[]value
}

func textValue(s string) value  { return value{kind: textK, s: s} }
func intValue(n int64) value    { return value{kind: intK, n: n} }
func looseValue(s string) value { return value{kind: looseK, s: s} }

func floatValue(f float64) value { return value{kind: floatK, n: int64(math.Float64bits(f))} }

func durValue(d time.Duration) value { return value{kind: durK, n: int64(d)} }

func boolValue(b bool) value {
	if b {
		return value{kind: boolK, n: 1}
	}
	return value{kind: boolK}
}

// timeValue is nil for the zero time: the source said nothing.
func timeValue(t time.Time) value {
	if t.IsZero() {
		return value{}
	}
	return value{kind: timeK, n: t.Unix(), nsec: int32(t.Nanosecond())}
}

func (v *value) float() float64 { return math.Float64frombits(uint64(v.n)) }

func (v *value) number() bool { return v.kind == intK || v.kind == floatK || v.kind == bigK }

// text returns the text of a scalar, numbers as they were sent.
func (v *value) text() (string, bool) {
	switch v.kind {
	case textK, looseK, bigK:
		return v.s, true
	case boolK:
		return strconv.FormatBool(v.n == 1), true
	case intK:
		if v.s == "" {
			return strconv.FormatInt(v.n, 10), true
		}
		return v.s, true
	case floatK:
		if v.s == "" {
			return strconv.FormatFloat(v.float(), 'g', -1, 64), true
		}
		return v.s, true
	}
	return "", false
}

// view is b as a string, without a copy: records are immutable.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesValue is the text of a key or body, nil where there is none.
func bytesValue(b []byte, k kind) value {
	if b == nil {
		return value{}
	}
	return value{kind: k, s: view(b)}
}
