package jsondoc

import (
	"slices"
	"strconv"
	"strings"
)

// Step is one step into a document: a member's name, or an element's index.
type Step struct {
	Key   string
	Index int // of an element; -1 for a member
}

// Path is where in a document something is. The root is the empty one.
type Path []Step

// Member is the path of a member. It shares nothing with p.
func (p Path) Member(key string) Path { return append(slices.Clip(p), Step{key, -1}) }

// Element is the path of an element. It shares nothing with p.
func (p Path) Element(i int) Path { return append(slices.Clip(p), Step{"", i}) }

// String writes it as people do: "items[0].sku". A name that is no plain word is
// in quotes.
func (p Path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.Index >= 0:
			b.WriteString("[" + strconv.Itoa(s.Index) + "]")
		case plainName(s.Key):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.Key)
		default:
			b.WriteString("[" + strconv.Quote(s.Key) + "]")
		}
	}
	return b.String()
}

func plainName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || strings.ContainsRune(`.[]"`, r)
	}) < 0
}

// At returns what is at a path, nil if there is nothing.
func (v *Value) At(p Path) *Value {
	for _, s := range p {
		v = v.step(s)
	}
	return v
}

func (v *Value) step(s Step) *Value {
	switch {
	case v == nil:
		return nil
	case s.Index < 0:
		return v.Get(s.Key)
	case v.Kind != List || s.Index >= len(v.Kids):
		return nil
	}
	return v.Kids[s.Index]
}

// Put puts a value at a path below root and returns the root. Objects and lists
// on the way are made where they are missing or something else stands there.
func Put(root *Value, p Path, to *Value) *Value {
	if len(p) == 0 {
		return to
	}
	s := p[0]
	if s.Index < 0 {
		if root == nil || root.Kind != Object {
			root = NewObject()
		}
		root.Set(s.Key, Put(root.Get(s.Key), p[1:], to))
		return root
	}
	if root == nil || root.Kind != List {
		root = NewList()
	}
	for len(root.Kids) <= s.Index {
		root.Kids = append(root.Kids, NewNull())
	}
	root.Kids[s.Index] = Put(root.Kids[s.Index], p[1:], to)
	return root
}

// Remove takes away what is at a path; the root cannot be removed.
func Remove(root *Value, p Path) {
	if len(p) == 0 {
		return
	}
	if in := root.At(p[:len(p)-1]); in != nil {
		in.Remove(p[len(p)-1])
	}
}

// Find is the path of the innermost value at an offset of the text.
func (v *Value) Find(offset int) Path {
	var p Path
	for v != nil {
		i := slices.IndexFunc(v.Kids, func(k *Value) bool { return offset < k.To })
		if i < 0 {
			return p
		}
		if v.Kind == Object {
			p = p.Member(v.Keys[i])
		} else {
			p = p.Element(i)
		}
		v = v.Kids[i]
		if offset < v.From {
			return p // on its name, or the blank before it
		}
	}
	return p
}
