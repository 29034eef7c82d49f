package config

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"iscope/config/yamltree"
)

// writeYAML writes a map in block style; lists come out in brackets.
func writeYAML(b *strings.Builder, n *yamltree.Node, indent string) {
	for _, p := range n.Entries {
		if p.Comment != "" {
			b.WriteString(indent + "# " + strings.ReplaceAll(p.Comment, "\n", "\n"+indent+"# ") + "\n")
		}
		b.WriteString(indent + yamlText(p.Key) + ":")
		if p.Value.Kind == yamltree.Map && len(p.Value.Entries) > 0 {
			b.WriteString("\n")
			writeYAML(b, p.Value, indent+"  ")
			continue
		}
		b.WriteString(" " + yamlFlow(p.Value) + "\n")
	}
}

func yamlFlow(n *yamltree.Node) string {
	switch n.Kind {
	case yamltree.Map:
		return "{}"
	case yamltree.List:
		items := make([]string, len(n.Items))
		for i, item := range n.Items {
			items[i] = yamlFlow(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case yamltree.Text:
		return yamlText(n.Raw)
	case yamltree.Null:
		return "null"
	}
	return n.Raw
}

// plainYAML is text that no YAML version reads as anything else. A word of
// letters might be a boolean, and is looked at further.
var (
	plainYAML = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./+-]*(://[A-Za-z0-9_./:+-]*[A-Za-z0-9_/])?$`)
	})
	specialYAML = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?i:true|false|yes|no|on|off|null|y|n)$`) })
)

func yamlText(s string) string {
	if plainYAML().MatchString(s) && !specialYAML().MatchString(s) {
		return s
	}
	return jsonText(s) // every JSON string is a YAML string
}

// writeJSON writes a value with two blanks of indentation.
func writeJSON(b *strings.Builder, n *yamltree.Node, indent string) {
	switch n.Kind {
	case yamltree.Map:
		writeAll(b, "{", "}", indent, len(n.Entries), func(i int, inner string) {
			b.WriteString(jsonText(n.Entries[i].Key) + ": ")
			writeJSON(b, n.Entries[i].Value, inner)
		})
	case yamltree.List:
		writeAll(b, "[", "]", indent, len(n.Items), func(i int, inner string) { writeJSON(b, n.Items[i], inner) })
	case yamltree.Text:
		b.WriteString(jsonText(n.Raw))
	case yamltree.Null:
		b.WriteString("null")
	default:
		b.WriteString(n.Raw)
	}
}

func writeAll(b *strings.Builder, open, end, indent string, n int, item func(i int, inner string)) {
	b.WriteString(open)
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n" + indent + "  ")
		item(i, indent+"  ")
	}
	if n > 0 {
		b.WriteString("\n" + indent)
	}
	b.WriteString(end)
}

func jsonText(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
