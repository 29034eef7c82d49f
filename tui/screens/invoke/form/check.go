package form

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"iscope/probes"
	"iscope/tui/screens/invoke/jsondoc"
)

// Problem is something wrong in the document.
type Problem struct {
	Path jsondoc.Path
	Text string
}

// Check holds the document against its shapes and lists everything that is wrong
// at once. What the contract does not know is not wrong here: whoever sends it
// judges that.
func (f *Form) Check() []Problem {
	c := checker{form: f}
	if f.Doc != nil {
		c.value(&f.Shapes.Root, nil, f.Doc)
	} else if root := &f.Shapes.Root; root.Kind == probes.ShapeObject {
		c.fields(root, nil, jsondoc.NewObject())
	}
	return c.problems
}

type checker struct {
	form     *Form
	problems []Problem
	// trying: it is being found out which variant of a union is meant. Unions
	// within are not tried then, which would be exponential.
	trying bool
}

func (c *checker) add(p jsondoc.Path, format string, args ...any) {
	c.problems = append(c.problems, Problem{slices.Clone(p), fmt.Sprintf(format, args...)})
}

func (c *checker) value(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) {
	if s.Kind == probes.ShapeUnion {
		if meant := c.form.resolve(s, p, v); !c.trying && meant.Kind != probes.ShapeUnion {
			c.value(meant, p, v)
		}
		return
	}
	if v.Kind == jsondoc.Null { // null is the same as not set to protobuf, and to JSON Schema a matter of the server's
		return
	}
	switch s.Kind {
	case probes.ShapeObject:
		if c.is(v, jsondoc.Object, p) && s.Of != "" {
			c.fields(s, p, v)
		}
	case probes.ShapeList:
		if c.is(v, jsondoc.List, p) && s.Elem != nil {
			for i, k := range v.Kids {
				c.value(s.Elem, p.Element(i), k)
			}
		}
	case probes.ShapeMap:
		c.entries(s, p, v)
	default:
		if why := scalar(s, v); why != "" {
			c.add(p, "%s", why)
		}
	}
}

func (c *checker) is(v *jsondoc.Value, k jsondoc.Kind, p jsondoc.Path) bool {
	if v.Kind != k {
		c.add(p, "expected %s, this is %s", k, v.Kind)
	}
	return v.Kind == k
}

func (c *checker) fields(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) {
	fields := c.form.Shapes.Fields(s)
	for i := range fields {
		key, value := member(v, fields[i].Name)
		switch {
		case value != nil:
			c.value(&fields[i], p.Member(key), value)
		case fields[i].Required:
			c.add(p.Member(key), "required")
		}
	}
	c.groups(fields, p, v)
}

// groups: of a oneof's fields at most one is set.
func (c *checker) groups(fields []probes.Shape, p jsondoc.Path, v *jsondoc.Value) {
	first := map[string]string{}
	for i := range fields {
		group := fields[i].Group
		if group == "" {
			continue
		}
		key, value := member(v, fields[i].Name)
		switch {
		case value == nil || value.Kind == jsondoc.Null:
		case first[group] == "":
			first[group] = key
		default:
			c.add(p.Member(key), "%s is set as well; of %s only one may be", first[group], group)
		}
	}
}

func (c *checker) entries(s *probes.Shape, p jsondoc.Path, v *jsondoc.Value) {
	if !c.is(v, jsondoc.Object, p) {
		return
	}
	for i, k := range v.Keys {
		if s.Keys == probes.ShapeInteger && !wholeNumber(k) {
			c.add(p.Member(k), "the key has to be a whole number")
		}
		if s.Keys == probes.ShapeBool && k != "true" && k != "false" {
			c.add(p.Member(k), "the key has to be true or false")
		}
		if s.Elem != nil {
			c.value(s.Elem, p.Member(k), v.Kids[i])
		}
	}
}

