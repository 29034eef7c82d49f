package config

import (
	"bytes"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// parseYAML turns the file into nodes. It is the only place that knows the YAML
// library. nil means that the file is empty, or beyond reading and reported.
func parseYAML(src []byte, r *report) *node {
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		reportSyntax(src, err, r)
		return nil
	}
	var docs []*ast.DocumentNode
	for _, d := range file.Docs {
		if d.Body != nil {
			docs = append(docs, d)
		}
	}
	if len(docs) == 0 {
		return nil
	}
	y := yamlReader{report: r, anchors: map[string]*node{}}
	if len(docs) > 1 {
		r.add(place(docs[1].Body.GetToken()), "", "the file holds %s; one is expected", counted(len(docs), "YAML document"))
	}
	return y.node(docs[0].Body)
}

func reportSyntax(src []byte, err error, r *report) {
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		r.add(pos{1, 1}, "", "invalid YAML")
		return
	}
	at := place(syntax.Token)
	hint := ""
	if lines := bytes.Split(src, []byte("\n")); at.line >= 1 && at.line <= len(lines) && bytes.Contains(lines[at.line-1], []byte("${")) {
		hint = `write references in quotes: "${env:NAME}"`
	}
	r.add(at, hint, "invalid YAML: %s", syntaxMessage(syntax.Message))
}

// syntaxMessage leaves out what the library quotes of the value: it may be a
// secret, or a control character.
func syntaxMessage(s string) string {
	s, _, _ = strings.Cut(s, ": ")
	return strings.ReplaceAll(s, "'\t'", "TAB")
}

func place(t *token.Token) pos {
	if t == nil || t.Position == nil {
		return pos{1, 1}
	}
	return pos{t.Position.Line, t.Position.Column}
}

// yamlReader converts the library's tree. An anchor is known only after its
// value has been read, so that aliases cannot form a circle.
type yamlReader struct {
	report  *report
	anchors map[string]*node
}

func (y *yamlReader) node(n ast.Node) *node {
	if n == nil {
		return &node{}
	}
	at := place(n.GetToken())
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{kind: kindNull, at: at}
	case *ast.BoolNode:
		return &node{kind: kindBool, at: at, raw: n.Token.Value}
	case *ast.IntegerNode:
		return &node{kind: kindInt, at: at, raw: n.Token.Value}
	case *ast.FloatNode:
		return &node{kind: kindFloat, at: at, raw: n.Token.Value}
	case *ast.InfinityNode, *ast.NanNode:
		return &node{kind: kindFloat, at: at, raw: n.GetToken().Value}
	case *ast.StringNode:
		return &node{kind: kindText, at: at, raw: n.Value}
	case *ast.LiteralNode:
		return &node{kind: kindText, at: at, raw: n.Value.Value}
	case *ast.SequenceNode:
		list := &node{kind: kindList, at: at}
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

func (y *yamlReader) alias(at pos, n *ast.AliasNode) *node {
	name := ""
	if n.Value != nil {
		name = n.Value.GetToken().Value
	}
	v, ok := y.anchors[name]
	if !ok {
		y.report.add(at, "", "unknown anchor %q", name)
		return &node{at: at}
	}
	return v
}

// mapping reads entries, reports keys given twice, and copies what a merge key
// (<<) brings behind the map's own entries.
func (y *yamlReader) mapping(at pos, values []*ast.MappingValueNode) *node {
	m := &node{kind: kindMap, at: at}
	var merged []pair
	lines := map[string]int{}
	for _, v := range values {
		keyAt := place(v.Key.GetToken())
		if v.Key.IsMergeKey() {
			merged = append(merged, y.merge(keyAt, v.Value)...)
			continue
		}
		key, ok := keyText(v.Key)
		if !ok {
			y.report.add(keyAt, "", "a key must be plain text")
			continue
		}
		value := y.node(v.Value)
		if first, dup := lines[key]; dup {
			y.report.add(keyAt, "", "key %q is given twice; the first is on line %d", key, first)
			continue
		}
		lines[key] = keyAt.line
		m.pairs = append(m.pairs, pair{key: key, at: keyAt, value: value})
	}
	for _, p := range merged {
		if _, own := lines[p.key]; !own {
			lines[p.key] = p.at.line
			m.pairs = append(m.pairs, p)
		}
	}
	return m
}

func (y *yamlReader) merge(at pos, v ast.Node) []pair {
	m := y.node(v)
	if m.kind != kindMap {
		y.report.add(at, "", "<< merges a map, found %s", m.kind)
	}
	return m.pairs
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
