// Package yamltree reads YAML into a small tree: values with their places, with
// anchors, aliases and merge keys followed, and everything wrong with the text
// collected instead of only its first mistake. It is the only package that knows
// the YAML library. What a file may hold is for the readers of the tree to say.
package yamltree

import "slices"

// Kind is the type of a YAML value. Scalars come before the others.
type Kind uint8

const (
	Null Kind = iota
	Bool
	Int
	Float
	Text
	List
	Map
)

// String words the kind for a message: "expected text, found a list".
func (k Kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "a fraction", "text", "a list", "a map"}[k]
}

// Pos is a place in a file, from 1. The zero Pos is no place: that of a value
// which is not written, or of a node that was made to be written.
type Pos struct{ Line, Column int }

// Node is a value with its place. Aliases share nodes, so that nobody may change
// one that comes from Parse.
type Node struct {
	Kind    Kind
	Pos     Pos
	Raw     string  // of scalars: text unquoted, numbers and booleans as written
	Items   []*Node // of a list
	Entries []Entry // of a map, in the order of the file, every key once

	// FirstKey is where the first key of a map stands. Pos is the opening brace
	// of a map that has one, and the first colon of one that has none.
	// Zero if the map is empty.
	FirstKey Pos

	size int // nodes of the tree below and including this one
}

// Entry is one key of a map. Comment is for writing; Parse leaves it empty.
type Entry struct {
	Key     string
	Pos     Pos
	Value   *Node
	Comment string
}

// Set appends an entry to a map that is being built for writing.
func (n *Node) Set(key string, v *Node) { n.Entries = append(n.Entries, Entry{Key: key, Value: v}) }

// Child returns the value of a key, nil if there is none.
func (n *Node) Child(key string) *Node {
	if i := slices.IndexFunc(n.Entries, func(e Entry) bool { return e.Key == key }); i >= 0 {
		return n.Entries[i].Value
	}
	return nil
}
