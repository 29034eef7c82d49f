package yamltree

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxAliased bounds the nodes that aliases may repeat: a small file could blow
// up to any size.
const maxAliased = 100_000

// Options is what the files differ in.
type Options struct {
	// Merge follows merge keys (<<); without it, one is a fault of cause Key.
	Merge bool
	// Duplicates also reads the value of a key that is given again, for its
	// faults and anchors. The fault that the key is counts either way.
	Duplicates bool
}

// Parse reads the first document of a text. The tree is nil if the text is
// empty, and if it is no YAML at all, which is a fault. The time it takes is
// quadratic in the depth of the text (the library's doing), and it cannot be
// interrupted: callers bound the size.
func Parse(src []byte, o Options) (*Node, []Fault) {
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, []Fault{syntaxFault(src, err)}
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) == 0 {
		return nil, nil
	}
	r := reader{options: o, anchors: map[string]*Node{}}
	if n := len(bodies); n > 1 {
		r.faults = append(r.faults, Fault{Cause: Documents, Pos: place(bodies[1].GetToken()), Count: n,
			Message: fmt.Sprintf("the file holds %d YAML documents; one is expected", n)})
	}
	root := r.node(bodies[0])
	return root, r.faults
}

// reader converts the library's tree. An anchor is known only after its value
// has been read, so that aliases cannot form a circle.
type reader struct {
	options Options
	faults  []Fault
	anchors map[string]*Node
	aliased int // nodes that aliases have repeated
}

func (r *reader) node(n ast.Node) *Node {
	if n == nil {
		return &Node{size: 1}
	}
	at := place(n.GetToken())
	switch n := n.(type) {
	case *ast.NullNode:
		return scalar(Null, at, "")
	case *ast.BoolNode:
		return scalar(Bool, at, n.Token.Value)
	case *ast.IntegerNode:
		return scalar(Int, at, n.Token.Value)
	case *ast.FloatNode:
		return scalar(Float, at, n.Token.Value)
	case *ast.InfinityNode, *ast.NanNode:
		return scalar(Float, at, n.GetToken().Value)
	case *ast.StringNode:
		return scalar(Text, at, n.Value)
	case *ast.LiteralNode:
		return scalar(Text, at, n.Value.Value)
	case *ast.SequenceNode:
		return r.list(at, n.Values)
	case *ast.MappingNode:
		return r.mapping(at, n.Values)
	case *ast.MappingValueNode:
		return r.mapping(place(n.Key.GetToken()), []*ast.MappingValueNode{n})
	case *ast.AnchorNode:
		v := r.node(n.Value)
		if n.Name != nil {
			r.anchors[n.Name.GetToken().Value] = v
		}
		return v
	case *ast.AliasNode:
		return r.alias(at, n)
	}
	r.add(Content, at, "%s is not supported here", strings.ToLower(n.Type().String()))
	return scalar(Null, at, "")
}

func scalar(k Kind, at Pos, raw string) *Node { return &Node{Kind: k, Pos: at, Raw: raw, size: 1} }

func (r *reader) list(at Pos, values []ast.Node) *Node {
	list := &Node{Kind: List, Pos: at, size: 1}
	for _, v := range values {
		item := r.node(v)
		list.Items = append(list.Items, item)
		list.size += item.size
	}
	return list
}

func (r *reader) alias(at Pos, n *ast.AliasNode) *Node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	v, ok := r.anchors[name]
	if !ok {
		r.add(Content, at, "unknown anchor %q", name)
		return scalar(Null, at, "")
	}
	if r.aliased += v.size; r.aliased > maxAliased {
		r.add(Content, at, "aliases make the file too large")
		return scalar(Null, at, "")
	}
	return v
}

// mapping reads entries, reports keys given twice, and copies what a merge key
// brings behind the map's own entries.
func (r *reader) mapping(at Pos, values []*ast.MappingValueNode) *Node {
	m := &Node{Kind: Map, Pos: at, size: 1}
	if len(values) > 0 {
		m.FirstKey = place(values[0].Key.GetToken())
	}
	var merged []Entry
	lines := map[string]int{}
	for _, v := range values {
		keyAt := place(v.Key.GetToken())
		if r.options.Merge && v.Key.IsMergeKey() {
			merged = append(merged, r.merge(keyAt, v.Value)...)
			continue
		}
		key, ok := keyText(v.Key)
		if !ok {
			r.add(Key, keyAt, "a key must be plain text")
			continue
		}
		first, dup := lines[key]
		if dup {
			r.add(Content, keyAt, "key %q is given twice; the first is on line %d", key, first)
			if r.options.Duplicates {
				r.node(v.Value)
			}
			continue
		}
		lines[key] = keyAt.Line
		m.put(Entry{Key: key, Pos: keyAt, Value: r.node(v.Value)})
	}
	for _, e := range merged {
		if _, own := lines[e.Key]; !own {
			lines[e.Key] = e.Pos.Line
			m.put(e)
		}
	}
	return m
}

func (n *Node) put(e Entry) {
	n.Entries = append(n.Entries, e)
	n.size += e.Value.size
}

func (r *reader) merge(at Pos, v ast.Node) []Entry {
	m := r.node(v)
	if m.Kind != Map {
		r.add(Content, at, "<< merges a map, found %s", m.Kind)
	}
	return m.Entries
}

func keyText(k ast.MapKeyNode) (string, bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		return k.GetToken().Value, true
	}
	return "", false
}