// scalar says what is wrong with a value that has nothing below it; "" if it is
// right.
func scalar(s *probes.Shape, v *jsondoc.Value) string {
	text := v.Kind == jsondoc.String
	switch s.Kind {
	case probes.ShapeString, probes.ShapeFile, probes.ShapeFieldMask:
		if !text {
			return "expected a text in quotes, this is " + v.Kind.String()
		}
	case probes.ShapeInteger:
		return integer(s, v)
	case probes.ShapeNumber:
		if v.Kind != jsondoc.Number && !(text && (jsondoc.IsNumber(v.Text) || slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, v.Text))) {
			return "expected a number"
		}
	case probes.ShapeBool:
		if v.Kind != jsondoc.Bool {
			return "expected true or false"
		}
	case probes.ShapeEnum:
		return enum(s, v)
	case probes.ShapeBytes:
		if _, err := Bytes(v.Text); !text || err != nil && !strings.HasPrefix(v.Text, "@") {
			return "expected base64, hex:…, text:… or @file"
		}
	case probes.ShapeTime:
		if _, err := Time(v.Text, time.Time{}); !text || err != nil {
			return "expected a time: 2026-01-02T15:04:05Z, now, now-1h"
		}
	case probes.ShapeDuration:
		if _, err := Duration(v.Text); !text || err != nil {
			return "expected a duration: 1.5s, 250ms, 1h30m"
		}
	}
	return ""
}

func wholeNumber(s string) bool {
	_, ok := new(big.Int).SetString(s, 10)
	return ok
}

// bounds are the limits of the integer types that contracts name, in bits and
// with a sign or without.
func bounds(name string) (bits uint, signed, ok bool) {
	switch strings.ToLower(name) {
	case "int32", "sint32", "sfixed32", "int", "google.protobuf.int32value":
		return 32, true, true
	case "uint32", "fixed32", "google.protobuf.uint32value":
		return 32, false, true
	case "int64", "sint64", "sfixed64", "google.protobuf.int64value":
		return 64, true, true
	case "uint64", "fixed64", "google.protobuf.uint64value":
		return 64, false, true
	}
	return 0, false, false
}

func integer(s *probes.Shape, v *jsondoc.Value) string {
	n, ok := new(big.Int).SetString(v.Text, 10)
	if !ok && v.Kind == jsondoc.Number { // 1e3 and 2.0 are whole too
		if r, isRat := new(big.Rat).SetString(v.Text); isRat && len(v.Text) < 30 && r.IsInt() {
			n, ok = r.Num(), true
		}
	}
	if !ok || v.Kind != jsondoc.Number && v.Kind != jsondoc.String {
		return "expected a whole number"
	}
	bits, signed, known := bounds(s.Type)
	if !known {
		return ""
	}
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), bits)
	if signed {
		high.Rsh(high, 1)
		low.Neg(high)
	}
	if n.Cmp(low) < 0 || n.Cmp(high) >= 0 {
		return fmt.Sprintf("out of the range of %s: %s to %s", s.Type, low, high.Sub(high, big.NewInt(1)))
	}
	return ""
}

// enum: protobuf takes an enum's number as well, also one it does not know.
func enum(s *probes.Shape, v *jsondoc.Value) string {
	written := v.Compact()
	if slices.ContainsFunc(s.Choices, func(c probes.Choice) bool { return c.Value == written }) {
		return ""
	}
	if v.Kind == jsondoc.Number && wholeNumber(v.Text) && strings.Contains(s.Type, ".") {
		return ""
	}
	names := make([]string, 0, 4)
	for i, c := range s.Choices {
		if i == 3 {
			names = append(names, fmt.Sprintf("… %d more", len(s.Choices)-3))
			break
		}
		names = append(names, Unquote(c.Value))
	}
	return "none of the choices: " + strings.Join(names, ", ")
}

// Unquote is a JSON scalar as a person would say it.
func Unquote(doc string) string {
	if v := jsondoc.Of([]byte(doc)); v != nil && v.Kind <= jsondoc.String {
		return v.Text
	}
	return doc
}

// decode reads base64 of any of its forms, as protobuf's JSON does.
func decode(s string) ([]byte, error) {
	enc := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.RawURLEncoding
	}
	return enc.DecodeString(strings.TrimRight(s, "="))
}
