package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/oasdiff/yaml3"
)

// yamlText keeps the nodes of a YAML text, which know their lines. The parser
// is the one kin-openapi links anyway.
type yamlText struct{ root *yaml.Node }

// parseYAML reads a YAML text. Where it is broken, the lines before the break
// are tried alone.
func parseYAML(text []byte) (map[string]any, source, *warning, error) {
	node, err := yamlNode(text)
	if err == nil {
		tree, err := yamlTree(node)
		return tree, source{text: text, yaml: &yamlText{node}}, nil, err
	}
	first := err
	for range 3 {
		line, ok := yamlErrorLine(err)
		if !ok || line < 2 {
			break
		}
		text = linesBefore(text, line)
		node, err = yamlNode(text)
		if err != nil {
			continue
		}
		tree, err := yamlTree(node)
		if err != nil {
			return nil, source{}, nil, err
		}
		at, _ := yamlErrorLine(first)
		w := &warning{text: yamlErrorText(first) + "; what follows is left out", line: at, col: 1}
		return tree, source{text: text, yaml: &yamlText{node}}, w, nil
	}
	if line, ok := yamlErrorLine(first); ok {
		return nil, source{}, nil, fmt.Errorf("line %d: %s", line, yamlErrorText(first))
	}
	return nil, source{}, nil, first
}

func yamlNode(text []byte) (*yaml.Node, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("it is empty")
	}
	return doc.Content[0], nil
}

func yamlTree(n *yaml.Node) (map[string]any, error) {
	c := yamlConverter{}
	v, err := c.value(n, 0)
	if err != nil {
		return nil, err
	}
	tree, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("it is neither a JSON object nor a YAML mapping")
	}
	return tree, nil
}

// yamlConverter turns nodes into a tree. It counts them, aliases expanded.
type yamlConverter struct{ nodes int }

func (c *yamlConverter) value(n *yaml.Node, depth int) (any, error) {
	if c.nodes++; depth > maxDepth || c.nodes > maxNodes {
		return nil, fmt.Errorf("line %d: %w", n.Line, errTooDeep)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1)
	case yaml.MappingNode:
		return c.mapping(n, depth)
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := c.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	return yamlScalar(n), nil
}

// mapping keeps every key as it is written: response codes are numbers in YAML
// and strings in OpenAPI. Merge keys ("<<") add what is not there yet.
func (c *yamlConverter) mapping(n *yaml.Node, depth int) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	var merged []any
	for i := 0; i+1 < len(n.Content); i += 2 {
		v, err := c.value(n.Content[i+1], depth+1)
		if err != nil {
			return nil, err
		}
		if n.Content[i].ShortTag() == "!!merge" {
			merged = append(merged, v)
			continue
		}
		m[n.Content[i].Value] = v
	}
	for _, v := range merged {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, item := range list {
			from, _ := item.(map[string]any)
			for k, v := range from {
				if _, taken := m[k]; !taken {
					m[k] = v
				}
			}
		}
	}
	return m, nil
}

// yamlScalar reads a scalar as JSON would hold it; dates stay text.
func yamlScalar(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		if b, err := strconv.ParseBool(strings.ToLower(n.Value)); err == nil {
			return b
		}
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		var f float64
		if err := n.Decode(&f); err == nil {
			if b, err := json.Marshal(f); err == nil {
				return json.Number(b)
			}
		}
	}
	return n.Value
}

// yamlErrors is how the parser words a position: "yaml: line 12: did not …".
var yamlErrors = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?(?s:(.*))$`)

func yamlErrorLine(err error) (int, bool) {
	m := yamlErrors.FindStringSubmatch(err.Error())
	if m == nil || m[1] == "" {
		return 0, false
	}
	line, err := strconv.Atoi(m[1])
	return line, err == nil
}

func yamlErrorText(err error) string {
	if m := yamlErrors.FindStringSubmatch(err.Error()); m != nil {
		return m[2]
	}
	return err.Error()
}

func linesBefore(text []byte, line int) []byte {
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

// position finds the line and column of a JSON pointer, or of the nearest
// thing above it; 0 if there is none.
func (y *yamlText) position(pointer string) (line, col int) {
	at := y.root
	line, col = at.Line, at.Column
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if at.Kind == yaml.AliasNode {
			at = at.Alias
		}
		var next, shown *yaml.Node
		switch at.Kind {
		case yaml.MappingNode:
			key := unescapePointer(part)
			for i := 0; i+1 < len(at.Content); i += 2 {
				if at.Content[i].Value == key {
					shown, next = at.Content[i], at.Content[i+1]
				}
			}
		case yaml.SequenceNode:
			if i, ok := arrayIndex(part, len(at.Content)); ok {
				next, shown = at.Content[i], at.Content[i]
			}
		}
		if next == nil {
			return line, col
		}
		at, line, col = next, shown.Line, shown.Column
	}
	return line, col
}
