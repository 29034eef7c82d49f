// Package tree holds JSON and YAML documents with the line of every value, so
// that contracts written in them can be compared value by value, also those
// that no typed reader would accept whole.
package tree

import (
	"fmt"
	"strings"
)

// Kind is what a node is.
type Kind uint8

const (
	Null Kind = iota + 1
	Bool
	Number
	String
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"nothing", "null", "boolean", "number", "string", "list", "object"}[k]
}

// Node is one value. A nil *Node is one that is absent; its methods say so.
type Node struct {
	Kind      Kind
	Line, Col int32 // from 1
	// Cut says that the document broke off within this list or object: what is
	// not in it may still be in the document.
	Cut   bool
	Text  string // of strings, numbers and booleans
	Keys  []string
	Items []*Node
	index map[string]int // of large objects
}

// indexFrom is the number of keys from which an object is indexed.
const indexFrom = 12

func (n *Node) add(key string, v *Node) {
	if n.index == nil && len(n.Keys) >= indexFrom {
		n.index = make(map[string]int, 2*indexFrom)
		for i := len(n.Keys) - 1; i >= 0; i-- {
			n.index[n.Keys[i]] = i
		}
	}
	if n.index != nil {
		if _, twice := n.index[key]; !twice {
			n.index[key] = len(n.Keys)
		}
	}
	n.Keys, n.Items = append(n.Keys, key), append(n.Items, v)
}

// Get returns a member of an object, nil if there is none. Of a key that stands
// twice it is the first.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Map {
		return nil
	}
	if n.index != nil {
		if i, ok := n.index[key]; ok {
			return n.Items[i]
		}
		return nil
	}
	for i, k := range n.Keys {
		if k == key {
			return n.Items[i]
		}
	}
	return nil
}

// Str returns the text of a string member, "" if there is none.
func (n *Node) Str(key string) string {
	if m := n.Get(key); m != nil && m.Kind == String {
		return m.Text
	}
	return ""
}

// True reports whether a member is true.
func (n *Node) True(key string) bool {
	m := n.Get(key)
	return m != nil && m.Kind == Bool && m.Text == "true"
}

// IsMap reports whether n is an object.
func (n *Node) IsMap() bool { return n != nil && n.Kind == Map }

// IsCut reports whether what n lacks may be in the part that was not read.
func (n *Node) IsCut() bool { return n != nil && n.Cut }

// At returns the line of a node, 0 for one that is absent.
func (n *Node) At() int {
	if n == nil {
		return 0
	}
	return int(n.Line)
}

// List returns the items of a list, none for anything else.
func (n *Node) List() []*Node {
	if n == nil || n.Kind != List {
		return nil
	}
	return n.Items
}

// Strings returns the strings of a list, or a lone string.
func (n *Node) Strings() (out []string) {
	if n != nil && n.Kind == String {
		return []string{n.Text}
	}
	for _, i := range n.List() {
		if i.Kind == String {
			out = append(out, i.Text)
		}
	}
	return out
}

// Follow resolves a JSON pointer (RFC 6901) within n.
func (n *Node) Follow(pointer string) *Node {
	for pointer != "" && n != nil {
		if pointer[0] != '/' {
			return nil
		}
		part := pointer[1:]
		rest := ""
		if i := strings.IndexByte(part, '/'); i >= 0 {
			part, rest = part[:i], part[i:]
		}
		part = strings.ReplaceAll(strings.ReplaceAll(unescape(part), "~1", "/"), "~0", "~")
		switch n.Kind {
		case Map:
			n = n.Get(part)
		case List:
			n = n.item(part)
		default:
			return nil
		}
		pointer = rest
	}
	return n
}

func (n *Node) item(text string) *Node {
	i := 0
	for _, c := range []byte(text) {
		if c < '0' || c > '9' || i > len(n.Items) {
			return nil
		}
		i = i*10 + int(c-'0')
	}
	if text == "" || i >= len(n.Items) {
		return nil
	}
	return n.Items[i]
}

// unescape undoes percent encoding in a URI fragment.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && hex(s[i+1]) >= 0 && hex(s[i+2]) >= 0 {
			b.WriteByte(byte(hex(s[i+1])<<4 | hex(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// JSON writes a value in one line, at most about n bytes of it.
func (n *Node) JSON(limit int) string {
	var b strings.Builder
	n.write(&b, limit)
	if s := b.String(); len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(b.String()[:limit], "") + "…"
}

func (n *Node) write(b *strings.Builder, limit int) {
	if b.Len() > limit {
		return
	}
	switch {
	case n == nil:
	case n.Kind == String:
		b.WriteString(quoted(n.Text))
	case n.Kind == List:
		b.WriteByte('[')
		for i, v := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			v.write(b, limit)
		}
		b.WriteByte(']')
	case n.Kind == Map:
		b.WriteByte('{')
		for i, v := range n.Items {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(quoted(n.Keys[i]) + ":")
			v.write(b, limit)
		}
		b.WriteByte('}')
	case n.Kind == Null:
		b.WriteString("null")
	default:
		b.WriteString(n.Text)
	}
}

func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// Equal reports whether two values are the same. The order of keys does not
// matter; numbers are compared as they are written.
func Equal(a, b *Node) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	if a.Kind != b.Kind || a.Text != b.Text || len(a.Items) != len(b.Items) {
		return false
	}
	for i := range a.Items {
		other := b.Items[i]
		if a.Kind == Map && b.Keys[i] != a.Keys[i] {
			if other = b.Get(a.Keys[i]); other == nil {
				return false
			}
		}
		if !Equal(a.Items[i], other) {
			return false
		}
	}
	return true
}

// Fault is where a document breaks.
type Fault struct {
	Line, Col int
	Text      string
}

func (f *Fault) Error() string { return fmt.Sprintf("line %d:%d: %s", f.Line, f.Col, f.Text) }
