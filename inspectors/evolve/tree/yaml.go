package tree

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/oasdiff/yaml3"
)

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`line (\d+): `) })

// parseYAML reads YAML. Where it is broken, the lines before the break are tried
// alone, and everything that stood open there is marked as cut.
func parseYAML(text []byte) (n *Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, fmt.Errorf("the YAML parser panicked: %v", r)
		}
	}()
	n, err = yamlDocument(text)
	if err == nil {
		return n, nil
	}
	first := fault(err)
	// The parser tells the line before, at or after the one that breaks.
	for line := first.Line + 2; line > max(first.Line-4, 1); line-- {
		if n, err = yamlDocument(before(text, line)); err == nil {
			last(n)
			first.Line = line
			return n, first
		}
	}
	return nil, first
}

func yamlDocument(text []byte) (*Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("line 1: it is empty")
	}
	c := yamlReader{}
	return c.node(doc.Content[0], 0)
}

// fault takes the line out of the parser's words.
func fault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	m := yamlLine().FindStringSubmatch(text)
	if m == nil {
		return &Fault{Line: 1, Col: 1, Text: text}
	}
	line, _ := strconv.Atoi(m[1])
	return &Fault{Line: max(line, 1), Col: 1, Text: strings.Replace(text, m[0], "", 1)}
}

// before returns the lines before one.
func before(text []byte, line int) []byte {
	at := 0
	for range line - 1 {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return text[:at]
		}
		at += i + 1
	}
	return text[:at]
}

// last marks what stood open at the end of the text.
func last(n *Node) {
	for n != nil && (n.Kind == Map || n.Kind == List) {
		n.Cut = true
		if len(n.Items) == 0 {
			return
		}
		n = n.Items[len(n.Items)-1]
	}
}

// yamlReader turns the parser's nodes into ours. Aliases are expanded, and
// counted: a few lines can name billions of values.
type yamlReader struct{ nodes int }

func (c *yamlReader) node(y *yaml.Node, depth int) (*Node, error) {
	if c.nodes++; depth > maxDepth || c.nodes > maxNodes {
		return nil, &Fault{Line: y.Line, Col: y.Column, Text: "the document is too deep or has too many values"}
	}
	if y.Kind == yaml.AliasNode {
		return c.node(y.Alias, depth+1)
	}
	n := &Node{Line: int32(y.Line), Col: int32(y.Column)}
	switch y.Kind {
	case yaml.MappingNode:
		n.Kind = Map
		for i := 0; i+1 < len(y.Content); i += 2 {
			v, err := c.node(y.Content[i+1], depth+1)
			if err != nil {
				return nil, err
			}
			if key := y.Content[i]; key.Tag == "!!merge" {
				merge(n, v)
			} else {
				n.add(key.Value, v)
			}
		}
	case yaml.SequenceNode:
		n.Kind = List
		for _, item := range y.Content {
			v, err := c.node(item, depth+1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, v)
		}
	default:
		n.Kind, n.Text = scalar(y)
	}
	return n, nil
}

// merge adds what `<<` brings.
func merge(n, v *Node) {
	if v.Kind == List {
		for _, one := range v.Items {
			merge(n, one)
		}
		return
	}
	for i, key := range v.Keys {
		if n.Get(key) == nil {
			n.add(key, v.Items[i])
		}
	}
}

func scalar(y *yaml.Node) (Kind, string) {
	switch y.ShortTag() {
	case "!!null":
		return Null, "null"
	case "!!bool":
		return Bool, strings.ToLower(y.Value)
	case "!!int", "!!float":
		return Number, y.Value
	}
	return String, y.Value
}
