package request

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// kind is the type of a YAML value.
type kind uint8

const (
	aNull kind = iota
	aBool
	aNumber
	aText
	aList
	aMap
)

func (k kind) String() string {
	return [...]string{"nothing", "true or false", "a number", "text", "a list", "a map"}[k]
}

// node is a YAML value with its place.
type node struct {
	kind  kind
	at    Pos
	raw   string // of scalars: text unquoted, the rest as written
	items []*node
	pairs []pair
}

type pair struct {
	key   string
	at    Pos
	value *node
}

// parseYAML turns a file into nodes. It is the only place that knows the YAML
// library. nil means that the file is empty, or beyond reading and reported.
func parseYAML(src []byte, r *report) *node {
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var syntax *yaml.SyntaxError
		if !errors.As(err, &syntax) {
			r.add(Pos{1, 1}, "", "invalid YAML")
			return nil
		}
		r.add(place(syntax.Token), yamlHint(src, place(syntax.Token)), "invalid YAML: %s", strings.ReplaceAll(syntax.Message, "'\t'", "TAB"))
		return nil
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	if len(bodies) == 0 {
		return nil
	}
	y := yamlReader{report: r, anchors: map[string]*node{}}
	if len(bodies) > 1 {
		r.add(place(bodies[1].GetToken()), "write several steps under steps:", "the file holds more than one YAML document")
	}
	return y.node(bodies[0])
}

// yamlHint knows the mistake of a variable without quotes: {{x}} is a map in a
// map to YAML.
func yamlHint(src []byte, at Pos) string {
	lines := strings.Split(string(src), "\n")
	if at.Line >= 1 && at.Line <= len(lines) && (strings.Contains(lines[at.Line-1], "{{") || strings.Contains(lines[at.Line-1], "${")) {
		return `write variables in quotes: "{{name}}"`
	}
	return ""
}

func place(t *token.Token) Pos {
	if t == nil || t.Position == nil {
		return Pos{1, 1}
	}
	return Pos{t.Position.Line, t.Position.Column}
}

// yamlReader converts the library's tree. An anchor is known only after its
// value has been read, so that aliases cannot form a circle.
type yamlReader struct {
	report  *report
	anchors map[string]*node
	nodes   int
}

// maxNodes bounds what aliases can blow a small file up to.
const maxNodes = 100_000

func (y *yamlReader) node(n ast.Node) *node {
	if n == nil {
		return &node{}
	}
	at := place(n.GetToken())
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{kind: aNull, at: at}
	case *ast.BoolNode:
		return &node{kind: aBool, at: at, raw: n.Token.Value}
	case *ast.IntegerNode:
		return &node{kind: aNumber, at: at, raw: n.Token.Value}
	case *ast.FloatNode:
		return &node{kind: aNumber, at: at, raw: n.Token.Value}
	case *ast.InfinityNode, *ast.NanNode:
		return &node{kind: aNumber, at: at, raw: n.GetToken().Value}
	case *ast.StringNode:
		return &node{kind: aText, at: at, raw: n.Value}
	case *ast.LiteralNode:
		return &node{kind: aText, at: at, raw: n.Value.Value}
	case *ast.SequenceNode:
		list := &node{kind: aList, at: at}
		for _, v := range n.Values {
			list.items = append(list.items, y.node(v))
		}
		return list
	case *ast.MappingNode:
		return y.mapping(at, n.Values)
	case *ast.MappingValueNode:
		return y.mapping(place(n.Key.GetToken()), []*ast.MappingValueNode{n})
	case *ast.AnchorNode:
		v := y.node(n.Value)
		if n.Name != nil {
			y.anchors[n.Name.GetToken().Value] = v
		}
		return v
	case *ast.AliasNode:
		return y.alias(at, n)
	}
	y.report.add(at, "", "%s is not supported here", strings.ToLower(n.Type().String()))
	return &node{at: at}
}

func (y *yamlReader) alias(at Pos, n *ast.AliasNode) *node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	v, ok := y.anchors[name]
	if !ok {
		y.report.add(at, "", "unknown anchor %q", name)
		return &node{at: at}
	}
	if y.nodes += v.size(); y.nodes > maxNodes {
		y.report.add(at, "", "aliases make the file too large")
		return &node{at: at}
	}
	return v
}

// size counts a node and all below it.
func (n *node) size() int {
	sum := 1
	for _, i := range n.items {
		sum += i.size()
	}
	for _, p := range n.pairs {
		sum += p.value.size()
	}
	return sum
}

// mapping reads entries and reports keys given twice.
func (y *yamlReader) mapping(at Pos, values []*ast.MappingValueNode) *node {
	m := &node{kind: aMap, at: at}
	if len(values) > 0 { // the token of a block is its first colon
		m.at = place(values[0].Key.GetToken())
	}
	lines := map[string]int{}
	for _, v := range values {
		keyAt := place(v.Key.GetToken())
		key, ok := "", false
		switch k := v.Key.(type) {
		case *ast.StringNode:
			key, ok = k.Value, true
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
			key, ok = k.GetToken().Value, true
		}
		if !ok {
			y.report.add(keyAt, `write variables in quotes: "{{name}}"`, "a key must be plain text")
			continue
		}
		if first, dup := lines[key]; dup {
			y.report.add(keyAt, "", "key %q is given twice; the first is on line %d", key, first)
			continue
		}
		lines[key] = keyAt.Line
		m.pairs = append(m.pairs, pair{key: key, at: keyAt, value: y.node(v.Value)})
	}
	return m
}
