package config

import "slices"

// kind is the type of a YAML value.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindText
	kindList
	kindMap
)

var kindWords = [...]string{"nothing", "true or false", "a number", "a fraction", "text", "a list", "a map"}

func (k kind) String() string { return kindWords[k] }

// node is a YAML value with its place. Aliases share nodes; nobody changes one.
type node struct {
	kind  kind
	at    pos
	raw   string // of scalars: text unquoted, numbers and booleans as written
	items []*node
	pairs []pair
}

// pair is one entry of a map. comment is for writing only.
type pair struct {
	key     string
	at      pos
	value   *node
	comment string
}

func textNode(s string) *node        { return &node{kind: kindText, raw: s} }
func rawNode(k kind, s string) *node { return &node{kind: k, raw: s} }

// set appends an entry to a map that is being built for writing.
func (n *node) set(key string, v *node) { n.pairs = append(n.pairs, pair{key: key, value: v}) }

// child returns the value of a key, nil if there is none.
func (n *node) child(key string) *node {
	if i := slices.IndexFunc(n.pairs, func(p pair) bool { return p.key == key }); i >= 0 {
		return n.pairs[i].value
	}
	return nil
}
