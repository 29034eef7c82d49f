// Package jsondoc is a request document as an editor needs it: a tree that keeps
// the order of keys, numbers as they were written and everything it does not
// know, and that knows where in the text each part stands.
package jsondoc

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Kind is what a value is.
type Kind uint8

const (
	Null Kind = iota
	Bool
	Number
	String
	Object
	List
)

func (k Kind) String() string {
	return [...]string{"null", "true or false", "a number", "a text", "an object", "a list"}[k]
}

// Value is one value of a document.
type Value struct {
	Kind Kind
	Text string   // of a scalar: a string's content, otherwise as it is written
	Keys []string // of an object, beside Kids
	Kids []*Value
	// From and To are the bytes of the text it was parsed from.
	From, To int
}

// NewText makes a string.
func NewText(s string) *Value { return &Value{Kind: String, Text: s} }

// NewNumber makes a number of a text that is one.
func NewNumber(s string) *Value { return &Value{Kind: Number, Text: s} }

// NewBool makes true or false.
func NewBool(b bool) *Value { return &Value{Kind: Bool, Text: strconv.FormatBool(b)} }

// NewNull makes a null.
func NewNull() *Value { return &Value{Kind: Null, Text: "null"} }

// NewObject makes an empty object.
func NewObject() *Value { return &Value{Kind: Object} }

// NewList makes an empty list.
func NewList() *Value { return &Value{Kind: List} }

// Get returns a member of an object, nil if it has none of that name.
func (v *Value) Get(key string) *Value {
	if v == nil {
		return nil
	}
	if i := slices.Index(v.Keys, key); i >= 0 {
		return v.Kids[i]
	}
	return nil
}

// Set sets a member of an object: in its place, or at the end.
func (v *Value) Set(key string, to *Value) {
	if i := slices.Index(v.Keys, key); i >= 0 {
		v.Kids[i] = to
		return
	}
	v.Keys, v.Kids = append(v.Keys, key), append(v.Kids, to)
}

// Remove takes a member out of an object, or an element out of a list.
func (v *Value) Remove(s Step) {
	i := s.Index
	if v.Kind == Object {
		i = slices.Index(v.Keys, s.Key)
	}
	if i < 0 || i >= len(v.Kids) {
		return
	}
	v.Kids = slices.Delete(v.Kids, i, i+1)
	if v.Kind == Object {
		v.Keys = slices.Delete(v.Keys, i, i+1)
	}
}

// Clone copies a value with all that is in it.
func (v *Value) Clone() *Value {
	if v == nil {
		return nil
	}
	out := *v
	out.Keys = slices.Clone(v.Keys)
	out.Kids = make([]*Value, len(v.Kids))
	for i, k := range v.Kids {
		out.Kids[i] = k.Clone()
	}
	return &out
}

// Indent writes a value over lines, two blanks a level. Small lists of scalars
// take a line each like anything else, so that positions are easy to find.
func (v *Value) Indent() string {
	var b strings.Builder
	v.write(&b, 0, true)
	return b.String()
}

// Compact writes a value on one line without blanks.
func (v *Value) Compact() string {
	var b strings.Builder
	v.write(&b, 0, false)
	return b.String()
}

func (v *Value) write(b *strings.Builder, depth int, lines bool) {
	opening, closing := byte('{'), byte('}')
	switch v.Kind {
	case String:
		b.WriteString(Quote(v.Text))
		return
	case List:
		opening, closing = '[', ']'
	case Object:
	default:
		b.WriteString(v.Text)
		return
	}
	b.WriteByte(opening)
	for i, k := range v.Kids {
		if i > 0 {
			b.WriteByte(',')
		}
		if lines {
			newline(b, depth+1)
		}
		if v.Kind == Object {
			b.WriteString(Quote(v.Keys[i]))
			b.WriteByte(':')
			if lines {
				b.WriteByte(' ')
			}
		}
		k.write(b, depth+1, lines)
	}
	if lines && len(v.Kids) > 0 {
		newline(b, depth)
	}
	b.WriteByte(closing)
}

func newline(b *strings.Builder, depth int) {
	b.WriteByte('\n')
	for range depth {
		b.WriteString("  ")
	}
}

// Quote writes a JSON string. Characters that only HTML minds stay as they are.
func Quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return strconv.Quote(s) // cannot be: strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}
