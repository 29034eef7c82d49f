package jsonschema

import (
	"encoding/json"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// maxExponent bounds the numbers that are computed with: 1e999999999 is eleven
// bytes, and takes 400 MB as an exact fraction.
const maxExponent = 2000

// numberOf returns the exact value of a JSON number. ok is false for other types;
// the value is nil if it is out of bounds.
func numberOf(v any) (value *big.Rat, ok bool) {
	switch v := v.(type) {
	case json.Number:
		return exact(string(v)), true
	case float64:
		return new(big.Rat).SetFloat64(v), true
	case int:
		return new(big.Rat).SetInt64(int64(v)), true
	case int64:
		return new(big.Rat).SetInt64(v), true
	}
	return nil, false
}

func exact(text string) *big.Rat {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if n, err := strconv.Atoi(strings.TrimPrefix(text[i+1:], "+")); err != nil || n > maxExponent || n < -maxExponent {
			return nil
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil
	}
	return r
}

// whole tells whether a number is an integer: 1.0 is one since draft 6, and every
// reader takes it for one.
func whole(v any) bool {
	if n, ok := v.(json.Number); ok && !strings.ContainsAny(string(n), ".eE") {
		return true
	}
	r, _ := numberOf(v)
	return r != nil && r.IsInt()
}

// canonical writes a value down so that equal values are equal texts: 1 and 1.0,
// objects in any order.
func canonical(v any) string { return string(appendCanonical(nil, v)) }

func appendCanonical(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return strconv.AppendQuote(b, v)
	case []any:
		b = append(b, '[')
		for _, item := range v {
			b = append(appendCanonical(b, item), ',')
		}
		return append(b, ']')
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		b = append(b, '{')
		for _, name := range names {
			b = append(strconv.AppendQuote(b, name), ':')
			b = append(appendCanonical(b, v[name]), ',')
		}
		return append(b, '}')
	case json.Number:
		if r := exact(string(v)); r != nil {
			return append(b, r.RatString()...)
		}
		return append(b, v...)
	}
	if r, ok := numberOf(v); ok && r != nil {
		return append(b, r.RatString()...)
	}
	return b
}
