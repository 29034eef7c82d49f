package config

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// writeYAML writes a map in block style; lists come out in brackets.
func writeYAML(b *strings.Builder, n *node, indent string) {
	for _, p := range n.pairs {
		if p.comment != "" {
			b.WriteString(indent + "# " + strings.ReplaceAll(p.comment, "\n", "\n"+indent+"# ") + "\n")
		}
		b.WriteString(indent + yamlText(p.key) + ":")
		if p.value.kind == kindMap && len(p.value.pairs) > 0 {
			b.WriteString("\n")
			writeYAML(b, p.value, indent+"  ")
			continue
		}
		b.WriteString(" " + yamlFlow(p.value) + "\n")
	}
}

func yamlFlow(n *node) string {
	switch n.kind {
	case kindMap:
		return "{}"
	case kindList:
		items := make([]string, len(n.items))
		for i, item := range n.items {
			items[i] = yamlFlow(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case kindText:
		return yamlText(n.raw)
	case kindNull:
		return "null"
	}
	return n.raw
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
func writeJSON(b *strings.Builder, n *node, indent string) {
	switch n.kind {
	case kindMap:
		writeAll(b, "{", "}", indent, len(n.pairs), func(i int, inner string) {
			b.WriteString(jsonText(n.pairs[i].key) + ": ")
			writeJSON(b, n.pairs[i].value, inner)
		})
	case kindList:
		writeAll(b, "[", "]", indent, len(n.items), func(i int, inner string) { writeJSON(b, n.items[i], inner) })
	case kindText:
		b.WriteString(jsonText(n.raw))
	case kindNull:
		b.WriteString("null")
	default:
		b.WriteString(n.raw)
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
